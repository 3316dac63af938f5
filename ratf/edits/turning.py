"""Edits that turn the meaning: polarity, antonyms, numbers, dates and names. Which words, a language's rules say."""

import random
from collections.abc import Collection, Iterable, Mapping

from ratf.edits.log import TURNING, Edit
from ratf.edits.rewording import follows, phrase_edits, placed, without_facts
from ratf.edits.rules import Rules
from ratf.edits.sentences import sentence_spans
from ratf.edits.spans import Kind, Span, number_value, spans

Pool = Mapping[tuple[Kind, str], list[str]]
"""What a fact of a kind and shape may be swapped with: those of the person's own answers."""

SHIFT = 0.2
"""Numbers are moved by a fifth, up or down, as in CheckList (arXiv 2005.04118)."""


def turns(
    text: str, kind: str, rules: Rules, draw: random.Random, others: Pool | None = None, known: Collection[str] = ()
) -> list[Edit]:
    """The edits of this kind (of `TURNING`) that the text allows, none over another.

    Polarity and antonyms: one a sentence, since two might cancel each other. Facts: all of them, the same fact in the
    same way everywhere; `others` are the facts to swap names and dates with, `known` names that may begin a sentence.
    """
    starts = sentence_spans(text, rules.abbreviations)
    if kind == "polarity":
        found = phrase_edits(text, kind, {**{b: a for a, b in rules.turns.items()}, **rules.turns, **rules.turned_back})
        found = placed(text, without_facts(text, found, rules), starts)
        return _one_a_sentence(e for e in found if not _denied_next(text, e, rules))
    if kind == "antonym":
        both = {**{b: a for a, b in reversed(rules.antonyms)}, **dict(reversed(rules.antonyms))}
        found = placed(text, without_facts(text, phrase_edits(text, kind, both), rules), starts)
        found = [e for e in found if not follows(text, e.start, rules.fixed_after)]
        draw.shuffle(found)
        return _one_a_sentence(found)
    if kind not in TURNING:
        raise ValueError(f"no such kind of edit: {kind!r}; there are {', '.join(TURNING)}")
    made: dict[tuple[str, ...], str | None] = {}
    facts = []
    for span in spans(text, rules, known):
        if span.kind == kind:
            if span.value not in made:
                made[span.value] = _other(span, rules, draw, others or {})
            if (to := made[span.value]) is not None:
                facts.append(Edit(kind, span.start, span.text, to))
    return placed(text, facts, starts)


def _one_a_sentence(edits: Iterable[Edit]) -> list[Edit]:
    first: dict[int, Edit] = {}
    for edit in edits:
        first.setdefault(edit.sentence, edit)
    return list(first.values())


def _denied_next(text: str, edit: Edit, rules: Rules) -> bool:
    """Whether what follows denies it already: "is never" is not turned by "is not never"."""
    after = text[edit.end :].split(None, 1)[:1]
    return rules.negated(edit.after) > 0 and bool(after) and rules.negated(after[0]) > 0


def _other(span: Span, rules: Rules, draw: random.Random, others: Pool) -> str | None:
    if span.kind == "number":
        return _moved(span.text, rules, draw)
    mine = set(span.value[0].split())
    there = [
        o for o in others.get((span.kind, span.shape), ()) if o.casefold() != span.text.casefold()
        and (span.kind == "date" or not mine & set(o.casefold().split()))
    ]  # fmt: skip
    return draw.choice(there) if there else None


def _moved(written: str, rules: Rules, draw: random.Random) -> str | None:
    """The number a fifth up or down, at least by one of its last digit, written as before; None where it can't be."""
    value = number_value(written, rules)
    if value is None:
        return None
    places = len(written.partition(".")[2])
    step = max(value * SHIFT, 10.0**-places) * draw.choice((-1, 1))
    moved = round(value + step if value + step > 0 else value - step, places)
    if not written[0].isdigit():
        as_word = {v: word for word, v in rules.numbers.items()}
        near = sorted((abs(v - moved), v) for v in as_word if v != value)
        return as_word[near[0][1]] if near else None
    return f"{moved:,.{places}f}" if "," in written else f"{moved:.{places}f}"
