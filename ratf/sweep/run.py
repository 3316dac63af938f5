"""`ratf run` for a sweep: its cells, or a share of them, and then all of them together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from raft.errors import RaftError
from raft.progress import Progress, silent
from ratf.models.budget import must_have_prices
from ratf.models.known import Named, must_be_known
from ratf.results.store.address import is_address, local_path, scratch
from ratf.results.store.objects import Store
from ratf.sweep.collect import join
from ratf.sweep.records import SweepResults
from ratf.sweep.resources import needs
from ratf.sweep.store import deliver
from ratf.sweep.sweep import Cell, Sweep, chosen, open_sweep, share
from ratf.sweep.working.units import Ended
from ratf.sweep.working.work import Options, Spread, carry_out, quiet


@dataclass(frozen=True)
class SweepOutcome:
    """What became of a start of a sweep. `results` are None where only some of the cells were to be run."""

    sweep: Sweep
    ended: dict[str, Ended]
    """How each cell of this start ended, by name."""
    results: SweepResults | None

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.sweep.folder

    @property
    def failed(self) -> dict[str, Ended]:
        """The cells that did not end."""
        return {name: end for name, end in self.ended.items() if not end.finished}


def run_sweep(
    suite: str | Path,
    data: str | Path | None = None,
    out: str | Path | None = None,
    *,
    workers: int = 1,
    shard: str = "",
    only: Sequence[str] = (),
    on: str = "",
    each: str = "",
    options: Options | None = None,
    tell: Callable[[str], None] = quiet,
    progress: Progress = silent,
) -> SweepOutcome:
    """Run a sweep, or go on with one: each cell in a folder of its own, and then all of them as one.

    `out` is a folder, or the address of a store such as `s3://bucket/folder`, which each cell is put into when it ends.
    `workers` processes take the units of work one by one. `shard` is `K/N`: only the K-th of N shares of the cells is run,
    here or on any machine with this folder; `only` are cells, as `person=powell,seed=1`. With either the cells are not
    joined: a later call without them finds what is done, runs what is missing, and joins all. `on` is `ray` or
    `ray://HOST:PORT`, and `each` what a unit needs there whose phase the suite's `resources` do not name, as `cpu=2,gpu=1`.
    With a store its machines need no folder in common: each does whole cells.

    Raises DataError for bad input, before anything is run. A unit that fails is noted, and the others go on.
    """
    options, store = options or Options(), str(out) if is_address(out) else ""
    if store:
        options, out = replace(options, store=store), scratch(store)
    sweep = open_sweep(suite, data, out if out is None else local_path(out))
    cells = chosen(sweep, only)
    cells = share(sweep, cells, shard) if shard else cells
    if on and workers > 1:
        raise RaftError("--workers are processes of this machine, and --on ray has its own; give one of them")
    if workers < 1:
        raise RaftError(f"--workers {workers}: it must be 1 or more")
    if options.limits.usd is not None:
        for cell in cells:
            must_have_prices(sweep.study(cell), options.limits, options.prices)
    if not on and not store:  # other machines have packages and keys of their own, and may have done it all
        _must_run_here(sweep, cells)
    asked, spread = needs(each), _spread(sweep, options, workers, tell)
    if on:
        from ratf.sweep.working.on_ray import run_on_ray

        spread = partial(run_on_ray, sweep=sweep, options=options, on=on, each=asked, tell=tell)
    tell(
        f"{sweep.name}: {len(sweep.cells)} cells, of {', '.join(sweep.people[:10])}{' …' if len(sweep.people) > 10 else ''}"
        + (f"; {len(cells)} of them here" if len(cells) < len(sweep.cells) else "")
    )
    if store:
        Store(store).must_take()
    ended = carry_out(sweep, cells, options, tell, progress, spread, elsewhere=bool(on and store))
    if shard or only:
        return SweepOutcome(sweep, ended, None)
    results = join(sweep, ended)
    if store:
        deliver(sweep, store)
    return SweepOutcome(sweep, ended, results)


def _must_run_here(sweep: Sweep, cells: Sequence[Cell]) -> None:
    """Raises DataError, before any cell spends something, for models and metrics of a cell that cannot run here."""
    known: set[str] = set()
    for cell in cells:
        if (sweep.cell_folder(cell) / "results.json").is_file():
            continue
        asks = cell.suite.model_dump_json(include={"models", "metrics", "memories", "controls", "own"})
        if asks not in known:
            must_be_known(Named(cell.suite, sweep.path), to_run=True)
            known.add(asks)


def _spread(sweep: Sweep, options: Options, workers: int, tell: Callable[[str], None]) -> Spread | None:
    if workers == 1:
        return None
    from ratf.sweep.working.processes import run_by_processes

    return partial(run_by_processes, sweep=sweep, options=options, workers=workers, tell=tell)
