"""Splits the variance of scores into questions, the model's own dice and graders, where questions are asked anew."""

from collections.abc import Mapping
from dataclasses import dataclass

from ratf.results.results import Results
from ratf.suite.metrics import title


@dataclass(frozen=True)
class Split:
    """The sources of the variance of one arm's scores on one metric.

    `questions`, `dice` and `graders` are standard deviations, in the metric's units: between questions, between the
    answers to one question, and between the graders of one answer (None without a panel). `one` and `mean` are the
    dice's share of the variance, of a single answer and of the mean of all answers to a question; None where nothing
    varies.
    """

    questions: float
    dice: float
    graders: float | None
    one: float | None
    mean: float | None


def samples_of(results: Results) -> int:
    """The number of times that each arm answered a question."""
    return int(results.suite.get("answers", {}).get("samples", 1))


def splits(results: Results, metric: str) -> dict[str, Split]:
    """The split of each arm's variance on a metric, in the run's order; arms without a split are left out."""
    found = {}
    for name, arm in results.arms.items():
        cell = arm.metrics.get(metric)
        made = split(cell.variance, samples_of(results)) if cell else None
        if made is not None:
            found[name] = made
    return found


def split(variance: Mapping[str, float | None], samples: int) -> Split | None:
    """The split made of the parts that `ratf.statistics.samples.spread` has found; None where it found no two.

    In the mean of `samples` answers a part under the question counts 1 / samples (law of total variance; Miller 2024,
    arXiv 2411.00640, section 3.1).
    """
    between, within, rating = (variance.get(part) for part in ("question", "sample", "rating"))
    if between is None or within is None:
        return None
    noise = within + (rating or 0.0)
    return Split(
        between**0.5,
        within**0.5,
        None if rating is None else rating**0.5,
        _share(within, between + noise),
        _share(within / samples, between + noise / samples),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def sentence(results: Results) -> str:
    """A sentence on what the split says of the two arms of the verdict."""
    primary = results.suite["primary"]
    of = splits(results, primary["metric"])
    shares = [(arm, of[arm].one, of[arm].mean) for arm in (primary["better"], primary["than"]) if arm in of]
    told = [(arm, one, mean) for arm, one, mean in shares if one is not None and mean is not None]
    if not told:
        return f"In {title(primary['metric'])} the spread could not be split: too few questions were scored, or nothing varies."
    one = " and ".join(f"{percent(o)} of the variance of {arm}’s single answers" for arm, o, _ in told)
    mean = " and ".join(percent(m) for _, _, m in told)
    return (
        f"In {title(primary['metric'])}, answering the same question again makes up {one}; in the mean of "
        f"{samples_of(results)} answers it makes up {mean}."
    )


def percent(share: float | None) -> str:
    """A share as `41 %`, or `n/a` where there is none."""
    return "n/a" if share is None else f"{100 * share:.0f} %"
