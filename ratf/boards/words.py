"""The words of a leaderboard's pages: the names of runs, and what the runs of one system say."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ratf.boards.standing import Board, Leaderboard, Ran, Standing, System, Table, ends, number
from ratf.models.prices import dollars
from ratf.suite.metrics import axis_meant, title

BOTH_AXES = {("coverage", "sentence_coverage"): "What it says", ("voice", "style_identity"): "How it sounds"}
"""The axes that stand side by side, each with the metric that it is shown by where that was admitted, and its heading."""


COUNTS = {2: "two", 3: "three", 4: "four"}


def names(runs: Sequence[Ran]) -> dict[str, str]:
    """A name for each run by its id: day and seed, and only where two of a person have these the time, then the digest."""
    longer: list[Callable[[Ran], str]] = [
        lambda r: f"{day_of(r)}, seed {r.seed}",
        lambda r: f"{r.finished.removesuffix(' UTC') or r.id}, seed {r.seed}",
        lambda r: f"{r.finished.removesuffix(' UTC') or r.id}, seed {r.seed}, {r.id}",
    ]
    found: dict[str, str] = {}
    for name in longer:
        open_ = [r for r in runs if r.id not in found]
        count = Counter((r.person, name(r)) for r in open_)
        found |= {r.id: name(r) for r in open_ if count[r.person, name(r)] == 1}
    return found


def day_of(run: Ran) -> str:
    """The day that a run finished, or its id where that is not known."""
    return run.finished.partition(" ")[0] or run.id


def in_order(runs: Iterable[Ran]) -> list[Ran]:
    """The runs in the order of day, then seed, then time."""

    def order(run: Ran) -> tuple[str, int, str, str, str]:
        number = run.seed if isinstance(run.seed, int) else 0
        return day_of(run), number, str(run.seed), run.finished, run.id

    return sorted(runs, key=order)


def one_model(table: Table, board: Leaderboard) -> bool:
    """Whether all systems of a table have the same model, so that it need be said once."""
    return len({board.systems[r.system].model for r in table.rows}) == 1


def called(system: System, table: Table, board: Leaderboard) -> str:
    """A system in a sentence about a table: its arm, and what else it takes to know it from the others there."""
    model = "" if one_model(table, board) else f"{_short(system.model, table, board)} · "
    more = ", ".join(beside(system, table, board))
    return f"{model}{system.arm}{f' ({more})' if more else ''}"


def _short(model: str, table: Table, board: Leaderboard) -> str:
    """A model without its provider, where that tells it from the others of a table."""
    short = [m.rpartition("/")[2] for m in {board.systems[r.system].model for r in table.rows}]
    own = model.rpartition("/")[2]
    return own if short.count(own) == 1 else model


def beside(system: System, table: Table, board: Leaderboard) -> list[str]:
    """The settings that tell a system from others of the same model and arm in the table."""
    there = [board.systems[r.system] for r in table.rows]
    alike = [s for s in there if (s.arm, s.model) == (system.arm, system.model)]
    keys = sorted({k for s in alike for k in s.settings})
    return [f"{k} {system.settings.get(k)}" for k in keys if len({str(s.settings.get(k)) for s in alike}) > 1]


def both_axes(one: Board) -> list[tuple[str, Table | None]]:
    """What is said and how it sounds, each with the board's table of it, or None where no metric of it was admitted."""
    return [(heading, _leading(one, axis, name)) for (axis, name), heading in BOTH_AXES.items()]


def _leading(one: Board, axis: str, name: str) -> Table | None:
    tables = [t for t in one.tables if axis_meant(t.axis) == axis and any(r.admitted for r in t.rows)]
    return next((t for t in tables if t.metric == name), tables[0] if tables else None)


def row_in(table: Table, system: str) -> Standing | None:
    """A system's row in a table, where it is there."""
    return next((r for r in table.rows if r.system == system), None)


def exam_of(table: Table, persons: Sequence[str] = ()) -> str:
    """How the metric did in its exam, where that is the same for all rows; else empty, and each row says it."""
    if len({r.admitted for r in table.rows}) > 1:
        return ""
    admitted = table.rows[0].admitted
    if admitted is None:
        return "no exam was held"
    if persons:
        return "✓ passed its exam on each" if admitted else "✗ failed its exam on some"
    known = sorted({f"{r.auc:.2f}" for r in table.rows if r.auc is not None})
    auc = f", AUC {' to '.join(dict.fromkeys((known[0], known[-1])))}" if known else ""
    return f"✓ passed its exam{auc}" if admitted else f"✗ failed its exam{auc}"


def score_of(row: Standing, each: Sequence[tuple[Ran, Standing]]) -> str:
    """A row's score; where its runs disagree, from the lowest of theirs to the highest, since no run had the mean."""
    scores = [s.score for _, s in each if s.score is not None]
    return f"{min(scores):.2f} … {max(scores):.2f}" if row.disagree and scores else number(row)


def range_of(row: Standing, each: Sequence[tuple[Ran, Standing]]) -> str:
    """A row's interval; where its runs disagree it reaches over all of theirs."""
    return f"all intervals: {ends(row)}" if row.disagree and each else ends(row)


def adapters_said(system: str, runs: Sequence[Ran], names: Mapping[str, str]) -> list[str]:
    """Where a run's adapter was not the one asked for, or one seed's weights differ, a sentence each.

    `runs` are a system's on one board, `names` what they are called.
    """
    found = [(run, a) for run in runs if (a := run.adapters.get(system))]
    said = [
        f"The run of {names[run.id]} asked for the adapter {a.asked} and answered with {a.digest}."
        for run, a in found
        if a.asked and a.asked != a.digest
    ]
    for seed in dict.fromkeys(run.seed for run, _ in found):
        own = [a for run, a in found if run.seed == seed]
        for digest in dict.fromkeys(a.digest for a in own):
            weights = list(dict.fromkeys(a.weights for a in own if a.digest == digest and a.weights))
            if len(weights) > 1:
                said.append(f"Seed {seed} ran with {_count(weights)} different sets of weights: {', '.join(weights)}.")
    return said


def _count(several: Sequence[object]) -> str:
    return COUNTS.get(len(several), str(len(several)))


def spent(runs: Sequence[Ran]) -> str:
    """What runs cost together; not known where one's cost is not. Runs whose replies were kept are only counted."""
    counted = [r for r in runs if not r.kept]
    kept = len(runs) - len(counted)
    if not counted:
        return "no cost was counted: no model was asked, or all replies were kept from earlier"
    usd, tokens = [r.usd for r in counted], [r.tokens for r in counted]
    said = "cost not known" if None in usd else f"${dollars(sum(v or 0 for v in usd))}"
    if None not in tokens:
        said += f", {sum(v or 0 for v in tokens):,} tokens in all"
    return f"{said}, without {kept} whose replies were kept from earlier" if kept else said


def grouped(settings: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Settings by the part of the suite that they are in: their names there, and what they are."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, value in settings.items():
        part, _, name = key.rpartition(".")
        found.setdefault(part, []).append((name, value_said(value)))
    return found


def value_said(value: Any) -> str:
    """A setting's value in words."""
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differing(system: System, systems: Iterable[System]) -> list[tuple[str, str, list[str]]]:
    """The settings that another system has otherwise: the name, what it is here, and what elsewhere."""
    found = []
    for key, value in system.settings.items():
        others = [value_said(s.settings[key]) for s in systems if key in s.settings]
        if elsewhere := [v for v in dict.fromkeys(others) if v != value_said(value)]:
            found.append((key, value_said(value), elsewhere))
    return found


@dataclass(frozen=True)
class Badge:
    """One badge's file, and what it says."""

    path: str
    system: str
    left: str
    right: str

    @property
    def words(self) -> str:
        """The badge's whole text."""
        return f"{self.left}: {self.right}"

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the badge's halves, in pixels."""
        return width(self.left) + 12, width(self.right) + 12


def width(text: str) -> int:
    """The approximate width of a text on a badge, in pixels; the picture fits its letters to that."""
    return round(sum(4.3 if c in NARROW else 10.0 if c in WIDE else 7.6 if c.isupper() else 6.9 for c in text))


def badges(board: Leaderboard, plain: Callable[[str], str]) -> Iterator[Badge]:
    """A badge for each system on each board's first table."""
    for one in board.boards:
        for table in one.tables[:1]:
            for row in table.rows:
                left = plain(f"{board.persons[one.person]} · {title(table.metric)}")
                said = [_right(row), *(_beside(h, of, row.system) for h, of in both_axes(one) if of != table)]
                yield Badge(f"badges/{one.id}/{row.system}.svg", row.system, left, " · ".join(said))


def _beside(heading: str, table: Table | None, system: str) -> str:
    """The other axis on a badge: a class says nothing of it."""
    row = row_in(table, system) if table else None
    what = heading[:1].lower() + heading[1:]
    return f"{what}: {number(row)}" if row else f"{what}: not measured"


def _right(row: Standing) -> str:
    if row.disagree:
        return f"{row.placed or row.scale}, runs disagree"
    return f"{row.placed or row.scale} · {number(row)} [{ends(row)}]"


def snippets(badge: Badge, system: str) -> dict[str, str]:
    """The code to copy to have a badge on another page, by language. Addresses are from the site's folder."""
    page, words = f"systems/{system}.html", badge.words
    alt = re.sub(r"([\\`*_\[\]<>!&])", r"\\\1", words)
    return {
        "Markdown": f"[![{alt}]({badge.path})]({page})",
        "HTML": str(Markup('<a href="{}"><img src="{}" alt="{}" height="20"></a>').format(page, badge.path, words)),
    }


NARROW, WIDE = "fijlrtI.,:;'|!()[]·- ", "mwMWQO%@—…"
