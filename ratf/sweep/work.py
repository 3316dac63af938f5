"""The cells of a sweep are run: here one after another, by processes of their own, or a share of them."""

import hashlib
import multiprocessing
import os
import shutil
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from raft.errors import RaftError
from raft.files import read_made, write_made, write_whole
from raft.progress import Progress, silent
from ratf.models.budget import GIVE_UP_AFTER, NO_LIMITS, Limits
from ratf.models.prices import Prices
from ratf.results.folder import one_at_a_time
from ratf.results.results import Verdict
from ratf.sweep.store import place_of, within
from ratf.sweep.sweep import Cell, Sweep, open_sweep

Tell = Callable[[str], None]
NOTE, TRACE = "cell.json", "error.txt"
"""In a cell's folder: how its last start ended, and the traceback of an error that nobody foresaw."""
_CLAIMS = ".claims"
_EVERY_SECONDS = 0.2
MOST_CELLS = 12
"""The most cells that a process of its own runs: a new one takes its place, because what libraries keep grows with each."""
VERSION = "1"


def quiet(line: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Options:
    """What holds for each cell's run, as in `ratf.run`; a limit is for each cell by itself."""

    limits: Limits = NO_LIMITS
    prices: Prices = field(default_factory=dict)
    allow_leaks: bool = False
    judge_anyway: bool = False
    wait: bool = False
    give_up_after: float = GIVE_UP_AFTER
    store: str = ""
    """The address of the store that each cell is put into when it ends; empty without one."""


@dataclass(frozen=True)
class Ended:
    """How a cell's start ended: with the digest of its study and its verdict, or with an error in words."""

    start: str
    digest: str = ""
    verdict: Verdict = "NOT MEASURED"
    error: str = ""
    said: str = ""
    """The same for the reader of the command's output."""

    @property
    def finished(self) -> bool:
        """Whether its results are there."""
        return not self.error


def new_start() -> str:
    """A name for one start of a sweep, shared by all of its processes."""
    return uuid.uuid4().hex


def run_cell(sweep: Sweep, cell: Cell, options: Options, start: str, progress: Progress = silent) -> Ended:
    """Run one cell in its folder, as far as it is not done, and note there how it ended. An error is its own: it is noted.

    The same cell may be run by any process on any machine with these files: what is done is found, not done again.
    """
    from ratf.runner.run import run

    folder, began = sweep.cell_folder(cell), time.monotonic()
    try:
        study = sweep.study(cell)
        outcome = run(
            study,
            within=within(options.store, place_of(cell.name), study.digest) if options.store else one_at_a_time,
            limits=options.limits,
            prices=options.prices,
            allow_leaks=options.allow_leaks,
            judge_anyway=options.judge_anyway,
            wait=options.wait,
            give_up_after=options.give_up_after,
            progress=progress,
        )
        verdict = outcome.results.verdict
        took = f"{time.monotonic() - began:.0f} s" if outcome.did == "ran" else "nothing to do"
        ended = Ended(start, study.digest, verdict, said=f"{verdict}, {took}")
        with suppress(OSError):
            (folder / TRACE).unlink(missing_ok=True)
    except RaftError as error:
        said = str(error) or type(error).__name__
        ended = Ended(start, error=said, said=f"failed: {said}")
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        ended = Ended(start, error=said, said=f"failed: {said}; {folder / TRACE} has the traceback")
        with suppress(OSError):
            write_whole(folder / TRACE, traceback.format_exc())
    # where the disk is full, the note is missing and the cell counts as lost
    with suppress(OSError):
        write_made(folder / NOTE, VERSION, vars(ended))
    return ended


def ended_in(sweep: Sweep, cell: Cell, start: str | None = None) -> Ended | None:
    """How a cell ended last, in this start where one is given; None where it did not end."""
    kept = read_made(sweep.cell_folder(cell) / NOTE, VERSION)
    ended = Ended(**kept) if kept else None
    return ended if ended and start in (None, ended.start) else None


def carry_out(
    sweep: Sweep,
    cells: Sequence[Cell],
    options: Options,
    workers: int = 1,
    tell: Tell = quiet,
    progress: Progress = silent,
    spread: Callable[[str], None] | None = None,
) -> dict[str, Ended]:
    """Run the cells, by `workers` processes where they are more than one; how each ended, by the cell's name.

    With `spread`, something else runs them first: it is called with the name of this start.

    Each process takes the next cell that nobody has taken. What a process leaves unfinished because it was killed is taken
    up here once the others are done.
    """
    start = new_start()
    if spread is not None:
        spread(start)
    elif workers > 1 and len(cells) > 1:
        _by_processes(sweep, cells, options, workers, start, tell)
    found = {}
    for number, cell in enumerate(cells, 1):
        ended = ended_in(sweep, cell, start)
        if ended is None:
            ended = run_cell(sweep, cell, options, start, progress)
            tell(f"[{number}/{len(cells)}] {cell.name}: {ended.said}")
        found[cell.name] = ended
    return found


def _by_processes(sweep: Sweep, cells: Sequence[Cell], options: Options, workers: int, start: str, tell: Tell) -> None:
    """Processes of their own that take cells until none is left. It returns when all of them have ended."""
    claims = sweep.folder / _CLAIMS / start
    claims.mkdir(parents=True)
    # a fresh interpreter: a copy of this one would share its threads' locks
    fresh = multiprocessing.get_context("spawn")
    names = [cell.name for cell in cells]
    # two cells may tune the same adapter
    given = (sweep.path, sweep.data, sweep.folder), names, replace(options, wait=True), start, claims, MOST_CELLS

    def begin(number: int) -> BaseProcess:
        process = fresh.Process(target=_worker, args=given, name=f"worker {number}")
        process.start()
        return process

    several: list[BaseProcess] = []
    waited = list(cells)
    try:
        several += [begin(n) for n in range(1, min(workers, len(cells)) + 1)]
        while several:
            for process in [p for p in several if not p.is_alive()]:
                process.join()
                several.remove(process)
                if process.exitcode:
                    tell(f"{process.name} ended with {process.exitcode}; what it left is done here")
                elif len(list(claims.iterdir())) < len(cells):  # it has done its share, see MOST_CELLS
                    several.append(begin(int(process.name.split()[1])))
            for cell in list(waited):
                if ended := ended_in(sweep, cell, start):
                    waited.remove(cell)
                    tell(f"[{len(cells) - len(waited)}/{len(cells)}] {cell.name}: {ended.said}")
            time.sleep(_EVERY_SECONDS if several else 0)
    finally:
        for process in several:
            if process.is_alive():
                process.terminate()
                process.join()
        shutil.rmtree(claims, ignore_errors=True)


def _worker(
    places: tuple[Path, Path, Path], names: Sequence[str], options: Options, start: str, claims: Path, most: int
) -> None:
    """What a process of its own does: it takes the next cell that nobody has taken, until none is left or it has run `most`."""
    sweep = open_sweep(*places)
    cells = {cell.name: cell for cell in sweep.cells}
    done = 0
    for name in names:
        if claimed(claims, name):
            run_cell(sweep, cells[name], options, start)
            done += 1
            if done == most:
                return


def claimed(claims: Path, name: str) -> bool:
    """Take a cell: True for the first process that asks, whoever it is."""
    try:
        os.close(os.open(claims / hashlib.sha256(name.encode()).hexdigest()[:32], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
