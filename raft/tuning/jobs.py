"""The file `work/tuned.json` in a person's folder records the models tuned for them, and the jobs under way."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from raft.errors import RaftError
from raft.files import write_whole
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
        return [Tuning(**entry) for entry in json.loads(path.read_text("utf-8"))["tunings"]]
    except (ValueError, TypeError, KeyError):
        raise RaftError(
            f"{path}: not a list of tunings; mend it, or delete it if no job of yours is under way"
        ) from None


def keep(path: Path, tuning: Tuning) -> None:
    """Write a tuning to a state file, in place of an earlier record of the same tuning."""
    others = [t for t in tunings(path) if t.key != tuning.key]
    entries = [asdict(t) for t in (*others, tuning)]
    write_whole(path, json.dumps({"tunings": entries}, ensure_ascii=False, indent=1) + "\n")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, so that one process at a time tunes for a person: two would each start a job.

    The lock ends with the context or the process. Raises RaftError where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RaftError(f"{path.parent}: another `raft ft:run` is at work; wait for it or stop it") from None
        yield
