"""Means and paired differences with interview-clustered intervals. Plain functions over arrays; no model, no file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
POWER = 0.80
FEW_CLUSTERS = 6
"""Under so many interviews an interval is printed with a warning (Cameron, Gelbach & Miller 2008)."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval. `low`, `high`, `p` and `detectable` are None with fewer than two interviews."""

    mean: float
    low: float | None
    high: float | None
    p: float | None
    detectable: float | None
    """The smallest true difference from 0 that is seen with 80 % power at this spread."""
    n: int
    clusters: int


def clustered_mean(values: ArrayLike, clusters: Sequence[str]) -> Estimate | None:
    """The mean over questions, with a cluster-robust t interval at G - 1 degrees of freedom.

    `values`: n numbers, none missing; `clusters`: the interview of each. None when n is 0.

    SE² = G/(G-1) · Σ_g (Σ_{i in g} (x_i - mean))² / n² (Liang & Zeger 1986, with the G/(G-1) correction); for
    interviews of equal size it is the standard error of the mean of interview means.
    """
    from scipy import stats

    x = np.asarray(values, dtype=float)
    if len(x) != len(clusters):
        raise ValueError(f"{len(x)} values but {len(clusters)} clusters")
    if not np.isfinite(x).all():
        raise ValueError("a missing score is not a number; leave its question out and count it as unscored")
    if len(x) == 0:
        return None
    # summed in a fixed order: the result must not depend on the order of the questions
    order = sorted(range(len(x)), key=lambda i: (clusters[i], x[i]))
    x = x[order]
    names, member = np.unique([clusters[i] for i in order], return_inverse=True)
    groups, n, mean = len(names), len(x), float(x.mean())
    if groups < 2:
        return Estimate(mean, None, None, None, None, n, groups)
    sums = np.bincount(member, weights=x - mean)
    error = float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / n)
    quantile = float(stats.t.ppf(0.5 + CONFIDENCE / 2, groups - 1))
    detectable = (quantile + float(stats.t.ppf(POWER, groups - 1))) * error
    p = float(2 * stats.t.sf(abs(mean) / error, groups - 1)) if error > 0 else (1.0 if mean == 0 else 0.0)
    return Estimate(mean, mean - quantile * error, mean + quantile * error, p, detectable, n, groups)


def paired_difference(a: dict[str, float], b: dict[str, float], cluster: dict[str, str]) -> Estimate | None:
    """The mean of a - b over the questions that both have scored. None when there is no such question."""
    both = sorted(a.keys() & b.keys())
    return clustered_mean([a[q] - b[q] for q in both], [cluster[q] for q in both])


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) step-down adjustment within one family; what has no p keeps none."""
    from statsmodels.stats.multitest import multipletests

    there = [p for p in p_values if p is not None]
    adjusted = iter(multipletests(there, method="holm")[1] if there else [])
    return [None if p is None else float(next(adjusted)) for p in p_values]


def clustered_auc(scores: Sequence[float], positive: Sequence[bool], clusters: Sequence[str]) -> Estimate | None:
    """How well `scores` tell the positive items: P(a positive one scores higher), ties count half.

    None without both kinds. The interval is a cluster-robust t interval over each item's placement among the items of
    the other kind (DeLong et al. 1988; for clusters Obuchowski 1997), at G - 1 degrees of freedom, within 0 and 1.
    """
    from scipy import stats

    x, is_positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    if not is_positive.any() or is_positive.all():
        return None
    higher = np.sign(x[is_positive][:, None] - x[~is_positive][None, :]) / 2 + 0.5
    auc = float(higher.mean())
    placement = np.empty(len(x))
    placement[is_positive] = (higher.mean(axis=1) - auc) / is_positive.sum()
    placement[~is_positive] = (higher.mean(axis=0) - auc) / (~is_positive).sum()
    names, member = np.unique(clusters, return_inverse=True)
    groups = len(names)
    if groups < 2:
        return Estimate(auc, None, None, None, None, len(x), groups)
    error = float(np.sqrt(groups / (groups - 1) * (np.bincount(member, weights=placement) ** 2).sum()))
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, groups - 1)) * error
    return Estimate(auc, max(0.0, auc - reach), min(1.0, auc + reach), None, None, len(x), groups)
