"""Scores over time: a system's runs for its page, and lines that break where something else was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.leaderboard import called, changed
from ratf.standing import Leaderboard, ends, number

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


def history(board: Leaderboard, system: str) -> Iterator[dict[str, Any]]:
    """Each metric's runs of a system on a person, oldest first, those with skill scores before those without.

    What was measured once is left out. The line breaks where something else was measured.
    """
    metrics = dict.fromkeys(s.metric for r in board.runs for s in r.standings if s.system == system)
    measured = {b.id: b.measured for b in board.boards}
    for person in board.persons:
        for scale in ("skill", "mean"):
            for metric in metrics:
                found = [
                    (run, s, s.score)
                    for run in board.runs
                    for s in run.standings
                    if run.person == person and (s.system, s.metric, s.scale) == (system, metric, scale)
                    if s.score is not None
                ]
                if len(found) > 1:
                    points = [
                        Point(run.id, x, f"{number(s)} ({ends(s)})", score, s.low, s.high, measured[run.board])
                        for x, (run, s, score) in zip(spaced(len(found)), found, strict=True)
                    ]
                    yield {"person": person, "metric": metric, "scale": scale, **line(points, *reach(points))}


def spaced(n: int) -> list[float]:
    """So many places from 0 to 100."""
    return [i * 100 / max(1, n - 1) for i in range(n)]


def reach(points: Sequence[Point]) -> tuple[float, float]:
    """The least and the greatest number of the points and their intervals."""
    numbers = [v for p in points for v in (p.score, p.low, p.high) if v is not None]
    return min(numbers), max(numbers)


def line(points: Sequence[Point], bottom: float, top: float) -> dict[str, Any]:
    """The points in percent of a box from `bottom` to `top`, the line's unbroken parts, and where it breaks and why."""
    spread = (top - bottom) or 1.0

    def y(number: float | None, score: float) -> float:
        return round(100 - 100 * ((score if number is None else number) - bottom) / spread, 2)

    made: list[dict[str, Any]] = []
    segments: list[list[str]] = []
    breaks: list[float] = []
    for i, point in enumerate(points):
        told = broken(points[i - 1].measured, point.measured) if i else ""
        at = {"x": round(point.x, 2), "y": y(point.score, point.score)}
        if told:
            breaks.append(round((points[i - 1].x + point.x) / 2, 2))
        if told or not i:
            segments.append([])
        segments[-1].append(f"{at['x']},{at['y']}")
        bar = {"low": y(point.low, point.score), "high": y(point.high, point.score)}
        made.append({"run": point.run, "text": point.text, "breaks": told, **at, **bar})
    return {"points": made, "segments": [" ".join(s) for s in segments], "breaks": breaks}


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why two runs cannot be compared, in words; empty where they can."""
    keys = [called(key) for key in changed(before, after)]
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"not comparable from here on, another measure: {', '.join(keys[:NAMED])}{more}" if keys else ""
