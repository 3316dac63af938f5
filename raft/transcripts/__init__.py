"""Transcripts of interviews: files in, interviews out. Nothing is invented: every word kept is in the file, in order.

A new form is one reader function, `(data, file name) -> transcripts`, its line in `READERS`, and its sign in `kind_of`.
"""

import datetime
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from raft.errors import DataError
from raft.transcripts.cast import Share, shares, turns_of
from raft.transcripts.clean import cleaned
from raft.transcripts.dates import date_of_name, only_date
from raft.transcripts.documents import pdf_lines, read_pdf, read_text, text_lines
from raft.transcripts.labels import paragraphs
from raft.transcripts.marks import mark
from raft.transcripts.pages import decoded
from raft.transcripts.records import kind_of_values, read_exchanges, read_interviews, read_messages, values
from raft.transcripts.said import Left, NoSpeakersError, Transcript
from raft.transcripts.subtitles import read_srt, read_vtt, spoken
from raft.types import ChatModel, Interview

READERS: dict[str, Callable[[bytes, str], list[Transcript]]] = {
    "exchanges": read_exchanges,
    "messages": read_messages,
    "interviews": read_interviews,
    "vtt": read_vtt,
    "srt": read_srt,
    "pdf": read_pdf,
    "text": read_text,
}
WRITING = "writing"

_CUE = re.compile(r"\s*(?:\d+\s*\n)?\s*\d{1,2}:\d\d:\d\d[,.]\d{1,3}\s*-->")
_TITLE_WORDS = 16


@dataclass(frozen=True)
class Imported:
    """An interview, and what became of the file's words."""

    interview: Interview
    speakers: list[Share]
    left: list[Left]


def kind_of(data: bytes, name: str) -> str:
    """The form of a file, by its content: a key of `READERS`, or `writing` for what is clearly no conversation.

    Raises DataError when it is not text.
    """
    if data.lstrip()[:5] == b"%PDF-":
        return "pdf"
    text = decoded(data, name).lstrip()
    if text.startswith("WEBVTT"):
        return "vtt"
    if _CUE.match(text):
        return "srt"
    if re.match(r"<(?:!doctype|html|\?xml)", text, re.I):
        return WRITING
    if re.match(r"[{[]", text):
        try:
            return kind_of_values(values(text, name)) or WRITING
        except DataError:
            if re.match(r"\{|\[\s*[{[]", text):  # data that is broken; [Music] begins a text
                raise
    return "text"


def read_transcripts(data: bytes, name: str) -> list[Transcript]:
    """The conversations in a file called `name`, cleaned, with title, day and id as far as the file gives them.

    Raises DataError for a file that cannot be read; NoSpeakersError, one of those, for text without labels.
    """
    kind = kind_of(data, name)
    if kind == WRITING:
        raise NoSpeakersError(name)
    found = READERS[kind](data, name)
    return [_completed(one, name, n if len(found) > 1 else 0) for n, one in enumerate(found, start=1)]


def mark_transcript(data: bytes, name: str, model: ChatModel) -> list[Transcript]:
    """The conversation in a file without labels, its turns marked by `model`: see `raft.transcripts.marks`."""
    kind = kind_of(data, name)
    left: list[Left] = []
    if kind in ("vtt", "srt"):
        text, title = spoken(data, kind, name), ""
    elif kind in ("pdf", "text"):
        facts, lines, left = (pdf_lines if kind == "pdf" else text_lines)(data, name)
        text, title = "\n\n".join(paragraphs(lines)), str(facts.get("title") or "")
    else:
        raise DataError([f"{name}: --mark-with is for text, PDF and subtitles; this is {kind}"])
    head, said = mark(text, model, name)
    if not said:
        raise DataError([f"{name}: the marking model found no turns in it"])
    left = [*left, *([("words before the first speaker", head)] if head else [])]
    answers = "A" if any(s.speaker == "A" for s in said) else None
    return [_completed(Transcript(said, left, title, target=answers, head=head), name, 0)]


def to_interview(transcript: Transcript, targets: Collection[str], others: Collection[str] = ()) -> Imported:
    """The interview in which `targets` answer. `others` neither ask nor answer, whatever they seem to do."""
    turns = turns_of(transcript.said, targets, others)
    return Imported(
        Interview(transcript.key, transcript.title, transcript.date, transcript.source, turns),
        shares(transcript.said),
        transcript.left,
    )


def _completed(transcript: Transcript, name: str, number: int) -> Transcript:
    said, left = cleaned(transcript.said)
    if not said:
        raise DataError([f"{name}: nothing was said in it but {', '.join(sorted({why for why, _ in left}))}"])
    lines = [line.strip("#*_ \t") for line in transcript.head.split("\n")]
    title = transcript.title or _title(lines) or Path(name).stem
    day = transcript.date or only_date(transcript.title) or _day(lines) or date_of_name(Path(name).stem)
    made = re.sub(r"[^\w]+", "-", name.lower()).strip("-") + (f"-{number}" if number else "")
    return replace(
        transcript,
        said=said,
        left=[*transcript.left, *left],
        title=title,
        date=day,
        source=transcript.source or name,
        key=transcript.key or made,
    )


def _title(lines: list[str]) -> str:
    """The first line of the head that is short and more than a date."""
    short = (line for line in lines if 0 < len(line.split()) <= _TITLE_WORDS)
    return next((line for line in short if not (only_date(line) and len(line.split()) <= 4)), "")


def _day(lines: list[str]) -> datetime.date | None:
    """The day in the head: on its title, or on a line that says little else."""
    filled = [line for line in lines if line]
    near = [line for i, line in enumerate(filled) if len(line.split()) <= (_TITLE_WORDS if i == 0 else 8)]
    return only_date("\n".join(line for line in near if not re.search(r"\bborn\b", line, re.I)))
