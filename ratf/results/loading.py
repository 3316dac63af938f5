"""Loading a finished run from its folder, its file of results, or a bundle."""

from collections.abc import Callable
from pathlib import Path

from ratf.results.bundle import is_bundle, read_bundle
from ratf.results.folder import open_run
from ratf.results.results import Results
from ratf.results.results import load as load_results


def load(run: str | Path, read: Callable[[Path], Results] = load_results) -> Results:
    """A finished run from its folder, its `results.json`, or a bundle of `ratf bundle`; nothing is run.

    `read` reads the file of results. Raises RaftError where there is none, where this run or a later one in the same
    folder was stopped halfway, and for results of another version.
    """
    path = Path(run)
    return read_bundle(path).results if is_bundle(path) else open_run(path, read)
