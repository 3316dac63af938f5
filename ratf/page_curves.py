"""Lines over steps or runs: where they and the labels of their axes stand. All arms share the axes, so that they compare."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10
from statistics import fmean
from typing import Any

from ratf.results import Tuned

POINTS, SMOOTH_POINTS = 120, 40
"""At most so many points of a line: of the losses, and of their running mean."""

EVERY = 16
"""The running mean reaches over one in so many steps on either side; with fewer steps there is none."""

Points = Sequence[tuple[float, float]]


def curves(tuned: Sequence[Tuned]) -> dict[str, Any]:
    """For each arm its lines as SVG paths, `left` and `bottom` the axes' labels in percent. The box is `width` by 100.

    A line of many steps is drawn with means of as many as `each` says; `over` is how many the running mean has.
    """
    losses = [v for t in tuned for v in (*t.losses, *(v for _, v in t.validation))]
    if not losses:
        return {"arms": [{"tuned": t} for t in tuned], "left": [], "bottom": [], "width": 100}
    first = min([1, *(step for t in tuned for step, _ in t.validation)])
    last = max(first + 1, *(max([len(t.losses), *(step for step, _ in t.validation)]) for t in tuned))
    low, high = padded(losses)
    width = min(last - first, 2 * POINTS)

    def path(points: Points) -> str:
        return path_of([(width * (x - first) / (last - first), 100 * (high - y) / (high - low)) for x, y in points])

    def lines(one: Tuned) -> dict[str, Any]:
        each = max(1, ceil(len(one.losses) / POINTS))
        half = len(one.losses) // EVERY
        smooth = smoothed(one.losses, half)
        kept = range(0, len(smooth), max(1, ceil(len(smooth) / SMOOTH_POINTS)))
        steps = [*kept, len(smooth) - 1] if smooth and kept[-1] < len(smooth) - 1 else [*kept]
        return {
            "tuned": one,
            "each": each,
            "raw": path(means(one.losses, each)),
            "over": 2 * half + 1,
            "mean": path([(i + 1, smooth[i]) for i in steps]) if half else "",
            "watched": path(one.validation),
            "ends": (smooth[0], smooth[-1]) if smooth else None,
        }

    bottom = dict.fromkeys([first, (first + last) // 2, last])
    return {
        "arms": [lines(t) for t in tuned],
        "left": labels(low, high),
        "bottom": [{"at": round(100 * (n - first) / (last - first), 1), "text": f"{n:,}"} for n in bottom],
        "width": width,
    }


def padded(numbers: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, a little beyond the numbers."""
    low, high = min(numbers), max(numbers)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def labels(low: float, high: float) -> list[dict[str, Any]]:
    """The left axis: how far from the top each of its round numbers stands, in percent."""
    return [{"at": round(100 * (high - v) / (high - low), 1), "text": f"{v:g}"} for v in round_ticks(low, high)]


def round_ticks(low: float, high: float) -> list[float]:
    """Two to four numbers of few digits between the ends, the roundest that there are."""
    power = ceil(log10(high - low))
    for step in (m * 10.0**p for p in (power - 1, power - 2) for m in (5, 2.5, 2, 1)):
        found = [round(n * step, 10) for n in range(ceil(low / step), floor(high / step) + 1)]
        if len(found) > 1:
            return found
    raise AssertionError("half of a tenth of the power fits twice")


def smoothed(losses: Sequence[float], half: int) -> list[float]:
    """The mean over `half` steps on either side; at the ends over those that there are."""
    return [fmean(losses[max(0, i - half) : i + half + 1]) for i in range(len(losses))]


def means(losses: Sequence[float], each: int) -> list[tuple[float, float]]:
    """(step, loss), the means of `each` steps in a row."""
    parts = [(at, losses[at : at + each]) for at in range(0, len(losses), each)]
    return [(at + 1 + (len(part) - 1) / 2, fmean(part)) for at, part in parts]


def path_of(points: Points) -> str:
    """A line in whole numbers, each point told from the one before: a third fewer bytes than their places."""
    at = [(round(x), round(y)) for x, y in points]
    if not at:
        return ""
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(at)] or [(0, 0)]
    return f"M{at[0][0]} {at[0][1]}l" + " ".join(f"{x}{y}" if y < 0 else f"{x} {y}" for x, y in steps)
