"""The contrasts of a run: paired comparisons of arms, from their scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ratf.results.results import Contrast, Effect, Scored
from ratf.statistics.estimates import Estimate, Exact, exact_tests, holm, paired_differences
from ratf.suite.metrics import metric

T = TypeVar("T", Contrast, Effect)
Scores = Mapping[str, Mapping[str, Mapping[str, Scored]]]
"""The scores by arm, metric and question."""


def contrasts(scores: Scores, pairs: Sequence[tuple[str, str]], cluster: Mapping[str, str]) -> list[Contrast]:
    """The paired difference of each pair of arms on every metric, with Holm's correction within each family of metrics.

    `cluster` gives the independent unit of each question. A pair with a missing arm is left out. Another arm changes no
    number of the others except `p_holm`, and that only where `pairs` names it.
    """
    arms = list(scores)
    questions = sorted(cluster)
    there = [(a, b) for a, b in pairs if a in scores and b in scores]
    rows = [(arms.index(a), arms.index(b)) for a, b in there]
    clusters = [cluster[q] for q in questions]
    found: list[Contrast] = []
    for name in dict.fromkeys(m for of_arm in scores.values() for m in of_arm):
        table = [[number(scores[arm].get(name, {}).get(q)) for q in questions] for arm in arms]
        estimates = paired_differences(table, rows, clusters)
        exact = exact_tests(table, rows, clusters)
        found += [_contrast(name, *it) for it in zip(there, estimates, exact, strict=True)]
    return corrected(found)


def corrected(found: Sequence[T]) -> list[T]:
    """The same contrasts or effects with `p_holm`: Holm's correction over all those on metrics of one family."""
    families: dict[str, list[int]] = {}
    for i, one in enumerate(found):
        families.setdefault(one.family, []).append(i)
    p_holm = {
        i: p for members in families.values() for i, p in zip(members, holm([found[i].p for i in members]), strict=True)
    }
    return [one.model_copy(update={"p_holm": p_holm[i]}) for i, one in enumerate(found)]


def numbers(e: Estimate | None) -> dict[str, Any]:
    """The fields that a contrast and an effect both take from their estimate; `p_holm` is filled in by `corrected`."""
    return {
        "low": e.low if e else None,
        "high": e.high if e else None,
        "p": e.p if e else None,
        "p_holm": None,
        "smallest_detectable": e.detectable if e else None,
        "n_questions": e.n if e else 0,
        "n_interviews": e.clusters if e else 0,
        "standardised": e.standardised if e else None,
    }


def number(score: Scored | None) -> float:
    """The value of a score, or NaN where there is none."""
    return math.nan if score is None or score.value is None else score.value


def _contrast(name: str, pair: tuple[str, str], e: Estimate | None, exact: Exact | None) -> Contrast:
    return Contrast(
        metric=name,
        family=metric(name).family,
        a=pair[0],
        b=pair[1],
        difference=e.mean if e else None,
        **numbers(e),
        exact=exact.test if exact else "",
        p_exact=exact.p if exact else None,
        p_exact_smallest=exact.smallest if exact else None,
    )
