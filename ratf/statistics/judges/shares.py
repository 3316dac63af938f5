"""Shares of a judge's replies: their intervals, and the evidence that one is above a limit, at any moment of an exam."""

import math
from statistics import NormalDist

from ratf.results.exams import Share
from ratf.statistics.estimates import CONFIDENCE

CHANCE = 0.01
"""The most often that a judge whose share of a fault is at its limit is stopped for that fault, however often it is looked at."""


RATES = (0.5, 0.95)
"""The shares of a fault that a judge is suspected of: that of a coin, and that of a judge which has the fault always."""


def share(k: int, n: int) -> Share | None:
    """The share `k` of `n` with Wilson's (1927) 95 % interval; None where `n` is 0."""
    if not n:
        return None
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    p, middle = k / n, (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return Share(k=k, n=n, share=p, low=min(p, max(0.0, middle - half)), high=max(p, min(1.0, middle + half)))


def evidence(k: int, n: int, limit: float) -> float:
    """How much better a share of `limit` or less is refuted by `k` of `n` than chance explains: a likelihood ratio.

    The mean, over the suspected shares `RATES`, of the likelihood of what was seen, over its likelihood at `limit` (Wald
    1945, Sequential Tests of Statistical Hypotheses). Where the share is at most `limit`, this exceeds 1/α at any look
    with a chance of at most α (Ville 1939).
    """

    def at(rate: float) -> float:
        return k * math.log(rate / limit) + (n - k) * math.log((1 - rate) / (1 - limit))

    return sum(math.exp(min(at(rate), 500.0)) for rate in RATES) / len(RATES)


def shown_over(k: int, n: int, limit: float) -> bool:
    """Whether `k` of `n` show that a share is above `limit`, at the error rate `CHANCE` over all looks together."""
    return k > limit * n and evidence(k, n, limit) >= 1 / CHANCE
