"""Recording and replay, for `ratf run --record` and `--replay`: the replies of a run's models are kept, or given again.

While a session is on, `ratf.models.chat` puts a listener between the run and each model. It stands before Inspect's
cache: a cached reply is recorded, and none is served in a replay. What is computed from local weights and is neither a
chat reply nor a vector (which adapter was tuned, how likely the real answers are) goes through `recorded_value`.
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
from ratf.models.recorded.recordings import Recording, Request, difference, key_of
from ratf.results.results import Results
from ratf.suite.study import Study

SHOWN_MISSES = 3
MARK = "recorded.json"
"""The file in a run's folder that names the folder where the run has been recorded from its start."""


CarryOut = Callable[[Study], Results]


class Session:
    """A session records or replays the replies of models while a study is carried out."""

    def __init__(self, study: Study, recording: Recording, replaying: bool) -> None:
        self.study, self.recording, self.replaying = study, recording, replaying
        self.misses: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._before = {key: len(entry.replies) for key, entry in recording.entries.items()}

    def take(self, request: Request, who: str, again: bool = False) -> tuple[int, Any | None]:
        """How often the request was asked before, and its reply, which is None where a model must be asked.

        While recording, replies are taken from a killed start of the same run or, with `again`, also from this start.
        Raises RaftError in a replay for a request that is not in the recording.
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
        """Record a reply, and return it as it will be replayed, because later requests may quote it."""
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
    """The session that is on; None where there is none."""
    return _session


def recorded_value(request: Request, who: str, make: Callable[[], Any]) -> Any:
    """The JSON value that `make` returns.

    It is recorded or, in a replay, taken from the recording without calling `make`.

    `who` says who asks. Raises RaftError in a replay where `request` is not in the recording.
    """
    if _session is None:
        return make()
    if _session.replaying:
        return _session.take(request, who)[1]
    return _session.keep(request, 0, make(), who)


def recorded(study: Study, folder: Path, carry_out: CarryOut) -> Results:
    """Carry a study out and record every reply in `folder`. A killed run goes on where it was.

    Raises RaftError for a folder that holds something else, and for a run that has begun without being recorded.
    """
    recording, about = Recording(folder), _about(study)
    if read_made(study.folder / MARK, study.digest) == str(folder.resolve()):
        recording.load()
        recording.settle()
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
    recording.settle()
    recording.write_manifest(about, finished=True)
    return results


def unrecorded(study: Study, folder: Path) -> bool:
    """Whether a finished run has no complete recording in `folder`."""
    mark = read_made(study.folder / MARK, study.digest)
    return mark != str(folder.resolve()) or not Recording(folder).manifest().get("finished")


def replayed(study: Study, folder: Path, carry_out: CarryOut) -> Results:
    """Carry a study out with the replies in `folder` alone. The run's folder is replaced at the end, or not touched.

    Raises RaftError where the recording is missing or not finished, where the run's folder holds something other than a
    replay, and with every request that is not in the recording.
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
        if listening.misses:  # any other error followed from the missing replies
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
    """Raises RaftError where the folder holds something other than an earlier replay, which alone may be replaced."""
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
    """The results, marked as a replay where they are one; their times are then those of the replay."""
    if _session is None or not _session.replaying:
        return results
    replies = len(_session.recording.entries)
    said = f"recording {_session.recording.digest()} with replies to {replies} requests"
    return results.model_copy(update={"replayed": said, "times": {**results.times, "of": "the replay"}})
