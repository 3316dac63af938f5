"""How far an arm's words, all its answers together, are from the person's: Burrows's and cosine Delta, never one answer's."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ratf.results.exams import Delta
from ratf.statistics.estimates import Array
from ratf.statistics.style import tokens

FREQUENT = 150
BAGS = 200
LEAST, MOST = 1_500, 5_000
"""LEAST is the fewest words of an arm that tell anything (Eder 2015); MOST is as many words as a bag needs."""


def deltas(
    arms: Mapping[str, Sequence[str]], background: Mapping[str, Sequence[str]], person: str, seed: int
) -> tuple[list[Delta], int]:
    """The Delta of each arm's pooled texts to those of `person`, and how many words each bag held.

    `background` holds, for each person, one text an interview. Every arm is drawn into bags of equally many words,
    without replacement: half as many as the arm with the fewest has, and MOST at most. The spread is the middle 95 % of
    the bags: how much the figure moves by which words were used, not an interval over interviews.
    """
    frequent = _frequent(background)
    texts = [text for of in background.values() for text in of]
    profiles = np.array([_shares(_count(text, frequent)) for text in texts])
    mean, deviation = profiles.mean(axis=0), profiles.std(axis=0, ddof=1)
    varied = deviation > 0
    reference = _shares(_count(" ".join(background[person]), frequent))
    z = ((reference - mean) / np.where(varied, deviation, 1))[varied]
    counts = {arm: _count(" ".join(said), frequent) for arm, said in arms.items()}
    budget = min(min((int(c.sum()) for c in counts.values() if c.sum() >= LEAST), default=0) // 2, MOST)
    draw = np.random.default_rng(seed)
    found = []
    for arm, count in counts.items():
        words = int(count.sum())
        if words < LEAST:
            found.append(
                Delta(arm=arm, words=words, burrows=None, burrows_spread=None, cosine=None, cosine_spread=None)
            )
            continue
        drawn = draw.multivariate_hypergeometric(count.astype(int), budget, size=BAGS, method="marginals")
        bags = drawn[:, :-1] / budget
        other = ((bags - mean) / np.where(varied, deviation, 1))[:, varied]
        burrows, cosine = np.abs(other - z).mean(axis=1), _cosine_distance(other, z)
        found.append(
            Delta(
                arm=arm,
                words=words,
                burrows=_rounded(burrows.mean()),
                burrows_spread=_middle(burrows),
                cosine=_rounded(cosine.mean()),
                cosine_spread=_middle(cosine),
            )
        )
    return found, budget


def _frequent(background: Mapping[str, Sequence[str]]) -> list[str]:
    """The most frequent words, every person counting the same however much they said."""
    total: Counter[str] = Counter()
    for texts in background.values():
        words = [w for text in texts for w in tokens(text)]
        total.update({w: n / len(words) for w, n in Counter(words).items()})
    return [w for w, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:FREQUENT]]


def _count(text: str, frequent: Sequence[str]) -> Array:
    """The number of times that each frequent word occurs, and last, that of all the others together."""
    words = tokens(text)
    there = Counter(words)
    known = [there[w] for w in frequent]
    return np.array([*known, len(words) - sum(known)], dtype=float)


def _shares(count: Array) -> Array:
    shares: Array = count[:-1] / max(float(count.sum()), 1.0)
    return shares


def _cosine_distance(rows: Array, z: Array) -> Array:
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(z)
    return np.asarray(1 - rows @ z / np.where(norms > 0, norms, 1), dtype=float)


def _middle(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return _rounded(low), _rounded(high)


def _rounded(value: float) -> float:
    return round(float(value), 4)
