"""What an answer covers of the real one, sentence by sentence: claims by an embedder, facts by rule."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ratf.edits.alignment import Aligned, Embed, Split, aligned
from ratf.edits.rules import Rules, words
from ratf.edits.sentences import sentences
from ratf.edits.spans import Span, compared, spans

ALIGNED = 0.5
"""A sentence whose best match is less near than this has none: what it says is missing."""


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


def coverages(pairs: Sequence[tuple[str, str]], embed: Embed, split: Split = sentences) -> list[Coverage | None]:
    """For each (answer, real answer), how well each side's sentences are matched by the other's best one.

    A sentence counts by its words, so that an aside weighs little; a cosine below 0 counts as 0. None where a side has no
    sentence.
    """
    return [None if a is None else coverage(a) for a in aligned(pairs, embed, split)]


def coverage(found: Aligned) -> Coverage:
    """Of sentences that are aligned already."""
    return Coverage(_weighted(found.best_said, found.real), _weighted(found.best_real, found.said))


def _weighted(best: NDArray[np.float32], of: list[str]) -> float:
    return float(np.average(np.clip(best, 0, 1), weights=[max(1, len(words(s))) for s in of]))


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
