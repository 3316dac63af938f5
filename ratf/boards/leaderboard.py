"""Finished runs as a leaderboard: which may stand together, and how every system stands. Reads results, runs nothing."""

from collections.abc import Iterable, Mapping, Sequence

from ratf.boards.entry import Entry, digest_of, entry_of
from ratf.boards.standing import Board, Leaderboard, Overall, Standing, Table, placed, pooled, row_of, table
from ratf.results.comparable import NAMED, changed, differs
from ratf.results.results import Results
from ratf.statistics.estimates import clustered_mean
from ratf.suite.parts import BOTH

FEW_PERSONS = 3
"""With fewer persons a row over persons has neither interval nor class: two say almost nothing of others."""


OF_PERSON = ("person", "impostors", "strangers", "people", "data", "prompts", "questions")
"""The measured settings that differ between persons although the same is measured."""


def leaderboard(runs: Iterable[Results | Entry], verified: Mapping[str, Sequence[str]] | None = None) -> Leaderboard:
    """The leaderboard with all boards of the runs, or of what was kept of them. Their order and repetition change nothing.

    Each run is read once, and only its entry is kept: of runs that are loaded one by one, one is in memory at a time.
    `verified` has the runs that somebody has checked, by the digest of their results, with the metrics whose every
    score was worked out again.
    """
    checked = verified or {}
    known: dict[str, Entry] = {}
    for run in runs:
        entry = run if isinstance(run, Entry) else entry_of(run)
        digest = entry.ran.results
        if digest not in known:
            known[digest] = entry.checked(checked.get(digest))
    ordered = sorted(known.values(), key=_by_time)
    groups: dict[str, list[Entry]] = {}
    for entry in ordered:
        groups.setdefault(entry.ran.board, []).append(entry)
    boards = [_board(key, members) for key, members in sorted(groups.items(), key=_by_person)]
    systems = {system.id: system for entry in known.values() for system in entry.systems.values()}
    return Leaderboard(
        boards=boards,
        overall=_overall(boards),
        systems=dict(sorted(systems.items())),
        persons={e.ran.person: e.name for e in ordered},
        runs=[e.ran for e in ordered],
        differences=differences(boards),
    )


def _by_time(entry: Entry) -> tuple[str, str, str]:
    return entry.ran.finished, str(entry.ran.seed), entry.ran.results


def _board(key: str, members: Sequence[Entry]) -> Board:
    first = members[0]
    tables = []
    for name, about in first.metrics.items():
        by_system: dict[str, list[Standing]] = {}
        for one in members:
            for standing in one.ran.standings:
                if standing.metric == name:
                    by_system.setdefault(standing.system, []).append(standing)
        if by_system:
            tables.append(table(name, about, [row_of(s) for s in by_system.values()]))
    tables.sort(
        key=lambda t: (not any(r.placed for r in t.rows), not any(r.admitted for r in t.rows), t.metric not in BOTH)
    )
    return Board(
        id=key,
        person=first.ran.person,
        suites=sorted({m.ran.suite for m in members}),
        floor=first.floor,
        measured=first.measured,
        tables=tables,
    )


def _overall(boards: Sequence[Board]) -> list[Overall]:
    """A table for each set of persons on which systems were measured alike.

    A system on fewer persons stands in another table: its mean would be of easier or harder ones. A person with two
    boards of one protocol is left out, because neither is the right one.
    """
    protocols: dict[str, list[Board]] = {}
    for board in boards:
        kept = {k: v for k, v in board.measured.items() if k.split(".")[0] not in OF_PERSON}
        protocols.setdefault(digest_of(kept), []).append(board)
    found = []
    for protocol, several in sorted(protocols.items()):
        persons = [b.person for b in several]
        alone = [b for b in several if persons.count(b.person) == 1]
        metrics = dict.fromkeys(t.metric for b in alone for t in b.tables)
        for name in metrics:
            by_person = {b.person: t for b in alone for t in b.tables if t.metric == name}
            found += [Overall(protocol=protocol, persons=p, table=t) for p, t in _over_persons(by_person)]
    return found


def _over_persons(tables: Mapping[str, Table]) -> list[tuple[list[str], Table]]:
    by_system: dict[str, dict[str, Standing]] = {}
    for person, its in tables.items():
        for row in its.rows:
            by_system.setdefault(row.system, {})[person] = row
    by_persons: dict[tuple[str, ...], list[Standing]] = {}
    for of in by_system.values():
        if len(of) > 1:
            persons = tuple(sorted(of))
            by_persons.setdefault(persons, []).append(_over([of[p] for p in persons], persons))
    about = next(iter(tables.values())).model_dump()
    return [(list(persons), table(about["metric"], about, rows)) for persons, rows in sorted(by_persons.items())]


def _over(rows: Sequence[Standing], persons: Sequence[str]) -> Standing:
    """The mean over persons with a t interval at persons - 1 degrees of freedom."""
    skilled = all(r.scale == "skill" and r.score is not None for r in rows)
    numbers = [r.score if skilled else r.mean for r in rows]
    known = [v for v in numbers if v is not None]
    found = clustered_mean(known, list(persons)) if len(known) == len(rows) else None
    whole = pooled(rows)
    few = len(persons) < FEW_PERSONS
    low, high = (found.low, found.high) if found and not few else (None, None)
    return whole.model_copy(
        update={
            "scale": "skill" if skilled else "mean",
            "score": found.mean if found else None,
            "low": low,
            "high": high,
            "placed": placed(low, high) if skilled else "",
            "reason": ("no class: two persons are too few" if few else "")
            if skilled
            else "not every person has a skill score",
            "n": sum(r.n for r in rows),
            "interviews": sum(r.interviews for r in rows),
            "disagree": any(r.disagree for r in rows),
        }
    )


def _by_person(group: tuple[str, list[Entry]]) -> tuple[str, str, str]:
    first = group[1][0].ran
    return first.person, first.finished, group[0]


def differences(boards: Sequence[Board]) -> list[str]:
    """Why the runs are on several boards: what differs from the person's first, or from the first, a sentence a board.

    Another person's board is another anyway, so of the first board of a person only the settings are told that need not be.
    """
    said = []
    for i, board in enumerate(boards[1:], 1):
        before = next((b for b in boards[:i] if b.person == board.person), boards[0])
        was, now = before.measured, board.measured
        told = [k for k in changed(was, now) if before.person == board.person or k.split(".")[0] not in OF_PERSON]
        several = "; ".join(differs(k, was.get(k), now.get(k)) for k in told[:NAMED])
        if told:
            more = f"; and {len(told) - NAMED} more" if told[NAMED:] else ""
            said.append(
                f"board {board.id} is a table of its own, because not all was measured as on board {before.id}: {several}{more}"
            )
    return said
