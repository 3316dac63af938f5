"""Transcripts that are data already: the seed's JSON, chat messages, and our own interviews.jsonl."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from raft.errors import DataError
from raft.formats.json_file import parse
from raft.transcripts.dates import date_given
from raft.transcripts.labels import still_marked
from raft.transcripts.pages import decoded
from raft.transcripts.said import Left, Said, Transcript
from raft.types import Role

_SPEAKER = ("name", "speaker", "author", "from", "role")
_WORDS = ("content", "text", "message", "value")
_TALKS = ("messages", "conversation", "conversations", "turns", "transcript", "utterances", "segments")
_SYSTEM = {"system", "developer", "tool", "function"}
_ASSISTANT = {"assistant", "model", "gpt"}
_ROLES: tuple[Role, ...] = ("interviewer", "target", "other")


def values(text: str, name: str) -> list[Any]:
    """The file's JSON value, or one value a line. Raises DataError with each line that is not JSON."""
    with suppress(DataError):
        return [parse(text, name)]
    found, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(parse(line, name, first_line=number))
            except DataError as error:
                problems += error.problems
    if problems:
        raise DataError(problems)
    return found


def kind_of_values(found: list[Any]) -> str | None:
    """Which of this module's forms the values have; None: none of them."""
    records = [r for value in found for r in (value if isinstance(value, list) else [value]) if isinstance(r, dict)]
    if not records:
        return None
    first = records[0]
    if isinstance(first.get("exchanges"), list):
        return "exchanges"
    if isinstance(first.get("turns"), list) and "interview_id" in first:
        return "interviews"
    return "messages" if _is_message(first) or any(isinstance(first.get(key), list) for key in _TALKS) else None


def read_exchanges(data: bytes, name: str) -> list[Transcript]:
    """The seed's `{"participants": {"q", "a"}, "date", "url", "exchanges": [[question, answer], …]}`, one or several."""
    found = []
    for record in _records(values(decoded(data, name), name)):
        people = record.get("participants")
        names = people if isinstance(people, dict) else {}
        asks, answers = str(names.get("q") or "Interviewer"), str(names.get("a") or "Interviewee")
        left: list[Left] = []
        said = []
        for pair in _list(record.get("exchanges")):
            question, answer = _pair(pair)
            if question and answer:
                said += [Said(asks, question), Said(answers, answer)]
            else:
                left.append(("exchanges with one side only", question or answer))
        found.append(_with_facts(Transcript(said, left, target=answers), record))
    return _not_empty(found, name)


def read_messages(data: bytes, name: str) -> list[Transcript]:
    """Chat messages, `role`/`content` or `speaker`/`text`: a list, `{"messages": […]}`, or either a line."""
    found = []
    for messages, facts in _talks(values(decoded(data, name), name)):
        left: list[Left] = []
        said = []
        for message in messages:
            speaker, text = _first(message, _SPEAKER), _words(message)
            if str(message.get("role")).lower() in _SYSTEM:
                left.append(("system messages", text))
            elif speaker and text:
                said.append(Said(speaker, text))
            elif text:
                left.append(("messages without a speaker", text))
        assistant = next((s.speaker for s in said if s.speaker.lower() in _ASSISTANT), None)
        found.append(_with_facts(Transcript(said, left, target=assistant), facts))
    return _not_empty(found, name)


def read_interviews(data: bytes, name: str) -> list[Transcript]:
    """Lines of our own interviews.jsonl: ids and roles stay what they are."""
    found = []
    for record in _records(values(decoded(data, name), name)):
        turns = [t for t in _list(record.get("turns")) if isinstance(t, dict)]
        said = [
            Said(_first(t, _SPEAKER), _words(t), next((r for r in _ROLES if r == t.get("role")), None))
            for t in turns
            if _words(t) and _first(t, _SPEAKER)
        ]
        left = [("turns without a speaker", text) for t in turns if (text := _words(t)) and not _first(t, _SPEAKER)]
        found.append(_with_facts(Transcript(said, left, key=str(record.get("interview_id") or "")), record))
    return _not_empty(found, name)


def _not_empty(found: list[Transcript], name: str) -> list[Transcript]:
    kept = [t for t in found if t.said]
    if not kept:
        raise DataError([f"{name}: nobody says anything in it; each turn needs a speaker and words"])
    return kept


def _records(found: list[Any]) -> Iterator[dict[str, Any]]:
    for value in found:
        for record in value if isinstance(value, list) else [value]:
            if isinstance(record, dict):
                yield record


def _talks(found: list[Any]) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Each conversation's messages and the record around them. Loose messages, one a line, are one conversation."""
    loose: list[dict[str, Any]] = []
    for record in (r for value in found for r in _unwrapped(value)):
        inner = next((record[key] for key in _TALKS if isinstance(record.get(key), list)), None)
        if isinstance(record.get("list"), list):
            yield [m for m in record["list"] if isinstance(m, dict)], {}
        elif inner is None:
            loose.append(record)
        elif any(isinstance(m, dict) and _is_message(m) for m in inner):
            yield [m for m in inner if isinstance(m, dict)], record
        else:
            yield from _talks(inner)
    if loose:
        yield loose, {}


def _unwrapped(value: Any) -> list[dict[str, Any]]:
    """The records in a value; a list of messages is one record, `{"list": […]}`."""
    if isinstance(value, list):
        if any(isinstance(m, dict) and _is_message(m) for m in value):
            return [{"list": value}]
        return [record for inner in value for record in _unwrapped(inner)]
    return [value] if isinstance(value, dict) else []


def _is_message(record: dict[str, Any]) -> bool:
    return "title" not in record and any(k in record for k in _SPEAKER) and any(k in record for k in _WORDS)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pair(pair: Any) -> tuple[str, str]:
    if isinstance(pair, dict):
        return _first(pair, ("question", "q", "prompt")), _first(pair, ("answer", "a", "response"))
    sides = [_as_text(side) for side in pair[:2]] if isinstance(pair, list) else []
    question, answer, *_ = [*sides, "", ""]
    return question, answer


def _words(message: dict[str, Any]) -> str:
    return next((text for key in _WORDS if (text := _as_text(message.get(key)))), "")


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if isinstance(record.get(key), str) and (text := _as_text(record[key]))), "")


def _as_text(value: Any) -> str:
    """A string as it is, or the text parts of a message that has several. Half characters become a mark."""
    if isinstance(value, list):
        return "\n\n".join(p for part in value if (p := _as_text(part.get("text") if isinstance(part, dict) else part)))
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").strip()


def _with_facts(transcript: Transcript, record: dict[str, Any]) -> Transcript:
    """The title, day and source that the record around a conversation gives, and its words counted.

    What is read here is read whole, field by field, so the fields' words are the file's.
    """
    return Transcript(
        transcript.said,
        transcript.left,
        title=_first(record, ("title", "name")),
        date=date_given(record.get("date") or record.get("published")),
        source=_first(record, ("url", "source", "link")),
        target=transcript.target,
        key=transcript.key or _first(record, ("interview_id",)),
        total=transcript.kept + transcript.out,
        unmarked=still_marked(transcript.said),
    )
