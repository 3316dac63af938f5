"""Claims beyond "there is a difference": that there is none worth mentioning, and where the spread comes from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ratf.statistics.estimates import CONFIDENCE, Estimate

ALPHA = 1 - CONFIDENCE


@dataclass(frozen=True)
class Equivalence:
    """What was shown against a margin. `low` and `high` are the interval that decides; `high` is None for one side."""

    margin: float
    low: float
    high: float | None
    p: float
    holds: bool


def equivalence(found: Estimate, margin: float) -> Equivalence | None:
    """Two one-sided tests (Schuirmann 1987): the 90 % interval lies within ± margin. None with one cluster."""
    from scipy.special import stdtrit

    over, under = found.p_over(-margin), found.p_under(margin)
    if found.error is None or over is None or under is None:
        return None
    reach = float(stdtrit(found.clusters - 1, 1 - ALPHA)) * found.error
    p = max(over, under)
    return Equivalence(margin, found.mean - reach, found.mean + reach, p, p <= ALPHA)


def non_inferiority(found: Estimate, margin: float) -> Equivalence | None:
    """Not worse by `margin` or more: the 95 % interval's lower end is above - margin. None with one cluster."""
    p = found.p_over(-margin)
    return None if p is None or found.low is None else Equivalence(margin, found.low, None, p, p <= ALPHA / 2)


@dataclass(frozen=True)
class Variance:
    """Parts of the variance of a single score. None where nothing was repeated: it then sits in the part above."""

    question: float | None
    sample: float | None
    rating: float | None


def per_question(values: ArrayLike) -> np.ndarray:
    """Questions × samples (× ratings), NaN where missing, as one number a question: ratings first, then samples.

    For inference a question counts once, however often it was answered.
    """
    x = np.asarray(values, dtype=float)
    while x.ndim > 1:
        x = _mean(x)
    return x


def variance_parts(values: ArrayLike) -> Variance:
    """Questions × samples × ratings, NaN where missing, split by the moments of a nested design.

    Unequal counts are met by their harmonic means. An estimate under 0 is 0.
    """
    x = np.asarray(values, dtype=float)
    rating = _within(x)
    answers = _mean(x)
    sample = _within(answers)
    if sample is not None and rating is not None:
        sample = max(0.0, sample - rating / _harmonic(x))
    questions = _mean(answers)
    questions = questions[~np.isnan(questions)]
    if len(questions) < 2:
        return Variance(None, sample, rating)
    noise = (sample or 0.0) / _harmonic(answers)
    noise += (rating or 0.0) / (_harmonic(x) * _harmonic(answers))
    return Variance(max(0.0, float(questions.var(ddof=1)) - noise), sample, rating)


def _mean(x: np.ndarray) -> np.ndarray:
    """Over the last axis, of what is there."""
    n = (~np.isnan(x)).sum(axis=-1)
    return np.where(n > 0, np.nansum(x, axis=-1) / np.maximum(n, 1), np.nan)


def _within(x: np.ndarray) -> float | None:
    """The pooled variance along the last axis; None where nothing is there twice."""
    n = (~np.isnan(x)).sum(axis=-1)
    freedom = np.maximum(n - 1, 0).sum()
    return float(np.nansum((x - _mean(x)[..., None]) ** 2) / freedom) if freedom else None


def _harmonic(x: np.ndarray) -> float:
    """The harmonic mean of the counts along the last axis."""
    n = (~np.isnan(x)).sum(axis=-1)
    n = n[n > 0]
    return float(len(n) / (1 / n).sum())
