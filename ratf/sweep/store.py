"""A sweep's run in a shared store: each cell is put there when it ends, and all of them together once they are joined."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from raft.errors import RaftError
from ratf.results.folder import one_at_a_time
from ratf.results.results import STOPPED
from ratf.results.store.address import is_address, local_path, scratch, told
from ratf.results.store.kept import PAGE, RESULTS, held_in, put_beside, take
from ratf.results.store.objects import Store
from ratf.sweep.dataset import FOLDER, STANDINGS
from ratf.sweep.records import FILE, load
from ratf.sweep.sweep import Sweep


def within(address: str, digest: str) -> Callable[[Path], AbstractContextManager[None]]:
    """For `ratf.run`: what is entered before anything in a run's folder is looked at. It fetches, and puts at the end.

    It is for a run of one person and one setting; `digest` is the study's.
    """

    @contextmanager
    def entered(folder: Path) -> Iterator[None]:
        with one_at_a_time(folder), held_in(Store(address), folder, digest):
            yield

    return entered


def place_of(cell: str) -> str:
    """The name of a cell's folder in a store."""
    return f"cells/{cell}"


def deliver(sweep: Sweep, address: str) -> None:
    """Put what all cells say together into the store: results, page and data sets."""
    folder = sweep.folder
    sets = [
        path.relative_to(folder).as_posix()
        for name in (FOLDER, STANDINGS)
        for path in (folder / name).rglob("*.parquet")
    ]
    own = [name for name in (FILE, RESULTS, STOPPED, PAGE) if (folder / name).is_file()]
    put_beside(Store(address), folder, [*own, *sets], sweep.digest)


def here(run: str | Path, cells: bool = False) -> Path:
    """The folder of a finished run on this machine; of one in a store, what `fetched` brings of it."""
    return fetched(str(run), cells) if is_address(run) else local_path(run)


def fetched(address: str, cells: bool = False) -> Path:
    """The folder on this machine with a finished run of a store, of one person or of many; nothing is put there.

    With `cells`, a sweep's runs are in it as well. Raises RaftError where no finished run is there.
    """
    store, folder = Store(address), scratch(address)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if take(store, "", folder) is None:
        raise RaftError(
            f"{told(address)}: no finished run is there; `ratf run SUITE --out {told(address)}` makes one, and joins what "
            "several machines have put there"
        )
    if cells and (folder / FILE).is_file():
        for cell in load(folder).cells:
            if not cell.error:
                place = place_of(cell.name)
                if not (folder / place).resolve().is_relative_to(folder.resolve()):
                    raise RaftError(f"{told(address)}/{FILE}: {cell.name!r} is no name of a cell")
                take(store, place, folder / place)
    return folder
