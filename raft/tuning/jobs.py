"""The file `work/tuned.json` in a person's folder records the models tuned for them, and the jobs under way."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from raft import lock
from raft.errors import DataError, RaftError
from raft.files import write_whole
from raft.formats.json_file import read_json
from raft.people.folders import work_of


@dataclass(frozen=True)
class Tuning:
    """One tuning, finished or not: `model` is None until it is finished, `job` is the service's name of its job.

    `data` is the digest of samples and settings. `base` and `model` begin with their provider, as in `openai/…`.
    """

    base: str
    data: str
    model: str | None = None
    job: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    """The service's names of the uploaded files, by their part: `training` or `validation`."""

    @property
    def key(self) -> str:
        """The base and the digest of the data, which together identify a tuning."""
        return f"{self.base} {self.data}"


def state_file(folder: Path) -> Path:
    """Return the file in which a person's tunings are kept."""
    return work_of(folder) / "tuned.json"


def tuned_model(folder: Path) -> str | None:
    """Return the name of the person's model that was last tuned or asked for again; None where there is none.

    The name has the form `local/<base>+<digest>` or `openai/ft:…`.
    """
    return next((t.model for t in reversed(tunings(state_file(folder))) if t.model), None)


def tunings(path: Path) -> list[Tuning]:
    """Return all tunings of a state file, the one kept last at the end. Raises RaftError where it cannot be read."""
    if not path.is_file():
        return []
    try:
        return [Tuning(**entry) for entry in read_json(path)["tunings"]]
    except (DataError, TypeError, KeyError):
        raise RaftError(
            f"{path}: not a list of tunings; mend it, or delete it if no job of yours is under way"
        ) from None


def keep(path: Path, tuning: Tuning) -> None:
    """Write a tuning to a state file, in place of an earlier record of the same tuning."""
    others = [t for t in tunings(path) if t.key != tuning.key]
    entries = [asdict(t) for t in (*others, tuning)]
    write_whole(path, json.dumps({"tunings": entries}, ensure_ascii=False, indent=1) + "\n")


def locked(path: Path) -> AbstractContextManager[None]:
    """Hold the lock of a state file, so that one process at a time tunes for a person: two would each start a job.

    Raises RaftError where another process holds it, unless `raft.lock.waiting` is set.
    """
    return lock.locked(path.with_suffix(".lock"), f"{path.parent}, where `raft ft:run` tunes,")
