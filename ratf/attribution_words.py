"""What a set of arms can and cannot separate, and what was found, in words."""

from collections.abc import Collection, Iterator, Sequence

from ratf.arms import NAMED
from ratf.results import Effect
from ratf.statistics import CONFIDENCE
from ratf.verdict import signed

CLEAN = (
    {"baseline", "rag_only", "finetune_only", "finetune_own"},
    {"baseline", "rag_only", "raft_none", "raft"},
)
"""Trainings with and without memories in the prompt, the training being the same."""
OWN = {"none": "rag_only", "ft": "finetune_own", "ft+mem": "raft"}


def design(arms: Collection[str]) -> str:
    """A paragraph on what these arms can and cannot tell."""
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
    yield from _memories(arms)
    if {"finetune_only", "raft_none"} <= arms:
        yield "raft_none − finetune_only is what training with memories does by itself: neither is shown any."
    if arms - {"baseline", "rag_only", "rag_shuffled", "rag_impostor"}:
        yield "Each training was done once: what another seed would have learnt is not in the intervals."


def _memories(arms: set[str]) -> Iterator[str]:
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
    """What the effects on one metric show, after Holm's correction, and how small a one could have been seen."""
    told = [e for e in effects if e.effect is not None]
    if not told:
        return "No question was scored for all arms of an effect."
    if all(e.p_holm is None for e in told):
        return "A single interview gives no interval, so no effect is shown."
    # what four arms mix is in the table; a sentence of it would be read as an effect of one thing
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
        could = f" (the smallest that could be seen: {ends})" if see else ""
        parts.append(("Not shown: " if shown else "No effect is shown: ") + "; ".join(map(_named, rest)) + f"{could}.")
    if lower_is_better:
        parts.append("Lower is better here.")
    return " ".join(parts)


def _with_number(effect: Effect) -> str:
    return f"{_named(effect)} {signed(effect.effect or 0.0, effect.low, effect.high)}"


def _named(effect: Effect) -> str:
    return f"{effect.name}{' (mixed)' if effect.mixed else ''}"
