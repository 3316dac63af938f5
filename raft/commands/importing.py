"""`raft import`."""

import datetime
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from raft.transcripts import Imported
    from raft.transcripts.said import Transcript
    from raft.types import ChatModel, Document, Interview


class Sort(StrEnum):
    """What a file is taken for."""

    interview = "interview"
    writing = "writing"


@dataclass
class _Asked:
    """What the command was told about all of its files."""

    target: str | None
    others: list[str]
    sort: Sort | None
    day: datetime.date | None
    title: str | None
    called: str | None
    marker: "ChatModel | None"


@dataclass
class _Found:
    """What was read, before anything is written."""

    interviews: list["Interview"] = field(default_factory=list)
    documents: list["Document"] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def import_(
    files: Annotated[list[Path], typer.Argument(help="Transcripts and writings.")],
    to: Annotated[str, typer.Option(help="A person's folder, or a name in people/; made when it is not there.")],
    target: Annotated[str | None, typer.Option(help="Whose answers count: a name or a part of it, as powell.")] = None,
    sort: Annotated[
        Sort | None, typer.Option("--as", help="What the files are, where it cannot be seen from what is in them.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="The day of what has no date of its own (YYYY-MM-DD).")] = None,
    title: Annotated[str | None, typer.Option(help="The title, instead of the file's own.")] = None,
    called: Annotated[str | None, typer.Option(help="The person's full name, for a folder that is new.")] = None,
    other: Annotated[list[str] | None, typer.Option(help="Who neither asks nor answers, as a moderator.")] = None,
    mark_with: Annotated[
        str | None, typer.Option(help="A chat model that marks the turns of text without labels, as openai/gpt-4.1.")
    ] = None,
) -> None:
    """Read transcripts and writings into a person's interviews.jsonl and writings.jsonl. What is there is not added again.

    Read are: text, Markdown and PDF with speakers' labels (NAME: NAME. Q. A.), SRT and WebVTT, chat messages, the first
    RAFT's transcripts, our own interviews.jsonl; and writings, as files without speakers are.

    Example: raft import press-conference.pdf talk.vtt --to powell --target powell
    """
    with reported_errors():
        from raft.errors import DataError
        from raft.models.names import chat_model
        from raft.people.folders import folder_of

        folder = folder_of(to)
        asked = _Asked(
            target,
            other or [],
            sort,
            _day(date),
            title,
            called or _name_in(folder),
            chat_model(mark_with, max_tokens=4000) if mark_with else None,
        )
        found = _Found()
        for path in files:
            _read(path, asked, found)
        if found.problems:
            raise DataError(found.problems)
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
    from raft.transcripts.pages import is_western
    from raft.transcripts.said import NoSpeakersError

    try:
        if asked.sort is Sort.writing:
            _read_writings(path, asked, found)
            return
        try:
            transcripts = _transcripts(path, asked.marker)
        except NoSpeakersError as error:
            if asked.sort is Sort.interview or not error.may_be_writing:
                raise
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
    from raft.sources.files import read_writings

    notes: list[str] = []
    for document in read_writings(path, notes.append):
        document = replace(document, date=document.date or asked.day, title=asked.title or document.title)
        found.documents.append(document)
        found.report.append(f"{path.name}: writing, {len(document.text.split()):,} words: {_named(document)}")
    found.report += [f"  {note}" for note in notes]


def _cast(transcript: "Transcript", path: Path, asked: _Asked, found: _Found) -> None:
    from raft.errors import DataError
    from raft.transcripts import to_interview
    from raft.transcripts.cast import WhoAnswersError, who_answers

    try:
        targets = who_answers(transcript, path.name, asked.target, asked.called)
    except WhoAnswersError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        typer.echo(str(error), err=True)
        targets = who_answers(transcript, path.name, typer.prompt("Who answers", err=True), None)
    imported = to_interview(transcript, targets, asked.others)
    interview = replace(
        imported.interview, date=imported.interview.date or asked.day, title=asked.title or imported.interview.title
    )
    twin = next((i for i in found.interviews if i.interview_id == interview.interview_id), None)
    if twin is not None and twin != interview:
        raise DataError([f"{path}: two files make the interview {interview.interview_id!r}; rename one of them"])
    found.interviews.append(interview)
    found.report += _summary(path.name, interview, imported)


def _summary(name: str, interview: "Interview", imported: "Imported") -> list[str]:
    """What was kept, what was left out, and why."""
    from raft.people.person import exchanges

    roles = {turn.speaker: turn.role for turn in interview.turns}
    lines = [f"{name}: interview, {sum(1 for _ in exchanges(interview))} exchanges: {_named(interview)}"]
    for role in ("target", "interviewer", "other"):
        those = [s for s in imported.speakers if roles.get(s.speaker, "target") == role]
        if those:
            who = ", ".join(s.speaker for s in those[:4]) + (f" and {len(those) - 4} more" if len(those) > 4 else "")
            turns, words = sum(s.turns for s in those), sum(s.words for s in those)
            lines.append(f"  {role}: {who}: {turns} turns, {words:,} words")
    counts = Counter(why for why, _ in imported.left)
    words_of = Counter[str]()
    for why, text in imported.left:
        words_of[why] += len(text.split())
    left = ", ".join(f"{n} × {why} ({words_of[why]:,} words)" for why, n in counts.items())
    return [*lines, f"  left out: {left or 'nothing'}"]


def _named(record: "Interview | Document") -> str:
    undated = "NO DATE; give it with --date, or it can be used only where undated text is allowed"
    return f"{record.title!r}, {record.date or undated}"


def _keep(found: _Found, folder: Path, called: str | None) -> None:
    from raft.people.additions import add_documents, add_interviews
    from raft.people.person import introduce, load_documents, load_interviews

    before = load_interviews(folder, allow_undated=True) if (folder / "interviews.jsonl").is_file() else []
    there = {i.interview_id: i for i in before}
    if (folder / "writings.jsonl").is_file():
        load_documents(folder, allow_undated=True)  # a broken file is told of before anything is written
    interviews = add_interviews(folder, found.interviews)
    documents = add_documents(folder, found.documents)
    introduce(folder, called)
    for line in found.report:
        typer.echo(line)
    for new in found.interviews:
        old = there.get(new.interview_id)
        if old is not None and old != new:
            typer.echo(f"{new.interview_id}: there already with other words, date or roles; what is there was kept")
    again = len(found.interviews) + len(found.documents) - interviews - documents
    typer.echo(
        f"{folder}: {interviews} interviews and {documents} writings added" + (f"; {again} there already" * bool(again))
    )
