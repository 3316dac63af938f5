"""A leaderboard as a folder of pages that needs no server: rendered from a `Leaderboard` and the runs' own pages."""

import csv
import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raft.errors import RaftError
from ratf.history import history
from ratf.leaderboard import slug
from ratf.page_plot import axis
from ratf.page_text import plain
from ratf.standing import LINES, Leaderboard, Standing, Table, apart, ends, number, span
from ratf.table import cell
from ratf.templates import environment

COLUMNS = ("board", "person", "system", "arm", "model", "metric", "axis", "scale", "score", "low", "high", "class")
MORE = (
    "n",
    "interviews",
    "unscored",
    "errors",
    "words",
    "usd",
    "tokens",
    "admitted",
    "auc",
    "runs",
    "disagree",
    "verified",
)
NAMED = 4
"""Systems that a sentence names; the rest are counted."""

LETTER = 6.6
"""Mean width of a letter on a badge."""


def site(board: Leaderboard, reports: Mapping[str, str]) -> dict[str, bytes]:
    """Every file of the site by its path. `reports`: the page of each run. The same input gives the same bytes."""
    made = {
        ".nojekyll": "",  # GitHub Pages takes the files as they are
        "leaderboard.json": board.model_dump_json(indent=1) + "\n",
        "leaderboard.csv": to_csv(board),
        "feed.xml": _feed(board),
        "index.html": _index(board),
    }
    made |= {f"runs/{run}.html": page for run, page in reports.items()}
    badges = dict(_badges(board))
    made |= {path: svg for path, (_, _, svg) in badges.items()}
    for person in board.persons:
        made[person_page(person)] = _person(board, person)
    for system in board.systems:
        made[f"systems/{system}.html"] = _system(board, system, badges)
    return {path: text.encode("utf-8", "replace") for path, text in sorted(made.items())}


def person_page(person: str) -> str:
    """The path of a person's page. Two keys never share one, and none leads out of the folder."""
    name = slug(person)
    return f"persons/{name if name == person else f'{name}-{hashlib.sha256(person.encode()).hexdigest()[:8]}'}.html"


def to_csv(board: Leaderboard) -> str:
    """One line for each system, board and metric."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow((*COLUMNS, *MORE))
    for one in board.boards:
        for table in one.tables:
            for row in table.rows:
                system = board.systems[row.system]
                where = (one.id, one.person, row.system, system.arm, system.model, table.metric, table.axis)
                told = (row.scale, row.score, row.low, row.high, row.placed)
                rest = [" ".join(row.runs) if name == "runs" else getattr(row, name) for name in MORE]
                writer.writerow([cell(value) for value in (*where, *told, *rest)])
    return file.getvalue()


def _page(template: str, board: Leaderboard, root: str, **more: Any) -> str:
    pages = environment(finalize=_said)
    days = {run.id: run.finished.partition(" ")[0] or run.id for run in board.runs}
    twice = {day for day in days.values() if list(days.values()).count(day) > 1}
    seeds = {run.id: run.seed for run in board.runs}
    given: dict[str, Any] = {
        "board": board,
        "root": root,
        "number": number,
        "ends": ends,
        "bar_of": bar_of,
        "told_apart": told_apart,
        "ahead": lambda table: ahead(table, board),
        "span": span,
        "beside": lambda row, table: beside(row, table, board),
        "day": lambda run: f"{days[run]} seed {seeds[run]}" if days[run] in twice else days[run],
        "person_page": person_page,
        "leads": leads,
    }
    return pages.get_template(template).render(**given, **more)


def _said(value: Any) -> Any:
    """Text of names without characters that would turn the page round or break the XML; markup is our own."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", plain(value))


def _index(board: Leaderboard) -> str:
    key: Callable[[Any], tuple[str, list[str]]] = lambda o: (o.protocol, o.persons)  # noqa: E731
    overall = [
        {"persons": persons, "tables": [o.table for o in several]}
        for (_, persons), several in groupby(sorted(board.overall, key=key), key)
    ]
    counted = [
        f"{len(board.systems)} system{'s' * (len(board.systems) != 1)}",
        f"{len(board.persons)} person{'s' * (len(board.persons) != 1)}",
        f"{len(board.runs)} run{'s' * (len(board.runs) != 1)}",
    ]
    return _page("board_index.html.j2", board, "", overall=overall, summary=", ".join(counted))


def _person(board: Leaderboard, person: str) -> str:
    boards = [b for b in board.boards if b.person == person]
    runs = [r for r in reversed(board.runs) if r.person == person]
    return _page("board_person.html.j2", board, "../", person=person, boards=boards, runs=runs)


def _system(board: Leaderboard, system: str, badges: Mapping[str, tuple[str, str, str]]) -> str:
    found = [(b, [(t, r) for t in b.tables for r in t.rows if r.system == system]) for b in board.boards]
    shown = [
        {"path": path, "words": words, "width": _width(words)} for path, (s, words, _) in badges.items() if s == system
    ]
    return _page(
        "board_system.html.j2",
        board,
        "../",
        system=board.systems[system],
        stands=[(b, rows) for b, rows in found if rows],
        history=list(history(board, system)),
        badges=shown,
    )


def leads(tables: Sequence[Table]) -> set[str]:
    """The tables to show at once: the first, and the first with classes of each axis."""
    by_axis = {t.axis: t.metric for t in reversed(tables) if any(r.placed for r in t.rows)}
    return {*(t.metric for t in tables[:1]), *by_axis.values()}


def ahead(table: Table, board: Leaderboard) -> str:
    """Who is nearest to the person, in a sentence: all that are not told apart from the first."""
    first = [r for r in table.rows if r.placed and not apart(table.rows[0].placed, r.placed)]
    if not first:
        return ""
    names = [f"{board.systems[r.system].model} · {board.systems[r.system].arm}" for r in first]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    alike = ", not told apart" if len(names) > 1 else ""
    return f"Nearest to the person: {', '.join(names[:NAMED])}{more}{alike}."


def told_apart(table: Table) -> str:
    """How much a table says, in a sentence."""
    if not any(row.placed for row in table.rows):
        why = next((f" Here {row.why_not}." for row in table.rows if row.why_not), "")
        return f"No classes here: they need a skill score, which only a metric that passed its exam gives.{why}"
    pairs = list(combinations(table.rows, 2))
    if not pairs:
        return "One system, and nothing to compare it with."
    found = sum(apart(a.placed, b.placed) for a, b in pairs)
    return f"{found} of {len(pairs)} pairs of systems are told apart by their classes; a run’s own page compares its arms pair by pair."


def beside(row: Standing, table: Table, board: Leaderboard) -> list[str]:
    """The settings that tell a system from others of the same model and arm in the table."""
    own = board.systems[row.system]
    alike = [s for r in table.rows if (s := board.systems[r.system]).arm == own.arm and s.model == own.model]
    keys = sorted({k for s in alike for k in s.settings})
    return [f"{k} {own.settings.get(k)}" for k in keys if len({str(s.settings.get(k)) for s in alike}) > 1]


def bar_of(row: Standing, table: Table) -> dict[str, Any] | None:
    """Where a row's mean and interval are on the plot's axis, in percent of its width."""
    if row.score is None:
        return None
    if row.scale == "skill":
        low, high = -0.25, 1.25
    else:
        several = [r for r in table.rows if r.scale == row.scale]
        low, high = axis([v for r in several for v in (r.score, r.low, r.high) if v is not None])

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - low) / (high - low))), 2)

    lines = [place(line) for line in LINES[::3]] if row.scale == "skill" else []
    at = place(row.score)
    whiskers = (at, at) if row.low is None or row.high is None else (place(row.low), place(row.high))
    return {"at": at, "low": whiskers[0], "high": whiskers[1], "lines": lines}


def _badges(board: Leaderboard) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """A badge for each system on each board's first table: path, system, words, SVG."""
    for one in board.boards:
        for table in one.tables[:1]:
            for row in table.rows:
                left = f"{board.persons[one.person]} · {table.metric}"
                right = f"{row.placed or row.scale} {number(row)} [{ends(row)}]"
                words = f"{left}: {right}"
                left_width = round(LETTER * len(left)) + 12
                svg = _page(
                    "badge.svg.j2", board, "", left=left, right=right, left_width=left_width, width=_width(words)
                )
                yield f"badges/{one.id}/{row.system}.svg", (row.system, words, svg)


def _width(words: str) -> int:
    left, _, right = words.rpartition(": ")
    return round(LETTER * len(left)) + round(LETTER * len(right)) + 24


def _feed(board: Leaderboard) -> str:
    """An Atom feed, newest run first. Its dates are the runs'."""
    entries = []
    for run in reversed(board.runs):
        told = [
            f"{board.systems[s.system].arm} {s.placed or s.scale} {number(s)} [{ends(s)}] on {s.metric}"
            for s in run.standings
            if s.scale == "skill"
        ]
        systems = len({s.system for s in run.standings})
        about = {"systems": systems, "updated": _time(run.finished)}
        summary = "; ".join(told) or "no metric gave a skill score"
        entries.append({**run.model_dump(exclude={"standings"}), **about, "summary": summary})
    updated = max((e["updated"] for e in entries), default=_time(""))
    return _page("feed.xml.j2", board, "", runs=entries, updated=updated)


def _time(finished: str) -> str:
    try:
        return datetime.strptime(finished, "%Y-%m-%d %H:%M UTC").strftime("%Y-%m-%dT%H:%M:00Z")
    except ValueError:
        return "1970-01-01T00:00:00Z"


def write_site(files: Mapping[str, bytes], out: Path) -> None:
    """Write a site aside and put it in the place of an older one. Raises RaftError where something else is there."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "leaderboard.json").is_file())):
        raise RaftError(f"{out} is there and is no leaderboard; name a folder that is not there, or an older site")
    aside, old = (out.with_name(f".{out.name}.{kind}") for kind in ("part", "old"))
    for folder in (aside, old):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        for path, made in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(made)
        if out.exists():
            out.rename(old)
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
