"""The units of a sweep on Ray: a task for each, on any machine of the cluster that has what it needs."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from raft.errors import RaftError
from raft.files import read_made, write_made
from ratf.results.store.address import scratch
from ratf.runner.phases import stop_servers_here
from ratf.sweep.resources import PHASES, Needs, of_all, of_phase
from ratf.sweep.sweep import Sweep, open_sweep
from ratf.sweep.working.units import WHOLE, Board, Ended, Unit, units_of
from ratf.sweep.working.work import NOTES, TELL_SECONDS, Opened, Options, Tell, carry_out, ended_in, run_unit

LOCAL = "ray"
RETRIES = 3
"""How often a unit is begun again whose worker was lost; what it had done is found."""
TRIES = 3
"""How often a cluster elsewhere is asked for: Ray's server for a client fails now and then while it starts."""
OBJECTS = 80 * 2**20
"""The bytes of a local cluster's object store: what goes through it are names and paths."""
Places = tuple[str, str, str]


def run_on_ray(
    board: Board,
    start: str,
    *,
    sweep: Sweep,
    options: Options,
    on: str,
    each: Needs,
    tell: Tell,
) -> None:
    """Carry out the units as tasks of Ray's, on a cluster of this machine (`ray`) or the one at `ray://HOST:PORT`.

    Inside a job of Ray's, `ray` is the job's cluster. Every machine of it must have the suite and the people under the same
    paths. With a store a unit is a whole cell, which a machine does in a folder of its own and puts there. Without one all
    machines must share the run's folder, where each unit notes how it ended. A worker that is lost is replaced.

    Raises RaftError where Ray is not installed or not reached, where this machine is the cluster and lacks what a phase
    needs, where the cluster is lost, and where a machine wrote to another folder than this one.
    """
    with _cluster(on) as (ray, own):
        needs: dict[str, Needs] = {phase: of_phase(phase, sweep.resources, each) for phase in PHASES}
        mine = {inner.phase for unit in board.units for inner in units_of(unit.cell)}
        needs[WHOLE] = of_all(needs[phase] for phase in mine)
        wanted: dict[str, Needs] = {unit.phase: needs[unit.phase] for unit in board.units}
        for lack in _lacking(ray, wanted):
            if own:
                raise RaftError(f"{lack}; change `resources` in the suite, or --each")
            tell(f"{lack}; Ray waits until there is one")  # a cluster may grow
        task = ray.remote(_cell if options.store else _one)
        folder = options.store or str(sweep.folder.resolve())
        places = (str(sweep.path.resolve()), str(sweep.data.resolve()), folder)
        alone = replace(options, prices=dict(options.prices))
        waited: dict[Any, Unit] = {}
        told = ""
        while True:
            for unit in list(board.ready()):
                need = wanted[unit.phase]
                given = {"num_cpus": need.cpu, "num_gpus": need.gpu, "max_retries": RETRIES, "name": unit.name}
                waited[task.options(**given).remote(places, unit.cell.name, unit.words, alone, start, need.cpu)] = unit
                board.begin(unit)
            if not waited:
                return
            with _lost_cluster(ray, on):
                done, _ = ray.wait(list(waited), timeout=TELL_SECONDS)
            for one in done:
                unit = waited.pop(one)
                board.end(unit, _ended(ray, one, sweep, unit, start))
            if not done and (line := board.line({} if options.store else _where(sweep, board, start))) != told:
                told = line
                tell(line)


def _ended(ray: Any, one: Any, sweep: Sweep, unit: Unit, start: str) -> Ended:
    """How a task has ended. Raises RaftError where the machine that it was on has another folder than this one."""
    try:
        got: tuple[str, Ended] = ray.get(one)
    except ray.exceptions.RayError as error:
        said = f"lost on Ray: {' '.join(str(error).split())[:300]}"
        return Ended(start, error=said, said=f"failed: {said}")
    where, ended = got
    if unit.phase != WHOLE and ended_in(sweep, unit, start) is None:
        raise RaftError(
            f"{unit.name} ended on {where} ({ended.said}), and {sweep.cell_folder(unit.cell)} here does not say so: the "
            "machines do not share the run's folder (name one that they do with --out), or another start is at work on it"
        )
    return replace(ended, said=f"{ended.said} (on {where})")


def _one(places: Places, cell: str, words: str, options: Options, start: str, cpus: float) -> tuple[str, Ended]:
    """What a task does: the unit of that cell and these words, with the machine that it was on."""
    _threads(max(1, int(cpus)))
    opened = _opened(places, start)
    unit, here = opened.units[cell, words], socket.gethostname()
    begun = opened.sweep.cell_folder(unit.cell) / NOTES / f"{unit.file}.at.json"
    write_made(begun, start, here)
    try:
        ended = run_unit(opened, unit, options, start)
    finally:
        stop_servers_here()  # the GPU is free for the next task, which another process may get
    with suppress(OSError):
        begun.unlink(missing_ok=True)
    return here, ended


def _cell(places: Places, cell: str, words: str, options: Options, start: str, cpus: float) -> tuple[str, Ended]:
    """What a task does where there is a store: the whole cell, in a folder of this machine, and into the store."""
    _threads(max(1, int(cpus)))
    path, data, store = places
    sweep = _opened((path, data, str(scratch(store))), start).sweep
    ended = carry_out(sweep, [one for one in sweep.cells if one.name == cell], options)[cell]
    return socket.gethostname(), ended


@lru_cache(maxsize=1)
def _opened(places: Places, start: str) -> Opened:
    """The sweep as it was when this start began, read once a process."""
    return Opened(open_sweep(*places))


def _threads(number: int) -> None:
    """Let numerical libraries use so many threads, those that are loaded and those that will be."""
    from threadpoolctl import threadpool_limits

    os.environ["OMP_NUM_THREADS"] = str(number)
    threadpool_limits(number)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(number)


def _where(sweep: Sweep, board: Board, start: str) -> dict[str, str]:
    """The machine of each unit that is being done, as far as it has said so."""
    found = {}
    for unit in board.running.values():
        if where := read_made(sweep.cell_folder(unit.cell) / NOTES / f"{unit.file}.at.json", start):
            found[unit.name] = str(where)
    return found


def _lacking(ray: Any, wanted: Mapping[str, Needs]) -> Iterator[str]:
    """For each phase, or for a cell, that no machine of the cluster could carry out now, a sentence that says so."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for phase, need in wanted.items():
        if not any(need.cpu <= m.get("CPU", 0) and need.gpu <= m.get("GPU", 0) for m in machines):
            there = "; ".join(f"{m.get('CPU', 0):g} cpu, {m.get('GPU', 0):g} gpu" for m in machines)
            yield f"{phase} needs {need.cpu:g} cpu and {need.gpu:g} gpu, and no machine of the cluster has them (there: {there})"


@contextmanager
def _lost_cluster(ray: Any, on: str) -> Iterator[None]:
    try:
        yield
    except (ConnectionError, ray.exceptions.RaySystemError) as error:
        raise RaftError(
            f"--on {on}: the cluster was lost ({' '.join(str(error).split())[:200]}); run again once it is there: what was "
            "done is found"
        ) from None


@contextmanager
def _cluster(on: str) -> Iterator[tuple[Any, bool]]:
    """Ray, connected, and whether its cluster was started here; such a one is shut down, and no other."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise RaftError("--on ray needs Ray; install it from RATF's folder: pip install 'FOLDER[ray]'") from None
    if on != LOCAL and not on.startswith("ray://"):
        raise RaftError(f"--on {on}: write ray for a cluster of this machine or of a job, or ray://HOST:10001")
    connected = ray.is_initialized()
    own = not connected and on == LOCAL and not os.environ.get("RAY_ADDRESS")
    given: dict[str, Any] = {"log_to_driver": False}
    if own:
        given |= {"address": "local", "include_dashboard": False, "object_store_memory": OBJECTS}
    elif on != LOCAL:
        given |= {"address": on}
    if not connected:
        _connect(ray, on, given)
    try:
        yield ray, own
    finally:
        if not connected:
            ray.shutdown()


def _connect(ray: Any, on: str, given: Mapping[str, Any]) -> None:
    """Connect to a cluster, or start one. Raises RaftError where there is none, with the last line of what Ray says."""
    for left in reversed(range(TRIES)):
        try:
            ray.init(**given)
            return
        except (ConnectionError, TimeoutError, RuntimeError, ValueError, ImportError) as error:
            if not left or not isinstance(error, ConnectionAbortedError):
                said = str(error).strip().splitlines() or [type(error).__name__]
                raise RaftError(f"--on {on}: no cluster: {said[-1][:300]}") from None
