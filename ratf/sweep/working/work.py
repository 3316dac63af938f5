"""The units of a sweep are carried out here, one after another; `processes` and `on_ray` have others do it."""

import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

from raft.errors import RaftError
from raft.files import read_made, write_made, write_whole
from raft.lock import locked, waiting
from raft.progress import Progress, silent
from ratf.models.budget import GIVE_UP_AFTER, NO_LIMITS, Limits
from ratf.models.prices import Prices
from ratf.results.folder import noted
from ratf.results.results import Verdict
from ratf.results.store.address import told
from ratf.results.store.kept import put, take
from ratf.results.store.objects import Store
from ratf.runner.phases import (
    How,
    answer,
    at_work,
    finish,
    given_of,
    looked,
    must_run,
    prepare,
    read,
    stop_servers_here,
    tune,
)
from ratf.runner.run import taken_up
from ratf.suite.study import Study
from ratf.sweep.store import place_of
from ratf.sweep.sweep import Cell, Sweep
from ratf.sweep.working.units import GIVEN, READ, Board, Ended, Unit, units_of, whole

Tell = Callable[[str], None]
NOTES = "units"
"""In a cell's folder: how each unit ended last, and the traceback of an error that nobody foresaw."""
VERSION = "2"
NOTHING = "nothing to do"
TELL_SECONDS = 10.0
"""How often, at most, it is told how far the phases are."""


def quiet(line: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Options:
    """What holds for each cell's run, as in `ratf.run`; a limit is for each cell by itself."""

    limits: Limits = NO_LIMITS
    prices: Prices = field(default_factory=dict)
    allow_leaks: bool = False
    judge_anyway: bool = False
    give_up_after: float = GIVE_UP_AFTER
    store: str = ""
    """The address of the store that each cell is put into when it ends; empty without one."""


Spread = Callable[[Board, str], None]
"""Has others carry out the units of a board, in the start of that name."""


def new_start() -> str:
    """A name for one start of a sweep, shared by all of its processes."""
    return uuid.uuid4().hex


class Opened:
    """The studies of a sweep as they are needed; the last one is kept, with what it holds."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._last: tuple[str, Study] | None = None

    @cached_property
    def units(self) -> dict[tuple[str, str], Unit]:
        """All units of the sweep by the name of the cell and their `words`."""
        return {(cell.name, unit.words): unit for cell in self.sweep.cells for unit in units_of(cell)}

    def study(self, cell: Cell) -> Study:
        """The study of a cell. Raises DataError with everything that is wrong with its people."""
        if self._last is None or self._last[0] != cell.name:
            self._last = None
            self._last = cell.name, self.sweep.study(cell)
        return self._last[1]


def run_unit(opened: Opened, unit: Unit, options: Options, start: str, progress: Progress = silent) -> Ended:
    """Carry out one unit in its cell's folder, as far as it is not done, and note there how it ended. An error is its own.

    The same unit may be carried out by any process on any machine with these files: what is done is found, not done again,
    and what another process is at is waited for.
    """
    folder = opened.sweep.cell_folder(unit.cell)
    note, trace = (folder / NOTES / f"{unit.file}{ending}" for ending in (".json", ".error.txt"))
    try:
        study = opened.study(unit.cell)
        how = How(
            noted(progress, folder),
            options.allow_leaks,
            options.judge_anyway,
            options.limits,
            options.prices,
            give_up_after=options.give_up_after,
        )
        lock = folder.with_name(f".{folder.name}.{unit.file}.lock")
        with waiting(), locked(lock, f"{unit.name}, in {folder},"):
            ended = Ended(start, study.digest, said="done")
            if verdict := _done(study, unit, how):
                ended = replace(ended, verdict=verdict, said=str(verdict))
        with suppress(OSError):
            trace.unlink(missing_ok=True)
    except RaftError as error:
        said = str(error) or type(error).__name__
        ended = Ended(start, error=said, said=f"failed: {said}")
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        ended = Ended(start, error=said, said=f"failed: {said}; {trace} has the traceback")
        with suppress(OSError):
            write_whole(trace, traceback.format_exc())
    # where the disk is full, the note is missing and the unit counts as lost
    with suppress(OSError):
        write_made(note, VERSION, vars(ended))
    return ended


def _done(study: Study, unit: Unit, how: How) -> Verdict | None:
    """Carry out a unit, and return the verdict where it makes one."""
    must_run(study, how)
    leaks = looked(study, how) if unit.phase == "prepare" else None
    with at_work(study, how) as at:
        if leaks is not None:
            prepare(at, leaks)
        elif unit.phase == "tune":
            tune(at, [unit.arm])
        elif unit.phase == "score":
            return finish(at).verdict
        elif unit.arm == READ:
            read(at)
        else:
            # Inspect's account of a folder of logs is that of one process
            answer(at, given_of(study) if unit.arm == GIVEN else [unit.arm], unit.arm)
    return None


def ended_in(sweep: Sweep, unit: Unit, start: str) -> Ended | None:
    """How a unit has ended in this start, by the note in its cell's folder; None where it did not end."""
    kept = read_made(sweep.cell_folder(unit.cell) / NOTES / f"{unit.file}.json", VERSION)
    ended = Ended(**kept) if kept else None
    return ended if ended and ended.start == start else None


def there(opened: Opened, cell: Cell, options: Options, start: str) -> Ended | None:
    """How a cell ended that an earlier start has finished; None where something of it is to be done, or to be told."""
    folder = opened.sweep.cell_folder(cell)
    if options.store:
        try:
            wanted = opened.study(cell).digest
        except RaftError:  # the cell's first unit says what is wrong
            return None
        take(Store(options.store), place_of(cell.name), folder, wanted)
    if not (folder / "results.json").is_file():
        return None
    with suppress(RaftError):
        study = opened.study(cell)
        if outcome := taken_up(study, options.judge_anyway, options.allow_leaks):
            verdict = outcome.results.verdict
            return Ended(start, study.digest, verdict, said=f"{verdict}, {NOTHING}")
    return None


def carry_out(
    sweep: Sweep,
    cells: Sequence[Cell],
    options: Options,
    tell: Tell = quiet,
    progress: Progress = silent,
    spread: Spread | None = None,
    elsewhere: bool = False,
) -> dict[str, Ended]:
    """Carry out all units of the cells, here or by `spread`; how each cell ended, by its name.

    A unit that fails stops those that need it, and no others. With `elsewhere`, `spread` has whole cells done in folders of
    other machines, which put them into the store themselves.
    """
    start, opened = new_start(), Opened(sweep)
    found: dict[str, Ended] = {}
    rest: dict[str, Cell] = {}

    def over(cell: Cell, ended: Ended) -> None:
        if options.store and ended.finished:
            try:
                store, place, folder = Store(options.store), place_of(cell.name), sweep.cell_folder(cell)
                there_now = not (elsewhere and cell.name in rest) and put(store, place, folder)
                if not there_now and take(store, place, folder) is None:
                    lost = f"it was done, and {told(options.store)} does not have it; all machines must reach the same store"
                    raise RaftError(lost)
            except RaftError as error:
                ended = replace(ended, error=str(error), said=f"failed: {error}")
        found[cell.name] = ended
        tell(f"[{len(found)}/{len(cells)}] {cell.name}: {ended.said}")

    try:
        for cell in cells:
            if ended := there(opened, cell, options, start):
                over(cell, ended)
            elif spread is None:
                over(cell, _here(opened, cell, options, start, progress))
            else:
                rest[cell.name] = cell
    finally:
        stop_servers_here()
    if spread is not None and rest:
        board = Board(rest.values(), over, whole if elsewhere else units_of)
        spread(board, start)
        for cell in rest.values():
            found.setdefault(cell.name, board.of(cell))
    return found


def _here(opened: Opened, cell: Cell, options: Options, start: str, progress: Progress) -> Ended:
    board, began = Board([cell]), time.monotonic()
    while unit := board.take():
        board.end(unit, run_unit(opened, unit, options, start, progress))
    ended = board.of(cell)
    return ended if not ended.finished else replace(ended, said=f"{ended.said}, {time.monotonic() - began:.0f} s")
