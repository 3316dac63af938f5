"""What an answer covers of the real one, sentence by sentence: claims by an embedder, facts by rule."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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


class Reals:
    """Real answers with their questions, against which any answer can be held.

    Each side's sentences are matched by the other's best one, and what the question says already counts for nothing,
    because an answer takes up its words, and whoever repeats it has said nothing. Each sentence has a cosine `given` with the
    nearest one of the question, and `1 - given` is left to it. A sentence of the answer is worth
    (cosine - given) / (1 - given) of a real one, with what is given of the real one, and nothing where that is negative,
    as Cohen's kappa takes off what chance gives (Cohen 1960). Recall is the mean of each real sentence's best, precision of each
    of the answer's, both weighted by words and by what is left to the sentence.
    """

    def __init__(self, asked: Sequence[tuple[str, str]], embed: Embed, split: Split = sentences) -> None:
        """`asked` holds each question with its real answer."""
        self._embed, self._split, self._of = embed, split, len(asked)
        real, questions = [split(answer) for _, answer in asked], [split(question) for question, _ in asked]
        distinct = list(dict.fromkeys(s for part in (*real, *questions) for s in part))
        known = dict(zip(distinct, embed(distinct), strict=True)) if distinct else {}
        self._there = [i for i, of in enumerate(real) if of]
        self._real, self._starts = _stacked([real[i] for i in self._there], known)
        self._asked, self._asked_starts = _stacked([questions[i] or real[i][:1] for i in self._there], known)
        silent = np.array([not questions[i] for i in self._there], dtype=bool)
        self._silent = silent[:, None]
        given = self._most(self._asked @ self._real.T, self._asked_starts)
        lengths = np.diff([*self._starts, len(self._real)])
        place = np.repeat(np.arange(len(self._there)), lengths)
        self._given = np.where(silent[place], 0, given[place, np.arange(len(place))]).astype(np.float32)
        self._weights = _words([s for i in self._there for s in real[i]]) * (1 - self._given)
        self._left = np.add.reduceat(self._weights, self._starts) if len(place) else np.zeros(0)

    def covered_by(self, answer: str) -> list[Coverage | None]:
        """What the answer covers of each; None where a side has no sentence, or the question says everything."""
        said = self._split(answer)
        found: list[Coverage | None] = [None] * self._of
        if not said or not self._there:
            return found
        vectors = np.stack(list(self._embed(said)))
        cosines = np.clip(self._real @ vectors.T, 0, 1)
        beyond = np.clip(cosines - self._given[:, None], 0, None) / np.maximum(1 - self._given, LEFT)[:, None]
        recall = np.add.reduceat(self._weights * beyond.max(axis=1), self._starts) / np.maximum(self._left, LEFT)
        taken_up = np.where(self._silent, 0, self._most(self._asked @ vectors.T, self._asked_starts))
        left = _words(said) * (1 - taken_up)
        best = np.maximum.reduceat(beyond, self._starts, axis=0)
        precision = (left * best).sum(axis=1) / np.maximum(left.sum(axis=1), LEFT)
        for row, i in enumerate(self._there):
            if self._left[row] >= LEFT:
                found[i] = Coverage(float(recall[row]), float(precision[row]))
        return found

    @staticmethod
    def _most(cosines: Vector, starts: NDArray[np.intp]) -> Vector:
        """Of each block of rows the greatest cosine by column, none below 0."""
        return np.clip(np.maximum.reduceat(cosines, starts, axis=0), 0, 1) if len(starts) else cosines


def _stacked(parts: Sequence[list[str]], known: Mapping[str, Vector]) -> tuple[Vector, NDArray[np.intp]]:
    """The vectors of all sentences, a row each, and at which row each part begins."""
    rows = [known[s] for part in parts for s in part]
    starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32), starts.astype(np.intp)


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
