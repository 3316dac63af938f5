"""The skill score: where an arm stands between another person's answers (0) and the person's own (1)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ratf.results.results import Skill
from ratf.statistics.estimates import CONFIDENCE, degrees_of_freedom

ScoresByQuestion = Mapping[str, float]


def skill(
    metric: str,
    arm: str,
    scores: ScoresByQuestion,
    floor: ScoresByQuestion,
    ceiling: ScoresByQuestion,
    cluster: Mapping[str, str],
) -> Skill | None:
    """The skill score (arm - floor) / (ceiling - floor) over the questions scored for all three; None without any.

    The interval is Fieller's (1954) with the interview-clustered covariance of numerator and denominator, corrected for
    interviews of different size, and the t quantile at its degrees of freedom (both as in `clustered_means`). Refused where the denominator's own interval holds 0, where the ceiling is
    below the floor, and with a single interview. The ceiling is a lower bound, so an arm may exceed 1.
    """
    questions = sorted(scores.keys() & floor.keys() & ceiling.keys() & cluster.keys())
    if not questions:
        return None
    above = np.array([[scores[q] - floor[q], ceiling[q] - floor[q]] for q in questions])
    names, member = np.unique([cluster[q] for q in questions], return_inverse=True)
    n, groups = len(questions), len(names)
    top, bottom = (float(x) for x in above.mean(axis=0))

    def told(value: float | None, low: float | None, high: float | None, reason: str = "") -> Skill:
        ends = {
            "floor": float(np.mean([floor[q] for q in questions])),
            "ceiling": float(np.mean([ceiling[q] for q in questions])),
        }
        return Skill(
            metric=metric, arm=arm, skill=value, low=low, high=high, **ends, n=n, interviews=groups, reason=reason
        )

    if groups < 2:
        return told(None, None, None, "a single interview gives no interval")
    from scipy.special import stdtrit

    sums = np.zeros((groups, 2))
    np.add.at(sums, member, above - above.mean(axis=0))
    share = np.bincount(member) / n
    covariance = (sums / (1 - share)[:, None]).T @ sums / n**2
    quantile = float(stdtrit(degrees_of_freedom(share), 0.5 + CONFIDENCE / 2))
    reach = quantile * float(np.sqrt(covariance[1, 1]))
    if bottom - reach <= 0 <= bottom + reach:
        return told(None, None, None, f"ceiling and floor are not separable: {bottom:+.3f} ± {reach:.3f}")
    if bottom < 0:
        return told(None, None, None, "the ceiling lies below the floor")
    value = top / bottom
    found = told(value, *fieller(top, bottom, covariance, quantile))
    return found.model_copy(update={"above_ceiling": value > 1})


def fieller(top: float, bottom: float, covariance: NDArray[np.float64], quantile: float) -> tuple[float, float]:
    """The ends of Fieller's (1954) interval of top / bottom, from the covariance (2 × 2) of the two and the t quantile.

    The interval of `bottom` must not hold 0.
    """
    ratio = top / bottom
    a, b, c = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    g = quantile**2 * c / bottom**2
    spread = a - 2 * ratio * b + ratio**2 * c - g * (a - (b**2 / c if c else 0.0))
    centre = ratio - (g * b / c if c else 0.0)
    half = quantile / bottom * float(np.sqrt(max(spread, 0.0)))
    return float((centre - half) / (1 - g)), float((centre + half) / (1 - g))
