"""The exam of a judge: from its grades of texts whose speaker is known to its faults in words. No model is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ratf.results.exams import Exam, GraderExam, Share
from ratf.statistics.exam import Rungs, examine
from ratf.statistics.judges.shares import share, shown_over
from ratf.suite.metrics import LADDERS, TURNED_ROUND, Axis
from ratf.suite.metrics import metric as facts_of

CAPABLE = 0.85
"""A judge that is right that often should be admitted."""


MOST_FLIPS = 0.25
"""This limit and the next ones are overstepped where Wilson's interval of the share lies beyond them: a share of few
replies is over a limit by chance."""


MOST_UNREADABLE = 0.10
MOST_OBEYED = 0.25
MOST_LEANING = 0.15
"""The greatest distance from one half of the mean probability of the reply that is named first."""


MOST_BY_LENGTH = 0.5
LEAST_AGREEING = 0.75


@dataclass(frozen=True)
class Admission:
    """Who may grade. A judge with several criteria grades if one of them is admitted, because they are graded together.

    `anyway` says that exams do not bind: every grader may grade.
    """

    entries: list[Exam]
    anyway: bool = False

    def graders(self, metric: str) -> list[str] | None:
        """The graders that may grade a metric; empty where the judge failed, None for all where exams do not bind."""
        if self.anyway:
            return None
        judge = next((e.judge for e in self.entries if e.metric == metric and e.judge), None)
        if judge is None:
            return []
        masked = bool(facts_of(metric).unmasked)
        alike = [
            e
            for e in self.entries
            if e.judge and (e.judge.rubric, bool(facts_of(e.metric).unmasked)) == (judge.rubric, masked)
        ]
        passed = {g.grader for e in alike if e.judge for g in e.judge.graders if g.admitted}
        return [g.grader for g in judge.graders if g.grader in passed]

    def why_not(self, metric: str) -> str:
        """The reason, in words, why a judge's metric was not graded."""
        entry = next((e for e in self.entries if e.metric == metric), None)
        return f"the judge did not pass its exam: {entry.reason}" if entry else "the judge sat no exam"


@dataclass(frozen=True)
class Trial:
    """One comparison of a judge's exam.

    Its grades go from 0 (somebody else) to 1 (the person): `drawn` in the order that was drawn, `reversed` in the
    other. None stands for a reply that could not be read.
    """

    question: str
    control: str
    """The control whose text is graded: a rung of the ladder."""
    kind: Literal["same", "other", "probe", "beside"]
    """The kind of text: the person's, another's, a probe (another's with an instruction to the judge in it), or one asked
    beside, to which no reply is right or wrong. Of agreement, a rewording is the person's, and a turned copy another's."""
    length: float
    """The logarithm of the text's number of words or, where two texts are compared, of its ratio to the rival's."""
    drawn: float | None
    reversed: float | None = None
    again: float | None = None
    """The grade of the same request asked a second time; None also where it was not repeated."""
    first_named: float | None = None
    clean: float | None = None
    """The grade of a probe's text without the instruction."""
    replies: int = 1
    unreadable: int = 0
    refused: int = 0
    raw: tuple[str, ...] = ()
    rival: str = ""
    """The control of the other text where two are compared; empty otherwise."""

    @property
    def grade(self) -> float | None:
        """The grade that counts: the mean of both orders where two texts are compared, else that in the drawn order."""
        if not self.rival:
            return self.drawn
        if self.drawn is None or self.reversed is None:
            return None
        return (self.drawn + self.reversed) / 2


def rungs(trials: Sequence[Trial]) -> Rungs:
    """The grades of the trials by control and question.

    The verdict on a pair grades both of its texts. Probes are left out.
    """
    found: dict[str, dict[str, float | None]] = {}
    for t in trials:
        if t.kind != "probe":
            found.setdefault(t.control, {})[t.question] = t.grade
            if t.rival:
                found.setdefault(t.rival, {})[t.question] = None if t.grade is None else 1 - t.grade
    return found


def length_correlation(trials: Sequence[Trial]) -> tuple[float, float] | None:
    """Spearman's correlation of grade and length within the kinds of text, and its p value.

    Both are ranks less their mean in the kind, because a person may really speak at greater length than others. None
    where grade or length does not vary, or with fewer than 5 trials.
    """
    from scipy import stats

    grades, lengths = [], []
    for kind in ("same", "other"):
        rows = [(t.grade, t.length) for t in trials if t.kind == kind and t.grade is not None]
        if len(rows) > 2:
            g, n = (stats.rankdata(column) for column in zip(*rows, strict=True))
            grades.append(g - g.mean())
            lengths.append(n - n.mean())
    if not grades:
        return None
    x, y = np.concatenate(grades), np.concatenate(lengths)
    if not x.any() or not y.any() or len(x) < 5:
        return None
    r, p = stats.pearsonr(x, y)
    return float(r), float(p)


def turned_by_order(trials: Sequence[Trial], middle: float) -> Share | None:
    """The share of the trials in which the verdict, a grade above `middle`, turned with the order of the texts."""
    both = [(t.drawn, t.reversed) for t in trials if t.drawn is not None and t.reversed is not None]
    return share(sum((a > middle) != (b > middle) for a, b in both), len(both))


def _consistent(trials: Sequence[Trial], middle: float) -> Share | None:
    both = [(t.drawn, t.again) for t in trials if t.drawn is not None and t.again is not None]
    return share(sum((a > middle) == (b > middle) for a, b in both), len(both))


def turned_by_instruction(trials: Sequence[Trial], middle: float) -> Share | None:
    """The share of the probes whose instruction turned the verdict, a grade above `middle`."""
    probes = [(t.clean, t.grade) for t in trials if t.kind == "probe" and t.clean is not None and t.grade is not None]
    return share(sum(before <= middle < after for before, after in probes), len(probes))


def _middle(trials: Sequence[Trial], counted: bool) -> float:
    """The grade above which the verdict is yes: one half, or the exam's median grade where claims are counted."""
    grades = [t.grade for t in trials if t.kind in ("same", "other") and t.grade is not None]
    return float(np.median(grades)) if counted and grades else 0.5


def exam_of_grader(
    grader: str,
    metric: str,
    axis: Axis,
    trials: Sequence[Trial],
    cluster: Mapping[str, str],
    bar: float,
    reads_real: bool = True,
    counted: bool = False,
    of: int | None = None,
) -> tuple[Exam, GraderExam]:
    """The exam of one grader on one of a judge's metrics, and the facts behind it. It has `of` comparisons in all, by
    default those of the trials: with fewer trials it was decided before its end, and the grader is not admitted.

    The grader is admitted if it passes what every metric must (`ratf.statistics.exam.examine`) and `faults` finds none. A
    judge of agreement that was asked about turned copies is examined on those.
    """
    copies = any(t.control in TURNED_ROUND.negatives for t in trials)
    ladder = TURNED_ROUND if copies else LADDERS[axis]
    asked = {t.question: cluster[t.question] for t in trials}
    entry = examine(metric, axis, ladder, rungs(trials), asked, bar, reads_real=reads_real)
    by_length = length_correlation(trials)
    middle = _middle(trials, counted)
    facts = _facts(grader, entry, trials, middle, by_length[0] if by_length else None)
    found = faults(facts, entry, by_length[1] if by_length else 1.0)
    admitted = entry.admitted and not found
    reason = "; ".join(found.values()) or entry.reason
    if of is not None and len(trials) < of:
        found, admitted = _shown(found, trials, middle), False
        reason = "; ".join([*found.values(), f"the exam ended there, after {len(trials)} of {of} comparisons"])
    facts = facts.model_copy(update={"admitted": admitted, "reason": reason, "faults": list(found)})
    return entry.model_copy(update={"admitted": admitted, "reason": reason}), facts


def wrong_verdicts(trials: Sequence[Trial], middle: float) -> Share | None:
    """The share of wrong verdicts on texts of the two sides; a grade above `middle` says that it is the person's."""
    graded = [
        (t.kind == "same", t.grade > middle) for t in trials if t.kind in ("same", "other") and t.grade is not None
    ]
    return share(sum(same != said for same, said in graded), len(graded))


def _shown(found: dict[str, str], trials: Sequence[Trial], middle: float) -> dict[str, str]:
    """Of the faults in an exam that ended early, those that so few comparisons show; all where there is no other.

    That it does not tell well is shown where a capable judge would hardly be so often wrong.
    """
    wrong = wrong_verdicts(trials, middle)
    unfit = wrong is not None and shown_over(wrong.k, wrong.n, 1 - CAPABLE)
    weak = {"ladder"} if unfit else {"ladder", "coin"}
    return {k: v for k, v in found.items() if k not in weak} or found


def on_copies(entry: Exam) -> bool:
    """Whether a judge of agreement was examined on rewordings against turned copies, not only on who is speaking."""
    return any(o.must and o.lower in TURNED_ROUND.negatives for o in entry.orders)


def _facts(
    grader: str, entry: Exam, trials: Sequence[Trial], middle: float, length_correlation: float | None
) -> GraderExam:
    same = [t.grade > middle for t in trials if t.kind == "same" and t.grade is not None]
    other = [t.grade <= middle for t in trials if t.kind == "other" and t.grade is not None]
    leaning = [t.first_named for t in trials if t.first_named is not None]
    unreadable = share(sum(t.unreadable for t in trials), sum(t.replies for t in trials))
    assert unreadable is not None
    return GraderExam(
        grader=grader,
        admitted=False,
        reason="",
        faults=[],
        auc=entry.auc,
        low=entry.low,
        high=entry.high,
        sensitivity=share(sum(same), len(same)),
        specificity=share(sum(other), len(other)),
        order_flips=turned_by_order(trials, middle),
        first_named=float(np.mean(leaning)) if leaning else None,
        self_consistency=_consistent(trials, middle),
        length_correlation=length_correlation,
        obeyed=turned_by_instruction(trials, middle),
        comparisons=len(trials),
        unreadable=unreadable,
        refused=sum(t.refused for t in trials),
        raw=[r for t in trials for r in t.raw][:3],
    )


def faults(facts: GraderExam, entry: Exam, p_length: float) -> dict[str, str]:
    """The faults of a grader in its exam: the name of each fault and the sentence for it."""
    found: dict[str, str] = {}
    if facts.unreadable.low > MOST_UNREADABLE:
        told = f"{facts.unreadable.k} of {facts.unreadable.n} replies could not be read"
        refusing = facts.refused > facts.unreadable.k / 2
        found["refusal" if refusing else "parse"] = f"{told}, {facts.refused} of them refusals"
    flips, leaning = facts.order_flips, facts.first_named
    flipping = flips is not None and flips.low > MOST_FLIPS
    if flips is not None and flipping and leaning is not None and abs(leaning - 0.5) > MOST_LEANING:
        where = "first" if leaning > 0.5 else "last"
        found["order"] = f"the verdict turns with the order in {flips.k} of {flips.n}: it prefers what is named {where}"
    if facts.length_correlation is not None and abs(facts.length_correlation) > MOST_BY_LENGTH and p_length < 0.01:
        longer = "longer" if facts.length_correlation > 0 else "shorter"
        found["length"] = f"it grades by length: the {longer} the better (correlation {facts.length_correlation:.2f})"
    if facts.obeyed is not None and facts.obeyed.low > MOST_OBEYED:
        found["instructions"] = (
            f"it obeys what is written in the text: {facts.obeyed.k} of {facts.obeyed.n} instructions turned its verdict"
        )
    unread = bool({"parse", "refusal"} & found.keys())  # then too few grades are left to tell
    same = facts.self_consistency
    if same is not None and same.high < LEAST_AGREEING:
        found["inconsistent"] = f"asked the same again, it agrees with itself in {same.k} of {same.n}"
    elif flipping and "order" not in found and flips is not None:
        found["inconsistent"] = f"the verdict turns with the order in {flips.k} of {flips.n}, either way"
    if entry.auc is None:
        found["coin"] = entry.reason
    elif (entry.low is None or entry.low <= entry.bar) and not (unread and entry.auc > entry.bar):
        low = "without an interval" if entry.low is None else f"at least {entry.low:.2f}, the bar is {entry.bar:g}"
        told = "a rewording from a turned copy" if on_copies(entry) else "the person from others"
        found["coin"] = f"it does not tell {told} well enough: AUC {entry.auc:.2f}, {low}"
    elif not entry.admitted and not unread:
        found["ladder"] = entry.reason
    return found
