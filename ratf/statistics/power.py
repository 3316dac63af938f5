"""The power of a suite before it is run: the smallest difference that it can detect, from how much differences vary."""

import math
from collections.abc import Sequence

from ratf.results.record import Record
from ratf.results.results import Question, Results
from ratf.statistics.estimates import CONFIDENCE, POWER, degrees_of_freedom, paired_difference
from ratf.suite.metrics import metric

PLANNED_ICC = 0.1
"""The intraclass correlation of the differences within an interview that is assumed where no earlier run gives one."""


PLANNED_SD = {
    "lexical": 0.10,
    "semantic": 0.16,
    "style": 0.40,
    "judge": 0.40,
    "length": 0.60,
    "copying": 0.06,
    "own": 0.40,
}
"""The standard deviations of paired differences, by family, found on a suite of press conferences and rounded up."""


PLANNED_OF = {"embedding_rank": 0.40, "sentence_coverage": 0.10}
"""The same for metrics that differ much from their family."""


class Smallest(Record):
    """The smallest difference of two arms on a metric that is detected with 80 % power at the 5 % level."""

    metric: str
    a: str
    b: str
    difference: float | None
    """The smallest difference; None with a single interview, which gives no interval."""
    sd: float
    icc: float
    source: str
    """What `sd` and `icc` are from: `an earlier run` or `planning values`."""


def smallest(sizes: Sequence[int], sd: float, icc: float) -> float | None:
    """The smallest difference for interviews with `sizes` questions each; None for fewer than two interviews.

    (t_{0.975} + t_{0.8}) · SE at the `degrees_of_freedom` of these sizes, with SE² = sd² / n² · Σ_g m_g (1 + (m_g - 1) icc),
    the variance of a mean of equally correlated clusters (Kish 1965): what `clustered_means` finds in the data, on average.
    """
    from scipy.special import stdtrit

    if len(sizes) < 2:
        return None
    error = sd / sum(sizes) * math.sqrt(sum(m * (1 + (m - 1) * icc) for m in sizes))
    free = degrees_of_freedom([m / sum(sizes) for m in sizes])
    return float((stdtrit(free, 0.5 + CONFIDENCE / 2) + stdtrit(free, POWER)) * error)


def planned_sd(name: str) -> float:
    """The planning value of the standard deviation of a metric's paired differences."""
    return PLANNED_OF[name] if name in PLANNED_OF else PLANNED_SD[metric(name).family]


def smallest_differences(
    sizes: Sequence[int], metrics: Sequence[str], pairs: Sequence[tuple[str, str]], earlier: Results | None
) -> list[Smallest]:
    """The smallest difference for each metric and pair of arms, from an earlier run's differences where it has them."""
    found = []
    for name in metrics:
        for a, b in pairs:
            seen = spread(earlier.questions, name, a, b) if earlier else None
            sd, icc = seen or (planned_sd(name), PLANNED_ICC)
            source = "an earlier run" if seen else "planning values"
            told = {"metric": name, "a": a, "b": b, "sd": round(sd, 4), "icc": round(icc, 3), "source": source}
            found.append(Smallest(difference=smallest(sizes, sd, icc), **told))
    return found


def spread(questions: Sequence[Question], name: str, a: str, b: str) -> tuple[float, float] | None:
    """The standard deviation of a run's paired differences, and their correlation within an interview.

    The correlation, from 0 to 1, is worked out from the ratio of the clustered standard error to that of independent
    questions. None where the run did not compare the two arms, or over fewer than two interviews.
    """
    cluster = {q.id: q.interview_id for q in questions}
    mine, theirs = ({q.id: v for q in questions if (v := _score(q, arm, name)) is not None} for arm in (a, b))
    found = paired_difference(mine, theirs, cluster)
    if found is None or not found.sd or found.error is None:
        return None
    both = [cluster[q] for q in mine.keys() & theirs.keys()]
    weight = sum(both.count(g) ** 2 for g in set(both)) / len(both) - 1
    inflated = found.error**2 * found.n / found.sd**2 - 1
    return found.sd, min(1.0, max(0.0, inflated / weight)) if weight else 0.0


def _score(question: Question, arm: str, name: str) -> float | None:
    answer = question.answers.get(arm)
    scored = answer.scores.get(name) if answer else None
    return scored.value if scored else None
