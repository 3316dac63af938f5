"""Axes of plots: their ends, their ticks, and places on them."""

import math
from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from typing import Any


def scale(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Ends of an axis around the numbers, and the step of 3 to 6 round ticks between them."""
    spread = (max(numbers) - min(numbers)) or 0.1
    power = 10.0 ** math.floor(math.log10(spread / 3))
    step = next(s * power for s in (1, 2, 5, 10) if spread / (s * power) <= 5)
    low, high = math.floor(min(numbers) / step) * step, math.ceil(max(numbers) / step) * step
    return low, (high if high > low else low + step), step


def places(numbers: Iterable[float], low: float, high: float) -> list[float]:
    """Each number in percent of the way from `low` to `high`, at one of the ends where it is beyond."""
    return [round(min(100.0, max(0.0, 100 * (n - low) / (high - low))), 2) for n in numbers]


def padded(numbers: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, a little beyond the numbers."""
    low, high = min(numbers), max(numbers)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def labels(low: float, high: float) -> list[dict[str, Any]]:
    """The labels of a left axis: the text of each round number, and its distance from the top in percent."""
    return [{"at": round(100 * (high - v) / (high - low), 1), "text": f"{v:g}"} for v in round_ticks(low, high)]


def round_ticks(low: float, high: float) -> list[float]:
    """Two to four numbers of few digits between the ends, the roundest that there are."""
    power = ceil(log10(high - low))
    for step in (m * 10.0**p for p in (power - 1, power - 2) for m in (5, 2.5, 2, 1)):
        found = [round(n * step, 10) for n in range(ceil(low / step), floor(high / step) + 1)]
        if len(found) > 1:
            return found
    raise AssertionError("half of a tenth of the power fits twice")


def axis(numbers: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis: 0 to 1 where everything fits, else whole steps around the numbers."""
    if not numbers or (min(numbers) >= 0 and max(numbers) <= 1):
        return 0.0, 1.0
    return min(0.0, float(int(min(numbers)) - (min(numbers) < 0))), float(int(max(numbers)) + 1)


def ticks_between(low: float, high: float) -> list[float]:
    """Five ticks, both ends included."""
    return [round(low + (high - low) * i / 4, 4) for i in range(5)]
