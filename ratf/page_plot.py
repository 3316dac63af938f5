"""Where dots and bars stand, in percent of a plot's width and height."""

from collections.abc import Sequence
from typing import Any

from ratf.arms import CEILING, FLOOR
from ratf.results import Cell, Results


def plot(results: Results, metric: str) -> dict[str, Any]:
    """Every arm's mean and interval on one axis. The rows are the arms, floor and ceiling; `others` are the other controls."""
    cells = {name: c for name, arm in results.arms.items() if (c := arm.metrics.get(metric)) and c.mean is not None}
    top = results.metrics[metric]["top"]  # an interval may reach beyond it, the axis need not
    ends = [n for c in cells.values() for n in (c.mean, c.low, c.high) if n is not None]
    numbers = [n if top is None else max(0.0, min(n, top)) for n in ends]
    low, high = axis(numbers)

    def place(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2)

    def row(name: str, cell: Cell) -> dict[str, Any]:
        assert cell.mean is not None
        ends = (cell.mean, cell.mean) if cell.low is None or cell.high is None else (cell.low, cell.high)
        return {
            "name": name,
            "arm": results.arms[name],
            "cell": cell,
            "at": place(cell.mean),
            "low": place(max(ends[0], low)),
            "high": place(min(ends[1], high)),
        }

    marks = {name: place(cells[name].mean or 0.0) for name in (FLOOR, CEILING) if name in cells}
    ticks = [{"at": place(t), "text": f"{t:g}"} for t in ticks_between(low, high)]
    main = [n for n in cells if results.arms[n].kind == "arm"] + [n for n in (CEILING, FLOOR) if n in cells]
    return {
        "rows": [row(n, cells[n]) for n in main],
        "others": [row(n, c) for n, c in cells.items() if n not in main],
        "marks": marks,
        "ticks": ticks,
    }


def axis(numbers: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis: 0 to 1 where everything fits, else whole steps around the numbers."""
    if not numbers or (min(numbers) >= 0 and max(numbers) <= 1):
        return 0.0, 1.0
    return min(0.0, float(int(min(numbers)) - (min(numbers) < 0))), float(int(max(numbers)) + 1)


def ticks_between(low: float, high: float) -> list[float]:
    """Five ticks, both ends included."""
    return [round(low + (high - low) * i / 4, 4) for i in range(5)]
