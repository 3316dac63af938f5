"""Decides each rule of a policy from the scores of a run and of a reference run."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from raft.text import number_of
from ratf.gate.policy import BASELINE_RUN, Policy, Rule, Tier
from ratf.results.record import Record
from ratf.results.results import Results, Scored, Verdict
from ratf.results.snapshot import Snapshot
from ratf.statistics.contrasts import contrasts
from ratf.statistics.decision import above_nothing, decide, filled_at_floor, left_unscored
from ratf.statistics.estimates import (
    ALPHA,
    FEW_CLUSTERS,
    Estimate,
    equivalence,
    holm,
    non_inferiority,
    paired_difference,
)
from ratf.statistics.verdict import signed
from ratf.suite.arms import FLOOR
from ratf.suite.metrics import axis_meant

WORST = 5
"""The greatest number of fallen questions that a result names."""


CLAIMS = {"better": "better than", "not worse": "not worse than", "equivalent": "equivalent to"}
HOLDS = {"better": "beats", "not worse": "is not worse than", "equivalent": "is equivalent to"}


class RuleResult(Record):
    """The result of one rule. Differences are the run's scores less the other's, whichever direction is better."""

    rule: str
    tier: Tier
    verdict: Verdict
    sentence: str
    metric: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    p: float | None = None
    """The one-sided p-value for the rule being broken; a small one speaks against the rule."""
    p_holm: float | None = None
    smallest_detectable: float | None = None
    n_questions: int = 0
    n_interviews: int = 0
    questions: tuple[str, ...] = ()
    """The questions that broke the rule, or fell most, worst first."""


@dataclass(frozen=True)
class RuleCase:
    """Everything that a rule may read: the results, the scores of both runs, and the policy."""

    results: Results
    run: Snapshot
    baseline: Snapshot | None
    policy: Policy


@dataclass
class Finding:
    """A rule and its result. A comparison has a `gain`, positive where better, and a `p` to be corrected."""

    rule: Rule
    result: RuleResult
    gain: Estimate | None = None
    told: str = ""
    p: float | None = None
    demoted: bool = False
    """Whether a critical rule is only shown: nothing says how far its numbers move by chance."""
    floored: Estimate | None = None
    """The gain with what an arm left unscored at the floor, which a PASS has to stand, too; None where nothing was left."""
    unread: str = ""
    """Why what was left unscored cannot be read at the floor, where it cannot."""
    hollow: str = ""
    """That the arm has no more voice than what says nothing may have, where that is so."""


def _compared(rule: Rule, case: RuleCase) -> Finding:
    """A rule about the mean of the paired differences; its verdict waits for the other rules of its tier."""
    lacks = _lacking(rule, case)
    if lacks:
        return _finding(rule, "NOT MEASURED", lacks)
    ours, theirs = sides(rule, case)
    found = paired_difference(ours, theirs, case.run.interviews)
    if found is None:
        return _finding(rule, "NOT MEASURED", f"no question has a score on {rule.metric} on both sides")
    sign = _sign(rule, case)
    worse = {q: sign * (theirs[q] - ours[q]) for q in ours.keys() & theirs.keys()}
    fallen = sorted((q for q in worse if worse[q] > 0), key=lambda q: (-worse[q], q))
    finding = compared(rule, found, sign, tuple(fallen[:WORST]))
    _read_at_floor(finding, case, sign)
    if rule.kind == "better" and sign > 0 and axis_meant(str(case.results.metrics[rule.metric].get("axis"))) == "voice":
        look = above_nothing(rule.metric, rule.arm, _scores(case.results, (rule.metric,)), case.run.interviews)
        finding.hollow = look.words if look and not look.holds else ""
    return finding


def _read_at_floor(finding: Finding, case: RuleCase, sign: int) -> None:
    """Add to a comparison what it gives with the answers that an arm left unscored by what it said at the floor.

    Of a reference run only the numbers are kept, so what it left unscored stays out.
    """
    rule, scores = finding.rule, _scores(case.results, (finding.rule.metric,))
    theirs = {q: Scored(value=v) for q, v in sides(rule, case)[1].items()}
    of_run = rule.other != BASELINE_RUN
    arms = {
        "ours": scores.get(rule.arm, {}).get(rule.metric, {}),
        "theirs": scores.get(rule.other, {}).get(rule.metric, {}) if of_run else theirs,
    }
    left = sum(map(len, left_unscored(rule.metric, arms).values()))
    if not left:
        return
    filled = filled_at_floor(rule.metric, arms, scores, sign)
    if filled is None:
        finding.unread = (
            f"{left} answers are left unscored, and the run has no score of {FLOOR} to read them at the floor"
        )
    else:
        finding.floored = paired_difference(filled["ours"], filled["theirs"], case.run.interviews)


def compared(rule: Rule, found: Estimate, sign: int = 1, fallen: tuple[str, ...] = ()) -> Finding:
    """The finding of a comparison. `sign` is -1 where lower is better; `fallen` names the questions that fell most."""
    told = f"{signed(found.mean, found.low, found.high)} on {rule.metric}, {number_of(found.n, 'paired question')} in {number_of(found.clusters, 'interview')}"
    if found.error is None:
        told += "; a single interview gives no interval"
        return _finding(rule, "NOT MEASURED", f"{rule.arm} − {rule.other}: {told}")
    numbers = {
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "smallest_detectable": found.detectable,
        "n_questions": found.n,
        "n_interviews": found.clusters,
        "questions": fallen,
    }
    gain = found if sign > 0 else found.turned()
    floor = 0.0 if rule.kind == "better" else -(rule.limit or 0.0)
    return Finding(rule, _finding(rule, "INCONCLUSIVE", told, **numbers).result, gain, told, gain.p_under(floor))


def decided(finding: Finding, p_holm: float | None, family: int) -> RuleResult:
    """The verdict of a comparison, given its corrected p of being broken among `family` comparisons."""
    rule, gain, p = finding.rule, finding.gain, finding.p
    if gain is None or p is None or p_holm is None:
        return finding.result
    margin = (
        "" if rule.limit is None else f" {'within' if rule.kind == 'equivalent' else 'by more than'} {rule.limit:g}"
    )
    if p_holm <= ALPHA / 2:
        worse = "" if rule.kind == "better" or rule.limit is None else f" by more than {rule.limit:g}"
        verdict, words = "REGRESSION", f"is worse than {rule.other}{worse}"
    elif p <= ALPHA / 2:
        verdict, words = "INCONCLUSIVE", f"fell against {rule.other}, but not more than one of {family} comparisons may"
    elif _kept(gain, rule):
        verdict, words = "PASS", f"{HOLDS[rule.kind]} {rule.other}{margin}"
        if rule.kind == "not worse" and rule.limit is None:
            words = f"shows no regression against {rule.other}"
        if lost := finding.hollow or _lost_at_floor(finding):
            verdict, words = "INCONCLUSIVE", f"{words}, but {lost}"
    else:
        verdict, words = "INCONCLUSIVE", f"is not shown to be {CLAIMS[rule.kind]} {rule.other}{margin}"
        if rule.kind == "not worse" and rule.limit is None:
            few = gain.clusters < FEW_CLUSTERS
            why = f"from under {FEW_CLUSTERS} interviews" if few else f"as a drop of {rule.declares:g} could be missed"
            words = f"shows no drop against {rule.other}, which proves nothing {why}"
    sentence = f"{rule.arm} {words}: {finding.told}"
    if verdict == "INCONCLUSIVE" or (verdict == "PASS" and rule.kind == "not worse" and rule.limit is None):
        sentence += f"; smallest difference that can be seen: {gain.detectable:.2g}"
    return finding.result.model_copy(update={"verdict": verdict, "sentence": sentence, "p": p, "p_holm": p_holm})


def _lost_at_floor(finding: Finding) -> str:
    """Why a rule that holds on the scores alone does not with what was left unscored at the floor; empty where it does."""
    if finding.floored is None:
        return finding.unread
    limit = 0.0 if finding.rule.kind == "better" else -(finding.rule.limit or 0.0)
    fell = finding.floored.p_under(limit)
    if _kept(finding.floored, finding.rule) and not (fell is not None and fell <= ALPHA / 2):
        return ""
    told = signed(finding.floored.mean, finding.floored.low, finding.floored.high)
    return f"not with the answers that were left unscored at the floor (better by {told})"


def _kept(gain: Estimate, rule: Rule) -> bool:
    """Whether the rule is shown to hold or, without a margin to show it against, whether nothing speaks against it."""
    if rule.kind == "better":
        shown = gain.p_over(rule.limit or 0.0)
        return shown is not None and shown <= ALPHA / 2
    if rule.limit is None:
        return _sees(gain, rule)
    claim = equivalence(gain, rule.limit) if rule.kind == "equivalent" else non_inferiority(gain, rule.limit)
    return claim is not None and claim.holds


def _sees(gain: Estimate, rule: Rule) -> bool:
    """Whether the drop that the policy declares would have been seen: without that, no drop means nothing."""
    return gain.clusters >= FEW_CLUSTERS and gain.detectable is not None and gain.detectable <= rule.declares


def _axes(rule: Rule, case: RuleCase) -> Finding:
    """A rule about two axes, decided as a run's own verdict on both is, second looks included."""
    metrics = (rule.metric, rule.second)
    lacks = [said for m in metrics if (said := _lacking(replace(rule, metric=m), case))]
    if lacks:
        return _finding(rule, "NOT MEASURED", "; ".join(lacks))
    results, pair = case.results, (rule.arm, rule.other)
    scores = _scores(results, metrics)
    found = {c.metric: c for c in contrasts(scores, [pair], case.run.interviews)}
    primary = {m: found.get(m) for m in metrics}
    made = decide(primary, pair, results.metrics, scores, case.run.interviews, {})
    return _finding(rule, made.verdict, made.sentence, n_questions=len(results.questions))


def _scores(results: Results, metrics: Collection[str]) -> dict[str, dict[str, dict[str, Scored]]]:
    """The scores on these metrics by arm, metric and question."""
    scores: dict[str, dict[str, dict[str, Scored]]] = {}
    for q in results.questions:
        for arm, answer in q.answers.items():
            for m in answer.scores.keys() & set(metrics):
                scores.setdefault(arm, {}).setdefault(m, {})[q.id] = answer.scores[m]
    return scores


def _each_question(rule: Rule, case: RuleCase) -> Finding:
    """Breakage that a mean would hide: no question may fall by more than the limit, and than chance explains.

    How far one question moves by chance is told by questions that were answered several times, in both runs. A question
    is broken where its drop beyond the limit has a one-sided p of at most α/2 after Holm's correction over all questions
    (normal noise of that variance; t with as many degrees of freedom as questions). Without repeated answers the rule
    is advisory: two runs of the very same agent would break it.
    """
    rule = replace(rule, arm=rule.arm or case.results.suite["primary"]["better"])
    lacks = _lacking(rule, case)
    if lacks:
        return _finding(rule, "NOT MEASURED", lacks)
    ours, theirs = sides(rule, case)
    limit = rule.limit or 0.0
    gain = {q: _sign(rule, case) * (ours[q] - theirs[q]) for q in ours.keys() & theirs.keys()}
    if not gain:
        return _finding(rule, "NOT MEASURED", f"no question has a score on {rule.metric} on both sides")
    fell = sorted((q for q in gain if gain[q] < -limit - 1e-9), key=lambda q: (gain[q], q))
    noise = _noise(rule, case)
    broken = fell if noise is None else beyond_chance({q: -gain[q] - limit for q in gain}, noise)
    lost, new = sorted(theirs.keys() - ours.keys()), sorted(ours.keys() - theirs.keys())
    if (lost or new) and not broken:
        told = [
            f"{len(alone)} questions {what} on {rule.metric}: {', '.join(alone[:WORST])}"
            for alone, what in ((lost, "lost their score"), (new, f"had no score in {rule.other}"))
            if alone
        ]
        return _finding(rule, "NOT MEASURED", "; ".join(told))
    if not broken:
        chance = f": {len(fell)} did, no more than answers to one question differ by chance" if fell else ""
        none = "none" if not fell else "not shown that any"
        return _finding(
            rule, "PASS", f"{none} of {len(gain)} questions fell by more than {limit:g} on {rule.metric}{chance}"
        )
    named = ", ".join(f"{q} by {-gain[q]:.2f}" for q in broken[:WORST])
    more = f" and {len(broken) - WORST} more" if len(broken) > WORST else ""
    sentence = f"{len(broken)} of {len(gain)} questions fell by more than {limit:g} on {rule.metric}: {named}{more}"
    critical = rule.tier == "critical"
    if noise is None:
        sentence += (
            "; only shown, because no question was answered twice in both runs, so nothing says what chance does to one"
        )
        rule = replace(rule, tier="advisory")
    found = _finding(rule, "REGRESSION", sentence, questions=tuple(broken[:WORST]), n_questions=len(gain))
    found.demoted = noise is None and critical
    return found


def _noise(rule: Rule, case: RuleCase) -> float | None:
    """The variance, by chance alone, of one question's difference; None where a side answered each question once."""
    ours = case.run.noise.get(rule.arm, {}).get(rule.metric)
    against_run = rule.other == BASELINE_RUN and case.baseline is not None
    arm, side = (rule.arm, case.baseline) if against_run and case.baseline else (rule.other, case.run)
    theirs = side.noise.get(arm, {}).get(rule.metric)
    return None if ours is None or theirs is None else ours + theirs


def beyond_chance(excess: dict[str, float], noise: float) -> list[str]:
    """The questions that fell by more than the limit and than chance explains, worst first. `excess`: beyond the limit."""
    from scipy.special import stdtr

    questions = sorted((q for q in excess), key=lambda q: (-excess[q], q))
    sd = math.sqrt(noise)
    p = [float(stdtr(len(excess), -excess[q] / sd)) if sd else float(excess[q] <= 1e-9) for q in questions]
    return [
        q for q, corrected in zip(questions, holm(p), strict=True) if corrected is not None and corrected <= ALPHA / 2
    ]


def _lacking(rule: Rule, case: RuleCase) -> str:
    """Why a rule about scores can't be measured; empty when it can."""
    facts = case.results.metrics.get(rule.metric)
    if rule.other == BASELINE_RUN and case.baseline is None:
        return f"{rule.text!r} needs a reference run, and none was given: --reference RUN"
    other = (rule.arm, case.baseline) if rule.other == BASELINE_RUN and case.baseline else (rule.other, case.run)
    for arm, side in ((rule.arm, case.run), other):
        where = "the run" if side is case.run else "the reference run"
        if arm not in side.scores:
            return f"{where} has no arm {arm}; it has {', '.join(side.scores) or 'none'}"
        if rule.metric not in side.metrics:
            return f"{where} has no metric {rule.metric}; it has {', '.join(side.metrics) or 'none'}"
    if facts and not facts.get("better"):
        return f"neither way is better on {rule.metric}, so it cannot decide"
    return _not_admitted(rule, case) if rule.tier == "critical" else ""


def _not_admitted(rule: Rule, case: RuleCase) -> str:
    exams = [e for e in case.results.exam if e.metric == rule.metric]
    if not exams:
        return f"{rule.metric} may not decide: the run has no exam of it, so nothing shows that it tells the person from others"
    failed = [e for e in exams if not e.admitted]
    return f"{rule.metric} may not decide, it did not pass its exam: {failed[0].reason}" if failed else ""


def sides(rule: Rule, case: RuleCase) -> tuple[dict[str, float], dict[str, float]]:
    """The scores that a rule compares, by question: its arm's, and the other's."""
    if rule.other == BASELINE_RUN and case.baseline:
        return case.run.of(rule.arm, rule.metric), case.baseline.of(rule.arm, rule.metric)
    return case.run.of(rule.arm, rule.metric), case.run.of(rule.other, rule.metric)


def _sign(rule: Rule, case: RuleCase) -> int:
    return -1 if case.results.metrics[rule.metric].get("better") == "lower" else 1


def _errors(rule: Rule, case: RuleCase) -> Finding:
    """A rule about the answers of all arms that ended in an error."""
    errors = sum(arm.errors for arm in case.results.arms.values())
    answers = sum(arm in q.answers for arm in case.results.arms for q in case.results.questions)
    share = 100 * errors / answers if answers else 100.0
    told = "; ".join(errors_told(case.results)) or f"0 of {answers} answers ended in an error"
    return _limited(rule, share if rule.percent else errors, f"{told} ({share:.1f} %)" if errors else told)


def errors_told(results: Results) -> Iterator[str]:
    """For each arm and control with errors a sentence: how many of how many, and the first of each kind."""
    asked = results.held_out.get("questions", len(results.questions))
    for name, arm in results.arms.items():
        if arm.errors:
            told = [
                f"{n} × {error}" if len(arm.kinds_of_errors) > 1 else error for error, n in arm.kinds_of_errors.items()
            ]
            more = [f"{len(told) - WORST} more kinds"] if len(told) > WORST else []
            why = f": {', '.join([*told[:WORST], *more])}" if told else ""
            yield f"{name}: {arm.errors} of {asked} ended in an error{why}"


def cut_told(results: Results) -> Iterator[str]:
    """For each arm with answers that were cut at the greatest length a sentence: how many of how many."""
    for name, arm in results.arms.items():
        if arm.kind == "arm" and (cut := arm.states.get("cut")):
            yield f"{name}: {cut} of {sum(arm.states.values())} answers were cut at their greatest length"


def _cut(rule: Rule, case: RuleCase) -> Finding:
    """A rule about the arm with most answers that were cut, among the arms of the policy's rules, or else all."""
    named = {arm for r in case.policy.rules for arm in (r.arm, r.other) if arm in case.run.scores}
    states = {arm: case.results.arms[arm].states for arm in sorted(named or case.run.scores)}
    if not states or not all(states.values()):
        return _finding(rule, "NOT MEASURED", "the results do not say which answers were cut")
    arm = max(states, key=lambda a: states[a].get("cut", 0))
    most, asked = states[arm].get("cut", 0), sum(states[arm].values())
    share = 100 * most / asked
    told = f"{most} of {asked} answers of {arm} were cut at their greatest length ({share:.1f} %)"
    return _limited(rule, share if rule.percent else most, told if most else "no answer was cut")


def _unscored(rule: Rule, case: RuleCase) -> Finding:
    """The worst of the arms and metrics that the policy's rules read, in either run; errors count as unscored, too.

    What a check before voice found to be no answer to be judged by its voice does not: the verdict reads it at the floor.
    """
    read = [r for r in case.policy.rules if r.metric and r.tier in (rule.tier, "critical")]
    named_metrics = {m for r in read for m in (r.metric, r.second)}
    of_rules = named_metrics & case.run.metrics.keys() or set(case.results.primary_metrics)
    metrics = {rule.metric} if rule.metric else of_rules
    named = {arm for r in read for arm in (r.arm, r.other) if arm in case.run.scores}
    asked = len(case.results.questions)
    counts = [
        (asked - len(case.run.of(arm, metric)) - case.run.no_voice.get(arm, {}).get(metric, 0), arm, metric)
        for arm in sorted(named or case.run.scores)
        for metric in sorted(metrics & case.run.metrics.keys())
    ]
    before = case.baseline
    if before is not None:
        compared = {r.arm for r in read if r.other == BASELINE_RUN} & before.scores.keys()
        counts += [
            (
                len(case.run.interviews.keys() - before.of(arm, metric).keys())
                - before.no_voice.get(arm, {}).get(metric, 0),
                f"{arm} in {BASELINE_RUN}",
                metric,
            )
            for arm in sorted(compared)
            for metric in sorted(metrics & before.metrics.keys())
        ]
    if not counts or not asked:
        return _finding(rule, "NOT MEASURED", f"there are no scores{f' on {rule.metric}' if rule.metric else ''}")
    most, arm, metric = max(counts, key=lambda c: c[0])
    share = 100 * most / asked
    told = f"{most} of {asked} answers of {arm} could not be scored on {metric} ({share:.1f} %)"
    mute = sum(case.run.no_voice.get(a, {}).get(m, 0) for _, a, m in counts)
    floor = f"all but {mute} answers were scored; these have no voice to judge, and count at the floor"
    scored = floor if mute else "every answer was scored"
    return _limited(rule, share if rule.percent else most, told if most else scored)


def _spent(rule: Rule, case: RuleCase) -> Finding:
    """A rule about the cost, tokens or minutes of the run."""
    unit = {"cost": "usd", "tokens": "tokens", "minutes": "minutes"}[rule.kind]
    spent = getattr(case.results.budget, unit, None)
    if spent is None:
        return _finding(rule, "NOT MEASURED", f"the results do not say what the run took in {unit}")
    return _limited(rule, spent, f"the run took {spent:g} {unit}")


def _leaks(rule: Rule, case: RuleCase) -> Finding:
    """A rule that no held-out answer stands in what the agents learnt from."""
    leaks = case.results.leaks
    if leaks is None:
        return _finding(rule, "NOT MEASURED", "the run was not searched for leaks")
    if leaks.found:
        first = f"{leaks.found[0].held_out} in {leaks.found[0].found_in}"
        return _finding(
            rule, "NOT MEASURED", f"{len(leaks.found)} leaks, so the scores prove nothing; the first: {first}"
        )
    return _finding(rule, "PASS", "no leak was found")


def _limited(rule: Rule, amount: float, told: str) -> Finding:
    """The finding about an amount: above the rule's limit the run counts as not measured."""
    limit = f"{rule.limit:g}{' %' if rule.percent else ''}"
    if amount > (rule.limit or 0.0):
        return _finding(rule, "NOT MEASURED", f"{told}; the policy allows {limit}")
    return _finding(rule, "PASS", told)


def _finding(rule: Rule, verdict: Verdict, sentence: str, **numbers: Any) -> Finding:
    about = {"rule": rule.text, "tier": rule.tier, "metric": rule.metric, "margin": rule.limit if rule.metric else None}
    return Finding(rule, RuleResult(**about, verdict=verdict, sentence=sentence, **numbers))


JUDGES: dict[str, Callable[[Rule, RuleCase], Finding]] = {
    "axes": _axes,
    "better": _compared,
    "not worse": _compared,
    "equivalent": _compared,
    "question": _each_question,
    "errors": _errors,
    "unscored": _unscored,
    "cut": _cut,
    "cost": _spent,
    "tokens": _spent,
    "minutes": _spent,
    "leaks": _leaks,
}
GUARDS = {"errors", "unscored", "cut", "cost", "tokens", "minutes", "leaks"}
"""The kinds of rules that tell whether the run can be believed at all."""
