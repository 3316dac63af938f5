"""The cells of a sweep on Ray: a task for each cell, on any machine of the cluster that has room and the run's folder."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from raft.errors import RaftError
from raft.files import write_made
from ratf.results.store.address import scratch
from ratf.sweep.sweep import Cell, Sweep, open_sweep
from ratf.sweep.work import NOTE, VERSION, Ended, Options, Tell, ended_in, run_cell

LOCAL = "ray"
RETRIES = 3
"""How often a cell is begun again whose worker was lost; what it had done is found."""
OBJECTS = 80 * 2**20
"""The bytes of a local cluster's object store: what goes through it are names and paths."""


def needs(text: str) -> dict[str, float]:
    """What each cell needs, from `cpu=2,gpu=1`. Raises RaftError where it is not of that form."""
    found = {"cpu": 1.0}
    for part in filter(None, text.split(",")):
        name, _, amount = (p.strip() for p in part.partition("="))
        with suppress(ValueError):
            found[name] = float(amount)
            if name in ("cpu", "gpu") and 0 <= found[name] < 10_000:
                continue
        raise RaftError(f"--each {text}: write cpu=N, gpu=N or both, as cpu=2,gpu=1")
    return found


def run_on_ray(
    sweep: Sweep, cells: Sequence[Cell], options: Options, start: str, *, on: str, each: Mapping[str, float], tell: Tell
) -> None:
    """Run the cells as tasks of Ray's, on a cluster of this machine (`ray`) or the one at `ray://HOST:PORT`.

    Inside a job of Ray's, `ray` is the job's cluster. Every machine of it must have the suite, the people and the run's
    folder under the same paths; each cell notes there how it ended. A worker that is lost is replaced.

    Raises RaftError where Ray is not installed or not reached, and where a machine wrote to another folder than this one.
    """
    with _cluster(on) as ray:
        task = ray.remote(num_cpus=each["cpu"], num_gpus=each.get("gpu", 0), max_retries=RETRIES)(_one)
        places = tuple(str(p.resolve()) for p in (sweep.path, sweep.data, sweep.folder))
        alone = replace(options, wait=True, prices=dict(options.prices))
        waited = {task.remote(places, cell.name, alone, start): cell for cell in cells}
        done = 0
        while waited:
            ready, _ = ray.wait(list(waited))
            for one in ready:
                cell, done = waited.pop(one), done + 1
                try:
                    where, ended = ray.get(one)
                    if (
                        options.store
                    ):  # the other machine has put the cell there, and noted its end in a folder of its own
                        write_made(sweep.cell_folder(cell) / NOTE, VERSION, vars(ended))
                    if ended_in(sweep, cell, start) is None:
                        raise RaftError(
                            f"{cell.name} ended on {where} ({ended.said}), and {sweep.cell_folder(cell)} here does not say so: "
                            "the machines do not share the run's folder; name one that they do, or a store, with --out"
                        )
                except ray.exceptions.RayError as error:
                    said = f"lost on Ray: {' '.join(str(error).split())[:300]}"
                    ended, where = Ended(start, error=said, said=f"failed: {said}"), "Ray"
                    write_made(sweep.cell_folder(cell) / NOTE, VERSION, vars(ended))
                tell(f"[{done}/{len(cells)}] {cell.name}: {ended.said} (on {where})")


def _one(places: tuple[str, str, str], name: str, options: Options, start: str) -> tuple[str, Ended]:
    """What a task does: the cell of that name, with the machine that it was on."""
    import socket

    path, data, out = places
    sweep = open_sweep(path, data, scratch(options.store) if options.store else out)
    cell = next(c for c in sweep.cells if c.name == name)
    return socket.gethostname(), run_cell(sweep, cell, options, start)


@contextmanager
def _cluster(on: str) -> Iterator[Any]:
    """Ray, connected; what was started here is shut down, and nothing else."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise RaftError("--on ray needs Ray; install it from RATF's folder: pip install 'FOLDER[ray]'") from None
    if on != LOCAL and not on.startswith("ray://"):
        raise RaftError(f"--on {on}: write ray for a cluster of this machine or of a job, or ray://HOST:10001")
    there = ray.is_initialized()
    if not there:
        try:
            if on != LOCAL:
                ray.init(address=on, log_to_driver=False)
            elif os.environ.get("RAY_ADDRESS"):
                ray.init(log_to_driver=False)
            else:
                ray.init(include_dashboard=False, object_store_memory=OBJECTS, log_to_driver=False)
        except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
            raise RaftError(f"--on {on}: no cluster: {error}") from None
    try:
        yield ray
    finally:
        if not there:
            ray.shutdown()
