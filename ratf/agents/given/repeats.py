"""The same question asked twice, in two interviews: how much the person agrees with herself is the ceiling for anybody."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raft.types import Exchange, Vectors
from ratf.edits.rules import words

ALIKE = 0.8
"""Questions with such a cosine ask the same."""


ANSWER_WORDS, QUESTION_WORDS = 20, 6
"""Shorter answers say too little to be compared; shorter questions ("And why?") ask what only their context tells."""


@dataclass(frozen=True)
class Repeat:
    """A question of the later interview, and the same one of an earlier interview, with their answers."""

    later: Exchange
    earlier: Exchange
    similarity: float


@dataclass(frozen=True)
class Repeats:
    """Every question's nearest repeat, the nearest pairs first. `reason` says why there is none."""

    found: tuple[Repeat, ...]
    reason: str = ""

    def words(self) -> str:
        """In a sentence, for a page."""
        if not self.found:
            return f"No ceiling: {self.reason}."
        many = "1 question was" if len(self.found) == 1 else f"{len(self.found)} questions were"
        return f"{many} asked twice, in different interviews: what the two answers share is the ceiling."


def repeats(
    exchanges: Sequence[Exchange],
    vectors: Vectors,
    least_words: int = ANSWER_WORDS,
    alike: float = ALIKE,
) -> Repeats:
    """The questions that were asked in two interviews, each with the nearest one of an earlier (or undated) interview.

    Row i of `vectors` is the unit vector of question i. Both answers have `least_words` words or more, both questions
    six or more; an answer that is word for word the same is a copy of the interview, no repeat.
    """
    if len(vectors) != len(exchanges):
        raise ValueError(f"{len(vectors)} vectors but {len(exchanges)} exchanges")
    said = [tuple(words(e.answer)) for e in exchanges]
    fit = np.array(
        sorted(
            (
                i for i, e in enumerate(exchanges)
                if len(said[i]) >= least_words and len(words(e.question)) >= QUESTION_WORDS
            ),
            key=lambda i: (str(exchanges[i].date or ""), exchanges[i].exchange_id),
        ),
        dtype=int,
    )  # fmt: skip
    interview, answer = _numbers(e.interview_id for e in exchanges), _numbers(said)
    found: list[Repeat] = []
    nearest = -1.0
    for place, i in enumerate(fit):
        earlier = fit[:place]
        before = earlier[(interview[earlier] != interview[i]) & (answer[earlier] != answer[i])]
        if not before.size:
            continue
        cosines = np.round(vectors[before] @ vectors[i], 5)
        best = int(cosines.argmax())
        nearest = max(nearest, float(cosines[best]))
        if cosines[best] >= alike:
            found.append(Repeat(exchanges[i], exchanges[before[best]], float(cosines[best])))
    if found:
        return Repeats(tuple(sorted(found, key=lambda r: (-r.similarity, r.later.exchange_id))))
    if nearest < 0:
        return Repeats((), "no two interviews have questions and answers that are long enough to compare")
    return Repeats((), f"no question was asked in two interviews (the nearest two have a cosine of {nearest:.2f})")


def _numbers(things: Iterable[Hashable]) -> NDArray[np.int64]:
    """A number for each thing, the same for things that are equal: numbers are compared all at once."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(thing, len(known)) for thing in things], dtype=np.int64)
