"""An edited answer and the log of its edits: what was replaced by what, where, and of which kind."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KEEPING = ("synonym", "number as word", "contraction", "filler", "person", "order")
"""Kinds of edits after which a sentence says what it said."""
TURNING = ("polarity", "antonym", "number", "name", "date")
"""Kinds of edits after which it says something else."""
LEFT_OUT, PUT_IN, PARAPHRASED = "left out", "put in", "paraphrased"


@dataclass(frozen=True)
class Edit:
    """`before`, which stands at character `start` of the real answer in its sentence number `sentence` (from 0), became
    `after`. What was put in from elsewhere has no `before`, and -1 as its place and sentence."""

    kind: str
    start: int
    before: str
    after: str
    sentence: int = -1

    @property
    def end(self) -> int:
        """The character after the last one replaced."""
        return self.start + len(self.before)

    @property
    def changed(self) -> int:
        """How many words it changes: the larger side's, without what both sides begin and end with."""
        a, b = self.before.casefold().split(), self.after.casefold().split()
        while a and b and a[0] == b[0]:
            a, b = a[1:], b[1:]
        while a and b and a[-1] == b[-1]:
            a, b = a[:-1], b[:-1]
        return max(len(a), len(b))


@dataclass(frozen=True)
class Edited:
    """What became of a real answer of so many `sentences`; `kept` names those that are still in it, edited or not."""

    text: str
    edits: tuple[Edit, ...]
    sentences: int
    kept: tuple[int, ...]

    @property
    def changed(self) -> int:
        """How many words were changed."""
        return sum(edit.changed for edit in self.edits)

    @property
    def covers(self) -> float:
        """The share of the real answer's sentences that it still makes, in whatever words and whichever way round."""
        return len(self.kept) / self.sentences

    @property
    def agrees(self) -> float:
        """The share of the real answer's sentences that it still says: kept, and not turned into something else."""
        turned = {edit.sentence for edit in self.edits if edit.kind in TURNING}
        return sum(i not in turned for i in self.kept) / self.sentences


def lot(*parts: object) -> random.Random:
    """A draw that depends on `parts` and on nothing else."""
    return random.Random(hashlib.sha256("\0".join(map(str, parts)).encode()).digest())


def picked(candidates: Iterable[Edit], words: int | None = None) -> list[Edit] | None:
    """The first of the candidates that don't overlap, until they change `words` words; without a number, all of them.

    None where they can't change exactly so many.
    """
    taken: list[Edit] = []
    left = words
    for edit in candidates:
        if left == 0:
            break
        if (left is not None and edit.changed > left) or any(_overlap(edit, other) for other in taken):
            continue
        taken.append(edit)
        left = None if left is None else left - edit.changed
    return sorted(taken, key=lambda e: e.start) if not left else None


def _overlap(a: Edit, b: Edit) -> bool:
    if a.before and b.before:
        return a.start < b.end and b.start < a.end
    # what is put in must not touch a word that is edited, either: its first letter may change as well
    return a.start <= b.end and b.start <= a.end


def applied(text: str, edits: Sequence[Edit], start: int = 0, end: int | None = None) -> str:
    """The part of the text from `start` to `end`, with those edits that are in it."""
    end = len(text) if end is None else end
    out, at = "", start
    for edit in sorted(edits, key=lambda e: e.start):
        if start <= edit.start and edit.end <= end:
            out += text[at : edit.start] + edit.after
            at = edit.end
    return out + text[at:end]
