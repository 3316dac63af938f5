"""The results of readers' choices: can they tell the person from another, and then from the agent?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ratf.results.results import Results
from ratf.review.packet import Key, PacketItem
from ratf.statistics.estimates import Estimate, clustered_mean, equivalence
from ratf.statistics.samples import of_first
from ratf.suite.arms import FLOOR
from ratf.suite.metrics import is_judged, metric

EQUIVALENT = 0.10
"""An agent passes for the person when the 90 % interval of the readers' share right lies within 50 % ± this."""


EPSILON = 0.15
"""The margin of the alt-test, for a judge being cheap: Calderon et al. 2025, arXiv 2501.10970, use 0.15 for experts."""


Votes = Mapping[str, Mapping[str, bool]]
"""Yes-or-no votes by rater, then by item."""


def alpha(votes: Votes) -> float | None:
    """Krippendorff's alpha (nominal) over all items with two votes or more; None where it is not defined."""
    from evalica import alpha as krippendorff

    items = sorted({item for of_rater in votes.values() for item in of_rater})
    table = [[float(of_rater[i]) if i in of_rater else np.nan for i in items] for of_rater in votes.values()]
    seen = {x for row in table for x in row if not np.isnan(x)}
    if len(table) < 2 or len(seen) < 2 or not any(sum(i in v for v in votes.values()) > 1 for i in items):
        return None
    import pandas as pd

    return float(krippendorff(pd.DataFrame(table), distance="nominal").alpha)


@dataclass(frozen=True)
class AltTest:
    """The result of an alt-test; `winning` is the share of readers whom the judge may replace; 0.5 passes."""

    winning: float
    readers: int

    @property
    def passed(self) -> bool:
        """Whether the judge represents the readers at least as well as one of them does."""
        return self.winning >= 0.5


def alt_test(votes: Votes, judge: Mapping[str, bool], epsilon: float = EPSILON, level: float = 0.05) -> AltTest | None:
    """May the judge stand in for a reader (Calderon, Reichart & Dror 2025, arXiv 2501.10970)?

    Each reader is left out in turn. On each of their items, the judge and the reader score the share of the other
    readers' votes that they agree with. The judge wins against the reader when a one-sided paired t test rejects that
    it is worse by `epsilon` or more, with the Benjamini-Yekutieli correction over readers. None with fewer than three
    readers, or where no reader shares two items with the judge and another reader.
    """
    from scipy import stats

    p_values = []
    for reader, own in votes.items():
        differences = []
        for item in sorted(own.keys() & judge.keys()):
            others = [v[item] for name, v in votes.items() if name != reader and item in v]
            if others:
                share = float(np.mean(others))
                agreement = {True: share, False: 1 - share}
                differences.append(
                    float(agreement[judge[item]] >= agreement[own[item]])
                    - float(agreement[own[item]] >= agreement[judge[item]])
                )
        if len(differences) < 2:
            continue
        d = np.array(differences)
        spread = d.std(ddof=1)
        if spread == 0:
            p_values.append(0.0 if d.mean() > -epsilon else 1.0)
        else:
            p_values.append(float(stats.t.sf((d.mean() + epsilon) / (spread / np.sqrt(len(d))), len(d) - 1)))
    if len(votes) < 3 or not p_values:
        return None
    rejected = stats.false_discovery_control(p_values, method="by") <= level
    return AltTest(float(rejected.mean()), len(p_values))


def sensitivity_specificity(truth: Sequence[bool], said: Sequence[bool]) -> tuple[float | None, float | None]:
    """P(said yes | yes) and P(said no | no); None where there is nothing of that kind."""
    yes = [s for t, s in zip(truth, said, strict=True) if t]
    no = [not s for t, s in zip(truth, said, strict=True) if not t]
    return (float(np.mean(yes)) if yes else None), (float(np.mean(no)) if no else None)


def corrected_rate(observed: float, sensitivity: float, specificity: float) -> float | None:
    """The true rate, kept in 0..1, behind one observed with errors: theta = (p + q0 - 1) / (q0 + q1 - 1).

    Here p is the observed rate, q0 the specificity and q1 the sensitivity (Rogan & Gladen 1978; for judges arXiv
    2511.21140). None where the rater tells nothing: q0 + q1 near 1.
    """
    power = sensitivity + specificity - 1
    if power < 0.1:
        return None
    return float(np.clip((observed + specificity - 1) / power, 0.0, 1.0))


def d_prime(right: int, wrong: int) -> float:
    """d' of a two-alternative forced choice: sqrt(2) * z(share right), with the log-linear correction (Hautus 1995)."""
    return float(np.sqrt(2) * NormalDist().inv_cdf((right + 0.5) / (right + wrong + 1)))


@dataclass(frozen=True)
class ToldApart:
    """The choices of the real answer beside one kind of other answer."""

    against: str
    right: int
    wrong: int
    accuracy: Estimate | None

    @property
    def d_prime(self) -> float:
        """The sensitivity d' with which the readers told the two apart; 0 is chance."""
        return d_prime(self.right, self.wrong)


@dataclass(frozen=True)
class Calibration:
    """A judge's choices compared with the readers' majority on the same pairs."""

    judge: str
    items: int
    agreement: float
    sensitivity: float | None
    specificity: float | None
    corrected: float | None
    """The share of pairs in which readers would choose the real answer, from the judge's choices and its errors."""
    alt: AltTest | None


@dataclass(frozen=True)
class PacketOutcome:
    """Everything that a set of returned packets says."""

    readers: list[str]
    impostor: ToldApart
    agent: ToldApart
    alpha: float | None
    sentence: str


Choices = Mapping[str, Mapping[str, str]]
"""The chosen sides, A or B, by reader, then by item."""


def score_choices(key: Key, choices: Choices) -> PacketOutcome:
    """Accuracy on the pairs with another person, then on the pairs with the agent, and what that means in words."""
    impostor, agent = (_told(key.items, against, choices) for against in (FLOOR, key.arm))
    votes = {reader: {i.item: c[i.item] == i.real for i in key.items if i.item in c} for reader, c in choices.items()}
    return PacketOutcome(sorted(choices), impostor, agent, alpha(votes), _sentence(key, impostor, agent))


def _told(items: Sequence[PacketItem], against: str, choices: Choices) -> ToldApart:
    votes = [(i, [c[i.item] == i.real for c in choices.values() if i.item in c]) for i in items if i.against == against]
    votes = [(i, v) for i, v in votes if v]
    right = sum(sum(v) for _, v in votes)
    shares = [sum(v) / len(v) for _, v in votes]
    accuracy = clustered_mean(shares, [i.interview_id for i, _ in votes]) if votes else None
    return ToldApart(against, right, sum(len(v) for _, v in votes) - right, accuracy)


def _sentence(key: Key, impostor: ToldApart, agent: ToldApart) -> str:
    if impostor.accuracy is None or impostor.accuracy.low is None:
        return (
            "NOT MEASURED: too few choices between the person and another person to know whether the readers can tell."
        )
    if impostor.accuracy.low <= 0.5:
        return (
            f"NOT MEASURED: the readers do not tell {key.person} from another person (right in "
            f"{impostor.accuracy.mean:.0%} of the pairs), so their choices say nothing about {key.arm}."
        )
    found = agent.accuracy
    if found is None or found.low is None or found.high is None:
        return f"NOT MEASURED: too few choices between {key.person} and {key.arm}."
    told = f"right in {found.mean:.0%} [{found.low:.0%}, {found.high:.0%}] of {found.n} pairs"
    if found.high < 0.5:
        return f"CARICATURE: readers take {key.arm} for {key.person} more often than {key.person} ({told})."
    if found.low > 0.5:
        return f"TOLD APART: readers tell {key.arm} from {key.person} ({told})."
    shown = equivalence(replace(found, mean=found.mean - 0.5), EQUIVALENT)
    if shown is not None and shown.holds:
        return f"PASSES: readers cannot tell {key.arm} from {key.person} ({told}), within {EQUIVALENT:.0%} of chance."
    return f"INCONCLUSIVE: {told}; neither told apart nor shown to be within {EQUIVALENT:.0%} of chance."


def calibrate(key: Key, choices: Choices, judge: str, said: Mapping[str, bool]) -> Calibration | None:
    """A judge's own choices (question id -> did it take the real answer for real?) against the readers' majority.

    Only the agent's pairs count, for they are what the judge grades. None where no pair has both.
    """
    votes = {
        reader: {i.item: c[i.item] == i.real for i in key.items if i.against == key.arm and i.item in c}
        for reader, c in choices.items()
    }
    of_item = {i.item: said[i.question_id] for i in key.items if i.against == key.arm and i.question_id in said}
    majority = {}
    for item in of_item:
        cast = [v[item] for v in votes.values() if item in v]
        if cast and 2 * sum(cast) != len(cast):
            majority[item] = 2 * sum(cast) > len(cast)
    if not majority:
        return None
    truth, told = list(majority.values()), [of_item[i] for i in majority]
    q1, q0 = sensitivity_specificity(truth, told)
    observed = sum(of_item.values()) / len(of_item)
    return Calibration(
        judge=judge,
        items=len(majority),
        agreement=sum(a == b for a, b in zip(truth, told, strict=True)) / len(majority),
        sensitivity=q1,
        specificity=q0,
        corrected=corrected_rate(observed, q1, q0) if q1 is not None and q0 is not None else None,
        alt=alt_test(votes, of_item),
    )


def judge_choices(results: Results, arm: str) -> dict[str, dict[str, bool]]:
    """For each forced-choice judge of a run: question -> did it take the real answer for the real one?

    Its score is how often it took the arm's answer instead; where its two orders disagree, it chose neither. Of several
    answers to a question, it is about the first: readers were shown that one.
    """
    judges = [m for m in results.metrics if is_judged(m) and metric(m).criterion == "chosen"]
    return {
        judge: {
            q.id: score < 0.5
            for q in results.questions
            if arm in q.answers and (score := of_first(q.answers[arm].scores[judge])) is not None and score != 0.5
        }
        for judge in judges
    }
