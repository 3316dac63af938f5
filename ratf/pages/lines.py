"""Lines of scores over time, broken where two runs can not be compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.pages.axes import places
from ratf.results.comparable import broken


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
    """The run's day. No line joins runs of one day to each other or to other runs: one day shows no trend."""


def reach(points: Sequence[Point]) -> tuple[float, float]:
    """The lowest and the highest number of the points and their intervals; if they are equal, the second is 1 more."""
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
