"""Transcripts of interviews: files in, interviews out. Nothing is invented: every word kept is in the file, in order.

A new form is one reader function, `(data, file name) -> transcripts`, and its line in `raft.transcripts.forms.FORMS`.
"""

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from raft.errors import DataError
from raft.text import count_words
from raft.transcripts.cast import Share, shares, turns_of
from raft.transcripts.clean import cleaned
from raft.transcripts.dates import date_of_name, only_date
from raft.transcripts.documents import pdf_lines, text_lines
from raft.transcripts.exports import LOOKED_FOR
from raft.transcripts.forms import FORMS, Form, Source, form_of
from raft.transcripts.labels import paragraphs
from raft.transcripts.marks import mark
from raft.transcripts.pages import decoded
from raft.transcripts.said import Left, NoSpeakersError, Transcript, Unmarked, words
from raft.transcripts.subtitles import spoken
from raft.types import ChatModel, Interview

READERS = {form.name: form.reader for form in FORMS}
WRITING = "writing"

MOST_UNMARKED = 0.02
"""The share of a conversation's turns that may still hold what looks like a label; above it the file is refused."""

_TITLE_WORDS = 16


@dataclass(frozen=True)
class Imported:
    """An interview, and what became of the file's words."""

    interview: Interview
    speakers: list[Share]
    left: list[Left]


def kind_of(data: bytes, name: str) -> str:
    """The form of a file, by its content: the name of one in `FORMS`, or `writing` for what is clearly no conversation.

    Raises DataError when it is not text.
    """
    form = form_of(Source(data, name))
    return form.name if form else WRITING


def read_transcripts(data: bytes, name: str) -> list[Transcript]:
    """The conversations in a file called `name`, cleaned, with title, day and id as far as the file gives them.

    Raises DataError for a file that cannot be read; NoSpeakersError, one of those, for text without labels.
    """
    source = Source(data, name)
    form = form_of(source)
    if form is None:
        if _are_writings(source.values):
            raise NoSpeakersError(name)
        raise NoSpeakersError(name, False, looked_for=f"JSON, but no conversation; looked for were {LOOKED_FOR}")
    found = form.reader(data, name)
    return [_completed(one, data, name, n if len(found) > 1 else 0, form) for n, one in enumerate(found, start=1)]


def _are_writings(values: list[object]) -> bool:
    """Whether JSON lines hold titles and texts: writings, as the first RAFT kept them."""
    texts = ("text", "content")
    return bool(values) and all(
        isinstance(v, dict) and "title" in v and any(k in v for k in texts) for v in values[:20]
    )


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
    total = sum(words(one.text) for one in said) + sum(words(one) for _, one in left)
    found = Transcript(said, left, title, target=answers, head=head, total=total)
    return [_completed(found, data, name, 0, None)]


def to_interview(transcript: Transcript, targets: Collection[str], others: Collection[str] = ()) -> Imported:
    """The interview in which `targets` answer. `others` neither ask nor answer, whatever they seem to do."""
    turns = turns_of(transcript.said, targets, others)
    return Imported(
        Interview(transcript.key, transcript.title, transcript.date, transcript.source, turns),
        shares(transcript.said),
        transcript.left,
    )


def unsure(transcript: Transcript) -> str:
    """Why a conversation should not be taken as it was read, in words for the user; empty where nothing speaks against it."""
    doubted = sum(one.count for one in transcript.unmarked)
    if doubted > MOST_UNMARKED * len(transcript.said):
        return f"what looks like a speaker's label stands inside somebody's words, {doubted} {'time' if doubted == 1 else 'times'}"
    if len({s.speaker for s in transcript.said}) == 1 and transcript.form and not transcript.said[0].role:
        return f"only one speaker was found, {transcript.said[0].speaker!r}; a monologue is a writing: --as writing"
    missing = transcript.total - transcript.kept - transcript.out
    if abs(missing) > max(2, 0.01 * transcript.total):
        return f"{abs(missing)} words of the file are {'neither kept nor left out' if missing > 0 else 'there twice'}"
    return ""


def _completed(transcript: Transcript, data: bytes, name: str, number: int, form: Form | None) -> Transcript:
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
        unmarked=_placed(transcript.unmarked, data, name),
        form=f"{form.name}{f', {transcript.form}' if transcript.form else ''}" if form else "",
    )


def _placed(unmarked: tuple[Unmarked, ...], data: bytes, name: str) -> tuple[Unmarked, ...]:
    """The same with the lines of the file on which each stands, where the file has lines."""
    if not unmarked or data.lstrip()[:5] == b"%PDF-":
        return unmarked
    lines = decoded(data, name).split("\n")
    found = []
    for one in unmarked:
        at = [n for n, line in enumerate(lines, start=1) if re.search(rf"(?<!\w){re.escape(one.label)}(?!\w)", line)]
        inside = [n for n in at if not lines[n - 1].lstrip(" *_[>#-").startswith(one.label)]
        found.append(replace(one, lines=tuple((inside if len(inside) == one.count else at)[:5])))
    return tuple(found)


def _title(lines: list[str]) -> str:
    """The first line of the head that is short and more than a date."""
    short = (line for line in lines if 0 < count_words(line) <= _TITLE_WORDS)
    return next((line for line in short if not (only_date(line) and len(line.split()) <= 4)), "")


def _day(lines: list[str]) -> datetime.date | None:
    """The day in the head: on its title, or on a line that says little else."""
    filled = [line for line in lines if line]
    near = [line for i, line in enumerate(filled) if count_words(line) <= (_TITLE_WORDS if i == 0 else 8)]
    return only_date("\n".join(line for line in near if not re.search(r"\bborn\b", line, re.I)))
