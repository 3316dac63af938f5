"""Means and paired differences with clustered intervals and exact tests, as functions over arrays.

A table has one row for each arm or pair of arms and one column for each question; a missing score is NaN. Each row is
worked out by itself: another row changes no digit of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
POWER = 0.80
FEW_CLUSTERS = 6
"""The number of interviews under which an interval is printed with a warning (Cameron, Gelbach & Miller 2008)."""


MOST_FLIPS = 14
"""The greatest number of clusters for which all sign-flips are tried; with more, the t interval is enough."""


Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """The mean of `n` numbers in `clusters` clusters, with its 95 % interval and its two-sided `p` against 0.

    `error` is the standard error. With fewer than two clusters `error`, `low`, `high`, `p` and `detectable` are None.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    detectable: float | None
    """The smallest true difference from 0 that is detected with 80 % power at this standard error."""
    n: int
    clusters: int
    error: float | None = None
    sd: float | None = None
    """Of the single questions; None with one question."""
    freedom: float | None = None
    """Degrees of freedom of the t distribution behind the interval and p (see `degrees_of_freedom`)."""
    moved: int = 0
    """How many of the numbers are not 0.

    No one-sided p against 0 is under 1/2^moved, the least that a sign test can give.
    """

    def turned(self) -> "Estimate":
        """The estimate of the negative numbers."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return replace(self, mean=-self.mean, low=low, high=high)

    @property
    def standardised(self) -> float | None:
        """The mean in standard deviations of the single questions (Cohen's d_z, where these are differences)."""
        return self.mean / self.sd if self.sd else None

    def p_under(self, bound: float) -> float | None:
        """One-sided p of the claim that the true mean is under `bound`."""
        return self._tail(bound - self.mean, bound)

    def p_over(self, bound: float) -> float | None:
        """One-sided p of the claim that the true mean is over `bound`."""
        return self._tail(self.mean - bound, bound)

    def _tail(self, distance: float, bound: float) -> float | None:
        from scipy.special import stdtr

        if self.error is None or self.freedom is None:
            return None
        smallest = 0.5 ** (self.n if bound else self.moved)
        if self.error == 0:
            return smallest if distance > 0 else 1.0
        return max(smallest, float(stdtr(self.freedom, -distance / self.error)))


@dataclass(frozen=True)
class Exact:
    """The result of an exact test: its name, its p, and the smallest p that these numbers of data could give.

    Where `smallest` is above the level α, no data of this size could have been significant.
    """

    test: str
    p: float
    smallest: float


def clustered_means(table: ArrayLike, clusters: Sequence[str]) -> list[Estimate | None]:
    """For each row the mean over its questions, with a cluster-robust t interval that holds when clusters differ in size.

    `table` has the shape (rows, questions), NaN where a score is missing. `clusters` gives the independent unit of each
    question: the interview or, with several persons, the person (see `units`). The result is None for a row without a
    number. Raises ValueError where `clusters` has another length than a row.

    A few scores of a coarse scale can fall alike in every cluster, which leaves no spread: p is then not 0 but the
    least that a sign test of the numbers that are not 0 could give.

    SE² = Σ_g (Σ_{i in g} (x_i - mean))² / (1 - n_g/n) / n², with n_g of the n questions in cluster g: CR2 (Bell & McCaffrey
    2002; Pustejovsky & Tipton 2018) in closed form, as a mean's cluster block of the hat matrix has the one eigenvalue
    n_g/n. Degrees of freedom: `degrees_of_freedom`. With clusters of equal size it is the t interval of their means.
    """
    from scipy.special import stdtr, stdtrit

    x, starts = _by_cluster(table, clusters)
    there = ~np.isnan(x)
    n = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, x, 0).sum(axis=1) / n
        off = np.where(there, x - mean[:, None], 0)
        counts = np.add.reduceat(there, starts, axis=1, dtype=np.intp) if x.shape[1] else there.astype(np.intp)
        groups = (counts > 0).sum(axis=1)
        sums = np.add.reduceat(off, starts, axis=1) if x.shape[1] else off
        shares = counts / n[:, None]
        error = np.sqrt((sums**2 / (1 - shares)).sum(axis=1)) / n
        freedom = degrees_of_freedom(shares)
        sd = np.sqrt((off**2).sum(axis=1) / (n - 1))
        quantile = stdtrit(freedom, 0.5 + CONFIDENCE / 2)
        moved = (there & (x != 0)).sum(axis=1)
        p = np.where(error > 0, 2 * stdtr(freedom, -np.abs(mean) / error), np.where(mean == 0, 1.0, 0.0))
        p = np.minimum(1, np.maximum(p, 2 * 0.5**moved))
        detectable = (quantile + stdtrit(freedom, POWER)) * error
    low, high = mean - quantile * error, mean + quantile * error
    told = [v.tolist() for v in (mean, low, high, p, detectable, n, groups, error, sd, freedom, moved)]
    return [_estimate(*row) if row[5] else None for row in zip(*told, strict=True)]


def _estimate(
    mean: float, low: float, high: float, p: float, detectable: float, n: int, groups: int, error: float, sd: float,
    freedom: float, moved: int,
) -> Estimate:  # fmt: skip
    """One row's numbers, without those that one cluster or one question does not give."""
    spread = sd if n > 1 else None
    if groups < 2:
        return Estimate(mean, None, None, None, None, n, groups, sd=spread, moved=moved)
    return Estimate(mean, low, high, p, detectable, n, groups, error, spread, freedom, moved)


def degrees_of_freedom(shares: ArrayLike) -> Array:
    """Satterthwaite degrees of freedom of a mean's CR2 standard error (Bell & McCaffrey 2002), along the last axis.

    `shares`: the part of all questions that each cluster has, adding up to 1. The working model is of independent
    questions: 1 / (Σ w² + (Σ q)² - Σ q²) with q = w²/(1 - w). That is G - 1 for G clusters of equal size, and
    approaches 1 where one cluster has nearly everything. NaN where a cluster has everything.
    """
    w = np.asarray(shares, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        q = w**2 / (1 - w)
        found: Array = 1 / ((w**2).sum(axis=-1) + q.sum(axis=-1) ** 2 - (q**2).sum(axis=-1))
    return found


def clustered_mean(values: ArrayLike, clusters: Sequence[str]) -> Estimate | None:
    """The mean of one row of numbers, as in `clustered_means`; None where there is no number.

    Raises ValueError where a number is missing, or where `clusters` has another length than `values`.
    """
    x = np.asarray(values, dtype=float)
    if len(x) != len(clusters):
        raise ValueError(f"{len(x)} values but {len(clusters)} clusters")
    if not np.isfinite(x).all():
        raise ValueError("a missing score is not a number; leave its question out and count it as unscored")
    # in a fixed order: the last digit must not depend on the order of the questions
    order = np.lexsort((x, np.asarray(clusters, dtype=str)))
    return clustered_means(x[None, order], [clusters[i] for i in order])[0]


def paired_differences(
    table: ArrayLike, pairs: Sequence[tuple[int, int]], clusters: Sequence[str]
) -> list[Estimate | None]:
    """For each pair of rows the mean of first - second over the questions that both have, as in `clustered_means`."""
    return clustered_means(_differences(table, pairs), clusters)


def paired_difference(a: dict[str, float], b: dict[str, float], cluster: dict[str, str]) -> Estimate | None:
    """The mean of a - b over the questions that both have scored, as in `clustered_means`; None without any."""
    both = sorted(a.keys() & b.keys())
    return clustered_mean([a[q] - b[q] for q in both], [cluster[q] for q in both])


def exact_tests(table: ArrayLike, pairs: Sequence[tuple[int, int]], clusters: Sequence[str]) -> list[Exact | None]:
    """For each pair of rows an exact test of their difference: `mcnemar` for scores of 0 and 1, else `sign_flips`.

    Only the two rows of a pair decide which test it gets. None for a pair without a common question, and where
    `sign_flips` gives None.
    """
    x = np.asarray(table, dtype=float)
    differences = _differences(x, pairs)
    found = sign_flips(differences, clusters)
    for at, (pair, d) in enumerate(zip(pairs, differences, strict=True)):
        there = ~np.isnan(d)
        if there.any() and np.isin(x[list(pair)][:, there], (0.0, 1.0)).all():
            found[at] = mcnemar(int((d > 0).sum()), int((d < 0).sum()))
    return found


def mcnemar(more: int, less: int) -> Exact:
    """The two-sided exact McNemar test from the counts of the discordant pairs.

    It takes the questions as independent.
    """
    from scipy.special import bdtr

    discordant = more + less
    p = min(1.0, 2 * float(bdtr(min(more, less), discordant, 0.5))) if discordant else 1.0
    return Exact("McNemar", p, min(1.0, 2.0 ** (1 - discordant)))


def sign_flips(differences: ArrayLike, clusters: Sequence[str]) -> list[Exact | None]:
    """For each row the exact two-sided test over all 2^G ways to flip the signs of whole clusters.

    It assumes only that a cluster's differences are as likely as their negatives. The p is never under 2/2^G. None for
    a row with no cluster, or with more than `MOST_FLIPS`.
    """
    x, starts = _by_cluster(differences, clusters)
    found: list[Exact | None] = []
    for row in x:
        there = ~np.isnan(row)
        if not there.any():
            found.append(None)
            continue
        sums = np.add.reduceat(np.where(there, row, 0), starts)[np.logical_or.reduceat(there, starts)]
        if len(sums) > MOST_FLIPS:
            found.append(None)
            continue
        # the first sign is fixed: the other half are the mirror images
        flips = np.array(np.meshgrid([1.0], *[[1.0, -1.0]] * (len(sums) - 1))).reshape(len(sums), -1)
        totals = np.abs(sums @ flips)
        p = float((totals >= totals[0] - 1e-9 * np.abs(sums).sum()).mean())
        found.append(Exact(f"sign-flip of {len(sums)} clusters", p, 2.0 ** (1 - len(sums))))
    return found


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p values of one family after Holm's (1979) step-down adjustment, in their order; None stays None."""
    there = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(there):
        highest = max(highest, min(1.0, p * (len(there) - rank)))
        adjusted[i] = highest
    return adjusted


def clustered_auc(scores: Sequence[float], positive: Sequence[bool], clusters: Sequence[str]) -> Estimate | None:
    """The AUC of `scores` for the positive items: P(a positive one scores higher than another), ties count half.

    None without both kinds. The interval is a cluster-robust t interval over each item's placement among the items of
    the other kind (DeLong et al. 1988; for clusters Obuchowski 1997), within 0 and 1. Its standard error and degrees of
    freedom are those of `clustered_means`, for the sum of two means: of the positive items' placements and the others'.
    """
    from scipy import stats

    x, is_positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    if not is_positive.any() or is_positive.all():
        return None
    higher = np.sign(x[is_positive][:, None] - x[~is_positive][None, :]) / 2 + 0.5
    auc = float(higher.mean())
    names, member = np.unique(clusters, return_inverse=True)
    groups = len(names)
    if groups < 2:
        return Estimate(auc, None, None, None, None, len(x), groups)
    sums, products = np.zeros(groups), np.zeros((groups, groups))
    for kind, placement in ((is_positive, higher.mean(axis=1) - auc), (~is_positive, higher.mean(axis=0) - auc)):
        share = np.bincount(member[kind], minlength=groups) / len(placement)
        # a cluster that has all items of a kind tells nothing of how that kind's mean varies
        weight = np.divide(1, np.sqrt(1 - share), out=np.zeros(groups), where=share < 1)
        sums += weight * np.bincount(member[kind], weights=placement, minlength=groups) / len(placement)
        variance = float((placement**2).mean()) / len(placement)
        products += variance * np.outer(weight, weight) * (np.diag(share) - np.outer(share, share))
    error = float(np.sqrt((sums**2).sum()))
    spread = float((products**2).sum())
    freedom = float(np.trace(products)) ** 2 / spread if spread else groups - 1.0
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * error
    low, high = max(0.0, auc - reach), min(1.0, auc + reach)
    return Estimate(auc, low, high, None, None, len(x), groups, error=error, freedom=freedom)


def units(persons: Sequence[str], interviews: Sequence[str]) -> list[str]:
    """The independent unit of each question: its interview or, where there are several persons, its person."""
    return list(persons if len(set(persons)) > 1 else interviews)


def _differences(table: ArrayLike, pairs: Sequence[tuple[int, int]]) -> Array:
    x = np.asarray(table, dtype=float)
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    return x[first] - x[second] if pairs else np.empty((0, x.shape[1]))


def _by_cluster(table: ArrayLike, clusters: Sequence[str]) -> tuple[Array, NDArray[np.intp]]:
    """The table with its questions sorted by cluster, and the column at which each cluster starts."""
    x = np.asarray(table, dtype=float)
    if x.shape[1] != len(clusters):
        raise ValueError(f"{x.shape[1]} questions but {len(clusters)} clusters")
    names = np.asarray(clusters, dtype=str)
    order = np.argsort(names, kind="stable")
    names = names[order]
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]]) if len(names) else np.empty(0, dtype=np.intp)
    return np.ascontiguousarray(x[:, order]), starts


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
