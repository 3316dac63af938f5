"""Where a system's score and interval stand on the leaderboard's plots, in percent of their width."""

from collections.abc import Iterable, Sequence
from typing import Any

from ratf.page_plot import axis
from ratf.standing import LINES, Standing, Table

ENDS = (-0.25, 1.25)
"""Of the axis of skill: a quarter beyond floor and ceiling, so that each letter from F to A has a sixth."""


def limits(table: Table) -> tuple[float, float]:
    """The ends of a table's axis: of skill where a row has one, else of the metric."""
    if any(r.scale == "skill" for r in table.rows):
        return ENDS
    return axis([v for r in table.rows for v in (r.score, r.low, r.high) if v is not None])


def bar_of(row: Standing, table: Table, alone: Sequence[Standing] = ()) -> dict[str, Any] | None:
    """Where a row's interval and its dots are; None where it has none on the table's scale.

    The dot is its mean. Where its runs disagree and `alone` has what each says, these are the dots: no run had the mean.
    """
    skill = any(r.scale == "skill" for r in table.rows)
    if row.score is None or skill != (row.scale == "skill"):
        return None
    low, high = limits(table)
    ends = (row.score, row.score) if row.low is None or row.high is None else (row.low, row.high)
    start, end = places(ends, low, high)
    scores = [s.score for s in alone if s.score is not None] if row.disagree else []
    lines = places(LINES[::3], *ENDS) if skill else []
    return {"dots": places(scores or [row.score], low, high), "low": start, "high": end, "lines": lines}


def places(numbers: Iterable[float], low: float, high: float) -> list[float]:
    """Each number in percent of the way from `low` to `high`, at one of the ends where it is beyond."""
    return [round(min(100.0, max(0.0, 100 * (n - low) / (high - low))), 2) for n in numbers]
