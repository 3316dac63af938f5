"""The verdict and its second looks: what was left unscored read at the floor, and the best rival. Pure; asks nobody."""

from collections import Counter
from collections.abc import Mapping

from ratf.results.results import Contrast, Scored, SecondLook, Verdict
from ratf.statistics.contrasts import Scores
from ratf.statistics.estimates import CONFIDENCE, Estimate, paired_difference
from ratf.statistics.verdict import judge_contrast, signed
from ratf.suite.arms import ARMS, CONTROLS, EXAM_ONLY, FLOOR

ALPHA = 1 - CONFIDENCE
BY_THE_ARM = ("empty", "refused", "cut off", "too short")
"""How reasons begin that tell of the answer, also where a judge reads it."""


def decide(
    contrast: Contrast | None,
    metric: str,
    pair: tuple[str, str],
    scores: Scores,
    cluster: Mapping[str, str],
    lower_is_better: bool,
    trouble: list[str],
) -> tuple[Verdict, str, list[SecondLook]]:
    """The verdict on the primary contrast of `pair`, its sentence, and the second looks that it had to stand.

    PASS needs all of them: the pair's first arm is ahead also where the answers that an arm left unscored count at the
    floor, and it is not shown to be behind the best of the other arms. `scores` holds arms and controls.
    """
    verdict, sentence = judge_contrast(contrast, lower_is_better, trouble)
    if verdict == "NOT MEASURED":
        return verdict, sentence, []
    sign = -1 if lower_is_better else 1
    looks = [at_floor(metric, pair, scores, cluster, sign), best_rival(metric, pair, scores, cluster, sign)]
    found = [look for look in looks if look is not None]
    failed = [look for look in found if not look.holds]
    if verdict == "PASS" and failed:
        verdict, sentence = "INCONCLUSIVE", f"{sentence}; but {'; and '.join(look.words for look in failed)}"
    told = [look.words for look in found if look.name == "best rival" and look.holds]
    return verdict, "; ".join([sentence, *told]), found


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
    metric: str, pair: tuple[str, str], scores: Scores, cluster: Mapping[str, str], sign: int
) -> SecondLook | None:
    """The pair's difference with unscored answers at the floor; None where neither arm left one unscored.

    The floor of a question is the other person's answer to it, or the mean of those where that has no score; and never
    more than the lowest score of the two arms, so that leaving a bad answer out gains nothing where an arm is no better
    than another person. Questions that neither arm has a score on stay out. It holds where the whole interval is ahead.
    """
    arms = {arm: scores.get(arm, {}).get(metric, {}) for arm in pair}
    numbers = {arm: {q: sign * s.value for q, s in of.items() if s.value is not None} for arm, of in arms.items()}
    left = {arm: {q for q, s in of.items() if unscored_by_arm(metric, s)} for arm, of in arms.items()}
    for arm, other in (pair, pair[::-1]):
        left[arm] &= numbers[other].keys()
    if not any(left.values()):
        return None
    counts = {arm: len(of) for arm, of in left.items()}
    why = Counter(arms[arm][q].why[:60] for arm, of in left.items() for q in of)
    told = f"{' and '.join(f'{arm} {n}' for arm, n in counts.items() if n)} left unscored"
    told += f" ({', '.join(f'{n} × {reason}' for reason, n in sorted(why.items()))})"
    floor = {q: sign * s.value for q, s in scores.get(FLOOR, {}).get(metric, {}).items() if s.value is not None}
    if not floor:
        return SecondLook(
            name="at the floor",
            holds=False,
            words=f"what is left unscored can't be read at the floor, as the run has no score of {FLOOR}: {told}",
            unscored=counts,
        )
    mean = sum(floor.values()) / len(floor)
    lowest = min(x for of in numbers.values() for x in of.values())
    filled = {arm: {**numbers[arm], **{q: min(floor.get(q, mean), lowest) for q in left[arm]}} for arm in pair}
    found = paired_difference(filled[pair[0]], filled[pair[1]], dict(cluster))
    holds = found is not None and found.low is not None and found.low > 0 and (found.p or 0) <= ALPHA
    ahead = "still ahead" if holds else "not ahead any more"
    return SecondLook(
        name="at the floor",
        holds=holds,
        words=f"with what was left unscored at the floor {pair[0]} is {ahead}: {_signed(found, sign)}; of its questions {told}",
        unscored=counts,
        **_numbers(found, sign),
    )


def best_rival(
    metric: str, pair: tuple[str, str], scores: Scores, cluster: Mapping[str, str], sign: int
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
    shown = found.p is not None and found.p * len(rivals) <= ALPHA
    behind, ahead = shown and found.high < 0, shown and found.low > 0
    says = "is worse than" if behind else "also beats" if ahead else "is not separable from"
    return SecondLook(
        name="best rival",
        arm=best,
        holds=not behind,
        words=f"{pair[0]} {says} the best rival, {best}: {_signed(found, sign)}",
        **_numbers(found, sign),
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
