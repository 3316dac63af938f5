"""Questions that were answered several times: one score for each, and the parts of the variance of a single score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ratf.results.results import Cell, Scored
from ratf.statistics.estimates import clustered_mean


def cell_of(scores: Mapping[str, Scored], cluster: Mapping[str, str], **more: Any) -> Cell:
    """The mean of an arm's scores on one metric with its interval; `cluster` has the unit of every question that was asked.

    `more` are further fields of the cell.
    """
    numbers = {question: s.value for question, s in scores.items() if s.value is not None}
    found = clustered_mean(list(numbers.values()), [cluster[q] for q in numbers])
    return Cell(
        mean=found.mean if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        n=len(numbers),
        interviews=found.clusters if found else 0,
        unscored=len(cluster) - len(numbers),
        **more,
    )


def averaged(several: Sequence[Scored]) -> Scored:
    """The scores of one question's answers as one score: their mean, or unscored where one of the answers is unscored.

    For inference a question counts once, however often it was answered (Miller 2024, arXiv 2411.00640, section 3.1). The
    judges' votes on all answers are kept, each with the number of its answer.
    """
    missing = [s for s in several if s.value is None]
    if len(several) == 1:
        return several[0]
    votes = [{**vote, "answer": number} for number, s in enumerate(several, 1) for vote in s.votes]
    rivals = dict.fromkeys(rival for s in several for rival in s.against)
    against = {rival: _mean_of([s.against[rival] for s in several if rival in s.against]) for rival in rivals}
    value = None if missing else _mean_of([s.value for s in several if s.value is not None])
    return (missing or several)[0].model_copy(update={"value": value, "votes": votes, "against": against})


def _mean_of(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def spread(questions: Sequence[Sequence[Scored]]) -> dict[str, float | None]:
    """The parts of a single score's variance: `question`, `sample` (answers to one question) and `rating` (graders).

    They are over the questions of which every answer has a score. Empty where no question was answered more than once.
    """
    if max(map(len, questions), default=0) < 2:
        return {}
    whole = [[_ratings(s) for s in several] for several in questions if all(s.value is not None for s in several)]
    if not whole:
        return {}
    samples, ratings = max(map(len, whole)), max(len(r) for several in whole for r in several)
    table = np.full((len(whole), samples, ratings), math.nan)
    for i, several in enumerate(whole):
        for j, numbers in enumerate(several):
            table[i, j, : len(numbers)] = numbers
    return asdict(variance_parts(table))


def of_first(score: Scored) -> float | None:
    """A judge's grade of the first answer, which the pages show, where the score is the mean over several answers."""
    if not any("answer" in vote for vote in score.votes):
        return score.value
    read = _by_grader([vote for vote in score.votes if vote.get("answer") == 1])
    return _mean_of(read) if read and score.value is not None else None


def _ratings(score: Scored) -> list[float]:
    """The grades of a panel's graders; without a panel the score alone, NaN where there is none."""
    read = _by_grader(score.votes)
    return read if len(read) > 1 else [math.nan if score.value is None else score.value]


def _by_grader(votes: Sequence[Mapping[str, Any]]) -> list[float]:
    """The mean grade of each grader, for those whose replies could all be read."""
    given: dict[str, list[float | None]] = {}
    for vote in votes:
        given.setdefault(str(vote.get("grader")), []).append(vote.get("value"))
    return [_mean_of([v for v in of if v is not None]) for of in given.values() if None not in of]


@dataclass(frozen=True)
class Variance:
    """The parts of the variance of a single score.

    A part is None where nothing was repeated at its level; its variance is then contained in the part above.
    """

    question: float | None
    sample: float | None
    rating: float | None


def variance_parts(values: ArrayLike) -> Variance:
    """The parts of the variance of `values`, of shape (questions, samples, ratings), NaN where one is missing.

    They are estimated by the moments of a nested design: the analysis of variance of unweighted means (Searle, Casella
    & McCulloch 1992, Variance Components, ch. 3 and 4). A part is the variance of the means at its level, less what the
    parts under it bring along. Unequal counts are met by their harmonic means; with as many samples a question and
    ratings a sample it is the usual estimate. An estimate under 0 becomes 0.
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
    """The means over the last axis, of the numbers that are not NaN; NaN where there are none."""
    n = (~np.isnan(x)).sum(axis=-1)
    return np.where(n > 0, np.nansum(x, axis=-1) / np.maximum(n, 1), np.nan)


def _within(x: np.ndarray) -> float | None:
    """The pooled variance along the last axis; None where no row has two numbers."""
    n = (~np.isnan(x)).sum(axis=-1)
    freedom = np.maximum(n - 1, 0).sum()
    return float(np.nansum((x - _mean(x)[..., None]) ** 2) / freedom) if freedom else None


def _harmonic(x: np.ndarray) -> float:
    """The harmonic mean of the counts of numbers along the last axis."""
    n = (~np.isnan(x)).sum(axis=-1)
    n = n[n > 0]
    return float(len(n) / (1 / n).sum())
