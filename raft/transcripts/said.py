"""What a reader hands on: who said what, before anybody is cast as the one who answers."""

import datetime
from dataclasses import dataclass, field

import regex

from raft.errors import DataError
from raft.text import ONE_UNSPACED
from raft.types import Role

Left = tuple[str, str]
"""What was left out: why, and the words."""

_LETTERS = rf"[[\p{{L}}\p{{M}}]--{ONE_UNSPACED}]++"
_WORDS = regex.compile(rf"(?V1){ONE_UNSPACED}\p{{M}}*+|[\p{{Nd}}\p{{Nl}}]++|\p{{No}}|{_LETTERS}(?:['’]{_LETTERS})*+")


def words(text: str) -> int:
    """How many words `text` has, the same however it is cut, joined or marked up.

    A word is a run of letters with their marks, or a run of digits; where a script puts no spaces, it is a character.
    For keeping accounts only: how long a text is, `raft.text.count_words` says, whose counts of parts need not add up.
    """
    return len(_WORDS.findall(text))


@dataclass(frozen=True)
class Said:
    """One speaker's words, paragraphs parted by a blank line. `role` only where the file itself names it."""

    speaker: str
    text: str
    role: Role | None = None


@dataclass(frozen=True)
class Unmarked:
    """What looks like a label and was taken for speech: where it stands, and whether it should be doubted."""

    label: str
    count: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """One conversation as its file has it. What the file does not say stays empty: nothing is guessed."""

    said: list[Said]
    left: list[Left] = field(default_factory=list)
    title: str = ""
    date: datetime.date | None = None
    source: str = ""
    target: str | None = None
    """The speaker who answers, where the form itself says so."""
    key: str = ""
    """The `interview_id`, where the file gives one."""
    head: str = ""
    """What stands before the first speaker."""
    total: int = 0
    """The words in the file, counted before anything is read out of it."""
    marks: int = 0
    """Those of them that are labels, time stamps and other marks of the form."""
    unmarked: tuple[Unmarked, ...] = ()
    """What still looks like a label inside somebody's words."""
    notes: tuple[str, ...] = ()
    """What the user must be told, as a date that was read in one of two ways."""
    form: str = ""
    """The key of the form in `raft.transcripts.forms.FORMS`, and for text how its labels look."""

    @property
    def kept(self) -> int:
        """The words that somebody says in it."""
        return sum(words(one.text) for one in self.said)

    @property
    def out(self) -> int:
        """The words that were left out, labels and marks among them."""
        return sum(words(text) for _, text in self.left) + self.marks


class NoSpeakersError(DataError):
    """Nothing in the file says who speaks. It `may_be_writing`, or not: subtitles, or what `looks_like` a conversation."""

    def __init__(
        self, name: str, may_be_writing: bool = True, lines: str = "", looks_like: str = "", looked_for: str = ""
    ) -> None:
        self.may_be_writing = may_be_writing and not looks_like
        self.looks_like = looks_like
        if looked_for:
            why = looked_for
        elif looks_like:
            why = f"no speakers' labels found that could be trusted, yet it looks like a conversation: {looks_like}"
        else:
            signs = "no speakers' labels found (NAME: NAME. **NAME:** Q. A.)"
            why = signs if may_be_writing else "no cue names its speaker, as <v Name> or NAME: would"
        shown = f"\n  it begins:\n{_beginning(lines)}" if lines.strip() else ""
        remedy = "" if looked_for else "; --mark-with MODEL can mark the turns"
        super().__init__([f"{name}: {why}{remedy}{shown}"])


def _beginning(text: str) -> str:
    filled = [line.strip() for line in text.split("\n") if line.strip()]
    return "\n".join(f"    | {line[:100]}" for line in filled[:5])
