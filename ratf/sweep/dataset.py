"""All scores of a sweep, and how its systems stand, as Parquet data sets partitioned by suite, person and setting."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from raft.errors import RaftError
from raft.formats.json_file import parse_model
from ratf.boards.entry import Entry, entry_of
from ratf.results.results import Results
from ratf.results.table import COLUMNS, rows
from ratf.sweep.records import is_sweep_run, load
from ratf.sweep.sweep import Cell, Setting, setting_name

FOLDER, STANDINGS = "scores", "standings"
NOT_IN_FILES = ("suite", "person", "run")
"""The columns that are not in the files: folders are named by them and by `setting`, and so tell one run from another."""
NO_SETTING = "all"
"""The name of the setting in a suite without a matrix."""
ENTRY = b"ratf.entry"
"""The key, among what a file says of itself, of what a leaderboard needs of the run."""

_NUMBERS = ("score", "low", "high", "mean")
_STANDING = ("system", "metric", "scale", *_NUMBERS, "placed")

Run = Results | Path | str


class Placed(Protocol):
    """What has a place in the data set: a cell, or what is told of one."""

    @property
    def person(self) -> str:
        """The person's key."""

    @property
    def setting(self) -> Setting:
        """The values of its factors."""


class DataSet:
    """A data set that is written aside, cell by cell, and put in the place of an older one when it is whole."""

    def __init__(self, folder: Path, name: str = FOLDER) -> None:
        """`folder` is the run's, and `name` the data set's in it: `scores` or `standings`."""
        self._name = name
        self._place, self._aside, self._old = (folder / n for n in (name, f".{name}.part", f".{name}.old"))
        for left in (self._aside, self._old):
            shutil.rmtree(left, ignore_errors=True)

    def add(self, cell: Cell, results: Results) -> None:
        """Write what the data set has of a cell: a row a score or, of standings, a row a system and metric."""
        import pyarrow.parquet as pq

        made = _scores(cell, results) if self._name == FOLDER else _standings(results)
        path = self._aside / part_of(results.suite["name"], cell, self._name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(made, path, compression="zstd")

    def put(self) -> None:
        """Put the data set in its place; until then the older one stays."""
        if not self._aside.exists():
            return
        if self._place.exists():
            self._place.rename(self._old)
        self._aside.rename(self._place)
        shutil.rmtree(self._old, ignore_errors=True)


def _scores(cell: Cell, results: Results) -> Any:
    """The columns of `ratf report --format csv`, and a text for each factor."""
    import pyarrow as pa

    kept = [i for i, name in enumerate(COLUMNS) if name not in NOT_IN_FILES]
    columns = list(zip(*rows(results), strict=True)) or [()] * len(COLUMNS)
    kinds = [pa.float64() if COLUMNS[i] == "value" else pa.string() for i in kept]
    arrays = [pa.array(columns[i], type=kind) for i, kind in zip(kept, kinds, strict=True)]
    names = [COLUMNS[i] for i in kept]
    for key, value in cell.setting.items():
        if key in names:  # the seed is a column of every run
            continue
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        arrays.append(pa.array([text] * len(columns[0]), type=pa.string()))
        names.append(key)
    return pa.table(arrays, names=names)


def _standings(results: Results) -> Any:
    """How each system stands on each metric; the file says of itself all that a leaderboard needs of the run."""
    import pyarrow as pa

    entry = entry_of(results)
    arms = {system.id: arm for arm, system in entry.systems.items()}
    kinds = {"arm": pa.string(), **{n: pa.float64() if n in _NUMBERS else pa.string() for n in _STANDING}}
    told = [{"arm": arms[s.system], **{n: getattr(s, n) for n in _STANDING}} for s in entry.ran.standings]
    made = pa.Table.from_pylist(told, schema=pa.schema(list(kinds.items())))
    return made.replace_schema_metadata({ENTRY: entry.model_dump_json()})


def entries(runs: Sequence[Run]) -> Iterator[tuple[Run, Entry | None]]:
    """The same runs, with every run of a sweep in the place of the sweep, and its entry from the sweep's data set.

    One file is read at a time, and no run: the entry is None where there is none of exactly these results. Raises RaftError
    for a sweep that is not whole.
    """
    for run in runs:
        if isinstance(run, Results) or not is_sweep_run(Path(run)):
            yield run, None
            continue
        sweep = load(Path(run))
        if sweep.failed:
            raise RaftError(f"{run}: {sweep.verdict}: {sweep.sentence}")
        for cell in sweep.cells:
            folder = Path(run) / "cells" / cell.name
            yield folder, _entry(Path(run) / STANDINGS / part_of(sweep.name, cell, STANDINGS), folder / "results.json")


def _entry(kept_in: Path, results: Path) -> Entry | None:
    import pyarrow.parquet as pq

    if not kept_in.is_file() or not results.is_file():
        return None
    kept = (pq.read_schema(kept_in).metadata or {}).get(ENTRY)
    if kept is None:  # of a version before
        return None
    entry = parse_model(kept, Entry, f"{kept_in}: no entry of this version")
    with results.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return entry if entry.ran.results == digest else None


def part_of(suite: str, cell: Placed, name: str = FOLDER) -> Path:
    """The file of a cell in the data set. Names are written as in addresses: readers take `%` back."""
    setting = setting_name(cell.setting) if cell.setting else NO_SETTING
    parts = {"suite": suite, "person": cell.person, "setting": setting}
    return Path(*(f"{key}={quote(value, safe=' ')}" for key, value in parts.items())) / f"{name}.parquet"
