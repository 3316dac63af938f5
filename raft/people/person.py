"""A person's folder, read and checked: `person.yaml`, `interviews.jsonl`, `writings.jsonl`."""

import codecs
import datetime
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from raft.errors import DataError, describe
from raft.files import write_whole
from raft.formats.json_file import within_limits
from raft.formats.yaml_file import read_model
from raft.people.folders import folder_of
from raft.text import count_words, ends_sentence, is_unspaced
from raft.types import Document, Exchange, Interview, Role, Turn

MIN_WORDS, MAX_WORDS = 20, 700
RELEASED = 2026
"""The year before which no clock is right."""


_IN_APPOSITION = re.compile(r"(?:an?|the|one of)\s")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    _encodable(text)
    return text


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no character; repair the text") from None
    return text


def in_future(day: datetime.date) -> bool:
    """Whether a day is so far ahead that nothing can have been said on it."""
    # a clock that went back refuses nothing that was right
    return day.year > max(datetime.datetime.now(datetime.UTC).year, RELEASED) + 1


def _iso_date(value: object) -> object:
    if value is None or isinstance(value, datetime.datetime):
        return value
    try:
        day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a date; write it as YYYY-MM-DD") from None
    if in_future(day):
        raise ValueError(f"{day} is in the future, so nothing can be shown to be older or newer; give the day itself")
    return day


def _worded(text: str) -> str:
    if not any(c.isalnum() for c in text):
        raise ValueError("has no word; leave the record out")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Date = Annotated[datetime.date | None, BeforeValidator(_iso_date)]


class _Turn(BaseModel):
    speaker: Text
    role: Role
    text: Text
    topic: str = ""


class _Interview(BaseModel):
    interview_id: Text
    title: str
    date: Date = None
    source: str
    topic: str = ""
    turns: list[_Turn] = Field(min_length=1)

    def spoken(self) -> tuple[Turn, ...]:
        """Return the turns; a turn without a topic gets the interview's."""
        return tuple(Turn(t.speaker, t.role, t.text, " ".join((t.topic or self.topic).split())) for t in self.turns)


class _Document(BaseModel):
    doc_id: Text
    title: str
    date: Date = None
    source: str
    text: Annotated[Text, AfterValidator(_worded)]


class About(BaseModel):
    """The content of `person.yaml`: who the person is, and why the data may be used."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Text
    """The person's full name."""
    introduction: Text
    """Who the person is. It ends the prompt's sentence “You are NAME, …”."""
    licence: str = ""
    """The licence under which the words may be used."""
    consent: str = ""
    """Why the words may be used: consent, or another basis."""
    knowledge_cutoff: Date = None
    """The last day until which a model may have read about the person, as YYYY-MM-DD."""
    fictional: bool = False
    """Whether the person is invented."""

    @property
    def described(self) -> str:
        """The introduction, its last sentence with a full stop, so that it runs into nothing."""
        said = self.introduction.strip()
        if ends_sentence(said):
            return said
        return said.rstrip(",;:–—- ") + ("。" if is_unspaced(said[-1:]) else ".")

    @property
    def introduced(self) -> str:
        """Who the person is, in whole sentences as a prompt begins: `You are Mara Linden, a keeper of weirs.`"""
        return f"You are {self.name}{', ' if _IN_APPOSITION.match(self.described) else '. '}{self.described}"


@dataclass(frozen=True)
class Person:
    """A person with their interviews and writings (`documents`), each in the order of their dates.

    `key` is the name of the person's folder.
    """

    key: str
    about: About
    interviews: tuple[Interview, ...]
    documents: tuple[Document, ...]
    left_out: dict[str, int] = field(default_factory=dict)
    """The number of exchanges that `exchanges` leaves out, by reason."""
    folder: Path = field(default=Path(), compare=False)
    """The folder from which the person was read."""

    def __repr__(self) -> str:
        """Return one line; the default would print everything that the person said and wrote."""
        return f"<Person {self.key}: {len(self.interviews)} interviews, {len(self.documents)} writings>"

    @cached_property
    def exchanges(self) -> list[Exchange]:
        """Every usable exchange: an interviewer's turn answered in 20 to 700 words by the next turn."""
        return [e for interview in self.interviews for e in exchanges(interview) if _words_fit(e)]


def exchanges(interview: Interview) -> Iterator[Exchange]:
    """Yield each interviewer turn that the person answers in the next turn, with that answer, whatever its length."""
    number = 0
    for asked, said in zip(interview.turns, interview.turns[1:], strict=False):
        if asked.role == "interviewer" and said.role == "target":
            number += 1
            texts = (asked.text.strip(), said.text.strip())
            yield Exchange(interview.interview_id, number, interview.date, *texts, asked.topic)


def _words_fit(exchange: Exchange) -> bool:
    return MIN_WORDS <= count_words(exchange.answer) <= MAX_WORDS


def load_person(folder: Path, about: About | None = None, allow_undated: bool = False) -> Person:
    """Read a person's folder.

    Where `about` is given, `person.yaml` is not read. A person without `writings.jsonl` has no writings, which is enough
    for somebody whom nothing is remembered of, as an impostor. Undated records are refused unless `allow_undated`: a text
    without a date cannot be shown to be older than the question that it would help to answer.

    Raises DataError with every problem of every file, each as `file:line: what; what is valid`.
    """
    if not folder.is_dir():
        raise DataError(
            [
                f"{folder}: no such folder; a person is a folder with person.yaml, interviews.jsonl and, for memories, writings.jsonl"
            ]
        )
    problems: list[str] = []
    about = about or _read_about(folder / "person.yaml", problems)
    interviews = _attempt(load_interviews, folder, allow_undated, problems)
    documents = _attempt(load_documents, folder, allow_undated, problems)
    if problems or about is None:
        raise DataError(problems)
    everything = [e for interview in interviews for e in exchanges(interview)]
    lengths = [count_words(e.answer) for e in everything]
    return Person(
        key=folder.name,
        about=about,
        interviews=tuple(interviews),
        documents=tuple(documents),
        left_out={
            f"answers under {MIN_WORDS} words": sum(n < MIN_WORDS for n in lengths),
            f"answers over {MAX_WORDS} words": sum(n > MAX_WORDS for n in lengths),
        },
        folder=folder,
    )


def open_person(name: str | Path, allow_undated: bool = False) -> Person:
    """Read and check a person's folder, named by its path or, inside `people/`, by its name alone.

    Undated interviews and writings are refused unless `allow_undated`. Raises DataError with every problem of every
    file.
    """
    return load_person(folder_of(name), allow_undated=allow_undated)


def person_folder(person: Person | str | Path) -> Path:
    """Return the folder of a person who was opened, or the folder that a path or a name in `people/` means."""
    return person.folder if isinstance(person, Person) else folder_of(person)


def load_interviews(folder: Path, allow_undated: bool = False) -> list[Interview]:
    """Return the folder's interviews in the order of their dates. Raises DataError with every problem of the file."""
    found = [
        Interview(r.interview_id, r.title, r.date, r.source, r.spoken())
        for r in _read_records(folder / "interviews.jsonl", _Interview, "interview_id", allow_undated)
    ]
    return sorted(found, key=lambda i: (i.date or datetime.date.min, i.interview_id))


def load_documents(folder: Path, allow_undated: bool = False) -> list[Document]:
    """Return the folder's writings in the order of their dates; none where there is no `writings.jsonl`.

    Raises DataError with every problem of the file.
    """
    if not (folder / "writings.jsonl").is_file():
        return []
    found = [
        Document(r.doc_id, r.title, r.date, r.source, r.text)
        for r in _read_records(folder / "writings.jsonl", _Document, "doc_id", allow_undated)
    ]
    return sorted(found, key=lambda d: (d.date or datetime.date.min, d.doc_id))


Loaded = TypeVar("Loaded")


def _attempt(
    load: Callable[[Path, bool], list[Loaded]], folder: Path, allow_undated: bool, problems: list[str]
) -> list[Loaded]:
    try:
        return load(folder, allow_undated)
    except DataError as error:
        problems.extend(error.problems)
        return []


def load_about(folder: Path) -> About:
    """Return the content of the folder's `person.yaml`. Raises DataError with every problem of the file."""
    problems: list[str] = []
    about = _read_about(folder / "person.yaml", problems)
    if about is None:
        raise DataError(problems)
    return about


UNKNOWN = "You are being interviewed."
"""The introduction of a person of whom nothing is known but the name."""


_QUESTIONS = {
    "name": "What is the person called, in full?",
    "introduction": (
        'Who is it? The prompt goes on with this: "a keeper of weirs" gives "You are Mara Linden, a keeper of weirs."',
        'Whole sentences do as well: "You grew up in a lock cottage. You talk plainly."',
    ),
    "licence": (
        'Under which licence are the words, as "CC BY 4.0" or "all rights reserved, used with permission"?',
        "A page that is made with --public needs it; so does the consent.",
    ),
    "consent": 'Why may you use them, as "agreed in writing on 2026-03-01" or "public statements in office"?',
}
_OPTIONAL = """\
# Until which day may the model have read about the person, if that is known?
# knowledge_cutoff: 2024-06-01
# Is the person invented?
# fictional: true
"""
"""The end of a new `person.yaml`: the keys that may be left out."""


def _asked(key: str, value: str) -> str:
    """A key of a new `person.yaml`, under the question that it answers."""
    question = _QUESTIONS[key]
    lines = [question] if isinstance(question, str) else question
    return "".join(f"# {line}\n" for line in lines) + yaml.safe_dump({key: value}, allow_unicode=True, width=10_000)


def introduce(folder: Path, called: str | None = None) -> About:
    """Return the content of the folder's `person.yaml`, which is first written where it is missing.

    The new file has the name `called`, or one made from the folder's name, and above each key the question that it
    answers; the introduction, the licence and the consent are for its owner to complete. Raises DataError with every
    problem of the file.
    """
    path = folder / "person.yaml"
    if not path.is_file():
        name = called or folder.name.replace("-", " ").replace("_", " ").title()
        about = {"name": name, "introduction": UNKNOWN, "licence": "", "consent": ""}
        write_whole(path, "".join(_asked(key, value) for key, value in about.items()) + _OPTIONAL)
    return load_about(folder)


def _read_about(path: Path, problems: list[str]) -> About | None:
    if not path.is_file():
        problems.append(
            f"{path}: missing; it needs the keys name and introduction (licence and consent are good to have)"
        )
        return None
    try:
        return read_model(path, About)
    except DataError as error:
        problems.extend(error.problems)
    return None


Record = TypeVar("Record", _Interview, _Document)


def _read_records(path: Path, model: type[Record], id_key: str, allow_undated: bool) -> list[Record]:
    if not path.is_file():
        raise DataError([f"{path}: missing; it holds one JSON object a line"])
    problems: list[str] = []
    records: list[Record] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = model.model_validate_json(within_limits(line, where))
        except DataError as error:
            problems += error.problems
            continue
        except ValidationError as error:
            problems.extend(f"{where}: {text}" for text in _not_a_record(line) or describe(error))
            continue
        name = str(getattr(record, id_key))
        if name in first_line:
            problems.append(f"{where}: {id_key} {name!r} is taken by line {first_line[name]}; each must be its own")
        first_line.setdefault(name, number)
        if record.date is None and not allow_undated:
            problems.append(f"{where}: date is missing; give YYYY-MM-DD, or set allow_undated: true in the suite")
        records.append(record)
    if problems:
        raise DataError(problems)
    return records


def _not_a_record(line: bytes) -> list[str]:
    """Return the problem of a line that is no JSON in UTF-8; empty where pydantic's own problems are to be reported."""
    try:
        json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return [f"not UTF-8 at byte {error.start}; save the file as UTF-8"]
    except json.JSONDecodeError as error:
        return [f"not JSON: {error.msg} at column {error.colno}; each line is one JSON object"]
    except RecursionError:
        return ["not a record: nested too deep; each line is one flat JSON object"]
    return []
