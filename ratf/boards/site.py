"""A leaderboard as a folder of pages that needs no server: rendered from a `Leaderboard`, with the runs' reports."""

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raft.errors import RaftError
from raft.text import number_of, plain
from ratf.boards import pairs, words
from ratf.boards.entry import slug
from ratf.boards.plots import bar_of, history, limits
from ratf.boards.standing import Leaderboard, Overall, Ran, Standing, Table, ends, number, span
from ratf.boards.words import Badge, badges
from ratf.models.prices import dollars
from ratf.pages.templates import environment
from ratf.results.table import csv_of
from ratf.suite.metrics import title

COLUMNS = {
    **dict.fromkeys(("board", "person", "system", "arm", "model", "metric", "axis", "scale"), "string"),
    **dict.fromkeys(("score", "low", "high"), "double"),
    "class": "string",
}
MORE = {
    **dict.fromkeys(("n", "interviews", "unscored", "errors"), "int64"),
    "words": "double",
    "admitted": "bool",
    "auc": "double",
    "runs": "string",
    "disagree": "bool",
    "verified": "int64",
    "not_counted": "string",
    "alike": "int64",
}
NUMBERS = {**COLUMNS, **MORE, "over": "string"}
"""The columns of `leaderboard.csv` with their types in Parquet. `over` says what an interval is over: one person's
interviews, or the persons of a row that has several."""


SEEDS = 5
"""The number of seeds that a row names; the rest are counted, and are on the system's page."""


def site(board: Leaderboard) -> dict[str, bytes]:
    """Every file of the site by its path, but the runs' reports. The same input gives the same bytes."""
    pages = Pages(board)
    made = {
        ".nojekyll": "",  # GitHub Pages takes the files as they are
        "leaderboard.json": board.model_dump_json(indent=1) + "\n",
        "leaderboard.csv": to_csv(board),
        "feed.xml": pages.feed(),
        "index.html": pages.index(),
    }
    all_badges = list(badges(board, _said))
    made |= {b.path: pages.render("boards/badge.svg.j2", "", badge=b) for b in all_badges}
    for person in board.persons:
        made[person_page(person)] = pages.person(person)
    for system in board.systems:
        made[f"systems/{system}.html"] = pages.system(system, [b for b in all_badges if b.system == system])
    return {path: text.encode("utf-8", "replace") for path, text in sorted(made.items())}


def over_persons(board: Leaderboard) -> list[tuple[str, list[str], list[Table]]]:
    """Each protocol and set of persons with the tables over them."""
    key: Callable[[Overall], tuple[str, list[str]]] = lambda o: (o.protocol, o.persons)  # noqa: E731
    return [(*of, [o.table for o in several]) for of, several in groupby(sorted(board.overall, key=key), key)]


def person_page(person: str) -> str:
    """The path of a person's page. Two keys never share one, and none leads out of the folder."""
    name = slug(person)
    return f"persons/{name if name == person else f'{name}-{hashlib.sha256(person.encode()).hexdigest()[:8]}'}.html"


def to_csv(board: Leaderboard) -> str:
    """One line for each system, board and metric, then one for each system, set of persons and metric.

    The latter have the protocol for a board and all its persons, by their keys with spaces between.
    """
    boards = [line for one in board.boards for line in lines(board, one.id, [one.person], one.tables)]
    overall = [line for o in board.overall for line in lines(board, o.protocol, o.persons, [o.table])]
    return csv_of(list(NUMBERS), [*boards, *overall])


def lines(board: Leaderboard, name: str, persons: Sequence[str], tables: Sequence[Table]) -> list[list[Any]]:
    """The rows of tables of one person, or over several, with the values of `NUMBERS`."""
    over = "interviews" if len(persons) == 1 else "persons"
    return [_line(board, row, name, " ".join(persons), table, over) for table in tables for row in table.rows]


def _line(board: Leaderboard, row: Standing, name: str, person: str, table: Table, over: str) -> list[Any]:
    system = board.systems[row.system]
    where = (name, person, row.system, system.arm, system.model, table.metric, table.axis)
    told = (row.scale, row.score, row.low, row.high, row.placed)
    more = [getattr(row, column) for column in MORE]
    return [*where, *told, *(" ".join(value) if isinstance(value, list) else value for value in more), over]


class Pages:
    """The pages of a leaderboard."""

    def __init__(self, board: Leaderboard) -> None:
        self.board = board
        self._templates = environment(finalize=_said)
        self._templates.filters["metric_title"] = title
        self._runs = {run.id: run for run in board.runs}
        self._alone = {(run.id, s.system, s.metric): s for run in board.runs for s in run.standings}
        self._names = words.names(board.runs)

    def render(self, template: str, root: str, **more: Any) -> str:
        """Render a page; `root` is the relative path from it to the site's folder."""
        given = {
            "board": self.board,
            "root": root,
            "number": number,
            "ends": ends,
            "span": span,
            "title": title,
            "bar_of": bar_of,
            "limits": limits,
            "person_page": person_page,
            "leads": leads,
            "seeds": SEEDS,
            "run_names": self._names,
            "runs_of": self.runs_of,
            "each": self.each,
            "not_counted": self.not_counted,
            "dollars": dollars,
            "w": words,
            "number_of": number_of,
            "pairs": pairs,
        }
        return self._templates.get_template(template).render(**given, **more)

    def runs_of(self, row: Standing) -> list[Ran]:
        """The runs of a row, in order."""
        return words.in_order(self._runs[r] for r in row.runs)

    def each(self, row: Standing) -> list[tuple[Ran, Standing]]:
        """The runs of a row, each with what it says alone."""
        return [(run, self._alone[run.id, row.system, row.metric]) for run in self.runs_of(row)]

    def not_counted(self, row: Standing) -> list[tuple[Ran, Standing]]:
        """The runs that are left out of a row, each with what it says alone."""
        runs = words.in_order(self._runs[r] for r in row.not_counted)
        return [(run, self._alone[run.id, row.system, row.metric]) for run in runs]

    def index(self) -> str:
        """The page that has all boards."""
        board = self.board
        overall = [{"persons": persons, "tables": tables} for _, persons, tables in over_persons(board)]
        parts = (("system", board.systems), ("person", board.persons), ("run", board.runs))
        counted = ", ".join(number_of(len(of), name) for name, of in parts)
        return self.render("boards/index.html.j2", "", overall=overall, summary=counted)

    def person(self, person: str) -> str:
        """The page with the boards of one person."""
        boards = [b for b in self.board.boards if b.person == person]
        return self.render("boards/person.html.j2", "../", person=person, boards=boards)

    def system(self, system: str, own: Sequence[Badge]) -> str:
        """The page of a system: each board and table where it stands."""
        stands = []
        for one in self.board.boards:
            rows = [(t, r) for t in one.tables for r in t.rows if r.system == system]
            if rows:
                of = {r for _, row in rows for r in (*row.runs, *row.not_counted)}
                runs = words.in_order(self._runs[r] for r in of)
                torn = [(t, r) for t, r in rows if r.disagree]
                said = words.adapters_said(system, runs, self._names)
                stands.append({"board": one, "rows": rows, "torn": torn, "said": said})
        about = self.board.systems[system]
        differing = words.differing(about, self.board.systems.values())
        given = {"history": list(history(self.board, system)), "badges": own, "differing": differing}
        return self.render("boards/system.html.j2", "../", system=about, stands=stands, **given)

    def feed(self) -> str:
        """An Atom feed, newest run first. Its dates are the runs'."""
        entries = []
        for run in reversed(self.board.runs):
            told = [
                f"{self.board.systems[s.system].arm} {s.placed or s.scale} {number(s)} [{ends(s)}] on {title(s.metric)}"
                for s in run.standings
                if s.scale == "skill"
            ]
            count = len({s.system for s in run.standings})
            summary = "; ".join(told) or "no metric gave a skill score"
            entries.append({"run": run, "systems": count, "updated": _time(run.finished), "summary": summary})
        updated = max((_time(run.finished) for run in self.board.runs), default=_time(""))
        oldest = self.board.runs[0].results if self.board.runs else ""
        key = uuid.uuid5(uuid.NAMESPACE_OID, f"ratf leaderboard {oldest}")
        return self.render("boards/feed.xml.j2", "", entries=entries, updated=updated, key=key)


def _said(value: Any) -> Any:
    """Text without characters that would turn the page round or break the XML; markup stays, since it is made here."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", plain(value))


def leads(tables: Sequence[Table]) -> set[str]:
    """The tables to show at once: the first, and the first with skill scores of each axis."""
    by_axis = {t.axis: t.metric for t in reversed(tables) if any(r.scale == "skill" for r in t.rows)}
    return {*(t.metric for t in tables[:1]), *by_axis.values()}


def _time(finished: str) -> str:
    try:
        return datetime.strptime(finished, "%Y-%m-%d %H:%M UTC").strftime("%Y-%m-%dT%H:%M:00Z")
    except ValueError:
        return "1970-01-01T00:00:00Z"


Write = Callable[[Path], object]
"""Writes a run's report to a path, and beside it what else belongs to it."""


def write_site(files: Mapping[str, bytes], out: Path, reports: Mapping[str, Write]) -> None:
    """Write a site aside, with the report of each run, and put it in the place of an older one.

    What begins with a dot in the older one, as `.git`, stays, also after a kill in between. Raises RaftError where
    something else is there.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "leaderboard.json").is_file())):
        raise RaftError(f"{out} is there and is no leaderboard; name a folder that is not there, or an older site")
    aside, old = (out.with_name(f".{out.name}.{kind}") for kind in ("part", "old"))
    _settle(out, old)
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for path, made in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(made)
        (aside / "runs").mkdir(parents=True, exist_ok=True)
        for run, write in reports.items():
            write(aside / "runs" / f"{run}.html")
        if out.exists():
            out.rename(old)
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        _settle(out, old)


def _settle(out: Path, old: Path) -> None:
    """Put an older site away, or back where none has taken its place. What it keeps is moved before it is deleted."""
    if not old.is_dir():
        return
    if not out.exists():
        old.rename(out)
        return
    for kept in old.glob(".*"):
        if not os.path.lexists(out / kept.name):
            kept.rename(out / kept.name)
    shutil.rmtree(old, ignore_errors=True)
