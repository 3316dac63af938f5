"""Which systems are nearer to the person than others, by classes and by paired differences, and how the pages say it."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from ratf.boards.standing import Leaderboard, Nearer, Ran, Standing, System, Table, apart, span
from ratf.boards.words import called
from ratf.results.results import Results
from ratf.suite.metrics import WITHOUT_CEILING, axis_meant

NAMED = 4
"""The number of systems that a sentence names; the rest are counted."""


PAIRED = "Paired differences on the same questions show it, where classes overlap."
"""What is said where classes alone would leave more systems the nearest."""


def pairs_of(results: Results, systems: Mapping[str, System]) -> list[Nearer]:
    """The pairs of a run's systems that its paired differences separate, by metric, as its report reads them."""
    found = []
    for c in results.comparisons:
        better = results.metrics[c.metric].get("better")
        if c.a not in systems or c.b not in systems or c.low is None or c.high is None or better is None:
            continue
        if c.low > 0 or c.high < 0:
            first = (c.low > 0) == (better == "higher")
            a, b = (c.a, c.b) if first else (c.b, c.a)
            found.append(Nearer(metric=c.metric, system=systems[a].id, than=systems[b].id))
    return found


def by_pairs(table: Table, board: Leaderboard) -> set[tuple[str, str]]:
    """The pairs of a table's systems, nearer first, of which every run that has both and counts says the same."""
    runs = {run.id: run for run in board.runs}
    separated = {run.id: {(p.system, p.than) for p in run.pairs if p.metric == table.metric} for run in board.runs}
    found = set()
    for one, other in combinations(table.rows, 2):
        shared = [r for r in one.runs if r in other.runs and r in runs and _has(runs[r], one, other)]
        for pair in ((one.system, other.system), (other.system, one.system)):
            if shared and all(pair in separated[r] for r in shared):
                found.add(pair)
    return found


def _has(run: Ran, one: Standing, other: Standing) -> bool:
    return {one.system, other.system} <= {s.system for s in run.standings if s.metric == one.metric}


def nearest(rows: list[Standing], pairs: set[tuple[str, str]]) -> list[Standing]:
    """The rows that no other is nearer than, by classes without overlap or by a paired difference."""

    def beats(a: Standing, b: Standing) -> bool:
        return (apart(a.placed, b.placed) and span(a.placed)[0] > span(b.placed)[1]) or (a.system, b.system) in pairs

    return [r for r in rows if not any(beats(other, r) for other in rows)]


def ahead(table: Table, board: Leaderboard) -> str:
    """The systems nearest to the person, all that are not told apart from the first, and those left out of that."""
    placed = [r for r in table.rows if r.placed]
    if len(placed) < 2 and not any(r.disagree for r in placed):  # nobody to be nearer than
        return ""
    one = [r for r in placed if not r.disagree]
    by_class = nearest(one, set())
    first = nearest(one, by_pairs(table, board)) or by_class
    said = []
    if first:
        alike = ", not told apart" if len(first) > 1 else ""
        how = "" if first == by_class else f" {PAIRED}"
        said.append(f"Nearest to the person{alike}: {_list(first, table, board)}.{how}")
    if torn := [r for r in placed if r.disagree]:
        whose = "its runs" if len(torn) == 1 else "the runs of each"
        said.append(f"Left open: {_list(torn, table, board)}; {whose} disagree.")
    return " ".join(said)


def _list(rows: Sequence[Standing], table: Table, board: Leaderboard) -> str:
    named = [called(board.systems[r.system], table, board) for r in rows[:NAMED]]
    rest = len(rows) - NAMED
    if rest > 0:
        named.append(f"{rest} more")
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def told_apart(table: Table, board: Leaderboard, persons: Sequence[str] = ()) -> str:
    """How many pairs of a table's systems are told apart, in a sentence or two."""
    if not any(row.placed for row in table.rows):
        if axis_meant(table.axis) in WITHOUT_CEILING and all(row.admitted for row in table.rows):
            return "No classes here: they need a ceiling, and on this axis the person's own answer to another question is no ceiling."
        if persons and all(row.scale == "skill" for row in table.rows):
            whose = " and ".join(board.persons[p] for p in persons)
            return f"No classes here: {whose} are too few to say how the systems do on others. The table of each person has classes."
        why = next((f" Here {row.why_not}." for row in table.rows if row.why_not), "")
        return f"No classes here: they need a skill score, which only a metric that passed its exam gives.{why}"
    pairs = list(combinations(table.rows, 2))
    if not pairs:
        return "There is only one system, so nothing is compared."
    if sum(bool(row.placed) for row in table.rows) == 1:
        return "Only one system has a class, so nothing is compared."
    classes = {(a.system, b.system) for a, b in pairs if apart(a.placed, b.placed)}
    paired = {p for p in by_pairs(table, board) if p not in classes and p[::-1] not in classes}
    found = len(classes)
    of = f"{found} of {len(pairs)}" if found else f"none of the {len(pairs)}"
    rest = "others" if found + len(paired) < len(pairs) else ""
    said = f"Classes tell {of} pairs of systems apart"
    if found == len(pairs):
        said = "Classes tell every pair of systems apart"
    elif paired:
        said += f", and paired differences on the same questions tell {len(paired)} more"
    said += f"; the order of the {rest} means nothing." if rest else "."
    if any(row.placed and row.disagree for row in table.rows):
        said += (
            " Systems whose runs disagree stand last because they have no single place, not because they are the worst."
        )
    return said


def no_overall(board: Leaderboard) -> str:
    """Why there is no table over the persons, in a sentence; empty where there is one, or one person."""
    if len(board.persons) < 2 or board.overall:
        return ""
    why = "their runs were not measured alike" if board.differences else "no system was run on two of them"
    return f"There is no table over the persons, because {why}."
