"""Scores over time: a system's runs for its page, and lines that break where something else was measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ratf.boards.standing import LINES, Leaderboard, Ran, Standing, Table, ends, number
from ratf.boards.words import day_of
from ratf.pages.axes import axis, places
from ratf.pages.lines import Point, line, reach


def history(board: Leaderboard, system: str) -> Iterator[dict[str, Any]]:
    """Each metric's runs of a system on a person, oldest first, those with skill scores before those without.

    What was measured once is left out. The line breaks where something else was measured.
    """
    mine = [(run, s) for run in board.runs for s in run.standings if s.system == system]
    metrics = dict.fromkeys(s.metric for _, s in mine)
    measured = {b.id: b.measured for b in board.boards}
    rows = [r for b in board.boards for t in b.tables for r in t.rows if r.system == system]
    out = {(run, r.metric) for r in rows for run in r.not_counted}
    for person in board.persons:
        for scale in ("skill", "mean"):
            for metric in metrics:
                found = [
                    (run, s)
                    for run, s in mine
                    if run.person == person and (s.metric, s.scale) == (metric, scale) and s.score is not None
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
    """The places of runs from left to right, in percent: each day has its share, however many runs it has."""
    several = list(dict.fromkeys(days))
    seen: Counter[str] = Counter()
    found = []
    for day in days:
        seen[day] += 1
        found.append((several.index(day) + seen[day] / (days.count(day) + 1)) * 100 / len(several))
    return found


ENDS = (-0.25, 1.25)
"""The ends of the axis of skill: a quarter beyond floor and ceiling, so that each letter from F to A has a sixth."""


def limits(table: Table) -> tuple[float, float]:
    """The ends of a table's axis: those of skill where a row has a skill score, else by the metric's numbers."""
    if any(r.scale == "skill" for r in table.rows):
        return ENDS
    return axis([v for r in table.rows for v in (r.score, r.low, r.high) if v is not None])


def bar_of(row: Standing, table: Table, alone: Sequence[Standing] = ()) -> dict[str, Any] | None:
    """The places of a row's interval and dots in percent of the axis; None where it has none on the table's scale.

    The dot is its mean. Where its runs disagree and `alone` has what each says, these are the dots: no run had the
    mean.
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
