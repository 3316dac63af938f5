"""The folder of a run as seen from outside: how far the run is, and its results once it has finished.

`ratf run` keeps a note of its progress in the folder.
"""

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from raft.errors import RaftError
from raft.files import set_aside, write_whole
from raft.lock import locked
from raft.progress import Progress
from ratf.results.record import Record
from ratf.results.results import STOPPED, Results
from ratf.results.results import load as load_results

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

EVERY_SECONDS = 1.0
NOTE = "progress.json"


class Note(Record):
    """The note of progress: the step that a run is at, or was at last. Times are in seconds since 1970."""

    what: str
    total: int
    unit: str
    done: int
    began: float
    at: float
    state: str = "working"
    """The state of the step: `working`, `done`, or `stopped` by an error or by hand.

    After a kill it stays `working`.
    """


@dataclass(frozen=True)
class Log:
    """The answers of one arm or control, in a log that may still grow."""

    arm: str
    file: str
    status: str
    samples: list[tuple[str, int]] = field(default_factory=list)
    """The answers so far, each as (question, epoch)."""


@dataclass(frozen=True)
class RunProgress:
    """How far a run is, as its folder says."""

    finished: bool
    note: Note | None
    seconds: dict[str, float]
    """The seconds that each phase has taken so far."""
    logs: list[Log]


def noted(progress: Progress, folder: Path) -> Progress:
    """A progress like the given one that also keeps a `Note` in the run's folder."""

    @contextmanager
    def show(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        began = told = time.time()
        done = 0

        def tell(state: str) -> None:
            note = Note(what=what, total=total, unit=unit, done=done, began=began, at=time.time(), state=state)
            with suppress(OSError):  # a run must not end because its progress cannot be written
                write_whole(folder / NOTE, note.model_dump_json() + "\n")

        def advance(n: int) -> None:
            nonlocal done, told
            inner(n)
            done += n
            if time.time() - told >= EVERY_SECONDS:
                told = time.time()
                tell("working")

        tell("working")
        try:
            with progress(what, total, unit) as inner:
                yield advance
        except BaseException:
            tell("stopped")
            raise
        done = total
        tell("done")

    return show


def one_at_a_time(folder: Path) -> AbstractContextManager[None]:
    """The lock of a run's folder: two runs at once would pay for everything twice.

    It stands beside the folder: a recorded run must begin in an empty one, and a replay puts another in its place.
    """
    return locked((whole := folder.resolve()).with_name(f".{whole.name}.lock"), f"{folder}, a run's folder,")


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run, finished or not."""
    return any((folder / name).exists() for name in ("results.json", "times.json", NOTE, "logs"))


def finished(folder: Path) -> bool:
    """Whether a run has finished: its page exists, and no later start in the folder has written a note since."""
    page, note = folder / "report.html", folder / NOTE
    if not (folder / "results.json").is_file() or not page.is_file():
        return False
    return not note.is_file() or note.stat().st_mtime_ns <= page.stat().st_mtime_ns


def look(folder: Path) -> RunProgress:
    """How far the run in a folder is, read from its files alone."""
    return RunProgress(finished(folder), _note(folder / NOTE), _seconds(folder / "times.json"), logs(folder / "logs"))


def _note(path: Path) -> Note | None:
    try:
        return Note.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _seconds(path: Path) -> dict[str, float]:
    """The seconds of each phase, from the file that `ratf run` keeps; empty where it is missing or of another shape."""
    try:
        made = json.loads(path.read_bytes())["made"]
        return {str(name): float(seconds) for name, seconds in made.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def newest_logs(folder: Path, digest: str) -> "dict[str, EvalLog]":
    """The newest log of each arm of the study with this digest that came to its end, by arm, without its samples.

    One in which questions ended in an error is among them.
    """
    from inspect_ai.log import list_eval_logs, read_eval_log

    found = {}
    for info in list_eval_logs(str(folder), descending=False):
        try:
            header = read_eval_log(info, header_only=True)
        except Exception as error:  # each layer under it raises errors of its own
            raise RaftError(
                f"{info.name}: a damaged log ({type(error).__name__}: {error}); remove it and results.json, and "
                "`ratf run` answers that arm again, from the kept replies where it can"
            ) from None
        about = header.eval.metadata or {}
        if header.status in ("success", "error") and about.get("digest") == digest:
            found[str(about["arm"])] = header
    return found


def set_damaged_logs_aside(folder: Path) -> None:
    """Rename every log that cannot be read whole; what it held is answered again, from the kept replies where it can."""
    for path in sorted(folder.rglob("*.eval")):
        if why := _damage(path):
            set_aside(path, why)


def _damage(path: Path) -> str:
    """What is wrong with a log; empty where all that is read of it is as it was written.

    Each member of the archive has a checksum of what it holds, and each stands in the directory. Bits that say nothing,
    such as a member's time or a size of window that the unpacking does not need, are not compared.
    """
    from inspect_ai.log import read_eval_log

    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip() or _lost(archive, path)
        if broken:
            return f"{broken} in it is not as it was written"
        read_eval_log(str(path), header_only=True)
    except Exception as error:  # each layer under it raises errors of its own
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def _lost(archive: zipfile.ZipFile, path: Path) -> str:
    """What says that an archive's directory has lost members; empty where it has not.

    A wrong length in the directory hides the members after it, and the archive still looks whole without them. How many
    there are stands at the end of the file. Places that belong to no member are none of it: Inspect leaves what it
    has written anew.
    """
    with path.open("rb") as file:
        file.seek(-22, SEEK_END)
        end = file.read()
    count = int.from_bytes(end[10:12], "little")
    if end.startswith(b"PK\x05\x06") and count in (len(archive.infolist()), 0xFFFF):  # the greatest stands for any more
        return ""
    return f"the number of its members, {len(archive.infolist())},"


def logs(folder: Path) -> list[Log]:
    """The newest log of each arm, with the answers that its file holds so far.

    A file that cannot be read at this moment, because it is being written, is left out.
    """
    newest = {}
    for path in sorted(folder.rglob("*.eval"), key=lambda p: p.name):
        with suppress(Exception):  # each layer under it raises errors of its own
            arm, status = _head(path)
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.startswith("samples/") and n.endswith(".json")]
            newest[arm] = Log(arm, path.relative_to(folder).as_posix(), status, sorted(_sample(name) for name in names))
    return list(newest.values())


def _sample(name: str) -> tuple[str, int]:
    """The question and epoch in the name of a sample's file: `samples/i-q001_epoch_1.json` gives (`i-q001`, 1)."""
    question, _, epoch = name.removeprefix("samples/").removesuffix(".json").rpartition("_epoch_")
    return question, int(epoch)


def arm_of(path: Path) -> str:
    """The arm or control whose answers a log holds; empty where the log cannot be read."""
    try:
        return _head(path)[0]
    except Exception:  # each layer under it raises errors of its own
        return ""


_heads: dict[tuple[str, int], tuple[str, str]] = {}


def _head(path: Path) -> tuple[str, str]:
    """The arm and the status of a log, read once for each time that the file changes."""
    key = str(path), path.stat().st_mtime_ns
    if key not in _heads:
        from inspect_ai.log import read_eval_log

        log: Any = read_eval_log(str(path), header_only=True)
        _heads[key] = str((log.eval.metadata or {}).get("arm", log.eval.task)), str(log.status)
    return _heads[key]


def open_run(folder: Path, read: Callable[[Path], Results] = load_results) -> Results:
    """A finished run's results, from its folder or its `results.json`, read by `read`.

    Raises RaftError where the run was stopped halfway, or where a later run in the same folder was.
    """
    path = folder / "results.json" if folder.is_dir() else folder
    stopped = path.parent / STOPPED
    if stopped.is_file():
        raise RaftError(f"{folder}: {stopped.read_text('utf-8', 'replace').strip()}")
    logs = sorted((path.parent / "logs").rglob("*.eval"))
    if not path.is_file() and logs:
        raise RaftError(
            f"{folder}: the run was stopped halfway ({len(logs)} logs, no results); `ratf run` goes on with it"
        )
    results = read(path)
    if _begun(path.parent) not in (None, results.digest):
        raise RaftError(
            f"{folder}: a later run was stopped halfway, one of another suite or other data; `ratf run` goes on with it"
        )
    return results


def _begun(folder: Path) -> str | None:
    """The digest of the study that was begun last in a folder; None where it is not known.

    Digests are compared, not times: a clock may have gone back since.
    """
    try:
        digest = json.loads((folder / "times.json").read_bytes())["digest"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return digest if isinstance(digest, str) else None
