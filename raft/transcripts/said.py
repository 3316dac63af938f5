"""What a reader hands on: who said what, before anybody is cast as the one who answers."""

import datetime
from dataclasses import dataclass, field

from raft.errors import DataError
from raft.types import Role

Left = tuple[str, str]
"""What was left out: why, and the words."""


@dataclass(frozen=True)
class Said:
    """One speaker's words, paragraphs parted by a blank line. `role` only where the file itself names it."""

    speaker: str
    text: str
    role: Role | None = None


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


class NoSpeakersError(DataError):
    """Nothing in the file says who speaks. It `may_be_writing`, or not, as subtitles."""

    def __init__(self, name: str, may_be_writing: bool = True) -> None:
        self.may_be_writing = may_be_writing
        signs = "no speakers' labels found (NAME: NAME. **NAME:** Q. A.)"
        cues = "no cue names its speaker, as <v Name> or NAME: would"
        super().__init__([f"{name}: {signs if may_be_writing else cues}; --mark-with MODEL can mark the turns"])
