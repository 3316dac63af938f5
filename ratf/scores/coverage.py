"""What an answer covers of the real one, sentence by sentence: claims by an embedder, facts by rule."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ratf.edits.alignment import Aligned, Embed, Split, Vector, aligned
from ratf.edits.rules import Rules, words
from ratf.edits.sentences import sentences
from ratf.edits.spans import Span, compared, spans

ALIGNED = 0.5
"""A sentence whose best match is less near than this has none: what it says is missing."""


LEFT = 1e-3
"""A sentence that the question says already, but for less than this, has nothing left to be said."""


class Beside(NamedTuple):
    """An answer, the real answer, and the question that both answer; an empty question says nothing."""

    answer: str
    real: str
    question: str = ""


@dataclass(frozen=True)
class Coverage:
    """Sentence coverage: `recall` of the real answer's sentences, `precision` of the answer's own."""

    recall: float
    precision: float

    @property
    def f(self) -> float:
        """The harmonic mean of both sides."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


@dataclass(frozen=True)
class Facts:
    """What became of the real answer's numbers, dates and names, counted over the sentences that answer to each other."""

    agreed: int
    contradicted: int
    missing: int

    @property
    def score(self) -> float | None:
        """The share that is agreed on; None, unscored, where the real answer has no facts."""
        return self._share(self.agreed)

    @property
    def contradiction(self) -> float | None:
        """The share that is contradicted; None where the real answer has no facts. Silence has none: read it with `score`."""
        return self._share(self.contradicted)

    def _share(self, of: int) -> float | None:
        total = self.agreed + self.contradicted + self.missing
        return of / total if total else None


def coverages(beside: Sequence[Beside], embed: Embed, split: Split = sentences) -> list[Coverage | None]:
    """For each answer beside the real one, how well each side's sentences are matched by the other's best one.

    What the question says already counts for nothing, because an answer takes up its words, and whoever repeats it has said
    nothing. Each sentence has a cosine `given` with the nearest one of the question, and `1 - given` is left to it. A
    sentence of the answer is worth (cosine - given) / (1 - given) of a real one, with what is given of the real one, and
    nothing where that is negative, as Cohen's kappa takes off what chance gives (Cohen 1960). Recall is the mean of each
    real sentence's best, precision of each of the answer's, both weighted by words and by what is left to the sentence.
    None where a side has no sentence, or the question says all of the real answer.
    """
    pairs = [(b.answer, b.real) for b in beside]
    asked = [(b.question, text) for b in beside for text in (b.real, b.answer)]
    found = aligned([*pairs, *asked], embed, split)
    of_real, of_said = found[len(pairs) :: 2], found[len(pairs) + 1 :: 2]
    return [
        None if both is None else coverage(both, _given(real, both.real), _given(said, both.said))
        for both, real, said in zip(found[: len(pairs)], of_real, of_said, strict=True)
    ]


def coverage(found: Aligned, given: Vector, given_said: Vector) -> Coverage | None:
    """Of sentences that are aligned already, with what the question gives of each real one and of each of the answer's."""
    left, left_said = _words(found.real) * (1 - given), _words(found.said) * (1 - given_said)
    if left.sum() < LEFT:
        return None
    beyond = np.clip(np.clip(found.cosines, 0, 1) - given[:, None], 0, None) / np.maximum(1 - given, LEFT)[:, None]
    recall, precision = (
        float((weights * best).sum() / max(weights.sum(), LEFT))
        for weights, best in ((left, beyond.max(axis=1)), (left_said, beyond.max(axis=0)))
    )
    return Coverage(recall, precision)


def _given(question: Aligned | None, of: list[str]) -> Vector:
    """How near the question's nearest sentence is to each of the others; 0 without a question."""
    return np.clip(question.best_said, 0, 1) if question else np.zeros(len(of), dtype=np.float32)


def _words(of: list[str]) -> NDArray[np.float64]:
    return np.array([max(1, len(words(s))) for s in of], dtype=float)


def facts(
    pairs: Sequence[tuple[str, str]], rules: Rules, embed: Embed, known: Collection[str] = ()
) -> list[Facts | None]:
    """For each (answer, real answer), what became of the facts of each real sentence in the nearest sentence said.

    `known` are names that count at the start of a sentence as well. None where a side has no sentence.
    """
    return [
        None if a is None else facts_of(a, rules, known)
        for a in aligned(pairs, embed, lambda text: sentences(text, rules.abbreviations))
    ]


def facts_of(found: Aligned, rules: Rules, known: Collection[str] = ()) -> Facts:
    """Of sentences that are aligned already."""
    counts: Counter[str] = Counter()
    names = frozenset(known)
    for row, sentence in enumerate(found.real):
        real = _spans(sentence, rules, names)
        if not real:
            continue
        nearest = int(found.cosines[row].argmax())
        said = found.said[nearest] if found.cosines[row, nearest] >= ALIGNED else ""
        counts.update(status for _, status in compared(real, _spans(said, rules, names)))
    return Facts(counts["agreed"], counts["contradicted"], counts["missing"])


@lru_cache(maxsize=10_000)
def _spans(sentence: str, rules: Rules, known: frozenset[str]) -> list[Span]:
    """Kept, since every arm is held against the same real answers."""
    return spans(sentence, rules, known)
