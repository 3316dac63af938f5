"""Tests of equivalence and non-inferiority: whether a difference is smaller than a margin."""

from dataclasses import dataclass

from ratf.statistics.estimates import CONFIDENCE, Estimate

ALPHA = 1 - CONFIDENCE


@dataclass(frozen=True)
class Equivalence:
    """The result of a test against a margin. `low` and `high` are the interval that decides.

    `high` is None for the one-sided test of non-inferiority; `holds` says whether the claim is shown.
    """

    margin: float
    low: float
    high: float | None
    p: float
    holds: bool


def equivalence(found: Estimate, margin: float) -> Equivalence | None:
    """The equivalence of two arms by two one-sided tests (Schuirmann 1987): the 90 % interval lies within ± `margin`.

    None with a single cluster, which gives no interval.
    """
    from scipy.special import stdtrit

    over, under = found.p_over(-margin), found.p_under(margin)
    if found.error is None or found.freedom is None or over is None or under is None:
        return None
    reach = float(stdtrit(found.freedom, 1 - ALPHA)) * found.error
    p = max(over, under)
    return Equivalence(margin, found.mean - reach, found.mean + reach, p, p <= ALPHA)


def non_inferiority(found: Estimate, margin: float) -> Equivalence | None:
    """Non-inferiority, that is not being worse by `margin` or more: the 95 % interval's lower end is above - `margin`.

    None with a single cluster, which gives no interval.
    """
    p = found.p_over(-margin)
    return None if p is None or found.low is None else Equivalence(margin, found.low, None, p, p <= ALPHA / 2)
