"""What a metric of content must be able to tell, by axis: whether it may speak about topic, coverage, or agreement."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain, pairwise

from ratf.edits.made import KINDS
from ratf.results.exams import Exam, Order
from ratf.statistics.exam import Auc, Rungs, examine, paired_auc
from ratf.suite.arms import DIRECTION, FACTS, OFF_TOPIC, SAYS_NOTHING
from ratf.suite.metrics import LADDERS, Ladder

LEAST_ITEMS = 30
"""With fewer questions that an edit could be made of, its kind is not examined."""


_DOSES = ("claims_100", "claims_75", "claims_50", "claims_25", "claims_0")
_DOSE_STEPS = tuple(pairwise(_DOSES))
CONTENT_LADDERS = {
    "topic": Ladder(
        positives=("same_near", "half_reworded"),
        negatives=("same_far", "impostor_far"),
        must=(
            *((a, b) for a in ("same_near", "half_reworded") for b in ("same_far", "impostor_far")),
            *(("half_reworded", c) for c in OFF_TOPIC),
        ),
        may=(("half_reworded", "same_near"), ("impostor_near", "impostor_far")),
        degenerate=OFF_TOPIC,
    ),
    "coverage": Ladder(
        positives=("half_reworded",),
        negatives=("own_topic", "impostor_near"),
        must=(
            ("half_reworded", "own_topic"),
            ("half_reworded", "impostor_near"),
            ("reworded", "half_reworded"),
            *_DOSE_STEPS,
            *(("half_reworded", c) for c in SAYS_NOTHING),
        ),
        may=(("paraphrase", "half_reworded"), ("repeat", "own_topic"), ("same_near", "impostor_near")),
        degenerate=SAYS_NOTHING,
    ),
    "agreement": Ladder(
        positives=("paraphrase",),
        negatives=tuple(f"edit_{kind}" for kind in KINDS),
        must=tuple((f"even_{kind}", f"edit_{kind}") for kind in KINDS),
        may=(("reworded", "edit_polarity"),),
    ),
    "facts": Ladder(
        positives=("paraphrase", "reworded"),
        negatives=tuple(f"edit_{kind}" for kind in FACTS),
        must=tuple((f"even_{kind}", f"edit_{kind}") for kind in FACTS),
        may=(),
    ),
}
"""The orders of each axis of content, in names of controls; `ratf/edits/made.py` makes those that nobody said."""


def ladder_of(axis: str) -> Ladder:
    """What a metric must put in order to speak about an axis; a judge's exam knows only what somebody said (`LADDERS`)."""
    return CONTENT_LADDERS.get(axis) or LADDERS[axis]


def read_by(axes: Collection[str | None]) -> set[str]:
    """The controls that stand on the ladders of these axes."""
    ladders = [CONTENT_LADDERS[axis] for axis in axes if axis in CONTENT_LADDERS]
    return {c for of in ladders for c in (*of.positives, *of.negatives, *chain.from_iterable((*of.must, *of.may)))}


def examine_content(
    metric: str,
    axis: str,
    scores: Rungs,
    cluster: Mapping[str, str],
    bar: float,
    reads_real: bool = True,
    lower_is_better: bool = False,
) -> Exam:
    """The exam of a metric on an axis, by what that axis demands."""
    if axis in ("agreement", "facts"):
        return examine_agreement(metric, scores, cluster, bar, lower_is_better, facts_alone=axis == "facts")
    return examine(metric, axis, ladder_of(axis), scores, cluster, bar, reads_real, lower_is_better)


def examine_agreement(
    metric: str,
    scores: Rungs,
    cluster: Mapping[str, str],
    bar: float,
    lower_is_better: bool = False,
    no_edits: str = "",
    facts_alone: bool = False,
) -> Exam:
    """Whether a metric may say that an answer says what the person said, not its opposite.

    It must score a true paraphrase of the real answer above the real answer with a few words turned, for every kind of
    edit that 30 or more questions allow: the worst kind's AUC is the exam's, and its lower end must lie above `bar`. And
    it must not be shown to put an edited copy above a rewording with as many words changed. `no_edits` says why nothing
    could be edited, if nothing could. Whatever could not be examined is not admitted.

    `facts_alone`: whether it may say that numbers, dates and names agree, which is less. Only those are edited, and where
    there is no paraphrase, rewordings by rule, which leave facts as they are, stand for one.
    """
    kinds = FACTS if facts_alone else tuple(KINDS)
    said = "paraphrase" if _given(scores, "paraphrase") or not facts_alone else "reworded"
    other = "a paraphrase" if said == "paraphrase" else "a rewording"
    turned = {c: {q: -s if s is not None and lower_is_better else s for q, s in of.items()} for c, of in scores.items()}
    hard = {kind: found for kind in kinds if (found := _enough(turned, said, f"edit_{kind}", cluster))}
    even = {kind: found for kind in kinds if (found := _enough(turned, f"even_{kind}", f"edit_{kind}", cluster))}
    orders = [
        *(_order(said, f"edit_{kind}", found) for kind, found in hard.items()),
        *(_order(f"even_{kind}", f"edit_{kind}", found) for kind, found in even.items()),
    ]
    worst = min(hard, key=lambda kind: hard[kind].low or 0.0) if hard else None
    found = hard[worst] if worst else None
    missing = f"not examined: {no_edits}" if no_edits else _missing(scores, hard, kinds, said)
    faults = [
        *(f"an edited {kind} is not told from {other}: the AUC's lower end {of.low or 0:.2f} is not above the bar of "
          f"{bar:g}" for kind, of in hard.items() if (of.low or 0) <= bar),
        *(f"it puts {o.lower} above {o.higher} (AUC {o.auc:.2f}, at most {o.high:.2f})" for o in orders
          if o.shows == "violated"),
    ]  # fmt: skip
    left = [kind for kind in kinds if kind not in hard]
    passed = f"every kind of edit is told from {other}; the hardest is {worst}" + (
        f"; not examined: {', '.join(left)}" if left else ""
    )
    return Exam(
        metric=metric,
        axis="facts" if facts_alone else "agreement",
        auc=found.auc if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        admitted=not missing and not faults,
        reason=missing or "; ".join(faults) or passed,
        bar=bar,
        n=found.n if found else 0,
        interviews=found.clusters if found else 0,
        unscored=sum(s is None for c in (*_edited(scores, kinds), said) for s in scores.get(c, {}).values()),
        orders=orders,
    )


def _edited(scores: Rungs, kinds: Sequence[str]) -> list[str]:
    return [c for c in (f"edit_{kind}" for kind in kinds) if c in scores]


def _given(scores: Rungs, control: str) -> bool:
    return any(s is not None for s in scores.get(control, {}).values())


def _missing(scores: Rungs, hard: Mapping[str, Auc], kinds: Sequence[str], said: str) -> str:
    """Why agreement, or facts, are not examined; empty where they are."""
    if not _edited(scores, kinds):
        return "not examined: no copy of a real answer could be edited"
    if said == "paraphrase" and not _given(scores, said):
        return (
            "not examined: there are no true paraphrases; without them a metric that compares words can't be told from "
            "one that reads. Bind a chat model as models.paraphraser"
        )
    if not any(kind in hard for kind in (DIRECTION if set(DIRECTION) <= set(kinds) else kinds)):
        what = "an answer that could be turned round" if "polarity" in kinds else "a number, date or name to change"
        return (
            f"not examined: fewer than {LEAST_ITEMS} questions, in two interviews or more, have both "
            f"{'a paraphrase' if said == 'paraphrase' else 'a rewording'} and {what}"
        )
    return ""


def _enough(scores: Rungs, higher: str, lower: str, cluster: Mapping[str, str]) -> Auc | None:
    found = paired_auc(scores, [higher], [lower], cluster)
    return found if found and found.n >= LEAST_ITEMS and found.low is not None else None


def _order(higher: str, lower: str, found: Auc) -> Order:
    assert found.low is not None and found.high is not None
    shows = "holds" if found.low > 0.5 else "violated" if found.high < 0.5 else "not shown"
    return Order.model_validate(
        {"higher": higher, "lower": lower, "must": True, "shows": shows}
        | {"auc": found.auc, "low": found.low, "high": found.high}
    )
