"""A run as Jupyter shows it: its verdict, a plot of intervals, and a few sentences, as HTML without scripts."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from raft.text import plain

LEFT, WIDTH, RIGHT, ROW = 150, 360, 190, 24
"""Sizes in pixels: the width for the arms' names, for the plot and for the numbers, and the height of a row."""


class Row(NamedTuple):
    """One arm's mean and the ends of its interval, which are None where a single interview gives none."""

    name: str
    control: bool
    mean: float
    low: float | None
    high: float | None


def html(verdict: str, sentence: str, rows: Sequence[Row], said: Sequence[str]) -> str:
    """The HTML of the verdict in words, the plot of `rows`, and the sentences `said` under it.

    All text is escaped, because people and models wrote some of it.
    """
    under = "".join(f"<p><small>{_text(one)}</small></p>" for one in said)
    return f"<div><p><strong>{_text(verdict)}</strong>: {_text(sentence)}</p>{_plot(rows) if rows else ''}{under}</div>"


def _plot(rows: Sequence[Row]) -> str:
    """An SVG with a line for each arm and then each control: a dot, its interval, and both as numbers."""
    drawn = sorted(rows, key=lambda row: row.control)
    numbers = [n for row in drawn for n in row[2:] if n is not None]
    low, high = min(0.0, *numbers), max(1.0, *numbers)

    def x(number: float) -> float:
        return round(LEFT + WIDTH * (number - low) / (high - low), 1)

    bottom = ROW * len(drawn)
    lines = [
        f'<line x1="{x(n)}" x2="{x(n)}" y1="0" y2="{bottom}" stroke="currentColor" stroke-opacity=".25"/>'
        f'<text x="{x(n)}" y="{bottom + 15}" text-anchor="middle">{n:.3g}</text>'
        for n in (low, (low + high) / 2, high)
    ]
    for i, row in enumerate(drawn):
        y, ink = ROW * i + ROW / 2, "gray" if row.control else "currentColor"
        if row.low is not None and row.high is not None:
            ends = f'x1="{x(row.low)}" x2="{x(row.high)}" y1="{y}" y2="{y}"'
            lines.append(f'<line {ends} stroke="{ink}" stroke-width="2"/>')
        lines.append(
            f'<circle cx="{x(row.mean)}" cy="{y}" r="4" fill="{ink}"/>'
            f'<text x="0" y="{y + 4}" fill="{ink}">{_text(row.name)}</text>'
            f'<text x="{LEFT + WIDTH + 14}" y="{y + 4}" fill="{ink}">{_numbers(row)}</text>'
        )
    size = f'width="{LEFT + WIDTH + RIGHT}" height="{bottom + 22}"'
    label = _text(f"Means and 95 % intervals: {'; '.join(f'{row.name} {_numbers(row)}' for row in drawn)}")
    style = 'style="font: 13px sans-serif; fill: currentColor; max-width: 100%"'
    return f'<svg {size} role="img" aria-label="{label}" {style}>{"".join(lines)}</svg>'


def _numbers(row: Row) -> str:
    ends = "(no interval)" if row.low is None or row.high is None else f"[{row.low:.3f}, {row.high:.3f}]"
    return f"{row.mean:.3f} {ends}"


def _text(text: str) -> str:
    return escape(plain(text))
