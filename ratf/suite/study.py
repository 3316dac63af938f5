"""A study: a suite with its data, that is who is asked which questions, and what may be learnt before."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from raft.errors import DataError, RaftError
from raft.files import read_made, write_made
from raft.memory.mind import said_before
from raft.people.doubts import nothing_to_remember, older_writings
from raft.people.folders import inside, same_person
from raft.people.person import Person, load_person
from raft.types import Exchange, Interview
from ratf.suite.arms import ARMS
from ratf.suite.own import OwnArm, read_answers
from ratf.suite.suite import Suite, find_suite, load_suite

DATA_FILES = ("person.yaml", "interviews.jsonl", "writings.jsonl")

Thing = TypeVar("Thing")


@dataclass
class Study:
    """A study is everything that a run starts from. `folder` is the run's folder, where it keeps what it makes."""

    suite: Suite
    person: Person
    impostors: list[Person]
    held_out: list[Exchange]
    """The questions that every arm answers, oldest first."""
    earlier: list[Exchange]
    """All exchanges of interviews that are older than the first held-out one."""
    training: list[Exchange]
    """The newest of the earlier exchanges, as many as the suite trains on."""
    before: dict[str, tuple[Exchange, ...]]
    """For the id of each of the person's exchanges, the exchanges that come before it in its interview."""
    digest: str
    folder: Path
    data_digest: str
    path: Path | None = None
    """The path of the suite's YAML file."""
    strangers: list[Person] = field(default_factory=list)
    """People whom nothing is learnt from, beside the person and the impostors."""
    answered: dict[str, dict[str, str]] = field(default_factory=dict)
    """Arm whose answers are in a file → held-out question → its answer."""
    _held: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        """The study in one line, because the whole would be everything that the people said and wrote."""
        return f"<Study {self.suite.name}: {self.person.key}, {len(self.held_out)} held-out questions, run in {self.folder}>"

    @property
    def cut(self) -> date | None:
        """The date of the first held-out interview. Nothing of that day or later is learnt from."""
        return self.held_out[0].date

    def file_of(self, arm: OwnArm) -> Path:
        """The file of an arm of the user's own, which is named from the suite's folder."""
        return (self.path.parent if self.path else Path()) / arm.file

    def told_before(self, exchange: Exchange) -> list[dict[str, str | None]]:
        """What an agent that keeps what it reads may be told of the interview before a question.

        The answer is None where its question is asked as well: otherwise one question would give away another's answer.
        Where answers run free it is always None.
        """
        history = self.suite.answers.history
        hidden = {e.exchange_id for e in self.held_out}
        return [
            {
                "question": e.question,
                "answer": None if history == "free_running" or e.exchange_id in hidden else e.answer,
            }
            for e in (() if history == "none" else self.before[exchange.exchange_id])
        ]

    def questions(self) -> list[dict[str, Any]]:
        """The held-out questions for an agent that is asked elsewhere, with what it may know, and never the real answers."""
        return [
            {
                "id": e.exchange_id,
                "question": e.question,
                "interview_id": e.interview_id,
                "date": e.date.isoformat() if e.date else None,
                "history": self.told_before(e),
            }
            for e in self.held_out
        ]

    def questions_each(self) -> list[tuple[int, int]]:
        """For each held-out interview, oldest first: how many questions it gives, and of how many usable answers."""
        held = [i.interview_id for i in _dated(self.person)[-self.suite.split.held_out_interviews :]]
        asked, usable = (Counter(e.interview_id for e in some) for some in (self.held_out, self.person.exchanges))
        return [(asked[i], usable[i]) for i in held]

    @property
    def questions_digest(self) -> str:
        """The digest of what is asked of whom. No arm changes it: the answers to these questions fit any suite that asks them."""
        asked = json.dumps([self.person.key, self.questions()], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    def made(self, name: str, make: Callable[[], Thing], version: str = "") -> Thing:
        """A part of the run that is kept on disk: read from `<name>.json` in the folder, or made now and written there.

        `make` returns what JSON can hold. A file of another study, or of another `version` of the maker, is made again.
        """
        path, digest = self.folder / f"{name}.json", f"{self.digest}-{version}" if version else self.digest
        kept: Thing | None = read_made(path, digest)
        if kept is None:
            kept = make()
            write_made(path, digest, kept)
        return kept

    def held(self, name: str, make: Callable[[], Thing]) -> Thing:
        """A part of the run that is kept in memory only: made at the first call, and returned again at every later one.

        A copy of the study (`dataclasses.replace`) starts with nothing held.
        """
        if name not in self._held:
            self._held[name] = make()
        thing: Thing = self._held[name]
        return thing


_current: ContextVar[Study | None] = ContextVar("study", default=None)


def open_study(
    suite: str | Path, data: str | Path | None = None, out: str | Path | None = None, finished: bool = False
) -> Study:
    """Read a suite and the people that it names, check them, and split the interviews.

    `suite` is the path of a suite's YAML file, or the name of one shipped with RATF, as `demo`. `data` is the folder
    with the people's folders; by default, the suite's own. `out` is the run's folder; by default `runs/<suite>`.
    `finished`: it is the suite of a run that is over. Nothing is written and no model is asked. Raises DataError with everything that is wrong.
    """
    path = find_suite(suite)
    return study_of(load_suite(path, finished), path, data, out)


def study_of(settings: Suite, path: Path, data: str | Path | None = None, out: str | Path | None = None) -> Study:
    """The study of a suite that is read already, from the file `path`, whose folder its own files are named from.

    `data` and `out` are as in `open_study`. Raises DataError with everything that is wrong with the people.
    """
    home = Path(data) if data else path.parent
    people = _load_people(settings, path, home)
    person, impostors = people[0], people[1 : 1 + len(settings.impostors)]
    held_out, earlier = _split(settings, person, path)
    newest, recalling = held_out[-1].date, [arm for arm in settings.all_arms if settings.shown(arm) == "own"]
    if newest and recalling and not older_writings(person, newest):
        raise DataError([f"{nothing_to_remember(person, newest)} The arms that need it: {', '.join(recalling)}"])
    limit = settings.split.training_exchanges
    data_digest = _data_digest(home, settings)
    digest = settings.digest_with(data_digest)
    study = Study(
        suite=settings,
        person=person,
        impostors=impostors,
        held_out=held_out,
        earlier=earlier,
        training=earlier[-limit:] if limit else earlier,
        before=said_before(person.exchanges),
        digest=digest,
        folder=Path(out) if out else Path("runs") / settings.name,
        data_digest=data_digest,
        path=path,
        strangers=people[1 + len(impostors) :],
    )
    asked = [e.exchange_id for e in held_out]
    for arm in settings.own:
        if arm.answers and arm.sha256 and (file := study.file_of(arm)).is_file():
            study.answered[arm.name] = read_answers(file, arm, asked, study.questions_digest)
    return study


@contextmanager
def being_run(study: Study) -> Iterator[None]:
    """Let `current_study` find this study inside the `with` block, in which its tasks are made."""
    before = _current.set(study)
    try:
        yield
    finally:
        _current.reset(before)


def current_study(digest: str) -> Study:
    """The study that is being run, which must have this digest.

    A task names its study by the digest, because a task's arguments are written into the log. Raises RaftError where no
    study, or another one, is being run.
    """
    study = _current.get()
    if study is None or study.digest != digest:
        raise RaftError(f"study {digest!r} is not being run here; without `digest`, the task opens the suite itself")
    return study


def _load_people(suite: Suite, path: Path, folder: Path) -> list[Person]:
    problems: list[str] = []
    people = []
    whose = suite.everybody
    for key in whose:
        if not (folder / key).is_dir():
            role = "the person" if key == suite.person else "the impostor" if key in suite.impostors else "the stranger"
            there = sorted(f.parent.name for f in folder.glob("*/interviews.jsonl")) or ["nobody"]
            problems.append(
                f"{path}: {role} {key!r} has no folder in {folder}; in there: {', '.join(there)}. --data names another"
                + ("; `ratf data fed-chairs --out people` makes one." if suite.name == "fed-chairs" else ".")
            )
            continue
        try:
            home, before = inside(folder, key), whose[: whose.index(key)]
            same = next((o for o in before if (folder / o).is_dir() and same_person(home, folder / o)), None)
            if same is not None:
                problems.append(f"{path}: {key!r} is {same!r} by another name; name each person once")
                continue
            people.append(load_person(home, suite.people.get(key), suite.allow_undated))
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    impostors = people[1 : 1 + len(suite.impostors)]
    for person in people[1:]:
        if not person.exchanges:
            role = "an impostor" if person in impostors else "a stranger"
            problems.append(
                f"{folder / person.key}/interviews.jsonl: no usable exchange, so {person.key} cannot be {role}"
            )
    talks = {e.interview_id for person in impostors for e in person.exchanges}
    if "style_identity" in suite.metrics and len(talks) < 2:
        problems.append(
            f"{path}: the impostors have {len(talks)} interviews with usable exchanges together; style_identity needs "
            "two or more, to learn from one and be tried on another"
        )
    if any(ARMS[arm].memories == "impostor" for arm in suite.arms) and not any(p.documents for p in impostors):
        problems.append(f"{path}: no impostor has writings, so no arm can remember them: {', '.join(suite.impostors)}")
    if problems:
        raise DataError(problems)
    return people


def _split(suite: Suite, person: Person, path: Path) -> tuple[list[Exchange], list[Exchange]]:
    """The held-out exchanges and the earlier ones. The newest interviews are held out, whole.

    Only what is older than the day of the first held-out interview, or undated, is among the earlier ones. Raises
    DataError where too few interviews are left to learn from.
    """
    dated = _dated(person)
    wanted = suite.split.held_out_interviews
    if len(dated) <= wanted:
        raise DataError(
            [
                f"{path}: split.held_out_interviews is {wanted}, but {person.key} has {len(dated)} dated interviews with "
                "usable exchanges; at least one more than that is needed, to learn from"
            ]
        )
    held = {i.interview_id for i in dated[-wanted:]}
    cut = dated[-wanted].date
    everything = [e for e in person.exchanges if e.interview_id in held]
    earlier = [e for e in person.exchanges if e.interview_id not in held and (e.date is None or (cut and e.date < cut))]
    if not earlier:
        raise DataError([f"{path}: no interview of {person.key} is older than the first held-out one of {cut}"])
    if "style_identity" in suite.metrics and len({e.interview_id for e in earlier}) < 2:
        raise DataError(
            [
                f"{path}: {person.key} has only one interview with usable exchanges before {cut}; style_identity needs "
                "two or more, to learn from one and be tried on another"
            ]
        )
    return _thin(everything, suite.split.questions), earlier


def _dated(person: Person) -> list[Interview]:
    """The interviews that may be held out, oldest first."""
    usable = {e.interview_id for e in person.exchanges}
    return [i for i in person.interviews if i.date and i.interview_id in usable]


def _thin(exchanges: list[Exchange], wanted: int | None) -> list[Exchange]:
    """As many of the exchanges as `wanted`, evenly spaced, so that every interview keeps its share."""
    if wanted is None or wanted >= len(exchanges):
        return exchanges
    return [exchanges[(2 * i + 1) * len(exchanges) // (2 * wanted)] for i in range(wanted)]


def _data_digest(folder: Path, suite: Suite) -> str:
    digest = hashlib.sha256()
    for key in suite.everybody:
        for name in DATA_FILES:
            path = folder / key / name
            content = path.read_bytes() if path.is_file() else b""
            digest.update(json.dumps([key, name, len(content)]).encode() + content)
    return digest.hexdigest()[:16]


def logs_folder(study: Study) -> Path:
    """The folder of a run's Inspect logs."""
    return study.folder / "logs"
