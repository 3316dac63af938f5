"""What a person's folder knows about tuned models: `work/tuned.json`."""

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
    """One tuning, finished or not. `data` is the digest of samples and settings; names carry their provider."""

    base: str
    data: str
    model: str | None = None
    job: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    """The service's names of uploaded files, by what they are: training, validation."""

    @property
    def key(self) -> str:
        """What makes this tuning this one."""
        return f"{self.base} {self.data}"


def state_file(folder: Path) -> Path:
    """Where a person's tunings are kept."""
    return work_of(folder) / "tuned.json"


def tuned_model(folder: Path) -> str | None:
    """The person's model that was tuned, or asked for again, last: `local/<base>+<digest>` or `openai/ft:…`."""
    return next((t.model for t in reversed(tunings(state_file(folder))) if t.model), None)


def tunings(path: Path) -> list[Tuning]:
    """All tunings kept in a state file, the one that was touched last at the end."""
    if not path.is_file():
        return []
    try:
        return [Tuning(**entry) for entry in json.loads(path.read_text("utf-8"))["tunings"]]
    except (ValueError, TypeError, KeyError):
        raise RaftError(
            f"{path}: not a list of tunings; mend it, or delete it if no job of yours is under way"
        ) from None


def keep(path: Path, tuning: Tuning) -> None:
    """Write a tuning down, in place of what was known about it."""
    others = [t for t in tunings(path) if t.key != tuning.key]
    entries = [asdict(t) for t in (*others, tuning)]
    write_whole(path, json.dumps({"tunings": entries}, ensure_ascii=False, indent=1) + "\n")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Tune for a person in one process at a time: two would each start a job. The lock ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RaftError(f"{path.parent}: another `raft ft:run` is at work; wait for it or stop it") from None
        yield
