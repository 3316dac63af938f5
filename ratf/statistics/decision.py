"""The verdict and its second looks: what was left unscored read at the floor, and the best rival. Pure; asks nobody."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.results.results import AxisVerdict, Contrast, Scored, SecondLook, Verdict
from ratf.statistics.contrasts import Scores
from ratf.statistics.estimates import ALPHA, Estimate, paired_difference
from ratf.statistics.skill import skill
from ratf.statistics.verdict import OF_AXIS, judge_contrast, signed
from ratf.suite.arms import ARMS, CEILING, CONTROLS, EXAM_ONLY, FLOOR
from ratf.suite.metrics import axis_meant, title

BY_THE_ARM = ("empty", "refused", "cut off", "too short")
"""How reasons begin that tell of the answer, also where a judge reads it."""


NOTHING = 0.2
"""So much skill on voice may be had by other people's words, or anybody's, with the person's small words in them. Who has no
more does not sound like the person, also where another arm has less."""


@dataclass(frozen=True)
class Decision:
    """A verdict, the sentence that says it, what it was made of, one an axis, and the second looks that it had to stand."""

    verdict: Verdict
    sentence: str
    axes: list[AxisVerdict]
    looks: list[SecondLook]


def decide(
    primary: Mapping[str, Contrast | None],
    pair: tuple[str, str],
    facts: Mapping[str, Mapping[str, Any]],
    scores: Scores,
    cluster: Mapping[str, str],
    trouble: Mapping[str, Sequence[str]],
    silent: str = "",
) -> Decision:
    """The verdict on the primary contrasts of `pair`, by metric: one, or one on each of two axes.

    On two axes PASS needs one to be better and neither to be worse, REGRESSION one to be worse; as either of two would
    do, each is read at half the level (Bonferroni). An axis that was not measured leaves no PASS. PASS also has to
    stand its second looks: with the answers that an arm left unscored at the floor what is better stays better and what
    is not worse stays so, the pair's first arm is not shown to be behind the best of the other arms, and what is better on
    voice has more of it than what says nothing may have.

    `facts` has the `axis` and `better` of each metric, `scores` holds arms and controls, `trouble` by metric what keeps
    it from being measured, and `silent` is a sentence on the axes that nothing was measured on.
    """
    level = ALPHA / len(primary)
    axes: list[AxisVerdict] = []
    looks: list[SecondLook] = []
    for name, contrast in primary.items():
        lower = facts[name].get("better") == "lower"
        axis = axis_meant(str(facts[name].get("axis") or ""))
        verdict, sentence = judge_contrast(contrast, lower, trouble.get(name, ()), level)
        if verdict != "NOT MEASURED":
            sign, ahead = -1 if lower else 1, verdict == "PASS"
            both = [
                at_floor(name, pair, scores, cluster, sign, level, ahead),
                best_rival(name, pair, scores, cluster, sign, level),
                above_nothing(name, pair[0], scores, cluster) if ahead and axis == "voice" and not lower else None,
            ]
            mine = [look for look in both if look is not None]
            looks += mine
            told = [look.words for look in mine if look.name == "best rival" and look.holds]
            sentence = "; ".join([sentence, *told])
        axes.append(AxisVerdict(metric=name, axis=axis, verdict=verdict, sentence=sentence))
    verdict = _whole([a.verdict for a in axes])
    failed = [look.words for look in looks if not look.holds]
    sentence = ". ".join(_headed(a) for a in axes) if len(axes) > 1 else axes[0].sentence
    if verdict == "PASS" and failed:
        verdict, sentence = "INCONCLUSIVE", f"{sentence}; but {'; and '.join(failed)}"
    return Decision(verdict, ". ".join([sentence, *([silent] if silent else [])]), axes, looks)


def _whole(of: Sequence[Verdict]) -> Verdict:
    for worst in ("REGRESSION", "NOT MEASURED", "PASS"):
        if worst in of:
            return worst
    return "INCONCLUSIVE"


def _headed(axis: AxisVerdict) -> str:
    what = OF_AXIS.get(axis.axis, title(axis.metric))
    return f"{what}: {'not measured, ' if axis.verdict == 'NOT MEASURED' else ''}{axis.sentence}"


def unscored_by_arm(metric: str, scored: Scored) -> bool:
    """Whether an answer has no score because of what the arm said, not because of an error or of the judge.

    A judge's own failures have many words, so of judges only reasons that begin as in BY_THE_ARM count; of other metrics
    everything counts but errors and what was never looked at.
    """
    if scored.value is not None:
        return False
    if scored.why.startswith(BY_THE_ARM):
        return True
    return not metric.startswith("judge_") and not scored.why.startswith("error:") and scored.why != "not scored"


def at_floor(
    metric: str,
    pair: tuple[str, str],
    scores: Scores,
    cluster: Mapping[str, str],
    sign: int,
    level: float = ALPHA,
    ahead: bool = True,
) -> SecondLook | None:
    """The pair's difference with unscored answers at the floor; None where neither arm left one unscored.

    The floor of a question is the other person's answer to it, or the mean of those where that has no score; and never
    more than the lowest score of the two arms, so that leaving a bad answer out gains nothing where an arm is no better
    than another person. Questions that neither arm has a score on stay out. It holds where the whole interval is ahead,
    or, where the pair's first arm was not `ahead` before, where it is not behind; at a p of at most `level`.
    """
    arms = {arm: scores.get(arm, {}).get(metric, {}) for arm in pair}
    left = left_unscored(metric, arms)
    if not any(left.values()):
        return None
    counts = {arm: len(of) for arm, of in left.items()}
    why = Counter(arms[arm][q].why[:60] for arm, of in left.items() for q in of)
    told = f"{' and '.join(f'{arm} {n}' for arm, n in counts.items() if n)} left unscored"
    told += f" ({', '.join(f'{n} × {reason}' for reason, n in sorted(why.items()))})"
    filled = filled_at_floor(metric, arms, scores, sign)
    if filled is None:
        return SecondLook(
            name="at the floor",
            metric=metric,
            holds=False,
            words=f"what is left unscored can't be read at the floor, as the run has no score of {FLOOR}: {told}",
            unscored=counts,
        )
    found = paired_difference(filled[pair[0]], filled[pair[1]], dict(cluster))
    shown = found is not None and found.low is not None and found.high is not None and (found.p or 0) <= level
    up = shown and found is not None and (found.low or 0) > 0
    down = shown and found is not None and (found.high or 0) < 0
    says = ("still ahead" if up else "not ahead any more") if ahead else "behind" if down else "not behind"
    return SecondLook(
        name="at the floor",
        metric=metric,
        holds=up if ahead else not down,
        words=f"with what was left unscored at the floor {pair[0]} is {says}: {_signed(found, sign)}; of its questions {told}",
        unscored=counts,
        **_numbers(found, sign),
    )


def left_unscored(metric: str, arms: Mapping[str, Mapping[str, Scored]]) -> dict[str, set[str]]:
    """Of each of two arms the questions that it left unscored, and on which the other has a score."""
    return {
        arm: {
            q
            for q, s in of.items()
            if unscored_by_arm(metric, s)
            and any(other is not of and q in other and other[q].value is not None for other in arms.values())
        }
        for arm, of in arms.items()
    }


def filled_at_floor(
    metric: str, arms: Mapping[str, Mapping[str, Scored]], scores: Scores, sign: int
) -> dict[str, dict[str, float]] | None:
    """The scores of two arms with what each left unscored at the floor, turned so that more is better; see `at_floor`.

    None where the run, whose `scores` these are, has no score of the floor.
    """
    numbers = {arm: {q: sign * s.value for q, s in of.items() if s.value is not None} for arm, of in arms.items()}
    floor = {q: sign * s.value for q, s in scores.get(FLOOR, {}).get(metric, {}).items() if s.value is not None}
    if not floor:
        return None
    mean = sum(floor.values()) / len(floor)
    lowest = min(x for of in numbers.values() for x in of.values())
    left = left_unscored(metric, arms)
    return {arm: {**numbers[arm], **{q: min(floor.get(q, mean), lowest) for q in left[arm]}} for arm in arms}


def best_rival(
    metric: str, pair: tuple[str, str], scores: Scores, cluster: Mapping[str, str], sign: int, level: float = ALPHA
) -> SecondLook | None:
    """The pair's first arm against the best of the arms that are not in the pair; None where there is none.

    The best is the one with the best mean; as it was looked for, its p counts as often as there are rivals (Bonferroni).
    Arms that are shown memories of other questions or people are controls, not rivals. It holds unless the first arm is
    shown to be behind.
    """
    rivals = {
        arm: {q: sign * s.value for q, s in of.get(metric, {}).items() if s.value is not None}
        for arm, of in scores.items()
        if arm not in (*pair, *CONTROLS, *EXAM_ONLY) and (arm not in ARMS or ARMS[arm].memories in ("none", "own"))
    }
    rivals = {arm: of for arm, of in rivals.items() if of}
    if not rivals:
        return None
    best = max(sorted(rivals), key=lambda arm: sum(rivals[arm].values()) / len(rivals[arm]))
    own = {q: sign * s.value for q, s in scores.get(pair[0], {}).get(metric, {}).items() if s.value is not None}
    found = paired_difference(own, rivals[best], dict(cluster))
    if found is None or found.low is None or found.high is None:
        return None
    shown = found.p is not None and found.p * len(rivals) <= level
    behind, ahead = shown and found.high < 0, shown and found.low > 0
    says = "is worse than" if behind else "also beats" if ahead else "is not separable from"
    words = f"{pair[0]} {says} the best rival, {best}: {_signed(found, sign)}"
    if found.p is not None and not shown and not found.low <= 0 <= found.high:
        words += f", as p is {found.p:.2g}, and only {level / len(rivals):.2g} or less would show a difference"
    return SecondLook(
        name="best rival",
        metric=metric,
        arm=best,
        holds=not behind,
        words=words,
        **_numbers(found, sign),
    )


def above_nothing(metric: str, arm: str, scores: Scores, cluster: Mapping[str, str]) -> SecondLook | None:
    """Whether an arm's skill on voice is above NOTHING; None where floor and ceiling give no skill."""

    def numbers(of: str) -> dict[str, float]:
        return {q: s.value for q, s in scores.get(of, {}).get(metric, {}).items() if s.value is not None}

    found = skill(metric, arm, numbers(arm), numbers(FLOOR), numbers(CEILING), cluster)
    if found is None or found.skill is None:
        return None
    return SecondLook(
        name="above nothing",
        metric=metric,
        holds=found.skill > NOTHING,
        words=f"{arm} has a skill of {found.skill:.2f} on voice, and what says nothing may have {NOTHING:g}",
    )


def _signed(found: Estimate | None, sign: int) -> str:
    turned = found if found is None or sign > 0 else found.turned()
    return "no question in common" if turned is None else signed(turned.mean, turned.low, turned.high)


def _numbers(found: Estimate | None, sign: int) -> dict[str, float | int | None]:
    """Natural: first arm less the other, whichever way is better."""
    turned = found if found is None or sign > 0 else found.turned()
    if turned is None:
        return {}
    return {
        "difference": turned.mean,
        "low": turned.low,
        "high": turned.high,
        "p": turned.p,
        "n_questions": turned.n,
        "n_interviews": turned.clusters,
    }
