"""Attribution: the effects of training and of memories, as weighted sums of the arms' scores, question by question."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ratf.results.results import Attribution, Effect
from ratf.statistics.contrasts import Scores, corrected, number, numbers
from ratf.statistics.estimates import CONFIDENCE, Array, Estimate, clustered_means
from ratf.statistics.verdict import signed
from ratf.suite.arms import ARMS, NAMED, Shown, TrainingKind
from ratf.suite.metrics import metric

EffectKind = Literal["training", "memories", "interaction"]
Cell = tuple[TrainingKind, Shown]
Weights = dict[str, float]
TRAININGS: dict[TrainingKind, str] = {"none": "untrained", "ft": "fine-tuned", "ft+mem": "fine-tuned with memories"}
SHOWN: dict[Shown, str] = {
    "none": "no memories",
    "own": "own memories",
    "shuffled": "another question’s",
    "impostor": "another person’s",
}
TUNING: dict[TrainingKind, str] = {"ft": "fine-tuning", "ft+mem": "fine-tuning with memories"}
MEMORY_TRAINING: dict[Shown, str] = {
    "none": "memory training by itself",
    "own": "memory training with own memories",
}
USE: dict[Shown, str] = {"none": "own memories", "shuffled": "content of memories", "impostor": "whose memories"}
"""The name of the effect of own memories, by the memories that they are compared with."""


CELLS: dict[Cell, str] = {(arm.training, arm.memories): name for name, arm in ARMS.items()}
IN_USE: tuple[Shown, ...] = ("none", "own")
"""The memories over which trainings are compared: the others are controls, and nobody would use an agent with them."""


@dataclass(frozen=True)
class Planned:
    """An effect that the arms can give: the weighted sum of arms' scores with `weights`.

    `mixed` says that the form of training changes along with the memories.
    """

    name: str
    kind: EffectKind
    words: str
    weights: Weights
    mixed: bool = False


def attribution(scores: Scores, cluster: Mapping[str, str]) -> Attribution | None:
    """Every effect that the arms in `scores` give, on every metric; None where they give none.

    An effect is the mean of Σ_a w_a · score_a(question) over the questions for which all of its arms have a score, with
    the interval of `ratf.statistics.estimates.clustered_means`. `cluster` gives the interview of each question. Holm's
    correction is over the effects and the metrics of a family.
    """
    arms = [arm for arm in scores if arm in ARMS]
    planned = effects(arms)
    if not planned:
        return None
    questions = sorted(cluster)
    clusters = [cluster[q] for q in questions]
    found: list[Effect] = []
    for name in dict.fromkeys(m for arm in arms for m in scores[arm]):
        table = {a: np.array([number(scores[a].get(name, {}).get(q)) for q in questions]) for a in arms}
        rows = np.array([_weighed(table, p.weights) for p in planned])
        found += [_effect(name, *it) for it in zip(planned, clustered_means(rows, clusters), strict=True)]
    return Attribution(words=design(arms), effects=corrected(found))


def effects(arms: Sequence[str]) -> list[Planned]:
    """The effects that these arms give: of training, then of memories, then interactions."""
    there = {cell for cell, name in CELLS.items() if name in arms}
    found = [*_trainings(there), *_memories(there), *_interactions(there)]
    if set(NAMED) <= set(arms) and not any(e.kind == "interaction" for e in found):
        found += _two_by_two()
    return found


def _trainings(there: set[Cell]) -> Iterator[Planned]:
    """The effects of each training, averaged over the memories in `IN_USE`.

    At each of these also the effect of memory training against plain training.
    """
    for to in ("ft", "ft+mem"):
        both = [m for m in IN_USE if {("none", m), (to, m)} <= there]
        if both:
            weights = _mean([_step((to, m), ("none", m)) for m in both])
            told = f"{TRAININGS[to]} − untrained ({_over(SHOWN[m] for m in both)})"
            yield Planned(TUNING[to], "training", told, weights)
    for m in IN_USE:
        if {("ft", m), ("ft+mem", m)} <= there:
            told = f"fine-tuned with memories − without them ({SHOWN[m]})"
            yield Planned(MEMORY_TRAINING[m], "training", told, _step(("ft+mem", m), ("ft", m)))


def _memories(there: set[Cell]) -> Iterator[Planned]:
    """The effects of the person's memories against each alternative, averaged over the trainings that have both."""
    for other in ("none", "shuffled", "impostor"):
        both = [t for t in TRAININGS if {(t, "own"), (t, other)} <= there]
        if both:
            told = f"own memories − {SHOWN[other]} ({_over(TRAININGS[t] for t in both)})"
            weights = _mean([_step((t, "own"), (t, other)) for t in both])
            yield Planned(USE[other], "memories", told, weights)


def _interactions(there: set[Cell]) -> Iterator[Planned]:
    """The interactions: how much more the person's memories did after a training than before it."""
    for to in ("ft", "ft+mem"):
        if {(t, m) for t in ("none", to) for m in IN_USE} <= there:
            after, before = _step((to, "own"), (to, "none")), _step(("none", "own"), ("none", "none"))
            told = f"own memories − no memories: {TRAININGS[to]}, less the same untrained"
            yield Planned(f"own memories × {TUNING[to]}", "interaction", told, _minus(after, before))


def _two_by_two() -> list[Planned]:
    """The effects of the four named arms, taken as a 2×2 crossing of training and memories, which they are roughly."""
    base, rag, tuned, raft = ({arm: 1.0} for arm in NAMED)
    training = _mean([_minus(tuned, base), _minus(raft, rag)])
    memories = _mean([_minus(rag, base), _minus(raft, tuned)])
    both = _minus(_minus(raft, tuned), _minus(rag, base))
    return [
        Planned("raft − finetune_only", "memories", "with memories − without (fine-tuned, each in its own form)", _minus(raft, tuned), True),
        Planned("2×2 training", "training", "fine-tuned − untrained (mean of without and with memories)", training, True),
        Planned("2×2 memories", "memories", "with memories − without (mean of untrained and fine-tuned)", memories, True),
        Planned("2×2 interaction", "interaction", "with memories − without: fine-tuned, less the same untrained", both, True),
    ]  # fmt: skip


def _step(after: Cell, before: Cell) -> Weights:
    return _minus({CELLS[after]: 1.0}, {CELLS[before]: 1.0})


def _minus(a: Weights, b: Weights) -> Weights:
    return {arm: a.get(arm, 0.0) - b.get(arm, 0.0) for arm in {**a, **b}}


def _mean(several: Sequence[Weights]) -> Weights:
    arms = {arm: None for weights in several for arm in weights}
    return {arm: sum(w.get(arm, 0.0) for w in several) / len(several) for arm in arms}


def _over(levels: Iterable[str]) -> str:
    named = list(levels)
    return f"mean of {', '.join(named)}" if len(named) > 1 else named[0]


def _weighed(table: Mapping[str, Array], weights: Weights) -> Array:
    """The weighted sum of the arms' scores for each question; NaN where one of its arms has no score."""
    # coarse scores that cancel must give 0, not a rounding error
    return np.round(sum((weight * table[arm] for arm, weight in weights.items()), np.zeros(())), 12)


def _effect(name: str, planned: Planned, e: Estimate | None) -> Effect:
    return Effect(
        metric=name,
        family=metric(name).family,
        name=planned.name,
        kind=planned.kind,
        words=planned.words,
        weights=planned.weights,
        mixed=planned.mixed,
        effect=e.mean if e else None,
        **numbers(e),
    )


CLEAN = (
    {"baseline", "rag_only", "finetune_only", "finetune_own"},
    {"baseline", "rag_only", "raft_none", "raft"},
)
"""The sets of arms that cross a training with memories in the prompt: each training is asked with and without them."""


OWN = {"none": "rag_only", "ft": "finetune_own", "ft+mem": "raft"}


def design(arms: Collection[str]) -> str:
    """A paragraph that says what these arms can and cannot separate."""
    return " ".join(_design(set(arms)))


def _design(arms: set[str]) -> Iterator[str]:
    crossed = any(cells <= arms for cells in CLEAN)
    if crossed:
        yield (
            "The same training is asked with and without memories, so what training did, what memories did, and whether "
            "one needs the other are told apart."
        )
    elif set(NAMED) <= arms:
        yield (
            "raft is trained with memories and asked with them, finetune_only neither: raft − finetune_only is the form "
            "of training and the memories in the prompt together, and these four arms cannot separate the two. Effects "
            "marked mixed rest on it. The arms finetune_own and raft_none would separate them."
        )
    yield from _about_memories(arms)
    if {"finetune_only", "raft_none"} <= arms:
        yield "raft_none − finetune_only is what training with memories does by itself: neither is shown any."
    if arms - {"baseline", "rag_only", "rag_shuffled", "rag_impostor"}:
        yield "Each training was done once: what another seed would have learnt is not in the intervals."


def _about_memories(arms: set[str]) -> Iterator[str]:
    remembering = {name for name in OWN.values() if name in arms}
    if not remembering:
        return
    if _paired(arms, "shuffled"):
        yield (
            "Own − another question’s memories is the use of their content: over all questions the same memories are "
            "shown, as long and as much the person’s, only not to the point."
        )
    else:
        yield (
            "Whether memories helped by what they say, or by being there at all (the person’s words, a longer prompt), "
            "cannot be told: that takes an arm with shuffled memories."
        )
    if _paired(arms, "impostor"):
        yield (
            "Own − another person’s memories says whether it matters whose they are; another person may also have "
            "written more or less to the point."
        )


def _paired(arms: set[str], shown: str) -> bool:
    pairs = (("rag_only", f"rag_{shown}"), ("finetune_own", f"finetune_{shown}"), ("raft", f"raft_{shown}"))
    return any({a, b} <= arms for a, b in pairs)


def findings(effects: Sequence[Effect], lower_is_better: bool = False) -> str:
    """A paragraph that says which effects on one metric are shown after Holm's correction.

    It also gives the smallest effects that could have been shown.
    """
    told = [e for e in effects if e.effect is not None]
    if not told:
        return "No question was scored for all arms of an effect."
    if all(e.p_holm is None for e in told):
        return "A single interview gives no interval, so no effect is shown."
    # a mixed effect of four arms is in the table only; in a sentence it would be read as the effect of one thing
    said = [e for e in told if not (e.mixed and len(e.weights) > 2)] or told
    shown = [e for e in said if e.p_holm is not None and e.p_holm <= 1 - CONFIDENCE]
    rest = [e for e in said if e not in shown]
    together = [e for e in shown if e.kind == "interaction"]
    alone = [e for e in shown if e.kind != "interaction"]
    parts = [
        f"{words}: {'; '.join(map(_with_number, several))}."
        for words, several in (
            ("Raised by", [e for e in alone if (e.effect or 0.0) > 0]),
            ("Lowered by", [e for e in alone if (e.effect or 0.0) <= 0]),
            ("Not the sum of its parts", together),
        )
        if several
    ]
    if rest:
        see = [e.smallest_detectable for e in rest if e.smallest_detectable is not None]
        ends = " to ".join(dict.fromkeys(f"{end:.2g}" for end in (min(see), max(see)))) if see else ""
        could = f" (the smallest effect that could be seen: {ends})" if see else ""
        parts.append(("Not shown: " if shown else "No effect is shown: ") + "; ".join(map(_named, rest)) + f"{could}.")
    if lower_is_better:
        parts.append("Lower is better here.")
    return " ".join(parts)


def _with_number(effect: Effect) -> str:
    return f"{_named(effect)} {signed(effect.effect or 0.0, effect.low, effect.high)}"


def _named(effect: Effect) -> str:
    return f"{effect.name}{' (mixed)' if effect.mixed else ''}"
