"""The records of what `ratf verify` found, kept for a leaderboard."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from raft.errors import RaftError
from raft.formats.json_file import parse_model, read_bytes
from ratf.results.record import Record
from ratf.suite.metrics import is_judged


class Check(Record):
    """One thing that was checked."""

    what: str
    outcome: Literal["matches", "differs", "not recomputed"]
    told: str

    @property
    def of_metric(self) -> bool:
        """Whether the check is about the scores of one metric."""
        return self.what.startswith("metric ")


class Verification(Record):
    """A bundle, checked. Whoever keeps a leaderboard decides whose records to believe."""

    format: Literal["ratf verification 2"] = "ratf verification 2"
    ratf: str
    bundle: str
    """The sha256 of the archive."""
    results: str
    """The sha256 of its results, by which a leaderboard knows the run."""
    speaking: list[str]
    """The metrics that the run rests on: its primary one, and each that passed its exam."""
    checks: list[Check]

    @property
    def metrics(self) -> list[str]:
        """The metrics whose every score was worked out again and is the same."""
        return [c.what.removeprefix("metric ") for c in self.checks if c.of_metric and c.outcome == "matches"]

    @property
    def missing(self) -> list[str]:
        """The metrics that the run rests on, and of which nobody knows whether the answers give these scores.

        Judges' are not among them: nobody could ask the same judge again, and their words are in the bundle.
        """
        return [m for m in self.speaking if m not in self.metrics and not is_judged(m)]

    @property
    def holds(self) -> bool:
        """Whether nothing differs, and all that the run rests on could be worked out again."""
        matches = [c for c in self.checks if c.outcome == "matches"]
        counted = any(c.what.startswith("statistics") for c in matches) and any(c.of_metric for c in matches)
        return counted and not self.missing and not any(c.outcome == "differs" for c in self.checks)


def verified_runs(paths: Iterable[Path]) -> dict[str, list[str]]:
    """The runs whose records hold, by the digest of their results, with the metrics that were worked out again.

    Raises RaftError for a file that is missing or no record, and for a record that does not say that its run could be
    verified.
    """
    found = {}
    for path in paths:
        if not path.is_file():
            raise RaftError(f"{path}: no such file; `ratf verify BUNDLE --record {path}` writes it")
        record = parse_model(read_bytes(path), Verification, f"{path}: not a record of `ratf verify`")
        if not record.holds:
            raise RaftError(f"{path}: this record does not say that its run could be verified; leave it out")
        found[record.results] = record.metrics
    return found


def same(a: Any, b: Any, tolerance: float = 1e-9) -> bool:
    """Whether two values are equal, numbers within a tolerance, inside of records and lists, too."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k], tolerance) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and math.isclose(a, b, rel_tol=1e-6, abs_tol=tolerance)
    return bool(a == b)
