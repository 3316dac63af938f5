"""Disagreement of metrics: the questions on which one metric puts an arm ahead and another puts it behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ratf.results.results import Question, Results

SHOWN = 8
FEWEST = 8
"""The fewest questions in common for which a correlation is given."""


MEASURING = ("style", "judge", "semantic", "lexical")
"""The families of metrics that measure how near an answer is to the person's; length and copying do not."""


@dataclass(frozen=True)
class QuestionDifference:
    """The difference of the two arms on one question by one metric, also in standard deviations over the questions.

    It is positive where the first arm is better.
    """

    metric: str
    difference: float
    standardised: float


@dataclass(frozen=True)
class Dispute:
    """A disputed question, with the metrics that put the first arm furthest ahead and furthest behind."""

    question: Question
    ahead: QuestionDifference
    behind: QuestionDifference

    @property
    def gap(self) -> float:
        """The distance between the two metrics' differences, in standard deviations."""
        return self.ahead.standardised - self.behind.standardised


@dataclass(frozen=True)
class Correlation:
    """Spearman's correlation of two metrics' differences over the `n` questions that both have.

    `rho` is None where these are fewer than `FEWEST`, or where all differences of a metric are alike.
    """

    first: str
    second: str
    rho: float | None
    n: int


@dataclass(frozen=True)
class Disagreement:
    """The disagreement of metrics about the arms `a` and `b`.

    `admitted` says whether all the metrics passed their exam; `opposite` counts the questions on which two metrics
    disagree, of `questions` that two or more metrics have.
    """

    a: str
    b: str
    metrics: list[str]
    admitted: bool
    questions: int
    opposite: int
    splits: list[Dispute]
    """The questions with the widest gaps, at most `SHOWN`."""
    agreement: list[Correlation]


def disagreement(results: Results) -> Disagreement | None:
    """The disagreement about the arms of the primary comparison; None where fewer than two metrics compare them.

    It is between the admitted metrics or, where these are fewer than two, the metric of each family that did best in
    its exam.
    """
    a, b = results.suite["primary"]["better"], results.suite["primary"]["than"]
    admitted = {e.metric for e in results.exam if e.admitted}
    found = _differences(results, a, b)
    names = [m for m in found if m in admitted]
    all_admitted = len(names) > 1
    if not all_admitted:
        names = _leading(results, list(found))
    if len(names) < 2:
        return None
    spreads = {m: _spread(found[m]) for m in names}
    standard = {m: {q: v / spreads[m] for q, v in found[m].items()} for m in names}
    gaps = {q: max(z) - min(z) for q in _asked(standard) if (z := _of(standard, q)) and max(z) > 0 > min(z)}
    widest = sorted(gaps, key=lambda q: (-gaps[q], q))[:SHOWN]
    splits = {q.id: split for q in results.questions if q.id in widest and (split := _split(q, found, standard))}
    return Disagreement(
        a=a,
        b=b,
        metrics=names,
        admitted=all_admitted,
        questions=sum(len(_of(standard, q)) > 1 for q in _asked(standard)),
        opposite=len(gaps),
        splits=[splits[q] for q in widest],
        agreement=[_agreement(x, y, found) for x, y in combinations(names, 2)],
    )


def _differences(results: Results, a: str, b: str) -> dict[str, dict[str, float]]:
    """The differences of two arms by metric and question, positive where `a` is better.

    A metric of which neither way is better, or whose differences are all alike, is left out.
    """
    ways = {m: -1 if facts["better"] == "lower" else 1 for m, facts in results.metrics.items() if facts["better"]}
    found: dict[str, dict[str, float]] = {m: {} for m in ways}
    for q in results.questions:
        scores = [q.answers[arm].scores for arm in (a, b) if arm in q.answers]
        for metric, way in ways.items():
            values = [s.value for of in scores if (s := of.get(metric)) and s.value is not None]
            if len(values) == 2:
                found[metric][q.id] = (values[0] - values[1]) * way
    return {m: d for m, d in found.items() if len(d) > 1 and _spread(d) > 0}


def _asked(standard: Mapping[str, Mapping[str, float]]) -> dict[str, None]:
    """The questions for which any metric has a difference."""
    return dict.fromkeys(q for of_metric in standard.values() for q in of_metric)


def _of(standard: Mapping[str, Mapping[str, float]], question: str) -> list[float]:
    """The standardised differences on a question, one for each metric that has it."""
    return [of_metric[question] for of_metric in standard.values() if question in of_metric]


def _spread(differences: Mapping[str, float]) -> float:
    return float(np.std(list(differences.values()), ddof=1))


def _leading(results: Results, names: Sequence[str]) -> list[str]:
    """The metric with the highest AUC in its exam, for each family in `MEASURING`; its first metric without any AUC."""
    auc = {e.metric: -1.0 if e.auc is None else e.auc for e in results.exam}
    of = {f: [m for m in names if results.metrics[m]["family"] == f] for f in MEASURING}
    return [max(several, key=lambda m: auc.get(m, -1.0)) for several in of.values() if several]


def _split(
    question: Question, found: Mapping[str, Mapping[str, float]], standard: Mapping[str, Mapping[str, float]]
) -> Dispute | None:
    sides = [
        QuestionDifference(m, found[m][question.id], z[question.id]) for m, z in standard.items() if question.id in z
    ]
    if len(sides) < 2:
        return None
    ahead, behind = (pick(sides, key=lambda s: s.standardised) for pick in (max, min))
    return Dispute(question, ahead, behind) if ahead.standardised > 0 > behind.standardised else None


def _agreement(first: str, second: str, found: Mapping[str, Mapping[str, float]]) -> Correlation:
    from scipy.stats import spearmanr

    both = sorted(found[first].keys() & found[second].keys())
    x, y = ([found[m][q] for q in both] for m in (first, second))
    if len(both) < FEWEST or len(set(x)) == 1 or len(set(y)) == 1:
        return Correlation(first, second, None, len(both))
    return Correlation(first, second, float(spearmanr(x, y).statistic), len(both))
