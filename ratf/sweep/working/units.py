"""The units of a sweep's work: what of each cell is done by itself, and which units may be done when."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ratf.results.results import Verdict
from ratf.runner.phases import trainings
from ratf.suite.arms import WRITTEN
from ratf.sweep.resources import PHASES, Phase
from ratf.sweep.sweep import Cell

GIVEN = "given"
"""The arms and controls whose answers are there already: one unit, as nobody is asked."""
READ = "base model"
"""What the base model reads for the hindsight and the signs of contamination; it needs what an arm's answers need."""
WHOLE: Literal["cell"] = "cell"
"""The phase of a unit that is a whole cell."""
NAMED = 3
"""The greatest number of failed units of a cell that are named; the rest are counted."""


@dataclass(frozen=True)
class Unit:
    """One phase of a cell, of one arm where each has its own. It is done again without harm: what is there is found."""

    cell: Cell
    phase: Phase | Literal["cell"]
    arm: str = ""
    needs: tuple[str, ...] = ()
    """The units of the same cell that must be done before, by their `words`."""

    @property
    def words(self) -> str:
        """The unit within its cell, as `answer raft`."""
        return f"{self.phase} {self.arm}".strip()

    @property
    def name(self) -> str:
        """The unit among all, as `ada/seed-1: answer raft`."""
        return f"{self.cell.name}: {self.words}"

    @property
    def file(self) -> str:
        """The start of the names of its files in the cell's folder."""
        return self.words.replace(" ", "-")


@dataclass(frozen=True)
class Ended:
    """How a unit, or a whole cell, ended in a start: with the digest of its study and its verdict, or with an error in words."""

    start: str
    digest: str = ""
    verdict: Verdict = "NOT MEASURED"
    error: str = ""
    said: str = ""
    """The same for the reader of the command's output."""

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return not self.error


NOT_RUN = Ended("", error="it was not run")


def units_of(cell: Cell) -> list[Unit]:
    """The units of a cell, in an order in which they can be done one after another."""
    suite = cell.suite
    first = Unit(cell, "prepare")
    tuned: dict[str, Unit] = {}
    for arms in trainings(suite.arms).values():
        # jobs of a service are kept in one file of the cell
        before = () if suite.models.base.startswith("local/") else tuple(dict.fromkeys(u.words for u in tuned.values()))
        tuned |= dict.fromkeys(arms, Unit(cell, "tune", arms[0], (first.words, *before)))
    asked = [arm.name for arm in suite.own if not arm.given]
    written = [name for name in WRITTEN if name in suite.controls]
    answers = [
        Unit(cell, "answer", name, (tuned[name].words,) if name in tuned else (first.words,))
        for name in (*suite.arms, *asked, *written)
    ]
    answers.append(Unit(cell, "answer", GIVEN, (first.words,)))
    all_tuned = list({u.words: u for u in tuned.values()}.values())
    if suite.contamination or suite.memories.hindsight or suite.memories.hindsight_filter:
        after = (u.words for u in (all_tuned if suite.memories.hindsight_filter else ()))
        answers.append(Unit(cell, "answer", READ, (first.words, *after)))
    return [first, *all_tuned, *answers, Unit(cell, "score", needs=tuple(u.words for u in answers))]


def whole(cell: Cell) -> list[Unit]:
    """The cell as one unit, for a machine that shares no folder with others."""
    return [Unit(cell, WHOLE)]


def _people_in_turn(cells: Iterable[Cell]) -> list[Cell]:
    """The cells in the order of work: each person's first, then each one's second, and so on.

    The cells of one person share vectors, and a worker that needs what another is making waits for it.
    """
    seen: Counter[str] = Counter()
    turns = []
    for cell in cells:
        turns.append((seen[cell.person], cell))
        seen[cell.person] += 1
    return [cell for _, cell in sorted(turns, key=lambda turn: turn[0])]


class Board:
    """What is to be done, what is being done, and how what was done has ended."""

    def __init__(
        self,
        cells: Iterable[Cell],
        over: Callable[[Cell, Ended], None] = lambda cell, ended: None,
        parts: Callable[[Cell], list[Unit]] = units_of,
    ) -> None:
        """`over` is called with each cell that has ended: nothing of it is running, or may be begun any more.

        `parts` says into which units a cell is cut.
        """
        self._over = over
        self.units = [unit for cell in _people_in_turn(cells) for unit in parts(cell)]
        self._open: dict[str, list[Unit]] = {}
        for unit in self.units:
            self._open.setdefault(unit.cell.name, []).append(unit)
        self.running: dict[str, Unit] = {}
        self.ended: dict[str, Ended] = {}

    def ready(self, cell: str = "") -> Iterator[Unit]:
        """The units, of one cell or of all, that may be begun now: all that they need was done without an error."""
        for name in [cell] if cell else list(self._open):
            for unit in list(self._open.get(name, ())):
                before = [self.ended.get(f"{name}: {need}") for need in unit.needs]
                if all(end is not None and end.finished for end in before):
                    yield unit

    def take(self, last: str = "") -> Unit | None:
        """Begin a unit: one of the cell `last` if it has any, else of a cell that nobody is at, else of any; None for none."""
        busy = {unit.cell.name for unit in self.running.values()}
        mine = next(self.ready(last), None) if last else None
        unit = mine or next((u for u in self.ready() if u.cell.name not in busy), None) or next(self.ready(), None)
        if unit is not None:
            self.begin(unit)
        return unit

    def begin(self, unit: Unit) -> None:
        """Note that a unit is being done."""
        self._open[unit.cell.name].remove(unit)
        self.running[unit.name] = unit

    def again(self, unit: Unit) -> None:
        """Note that a unit is to be done again, because whoever did it was lost."""
        del self.running[unit.name]
        self._open[unit.cell.name].insert(0, unit)

    def end(self, unit: Unit, ended: Ended) -> None:
        """Note how a unit has ended."""
        self.running.pop(unit.name, None)
        self.ended[unit.name] = ended
        cell = unit.cell
        if any(u.cell is cell for u in self.running.values()) or next(self.ready(cell.name), None):
            return
        self._open.pop(cell.name, None)  # what needs a unit that failed
        self._over(cell, self.of(cell))

    def of(self, cell: Cell) -> Ended:
        """How a cell has ended: with the results, or with the units that failed."""
        mine = [u for u in self.units if u.cell is cell]
        if mine[0].phase == WHOLE:
            return self.ended.get(mine[0].name, NOT_RUN)
        ends = {u.words: self.ended[u.name] for u in mine if u.name in self.ended}
        failed = {words: end for words, end in ends.items() if not end.finished}
        if not failed:
            return ends.get(mine[-1].words, NOT_RUN)
        one = next(iter(failed.values()))
        return Ended(one.start, error=_listed(failed, "error"), said=f"failed: {_listed(failed, 'said')}")

    def line(self, where: Mapping[str, str] | None = None) -> str:
        """How far each phase is, and on which machines its units are at work, by the unit's name."""
        parts = []
        for phase in (*PHASES, WHOLE):
            mine = {u.name for u in self.units if u.phase == phase}
            if not mine:
                continue
            there = sorted({(where or {}).get(name, "") for name in self.running if name in mine} - {""})
            at = f" on {', '.join(there)}" if there else ""
            running = sum(name in mine for name in self.running)
            now = f", {running} under way{at}" if running else ""
            parts.append(f"{phase} {sum(n in self.ended for n in mine)} of {len(mine)}{now}")
        return "; ".join(parts)


def _listed(failed: Mapping[str, Ended], what: str) -> str:
    named: Sequence[str] = [f"{words}: {getattr(end, what).removeprefix('failed: ')}" for words, end in failed.items()]
    more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return "; ".join(named[:NAMED]) + more
