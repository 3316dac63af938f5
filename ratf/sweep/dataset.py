"""All scores of a sweep as a partitioned Parquet data set, `scores/suite=…/person=…/setting=…/`, which any reader takes whole."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

from ratf.results.results import Results
from ratf.results.table import COLUMNS, rows
from ratf.sweep.sweep import Cell, setting_name

FOLDER = "scores"
NOT_IN_FILES = ("suite", "person", "run")
"""The columns that are not in the files: folders are named by them and by `setting`, and so tell one run from another."""
NO_SETTING = "all"
"""The name of the setting in a suite without a matrix."""


class DataSet:
    """A data set that is written aside, cell by cell, and put in the place of an older one when it is whole."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the run's."""
        self._place, self._aside, self._old = (folder / name for name in (FOLDER, f".{FOLDER}.part", f".{FOLDER}.old"))
        for left in (self._aside, self._old):
            shutil.rmtree(left, ignore_errors=True)

    def add(self, cell: Cell, results: Results) -> None:
        """Write the scores of a cell, a row a score: the columns of `ratf report --format csv`, and a text for each factor."""
        import pyarrow as pa
        import pyarrow.parquet as pq

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
        path = self._aside / part_of(results.suite["name"], cell)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays, names=names), path, compression="zstd")

    def put(self) -> None:
        """Put the data set in its place; until then the older one stays."""
        if not self._aside.exists():
            return
        if self._place.exists():
            self._place.rename(self._old)
        self._aside.rename(self._place)
        shutil.rmtree(self._old, ignore_errors=True)


def part_of(suite: str, cell: Cell) -> Path:
    """The file of a cell in the data set. Names are written as in addresses: readers take `%` back."""
    setting = setting_name(cell.setting) if cell.setting else NO_SETTING
    parts = {"suite": suite, "person": cell.person, "setting": setting}
    return Path(*(f"{key}={quote(value, safe=' ')}" for key, value in parts.items())) / "scores.parquet"
