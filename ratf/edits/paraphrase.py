"""True paraphrases by a model, each checked back: what changes a fact, a denial or a claim is refused, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from ratf.edits.alignment import Embed, aligned
from ratf.edits.log import PARAPHRASED, Edit, Edited
from ratf.edits.rules import Rules, words
from ratf.edits.sentences import sentence_spans, sentences
from ratf.edits.spans import names_in, spans

LEAST_CHANGED = 0.2
"""Under such a share of changed words it is a copy, not a paraphrase."""
LENGTHS = (0.6, 1.7)
"""How many words, for each of the real answer's, a paraphrase may have."""
SAME_CLAIM = 0.55
"""Each sentence of either side must have so near a sentence on the other."""


@dataclass(frozen=True)
class Paraphrase:
    """A paraphrase that passed, or why there is none: every fault found."""

    edited: Edited | None
    faults: tuple[str, ...] = ()


def paraphrased(real: str, paraphrase: Callable[[str], str], rules: Rules, embed: Embed | None = None) -> Paraphrase:
    """Ask `paraphrase` for the real answer in other words, and check what comes back.

    Kept must be: every number, date and name, none of them new; the count of denials; about the length; and with `embed`
    every claim, by sentences in both directions. What comes back is a model's: it is cut at four times the length of the
    real answer, and signs that are no text are dropped.
    """
    reply = paraphrase(real)[: 4 * len(real) + 1]
    text = " ".join("".join(c if c.isprintable() else " " for c in reply).split())
    faults = _faults(real, text, rules, embed)
    if faults:
        return Paraphrase(None, tuple(faults))
    count = len(sentence_spans(real, rules.abbreviations))
    return Paraphrase(Edited(text, (Edit(PARAPHRASED, 0, real, text),), count, tuple(range(count))))


def _faults(real: str, text: str, rules: Rules, embed: Embed | None) -> list[str]:
    mine, theirs = words(real), words(text)
    if not theirs:
        return ["empty"]
    faults = []
    if not LENGTHS[0] * len(mine) <= len(theirs) <= LENGTHS[1] * len(mine):
        faults.append(f"{len(theirs)} words for {len(mine)}")
    copied = sum(block.size for block in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks())
    if copied > (1 - LEAST_CHANGED) * len(mine):
        faults.append("a copy: too few words changed")
    known = names_in((real, text), rules)
    for kind in ("number", "date", "name"):
        a, b = ({s.value: s.text for s in spans(t, rules, known) if s.kind == kind} for t in (real, text))
        faults += [f"{kind} lost: {a[v]}" for v in a if v not in b] + [f"{kind} new: {b[v]}" for v in b if v not in a]
    if rules.negated(real) != rules.negated(text):
        faults.append(f"{rules.negated(text)} denials for {rules.negated(real)}")
    if embed is not None:
        found = aligned([(text, real)], embed, lambda t: sentences(t, rules.abbreviations))[0]
        if found is not None:
            faults += [
                f"claim lost: {s}" for s, near in zip(found.real, found.best_said, strict=True) if near < SAME_CLAIM
            ]
            faults += [
                f"claim new: {s}" for s, near in zip(found.said, found.best_real, strict=True) if near < SAME_CLAIM
            ]
    return faults
