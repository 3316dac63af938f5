"""A leaderboard for a paper: its plots as figures, and its tables, with the places and numbers of its pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.boards.entry import slug
from ratf.boards.plots import bar_of, history, limits
from ratf.boards.site import NUMBERS, leads, lines, over_persons
from ratf.boards.standing import LINES, Leaderboard, Ran, Standing, ends, number
from ratf.boards.standing import Table as Stands
from ratf.boards.words import called, day_of
from ratf.pages.axes import places, ticks_between
from ratf.pages.figures import CEILING_WORD, FLOOR_WORD, Figure, Panel, Panels, Row, Rows, heading, over_runs
from ratf.pages.printed import MOST_METRICS, Cell, Table
from ratf.suite.metrics import title

MOST_DAYS = 5
"""The greatest number of days that are named under a history."""


@dataclass(frozen=True)
class Part:
    """One board, or the tables over a set of persons. `where` names its files and `who` says whom it is about."""

    name: str
    persons: Sequence[str]
    tables: Sequence[Stands]
    where: str
    who: str

    @property
    def unit(self) -> str:
        """What the intervals are over."""
        return "interviews" if len(self.persons) == 1 else "persons"

    @property
    def shown(self) -> list[Stands]:
        """The tables that stand open on the page, and those of metrics that passed their exam."""
        first = leads(self.tables)
        return [t for t in self.tables if t.metric in first or any(row.admitted for row in t.rows)]


def figures(board: Leaderboard) -> Iterator[Figure]:
    """Where the systems stand, on the metrics that are shown, then the history of each system with several runs."""
    for part in _parts(board):
        for table in part.shown:
            if rows := _rows(board, table):
                yield _standings(part, table, rows)
    runs = {run.id: run for run in board.runs}
    for system in board.systems:
        for chart in history(board, system):
            yield _history(board, system, chart, runs)


def tables(board: Leaderboard) -> Iterator[Table]:
    """A table for each board, and for each set of persons on which systems were measured alike."""
    for part in _parts(board):
        shown = part.shown[:MOST_METRICS]
        of = {table.metric: {row.system: row for row in table.rows} for table in shown}
        systems = list(dict.fromkeys(row.system for table in shown for row in table.rows))
        yield Table(
            name=f"standings-{part.where}",
            caption=f"Systems: {part.who}",
            head=["system", *(_headed(table) for table in shown)],
            rows=[
                [called(board.systems[s], part.tables[0], board), *(_cell(of[t.metric].get(s)) for t in shown)]
                for s in systems
            ],
            columns=NUMBERS,
            values=lines(board, part.name, part.persons, part.tables),
            note=f"Skill from the floor (0) to the ceiling (1) with its class, otherwise the mean; 95 % intervals over {part.unit}.",
        )


def _parts(board: Leaderboard) -> list[Part]:
    """The parts of a leaderboard. A further board of a person has its name in `where` and `who`."""
    found: list[Part] = []
    for name, persons, tables in [*((b.id, [b.person], b.tables) for b in board.boards), *over_persons(board)]:
        alone = len(persons) == 1
        base, who = (slug(persons[0]), board.persons[persons[0]]) if alone else ("persons", f"{len(persons)} persons")
        taken = {part.where for part in found}
        where = next(w for w in (base, *(f"{base}-{name}{n}" for n in ("", *range(2, 1000)))) if w not in taken)
        found.append(
            Part(name, persons, tables, where, who if where == base else f"{who}, {where.removeprefix(base + '-')}")
        )
    return found


def _skilled(table: Stands) -> bool:
    return any(row.scale == "skill" for row in table.rows)


def _headed(table: Stands) -> str:
    failed = any(row.admitted is False for row in table.rows)
    return heading(table.metric, failed, table.better == "lower" and not _skilled(table))


def _cell(row: Standing | None) -> Cell:
    if row is None or row.score is None:
        return "–"
    return f"{number(row)} {row.placed}".rstrip(), ends(row)


def _rows(board: Leaderboard, table: Stands) -> list[Row]:
    """The systems that have a place on the table's axis; one whose runs disagree stands aside."""
    return [
        Row(
            name=called(board.systems[row.system], table, board),
            at=bar["dots"][0],
            low=bar["low"],
            high=bar["high"],
            told=f"{number(row)} ({ends(row)}){f', {row.placed}' if row.placed else ''}",
            kind="aside" if row.disagree else "usual",
        )
        for row in table.rows
        if (bar := bar_of(row, table))
    ]


def _standings(part: Part, table: Stands, rows: list[Row]) -> Rows:
    low, high = limits(table)
    skill = _skilled(table)
    shown = LINES[::3] if skill else ticks_between(low, high)
    marks = zip(places((0, 1), low, high), (FLOOR_WORD, CEILING_WORD), strict=True) if skill else ()
    return Rows(
        name=f"standings-{part.where}-{table.metric}",
        title=f"{_headed(table)}: {part.who}",
        rows=rows,
        ticks=list(zip(places(shown, low, high), (f"{v:g}" for v in shown), strict=True)),
        marks=list(marks),
        words=f"{'skill' if skill else 'mean'}, 95 % interval over {part.unit}",
    )


def _history(board: Leaderboard, system: str, chart: dict[str, Any], runs: dict[str, Ran]) -> Panels:
    """Places in percent, with the top at 0, as the page has them."""
    of = board.systems[system]
    metric, person, skill = chart["metric"], chart["person"], chart["scale"] == "skill"
    days: dict[str, float] = {}
    for point in chart["points"]:
        days.setdefault(day_of(runs[point["run"]]), point["x"])
    left = [f"{v:g}" for v in LINES[::3]] if skill else chart["ends"]
    return Panels(
        name=f"history-{person}-{system}-{metric}",
        title=f"{title(metric)} over the runs: {board.persons[person]}",
        panels=[Panel(f"{of.arm}, {of.model}", [over_runs(chart)], chart["breaks"])],
        across=(0, 100),
        up=(100, 0),
        bottom=[(x, day) for day, x in days.items()][:: -(-len(days) // MOST_DAYS)],
        left=list(zip(chart["lines"] or [100, 0], left, strict=True)),
        below="day; the line breaks where something else was measured",
        beside="skill" if skill else f"mean {title(metric)}",
    )
