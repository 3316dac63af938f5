"""Scores over time: a system's runs for its page, and lines that break where something else was measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.board_differences import called, changed
from ratf.board_plot import ENDS, places
from ratf.board_words import day_of
from ratf.standing import LINES, Leaderboard, Ran, Standing, ends, number

NAMED = 6
"""So many of the things that changed are named; the rest are counted."""


@dataclass(frozen=True)
class Point:
    """A score of a run, `x` in percent of the plot's width. `measured`: all that two runs must share to be compared."""

    run: str
    x: float
    text: str
    score: float
    low: float | None
    high: float | None
    measured: Mapping[str, Any]
    day: str = ""
    """Runs of one day are no trend: no line joins them with each other or with those of other days."""


def history(board: Leaderboard, system: str) -> Iterator[dict[str, Any]]:
    """Each metric's runs of a system on a person, oldest first, those with skill scores before those without.

    What was measured once is left out. The line breaks where something else was measured.
    """
    metrics = dict.fromkeys(s.metric for r in board.runs for s in r.standings if s.system == system)
    measured = {b.id: b.measured for b in board.boards}
    rows = [r for b in board.boards for t in b.tables for r in t.rows if r.system == system]
    out = {(run, r.metric) for r in rows for run in r.not_counted}
    for person in board.persons:
        for scale in ("skill", "mean"):
            for metric in metrics:
                found = [
                    (run, s)
                    for run in board.runs
                    for s in run.standings
                    if run.person == person and (s.system, s.metric, s.scale) == (system, metric, scale)
                    if s.score is not None
                ]
                if len(found) > 1:
                    yield {"person": person, "metric": metric, "scale": scale, **_drawn(found, measured, scale, out)}


def _drawn(
    found: Sequence[tuple[Ran, Standing]], measured: Mapping[str, Any], scale: str, out: set[tuple[str, str]]
) -> dict[str, Any]:
    days = [day_of(run) for run, _ in found]
    points = [
        Point(
            run.id,
            x,
            f"{number(s)} ({ends(s)}){f', {s.placed}' if s.placed else ''}"
            f"{'; not verified, not counted' if (run.id, s.metric) in out else ''}",
            s.score or 0.0,
            s.low,
            s.high,
            measured[run.board],
            day,
        )
        for (run, s), day, x in zip(found, days, _across(days), strict=True)
    ]
    if scale == "skill":
        lines = [round(100 - at, 2) for at in places(LINES[::3], *ENDS)]
        return {**line(points, *ENDS), "lines": lines, "ends": []}
    low, high = reach(points)
    return {**line(points, low, high), "lines": [], "ends": [f"{low:.2f}", f"{high:.2f}"]}


def _across(days: Sequence[str]) -> list[float]:
    """Where each run stands from left to right, in percent: each day has its share, however many runs it has."""
    several = list(dict.fromkeys(days))
    seen: Counter[str] = Counter()
    found = []
    for day in days:
        seen[day] += 1
        found.append((several.index(day) + seen[day] / (days.count(day) + 1)) * 100 / len(several))
    return found


def reach(points: Sequence[Point]) -> tuple[float, float]:
    """The least and the greatest number of the points and their intervals, apart from each other."""
    numbers = [v for p in points for v in (p.score, p.low, p.high) if v is not None]
    low, high = min(numbers), max(numbers)
    return low, high if high > low else low + 1.0


def line(points: Sequence[Point], bottom: float, top: float) -> dict[str, Any]:
    """The points in percent of a box from `bottom` to `top`, the line's unbroken parts, and where it breaks and why."""
    made: list[dict[str, Any]] = []
    segments: list[list[str]] = []
    breaks: list[float] = []
    crowded = {day for day, n in Counter(p.day for p in points if p.day).items() if n > 1}
    for i, point in enumerate(points):
        told = broken(points[i - 1].measured, point.measured) if i else ""
        if told:
            breaks.append(round((points[i - 1].x + point.x) / 2, 2))
        numbers = [point.score if n is None else n for n in (point.score, point.low, point.high)]
        y, low, high = (round(100 - at, 2) for at in places(numbers, bottom, top))
        x = round(point.x, 2)
        if told or not i or crowded & {point.day, points[i - 1].day}:
            segments.append([])
        segments[-1].append(f"{x},{y}")
        made.append({"run": point.run, "text": point.text, "breaks": told, "x": x, "y": y, "low": low, "high": high})
    return {"points": made, "segments": [" ".join(s) for s in segments if len(s) > 1], "breaks": breaks}


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why two runs cannot be compared, in words; empty where they can."""
    keys = [called(key) for key in changed(before, after)]
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"not comparable from here on, another measure: {', '.join(keys[:NAMED])}{more}" if keys else ""
