"""Inference over people: one run's results of all people together, a row for each, and how much they differ."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ratf.gate.gate import Checked
from ratf.results.exams import Exam
from ratf.results.results import Answer, ArmResult, Leaks, Question, Results, Scored, Spent
from ratf.statistics.contrasts import Scores, contrasts
from ratf.statistics.decision import decide
from ratf.statistics.estimates import FEW_CLUSTERS, Estimate, holm, paired_difference
from ratf.statistics.samples import cell_of
from ratf.statistics.verdict import not_measured
from ratf.sweep.reading import Group, joined
from ratf.sweep.records import PersonRow, Spread

FEW_PEOPLE = FEW_CLUSTERS
"""The fewest people over whom intervals are; with fewer they are over interviews within people."""
FEW_TO_STAND_OUT = 4
"""The fewest people among whom somebody can be said to stand out."""


@dataclass(frozen=True)
class Together:
    """The people at one setting: who counts, why others do not, and the independent unit of each question."""

    groups: list[Group]
    """Those who count: each primary metric was admitted on them, with every seed."""
    left_out: dict[str, str]
    """Person → why they do not count."""
    names: dict[str, str]
    """Person → their name, of everybody."""
    over: Literal["people", "interviews"]

    @property
    def cluster(self) -> dict[str, str]:
        """Question → its independent unit: the person, or the interview where there are fewer than FEW_PEOPLE."""
        return {
            joined(g.person, q): g.person if self.over == "people" else joined(g.person, interview)
            for g in self.groups
            for q, interview in g.first.interviews.items()
        }

    @property
    def uncounted(self) -> str:
        """Who does not count and why, in words."""
        return "; ".join(f"{self.names[person]}, {why}" for person, why in self.left_out.items())

    @property
    def inference(self) -> str:
        """What the intervals are over, in a sentence."""
        n = len(self.groups)
        whose = f"{n} people" if n != 1 else "one person"
        kept = f"; not counted: {self.uncounted}" if self.left_out else ""
        if self.over == "people":
            return f"The intervals are over {whose}: they tell what other people like these would show{kept}"
        less = f", because there are fewer than {FEW_PEOPLE} people" if n != 1 else ""
        return f"The intervals are over the interviews of {whose}{less}: they tell of {'these people' if n != 1 else 'this person'} alone{kept}"


def together(groups: Sequence[Group], primary: Sequence[str]) -> Together:
    """Decide who counts and what intervals are over; an exam reads no arm's answers, so leaving people out favours none."""
    left_out = {}
    for group in groups:
        for metric in primary:
            for cell in group.cells:
                if metric in cell.refused and group.person not in left_out:
                    left_out[group.person] = f"{metric} is not admitted on them: {cell.refused[metric]}"
    kept = [g for g in groups if g.person not in left_out]
    names = {g.person: str(g.first.person["name"]) for g in groups}
    return Together(kept, left_out, names, "people" if len(kept) >= FEW_PEOPLE else "interviews")


def pooled(of: Together, all_people: int, times: dict[str, Any]) -> Results:
    """The results of all people who count as those of one run, with its verdict: what the gate, the board and CI read.

    Questions are named `person/question` and have no texts. Every statistic is that of a single run with the people, or
    their interviews, as clusters: the mean is over questions, so that whoever was asked more counts more.
    """
    first = of.groups[0].first
    arms, metrics = list(first.arms), list(first.metrics)
    cluster = of.cluster
    scores: dict[str, dict[str, dict[str, Scored]]] = {arm: {m: {} for m in metrics} for arm in arms}
    for group in of.groups:
        for arm, by_metric in group.scores(arms, metrics).items():
            for m, by_question in by_metric.items():
                scores[arm][m] |= {joined(group.person, q): s for q, s in by_question.items()}
    pair = (first.suite["primary"]["better"], first.suite["primary"]["than"])
    primary = [m for m in (first.suite["primary"]["metric"], first.suite["primary"].get("second")) if m]
    found = contrasts(scores, first.pairs, cluster)
    exams = [_exam(of, m, m in primary, all_people) for m in metrics if first.metrics[m].get("axis")]
    trouble = [f"{c.cell.name}: {why}" for g in of.groups for c in g.cells for why in c.trouble]
    few = (
        [f"{m} is admitted on {len(of.groups)} of {all_people} people only" for m in primary]
        if _too_few(of, all_people)
        else []
    )
    named = {c.metric: c for c in found if (c.a, c.b) == pair}
    made = decide(
        {m: named.get(m) for m in primary}, pair, first.metrics, scores, cluster,
        {m: [*trouble, *few] for m in primary}, not_measured(exams),
    )  # fmt: skip
    return Results(
        suite={**first.suite, "person": ", ".join(g.person for g in of.groups), "impostors": _impostors(of)},
        digest=_digest(c.digest for g in of.groups for c in g.cells),
        data_digest=_digest(g.first.data_digest for g in of.groups),
        prompts_digest=_digest(g.first.prompts_digest for g in of.groups),
        person={"key": "people", "name": f"{len(of.groups)} people"},
        impostors={k: name for g in of.groups for k, name in g.first.impostors.items()},
        fictional=any(g.first.fictional for g in of.groups),
        held_out={"questions": len(cluster), "from": None, "interviews": []},
        training={"exchanges": 0, "earlier_exchanges": 0, "documents": 0, "left_out": {}},
        metrics=first.metrics,
        arms={arm: _arm(of, arm, scores[arm], cluster) for arm in arms},
        contrasts=found,
        verdict=made.verdict,
        sentence=in_words(made.sentence, of.over),
        axes=[a.model_copy(update={"sentence": in_words(a.sentence, of.over)}) for a in made.axes],
        second_looks=made.looks,
        tuned=[],
        notes=[f"{of.inference}."],
        leaks=_leaks(of),
        questions=[_question(q, unit, scores) for q, unit in cluster.items()],
        environment=first.environment,
        times=times,
        exam=exams,
        budget=_spent(of),
    )


def in_words(sentence: str, over: str) -> str:
    """A sentence of a run's with people for interviews, where they are the units that it counts."""
    return re.sub(r"\bin (\d+) interviews?\b", r"of \1 people", sentence) if over == "people" else sentence


def of_units(checked: Checked, over: str) -> Checked:
    """A verdict of the gate on all people together, in words of the units that it counts."""
    rules = [r.model_copy(update={"sentence": in_words(r.sentence, over)}) for r in checked.rules]
    return checked.model_copy(update={"sentence": in_words(checked.sentence, over), "rules": rules})


def _too_few(of: Together, all_people: int) -> bool:
    return 2 * len(of.groups) < all_people


def _digest(parts: Any) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _impostors(of: Together) -> list[str]:
    return sorted({key for g in of.groups for key in g.first.suite.get("impostors", [])})


def _exam(of: Together, metric: str, primary: bool, all_people: int) -> Exam:
    """The exams of all people as one entry: of the primary metrics everybody who counts has passed."""
    about = of.groups[0].first.metrics[metric]
    passed = sum(all(metric not in c.refused for c in g.cells) for g in of.groups)
    admitted = not _too_few(of, all_people) if primary else passed == len(of.groups)
    told = f"admitted on {passed} of {len(of.groups) if not primary else all_people} people"
    return Exam(
        metric=metric, axis=str(about.get("axis")), auc=None, low=None, high=None, admitted=admitted, reason=told, bar=0.5,
        n=passed, interviews=0, unscored=0,
    )  # fmt: skip


def _arm(of: Together, arm: str, scores: Mapping[str, Mapping[str, Scored]], cluster: Mapping[str, str]) -> ArmResult:
    several = [[c.arms[arm] for c in g.cells] for g in of.groups]
    states: Counter[str] = Counter()
    for first in (s[0] for s in several):
        states.update(first.states)
    models = {a.model for s in several for a in s}
    cells = {metric: cell_of(by_question, cluster) for metric, by_question in scores.items()}
    one = several[0][0]
    return ArmResult(
        kind=one.kind,
        words=one.words,
        model=next(iter(models)) if len(models) == 1 else "one for each person",
        errors=sum(max(a.errors for a in s) for s in several),
        metrics=cells,
        states=dict(states),
        kinds_of_errors={k: n for s in several for a in s for k, n in a.kinds_of_errors.items()},
    )


def _question(name: str, unit: str, scores: Scores) -> Question:
    answers = {
        arm: Answer(text="", memories=[], source="", scores={m: of[name] for m, of in by_metric.items() if name in of})
        for arm, by_metric in scores.items()
    }
    return Question(id=name, interview_id=unit, interview=unit, date=None, question="", real="", answers=answers)


def _leaks(of: Together) -> Leaks | None:
    found = [c.leaks for g in of.groups for c in g.cells]
    if any(leaks is None for leaks in found):
        return None
    return Leaks(checked="each person's run", found=[leak for leaks in found for leak in leaks or ()])


def _spent(of: Together) -> Spent | None:
    spent = [c.spent for g in of.groups for c in g.cells]
    if any(s is None for s in spent):
        return None
    usd, tokens, minutes = ([getattr(s, what) for s in spent] for what in ("usd", "tokens", "minutes"))
    return Spent(
        usd=None if None in usd else round(sum(usd), 6),
        tokens=None if None in tokens else sum(tokens),
        minutes=None if None in minutes else round(sum(minutes), 2),
    )


def rows(of: Together, groups: Sequence[Group], metric: str, pair: tuple[str, str]) -> tuple[list[PersonRow], Spread]:
    """What the primary comparison says of each person, who stands out, and how much people differ."""
    found: list[tuple[Group, Estimate | None]] = []
    for group in groups:
        cluster = group.first.interviews
        found.append(
            (group, paired_difference(group.numbers(pair[0], metric), group.numbers(pair[1], metric), cluster))
        )
    counted = {g.person: e for g, e in found if g.person not in of.left_out and e is not None}
    outs = standing_out([e.mean for e in counted.values()])
    p_of = dict(zip(counted, outs, strict=True))
    told = [
        PersonRow(
            person=g.person,
            metric=metric,
            counted=g.person not in of.left_out,
            why_not=of.left_out.get(g.person, ""),
            difference=e.mean if e else None,
            low=e.low if e else None,
            high=e.high if e else None,
            questions=e.n if e else 0,
            interviews=e.clusters if e else 0,
            stands_out=p_of.get(g.person),
        )
        for g, e in found
    ]
    return told, spread_of(metric, list(counted.values()))


def standing_out(means: Sequence[float]) -> list[float | None]:
    """For each number the two-sided p that it is of the same kind as the others, after Holm's correction; None for a few.

    Each is set against the others' mean and standard deviation s: t = (x - mean) / (s √(1 + 1/n)) with n - 1 degrees of
    freedom for n others (an externally studentised residual; Cook & Weisberg 1982). Fewer than FEW_TO_STAND_OUT give None.
    """
    from scipy.special import stdtr

    if len(means) < FEW_TO_STAND_OUT:
        return [None] * len(means)
    p: list[float | None] = []
    for at, x in enumerate(means):
        others = [v for i, v in enumerate(means) if i != at]
        n = len(others)
        mean = sum(others) / n
        sd = math.sqrt(sum((v - mean) ** 2 for v in others) / (n - 1))
        off = abs(x - mean)
        p.append(2 * float(stdtr(n - 1, -off / (sd * math.sqrt(1 + 1 / n)))) if sd else float(off == 0))
    return holm(p)


def spread_of(metric: str, estimates: Sequence[Estimate]) -> Spread:
    """The standard deviation of true differences between people, by DerSimonian & Laird's (1986) moments.

    With w the inverse squared standard error of each person, over interviews, Q = Σ w (d - mean)², and the variance between
    people is (Q - (k - 1)) / (Σw - Σw²/Σw), at least 0. `p` is that of Q on k - 1 degrees of freedom (Cochran 1954). It
    takes the standard errors as known, which a few interviews a person only roughly give.
    """
    from scipy.special import chdtrc

    known = [(e.mean, 1 / e.error**2) for e in estimates if e.error]
    if len(known) < 3:
        return Spread(metric=metric, people=len(estimates), sd=None)
    total = sum(w for _, w in known)
    mean = sum(d * w for d, w in known) / total
    q = sum(w * (d - mean) ** 2 for d, w in known)
    free = len(known) - 1
    between = max(0.0, (q - free) / (total - sum(w * w for _, w in known) / total))
    return Spread(metric=metric, people=len(known), sd=math.sqrt(between), p=float(chdtrc(free, q)))
