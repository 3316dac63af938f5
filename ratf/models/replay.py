"""`ratf run --record` and `--replay`: the replies of a run's models are kept, or given again without any model.

While a session is on, `ratf.models.chat` puts a listener between the run and each model. It stands before Inspect's cache: a
cached reply is recorded, and none is served in a replay. What is computed from weights here and is neither a chat
reply nor a vector (which adapter was tuned, how likely the real answers are) goes through `made`.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.files import read_made, write_made
from raft.text import plain
from ratf.models.recordings import Recording, Request, difference, key_of
from ratf.results.results import Results
from ratf.suite.study import Study

SHOWN_MISSES = 3
MARK = "recorded.json"
"""In a run's folder: where the replies of this run, from its start, are recorded."""


CarryOut = Callable[[Study], Results]


class Session:
    """What is recorded or replayed while a suite runs."""

    def __init__(self, study: Study, recording: Recording, replaying: bool) -> None:
        self.study, self.recording, self.replaying = study, recording, replaying
        self.misses: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._before = {key: len(entry.replies) for key, entry in recording.entries.items()}

    def take(self, request: Request, who: str, again: bool = False) -> tuple[int, Any | None]:
        """How often this was asked before, and its reply; None where a model is to be asked.

        Recording, replies are taken from a start of the same run that was killed, or, with `again`, from this one.
        Raises RaftError for a request that a replay does not know.
        """
        key = key_of(request)
        number = 0 if again else self._asked[key]
        self._asked[key] += 1
        entry = self.recording.entries.get(key)
        if self.replaying:
            reply = entry.reply(number) if entry else None
            if reply is None:
                self.misses.setdefault(key, self._miss(request, who, number if entry else 0))
                raise RaftError(self.misses[key])
            return number, reply
        if entry is None or number >= (1 if again else self._before.get(key, 0)):
            return number, None
        self.recording.also_for(request, who)
        return number, entry.replies[number]

    def keep(self, request: Request, number: int, reply: Any, who: str) -> Any:
        """Record a reply; returned as it will be replayed, because later requests may quote it."""
        return self.recording.keep(request, number, reply, who)

    def _miss(self, request: Request, who: str, number: int) -> str:
        lines = [f"{who}, of {request['model']}"]
        if number:
            lines.append(f"  it was recorded, but asked {number} times only")
        elif (entry := self.recording.nearest(request)) is None:
            lines.append(f"  the recording has no {request['kind']} at all")
        else:
            alike, places = difference(entry.request, request)
            lines.append(f"  nearest: {', '.join(sorted(entry.asked_for)[:2])} ({alike:.0%} alike)")
            lines += [f"    {self.recording.folder / entry.place}", *(f"    {p}" for p in places)]
        return plain("\n".join(lines))


_session: Session | None = None


def session() -> Session | None:
    """The one that is on, if one is."""
    return _session


def recorded_value(request: Request, who: str, make: Callable[[], Any]) -> Any:
    """What `make` makes, as JSON; recorded, or replayed without making it."""
    if _session is None:
        return make()
    if _session.replaying:
        return _session.take(request, who)[1]
    return _session.keep(request, 0, make(), who)


def recorded(study: Study, folder: Path, carry_out: CarryOut) -> Results:
    """Carry a study out and record every reply in `folder`; killed, it goes on where it was.

    Raises RaftError for a folder that holds something else, and for a run that has begun without being recorded.
    """
    recording, about = Recording(folder), _about(study)
    if read_made(study.folder / MARK, study.digest) == str(folder.resolve()):
        recording.load()
    else:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RaftError(f"{folder} is not an empty folder; name another, or remove it to record the run again")
        if study.folder.exists() and any(study.folder.iterdir()):
            raise RaftError(
                f"{study.folder} holds a run that was not recorded there from its start, and what is made is not asked "
                "again; name another folder with --out (replies in the cache are taken from it, and recorded)"
            )
        write_made(study.folder / MARK, study.digest, str(folder.resolve()))
    recording.write_manifest(about, finished=False)
    listening = Session(replace(study), recording, replaying=False)
    results = _during(listening, carry_out)
    recording.write_manifest(about, finished=True)
    return results


def unrecorded(study: Study, folder: Path) -> bool:
    """Whether a finished run's recording is not there as a whole."""
    mark = read_made(study.folder / MARK, study.digest)
    return mark != str(folder.resolve()) or not Recording(folder).manifest().get("finished")


def replayed(study: Study, folder: Path, carry_out: CarryOut) -> Results:
    """Carry a study out with the replies in `folder` alone. The run's folder is replaced at the end, or not touched.

    Raises RaftError with every request that is not in the recording.
    """
    recording = Recording(folder)
    if not recording.manifest().get("finished"):
        raise RaftError(
            f"{folder}: the recorded run was stopped halfway; `ratf run … --record {folder}` goes on with it"
        )
    recording.load()
    _refuse_others(study.folder)
    study.folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{study.folder.name}.", dir=study.folder.parent))
    listening = Session(replace(study, folder=aside), recording, replaying=True)
    try:
        results = _during(listening, carry_out)
        if study.folder.exists():
            shutil.rmtree(study.folder)
        aside.rename(study.folder)
    except Exception:
        if listening.misses:  # whatever else went wrong followed from them
            raise RaftError(_told(folder, list(listening.misses.values()))) from None
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return results


def _during(listening: Session, carry_out: CarryOut) -> Results:
    global _session
    _session = listening
    try:
        results = carry_out(listening.study)
    finally:
        _session = None
    if listening.misses:
        raise RaftError("requests are not in the recording")
    return results


def _about(study: Study) -> dict[str, Any]:
    return {"suite": study.suite.name, "digest": study.digest, "data_digest": study.data_digest}


def _refuse_others(folder: Path) -> None:
    """Only an earlier replay is replaced."""
    if folder.exists() and any(folder.iterdir()):
        try:
            from ratf.results.results import load

            earlier = load(folder / "results.json").replayed
        except RaftError:
            earlier = ""
        if not earlier:
            raise RaftError(f"{folder} holds something other than a replay; name another folder with --out")


def _told(folder: Path, misses: list[str]) -> str:
    n = len(misses)
    more = f"\n… and {n - SHOWN_MISSES} more, some of which may follow from these" if n > SHOWN_MISSES else ""
    return (
        f"{n} request{'s are' if n > 1 else ' is'} not in the recording {folder}, and a replay asks no model; nothing was "
        "written:\n" + "\n".join(misses[:SHOWN_MISSES]) + f"{more}\nEither undo what has changed since it was recorded "
        "(data, suite, prompts, judges, the program), or record again: ratf run SUITE --record FOLDER. A call that failed "
        "when it was recorded is not in a recording either."
    )


def mark(results: Results) -> Results:
    """Results that say that they are a replay, where they are one; then their times are the replay's."""
    if _session is None or not _session.replaying:
        return results
    replies = len(_session.recording.entries)
    said = f"recording {_session.recording.digest()} with replies to {replies} requests"
    return results.model_copy(update={"replayed": said, "times": {**results.times, "of": "the replay"}})
