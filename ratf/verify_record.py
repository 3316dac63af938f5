"""What `ratf verify` found, kept for a leaderboard."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from raft.errors import RaftError
from ratf.worth import Record


class Check(Record):
    """One thing that was checked."""

    what: str
    outcome: Literal["matches", "differs", "not recomputed"]
    told: str


class Verification(Record):
    """A bundle, checked. Whoever keeps a leaderboard decides whose records to believe."""

    format: Literal["ratf verification 1"] = "ratf verification 1"
    ratf: str
    bundle: str
    """The sha256 of the archive."""
    results: str
    """The sha256 of its results, by which a leaderboard knows the run."""
    checks: list[Check]

    @property
    def holds(self) -> bool:
        """Whether nothing differs, and at least the statistics and one metric could be recomputed."""

        def matches(kind: str) -> bool:
            return any(c.what.startswith(kind) and c.outcome == "matches" for c in self.checks)

        return not any(c.outcome == "differs" for c in self.checks) and matches("statistics") and matches("metric ")


def verified_runs(paths: Iterable[Path]) -> list[str]:
    """The runs whose records hold. Raises RaftError for a file that is no record, or one that says something differs."""
    found = []
    for path in paths:
        if not path.is_file():
            raise RaftError(f"{path}: no such file; `ratf verify BUNDLE --record {path}` writes it")
        try:
            record = Verification.model_validate_json(path.read_bytes())
        except ValueError as error:
            raise RaftError(f"{path}: not a record of `ratf verify`: {str(error).splitlines()[0]}") from None
        if not record.holds:
            raise RaftError(f"{path}: this record does not say that its run could be verified; leave it out")
        found.append(record.results)
    return found
