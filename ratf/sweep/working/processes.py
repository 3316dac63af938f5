"""Processes of their own carry out the units of a sweep: each gets the next one that may be done, until none is left."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from ratf.runner.phases import stop_servers_here
from ratf.sweep.sweep import Sweep, open_sweep
from ratf.sweep.working.units import Board, Ended, Unit
from ratf.sweep.working.work import TELL_SECONDS, Opened, Options, Tell, run_unit

MOST_UNITS = 60
"""The most units that a process carries out: a new one takes its place, because what libraries keep grows with each."""
TRIES = 3
"""How often a unit is begun whose process was lost."""
Places = tuple[Path, Path, Path]


@dataclass
class _Worker:
    """A process, the unit that it is at, the cell that it was at last, and how many units it may still carry out."""

    process: BaseProcess
    pipe: Connection
    at: Unit | None = None
    last: str = ""
    left: int = 0


def run_by_processes(board: Board, start: str, *, sweep: Sweep, options: Options, workers: int, tell: Tell) -> None:
    """Have so many processes carry out the units. One that ends before its unit is replaced, and the unit is done again."""
    # a fresh interpreter: a copy of this one would share its threads' locks
    fresh = multiprocessing.get_context("spawn")
    places = sweep.path, sweep.data, sweep.folder
    several: list[_Worker] = []
    lost: Counter[str] = Counter()
    number, told, said = 0, time.monotonic(), ""
    try:
        while True:
            for worker in [w for w in several if w.at is None and w.left <= 0]:
                _dismiss(worker)
                several.remove(worker)
            idle = [w for w in several if w.at is None]
            while idle or len(several) < workers:
                worker_at = idle.pop(0) if idle else None
                unit = board.take(worker_at.last if worker_at else "")
                if unit is None:
                    break
                if worker_at is None:
                    number += 1
                    ours, theirs = fresh.Pipe()
                    process = fresh.Process(
                        target=_work, args=(places, options, start, theirs), name=f"worker {number}"
                    )
                    process.start()
                    theirs.close()
                    worker_at = _Worker(process, ours, left=MOST_UNITS)
                    several.append(worker_at)
                worker_at.at, worker_at.last = unit, unit.cell.name
                try:
                    worker_at.pipe.send((unit.cell.name, unit.words))
                except OSError:
                    continue  # it has ended, and is seen below
            busy = [w for w in several if w.at is not None]
            if not busy:
                return
            wait([w.pipe for w in busy], timeout=1.0)
            for worker in busy:
                _hear(worker, board, start, lost, tell)
            if time.monotonic() - told >= TELL_SECONDS and (line := board.line()) != said:
                told, said = time.monotonic(), line
                tell(line)
    finally:
        for worker in several:
            _dismiss(worker, at_once=True)


def _hear(worker: _Worker, board: Board, start: str, lost: Counter[str], tell: Tell) -> None:
    """Note how a worker's unit ended, where it says so, or where the worker was lost."""
    unit = worker.at
    if unit is None or not worker.pipe.poll():
        return
    try:
        ended = worker.pipe.recv()
    except (EOFError, OSError):
        _end_group(worker)
        worker.process.join()
        lost[unit.name] += 1
        how = f"{worker.process.name} ended with {worker.process.exitcode} at {unit.name}"
        if lost[unit.name] < TRIES:
            tell(f"{how}; another process takes it up")
            board.again(unit)
        else:
            board.end(unit, Ended(start, error=how, said=f"failed: {how}"))
        worker.at, worker.left = None, 0
        return
    worker.at, worker.left = None, worker.left - 1
    board.end(unit, ended)


def _end_group(worker: _Worker) -> None:
    """End what a lost worker has left, such as a server of models that holds the GPU."""
    if worker.process.pid:
        with suppress(OSError):  # it has left nothing
            os.killpg(worker.process.pid, signal.SIGKILL)


def _dismiss(worker: _Worker, at_once: bool = False) -> None:
    if at_once and worker.at is not None:
        worker.process.terminate()
    worker.pipe.close()  # it reads the end, and ends
    worker.process.join()


def _work(places: Places, options: Options, start: str, pipe: Connection) -> None:
    """What a process does: it carries out the units that it is told, until there is nobody any more who tells."""
    os.setpgid(0, 0)  # what it starts can be ended with it
    opened = Opened(open_sweep(*places))
    try:
        while True:
            try:
                which = pipe.recv()
            except EOFError:
                return
            pipe.send(run_unit(opened, opened.units[which], options, start))
    finally:
        stop_servers_here()
