"""`raft import`."""

import datetime
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from raft.sources.bylines import Owner
    from raft.transcripts import Imported
    from raft.transcripts.cast import Share
    from raft.transcripts.said import Transcript
    from raft.types import ChatModel, Document, Interview


class Sort(StrEnum):
    """What a file is taken for."""

    interview = "interview"
    writing = "writing"


@dataclass
class _Asked:
    """What the command was told about all of its files."""

    targets: list[str]
    others: list[str]
    sort: Sort | None
    day: datetime.date | None
    title: str | None
    called: str | None
    signed: tuple[str, ...]
    """Every name that the person signs writings with; none where nobody has said who they are."""
    marker: "ChatModel | None"
    allow_unmarked: bool
    explain: bool

    @property
    def is_interview(self) -> bool:
        """Whether the files were said to be interviews."""
        return self.sort is Sort.interview or bool(self.targets)


@dataclass
class _Found:
    """What was read, before anything is written."""

    interviews: list["Interview"] = field(default_factory=list)
    documents: list["Document"] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def import_(
    files: Annotated[list[Path], typer.Argument(help="Transcripts and writings.")],
    to: Annotated[str | None, typer.Option(help="A person's folder, or a name in people/; a new one is made.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="Whose answers count: a name or a part of it, such as powell; repeat it for each label."),
    ] = None,
    sort: Annotated[
        Sort | None, typer.Option("--as", help="What the files are, if their contents do not show it.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="The day of files without a date of their own (YYYY-MM-DD).")] = None,
    title: Annotated[str | None, typer.Option(help="The title, instead of the file's own.")] = None,
    called: Annotated[str | None, typer.Option(help="The person's full name, for a folder that is new.")] = None,
    other: Annotated[list[str] | None, typer.Option(help="Who neither asks nor answers, such as a moderator.")] = None,
    mark_with: Annotated[
        str | None,
        typer.Option(help="A chat model that marks the turns of text without labels, such as openai/gpt-4.1."),
    ] = None,
    allow_unmarked: Annotated[
        bool, typer.Option(help="Take a file even if its turns hold text that looks like speakers' labels.")
    ] = False,
    explain: Annotated[
        bool, typer.Option(help="Show the recognised form and why, and each label with turns and words; write nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Read and show everything, and write nothing.")] = False,
) -> None:
    """Read transcripts and writings into a person's interviews.jsonl and writings.jsonl. Nothing is added twice.

    It reads text, Markdown, PDF and web pages with speakers' labels (Name: NAME. **Name:** Name 00:03, Q. A.), SRT and
    WebVTT, exports of speech recognisers and chat programs, tables, and our own interviews.jsonl. Files without speakers
    are read as writings. A conversation whose speakers are not recognised is refused, and nothing is written.

    Example: raft import press-conference.pdf talk.vtt --to powell --target powell
    """
    with reported_errors():
        from raft.commands.fetch import names_of
        from raft.errors import DataError, RaftError
        from raft.models.names import chat_model
        from raft.people.folders import folder_of

        if to is None and not (explain or dry_run):
            raise RaftError(
                "whose are they? name the person's folder with --to, or look without writing with --explain"
            )
        folder = folder_of(to) if to else None
        asked = _Asked(
            target or [],
            other or [],
            sort,
            _day(date),
            title,
            called or (_name_in(folder) if folder else None),
            names_of(folder, called) if folder else tuple(filter(None, [called])),
            chat_model(mark_with, max_tokens=4000) if mark_with else None,
            allow_unmarked,
            explain,
        )
        found = _Found()
        for path in files:
            _read(path, asked, found)
        if explain:
            for line in found.report:
                typer.echo(line)
        if found.problems:
            raise DataError(found.problems)
        if explain:
            return
        if dry_run or folder is None:
            for line in [*found.report, "nothing was written (--dry-run)"]:
                typer.echo(line)
            return
        _keep(found, folder, called)


def _day(date: str | None) -> datetime.date | None:
    from raft.errors import RaftError

    try:
        return datetime.date.fromisoformat(date) if date else None
    except ValueError:
        raise RaftError(f"--date {date!r} is not a date; write it as YYYY-MM-DD") from None


def _name_in(folder: Path) -> str | None:
    from raft.people.person import load_about

    return load_about(folder).name if (folder / "person.yaml").is_file() else None


def _read(path: Path, asked: _Asked, found: _Found) -> None:
    """The interviews or writings of one file, or the problems that it has."""
    from raft.errors import DataError, RaftError
    from raft.transcripts.forms import listed
    from raft.transcripts.pages import is_western
    from raft.transcripts.said import NoSpeakersError

    try:
        if asked.sort is Sort.writing:
            _read_writings(path, asked, found)
            return
        try:
            transcripts = _transcripts(path, asked.marker)
        except NoSpeakersError as error:
            if asked.is_interview or not error.may_be_writing:
                remedy = "" if asked.is_interview else "\n  if it is one person's writing all the same: --as writing"
                raise DataError([f"{error.problems[0]}{remedy}\n  forms that are read:\n{listed()}"]) from None
            _read_writings(path, asked, found)
            found.report.append("  no speakers' labels, so a writing; if it is a conversation: --mark-with MODEL")
            return
        for transcript in transcripts:
            _cast(transcript, path, asked, found)
        if is_western(path.read_bytes()):
            found.report.append("  not UTF-8; read as Windows-1252")
    except DataError as error:
        found.problems += error.problems
    except RaftError as error:
        found.problems.append(str(error))
    except OSError as error:
        found.problems.append(f"{path}: cannot be read: {error.strerror or error}")


def _transcripts(path: Path, marker: "ChatModel | None") -> "list[Transcript]":
    from raft.transcripts import mark_transcript, read_transcripts
    from raft.transcripts.said import NoSpeakersError

    data = path.read_bytes()
    try:
        return read_transcripts(data, path.name)
    except NoSpeakersError:
        if marker is None:
            raise
        return mark_transcript(data, path.name, marker)


def _read_writings(path: Path, asked: _Asked, found: _Found) -> None:
    from raft.sources.bylines import Owner
    from raft.text import count_words, number_of

    notes: list[str] = []
    for document in _writings(path, notes, Owner(asked.signed)):
        document = replace(document, date=document.date or asked.day, title=asked.title or document.title)
        found.documents.append(document)
        found.report.append(
            f"{path.name}: writing, {number_of(count_words(document.text), 'word')}: {_named(document)}"
        )
    found.report += [f"  {note}" for note in notes]


def _writings(path: Path, notes: list[str], owner: "Owner") -> "list[Document]":
    """The writings of a file, captions among them, each line of theirs once.

    What others have signed is left out; `notes` names it, and what else the user should know.
    """
    from raft.errors import DataError
    from raft.sources.files import read_writings, suffix_of
    from raft.sources.http import Web
    from raft.sources.links import id_of_text
    from raft.sources.visit import Visit
    from raft.transcripts import kind_of
    from raft.transcripts.dates import date_of_name
    from raft.transcripts.subtitles import spoken
    from raft.types import Document

    if path.is_dir() or suffix_of(path.name):
        with closing(Web()) as web:
            visit = Visit(web, owner=owner)
            found = read_writings(path, notes.append, visit)
        remedy = "where that is the person, take it with raft fetch --from FILE --by NAME"
        notes += [f"left out, {why}: {place}; {remedy}" for why, place in visit.left_out]
        notes += [f"{what}: {place}" for what, place in owner.told]
        return found
    data = path.read_bytes()
    kind = kind_of(data, path.name)
    if kind not in ("vtt", "srt"):
        raise DataError(
            [
                f"{path}: what is this? writings end in .pdf, .md, .markdown, .txt, .text, .jsonl, .ndjson, .html, .htm, "
                ".vtt or .srt; conversations can also be .json and .csv"
            ]
        )
    text = " ".join(spoken(data, kind, path.name).split())
    if not text:
        raise DataError([f"{path}: no words in its cues"])
    day = date_of_name(path.stem)
    return [Document(id_of_text(path.stem, str(path.resolve())), path.stem, day, str(path), text)]


def _words(text: str) -> int:
    from raft.transcripts.said import words

    return words(text)


def _cast(transcript: "Transcript", path: Path, asked: _Asked, found: _Found) -> None:
    from raft.errors import DataError, RaftError
    from raft.transcripts import to_interview, unsure
    from raft.transcripts.cast import WhoAnswersError, shares, who_answers

    against = unsure(transcript)
    doubts = _doubts(transcript)
    if asked.explain:
        found.report += _explained(path.name, transcript, shares(transcript.said))
    if against and not (asked.allow_unmarked and doubts):
        remedy = ["  if that is speech all the same: --allow-unmarked"] if doubts else []
        raise DataError(["\n".join([f"{path.name}: refused: {against}", *doubts, *remedy])])
    try:
        targets = who_answers(transcript, path.name, asked.targets, asked.called, asked.others)
    except WhoAnswersError as error:
        if asked.explain and not asked.targets:
            found.report.append("  who answers cannot be told; name one with --target")
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        typer.echo(str(error), err=True)
        targets = who_answers(transcript, path.name, typer.prompt("Who answers", err=True), None, asked.others)
    imported = to_interview(transcript, targets, asked.others)
    guessed = any("was read as" in note for note in transcript.notes)
    given = None if guessed and asked.day else imported.interview.date
    interview = replace(imported.interview, date=given or asked.day, title=asked.title or imported.interview.title)
    twin = next((i for i in found.interviews if i.interview_id == interview.interview_id), None)
    if twin is not None and twin != interview:
        raise DataError([f"{path}: two files make the interview {interview.interview_id!r}; rename one of them"])
    if not any(turn.role == "target" for turn in interview.turns):
        raise RaftError(f"{path.name}: nobody answers in it")
    found.interviews.append(interview)
    found.report += _summary(path.name, interview, imported, transcript)


def _explained(name: str, transcript: "Transcript", speakers: "list[Share]") -> list[str]:
    """Which form was seen, why, and each label with its turns and words."""
    from raft.transcripts.forms import FORMS
    from raft.transcripts.looks import LOOKS

    kind, _, look = transcript.form.partition(", ")
    form = next((one for one in FORMS if one.name == kind), None)
    looks: dict[str, str] = {mark: f"{what} ({example})" for mark, (what, example) in LOOKS.items()}
    looks |= {"alone": "names alone on a line", "questions": "questions in bold or italics", "voices": "<v Name>"}
    lines = [f"{name}: {kind or 'marked by a model'}", f"  sign: {form.looks if form else 'none; --mark-with'}"]
    lines += [f"  labels: {looks.get(look, look)}"] if look else []
    width = max(len(s.speaker) for s in speakers)
    lines += [f"  {s.speaker:<{width}}  {s.turns:>5} turns  {s.words:>7,} words" for s in speakers]
    return lines


def _doubts(transcript: "Transcript") -> list[str]:
    """What looks like a label and was taken for speech, with counts and lines."""
    shown = [
        f"{one.label!r} × {one.count}" + (f" (line {', '.join(map(str, one.lines))})" if one.lines else "")
        for one in transcript.unmarked
    ]
    return [f"  taken for speech, though it looks like a label: {', '.join(shown)}"] if shown else []


def _summary(name: str, interview: "Interview", imported: "Imported", transcript: "Transcript") -> list[str]:
    """What was kept, what was left out, and why."""
    from raft.people.person import exchanges
    from raft.text import number_of

    roles = {turn.speaker: turn.role for turn in interview.turns}
    lines = [f"{name}: interview, {number_of(sum(1 for _ in exchanges(interview)), 'exchange')}: {_named(interview)}"]
    for role in ("target", "interviewer", "other"):
        those = [s for s in imported.speakers if roles.get(s.speaker, "target") == role]
        if those:
            who = ", ".join(s.speaker for s in those[:4]) + (f" and {len(those) - 4} more" if len(those) > 4 else "")
            turns, words = sum(s.turns for s in those), sum(s.words for s in those)
            lines.append(f"  {role}: {who}: {number_of(turns, 'turn')}, {number_of(words, 'word')}")
    counts = Counter(why for why, _ in imported.left)
    words_of = Counter[str]()
    for why, text in imported.left:
        words_of[why] += _words(text)
    left = ", ".join(f"{n} × {why} ({number_of(words_of[why], 'word')})" for why, n in counts.items())
    lines += [f"  left out: {left or 'nothing'}", *_doubts(transcript), *(f"  {note}" for note in transcript.notes)]
    kept, out = transcript.kept, transcript.out
    rest = transcript.total - kept - out
    unaccounted = f" + {rest:,} unaccounted for" if rest else ""
    marks = f" (labels, times and marks: {transcript.marks:,})" if transcript.marks else ""
    return [*lines, f"  words: {transcript.total:,} in the file = {kept:,} kept + {out:,} left out{marks}{unaccounted}"]


def _named(record: "Interview | Document") -> str:
    undated = "NO DATE; name the file YYYY-MM-DD-….vtt or give --date, and import it again: `raft check` wants a date"
    return f"{record.title!r}, {record.date or undated}"


def _keep(found: _Found, folder: Path, called: str | None) -> None:
    from raft.people.additions import add_dates, add_documents, add_interviews
    from raft.people.person import introduce, load_documents, load_interviews

    before = load_interviews(folder, allow_undated=True) if (folder / "interviews.jsonl").is_file() else []
    there = {i.interview_id: i for i in before}
    if (folder / "writings.jsonl").is_file():
        load_documents(folder, allow_undated=True)  # a broken file is told of before anything is written
    dated = add_dates(folder, found.interviews)
    interviews = add_interviews(folder, [i for i in found.interviews if i.interview_id not in dated])
    documents = add_documents(folder, found.documents)
    introduce(folder, called)
    for line in found.report:
        typer.echo(line)
    for new in found.interviews:
        old = there.get(new.interview_id)
        if new.interview_id in dated:
            typer.echo(f"{dated[new.interview_id]}: there already, and now dated {new.date}")
        elif old is not None and old != new:
            typer.echo(f"{new.interview_id}: there already with other words, date or roles; what is there was kept")
    again = len(found.interviews) + len(found.documents) - interviews - documents
    typer.echo(
        f"{folder}: {interviews} interviews and {documents} writings added" + (f"; {again} there already" * bool(again))
    )
