"""Controls made from the real answers by rule: rewordings, parts of them, and turned copies. Nobody said any of them."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence

from raft.types import Exchange, Vectors
from ratf.edits.log import LEFT_OUT, PUT_IN, TURNING, Edit, Edited, applied, lot, picked
from ratf.edits.rewording import fillers_in, reworded_sentences, rewordings
from ratf.edits.rules import Rules
from ratf.edits.sentences import sentence_spans, sentences
from ratf.edits.spans import names_in, pool
from ratf.edits.turning import Pool, turns
from ratf.suite.arms import FACTS

SHARES = {"claims_0": 0.0, "claims_25": 0.25, "claims_50": 0.5, "claims_75": 0.75, "claims_100": 1.0}
"""How much of the real answer each of these controls still claims; the rest is from other answers on the topic."""
ON_TOPIC = 3
"""So many of the person's other answers, by the cosine of the questions, are on the topic."""

KINDS: dict[str, tuple[str, ...]] = {**{kind: (kind,) for kind in TURNING}, "fact": FACTS[:-1]}
"""What a turned copy is turned by: one kind of edit, or facts of every kind, of which more answers have one."""

MADE = {
    "reworded": "the real answer in other words",
    "half_reworded": "half of the real answer's sentences, in other words",
    "own_topic": "sentences of the person's other answers on the topic",
    **{
        name: f"{share:.0%} of the real answer's sentences, filled up with others of the person's on the topic"
        for name, share in SHARES.items()
    },
    **{f"edit_{kind}": f"the real answer with its meaning turned by {kind}" for kind in KINDS},
    **{f"even_{kind}": f"the real answer with as many words changed as by {kind}, to no effect" for kind in KINDS},
}
"""Every control that is made by rule, in words."""

Made = dict[str, dict[str, Edited]]
"""control → held-out question → the answer; a question is absent where its answer does not allow the edit."""


def made_controls(asked: Sequence[Exchange], own: Sequence[Exchange], alike: Vectors, rules: Rules, seed: int) -> Made:
    """For every control that can be made by rule, the answers and their edit logs.

    `own` are the person's other exchanges, `alike` the cosines of the questions, of shape (len(asked), len(own)).

    - `reworded`: the whole answer in other words; `half_reworded`: half of its sentences, in other words.
    - `own_topic`: sentences of the person's other answers on the topic, as many words as `half_reworded` has.
    - `claims_0` … `claims_100`: so many percent of its sentences, every other one reworded, filled up to its length with
      the same sentences of other answers. A larger share holds the smaller one.
    - `edit_KIND` and `even_KIND`, for each kind of `KINDS`: the answer with its meaning turned, and with as many words
      changed to no effect.
    """
    known = names_in((e.answer for e in (*own, *asked)), rules)
    others = pool((e.answer for e in own), rules, known)
    found: Made = {}
    for row, exchange in enumerate(asked):
        near = sorted(range(len(own)), key=lambda i: (-round(float(alike[row, i]), 5), i))[:ON_TOPIC]
        topic = [s for i in near for s in sentences(own[i].answer, rules.abbreviations)]
        made = of_answer(exchange.answer, topic, rules, f"{seed}\0{exchange.exchange_id}", others, known)
        for name, edited in made.items():
            found.setdefault(name, {})[exchange.exchange_id] = edited
    return {name: found[name] for name in sorted(found)}


def of_answer(
    text: str, topic: Sequence[str], rules: Rules, seed: str, others: Pool, known: Collection[str] = ()
) -> dict[str, Edited]:
    """Every control that can be made of one answer. `topic`: sentences of the person's other answers on it."""
    found: dict[str, Edited] = {}
    said = reworded_sentences(text, rules, lot(seed, "reworded"), known)
    if any(edits for _, edits in said):
        everything = tuple(range(len(said)))
        found["reworded"] = Edited(
            " ".join(t for t, _ in said), tuple(e for _, of in said for e in of), len(said), everything
        )
    if len(said) > 1:
        found |= _parts(text, said, [t for t in topic if t not in text], rules, seed)
    return found | turned_copies(text, KINDS, rules, seed, others, known)


def turned_copies(
    text: str, kinds: Iterable[str], rules: Rules, seed: str, others: Pool, known: Collection[str] = ()
) -> dict[str, Edited]:
    """`edit_KIND` and `even_KIND` of one answer, for each of these `KINDS` that it allows."""
    found: dict[str, Edited] = {}
    harmless = rewordings(text, rules)
    for kind in kinds:
        pair = even_pair(text, KINDS[kind], rules, lot(seed, kind), others, known, harmless)
        if pair:
            found[f"edit_{kind}"], found[f"even_{kind}"] = pair
    return found


def even_pair(
    text: str,
    kinds: Sequence[str],
    rules: Rules,
    draw: random.Random,
    others: Pool,
    known: Collection[str] = (),
    harmless: Sequence[Edit] | None = None,
) -> tuple[Edited, Edited] | None:
    """The answer turned by edits of these kinds, and reworded with as many words changed: as many as both allow.

    Synonyms come first among the rewordings, since they most resemble what turns a meaning: a word for a word. `harmless`
    are those of `rewordings`, where they are known.
    """
    against = [edit for kind in kinds for edit in turns(text, kind, rules, draw, others, known)]
    draw.shuffle(against)
    harmless = list(rewordings(text, rules) if harmless is None else harmless)
    draw.shuffle(harmless)
    harmless.sort(key=lambda e: (e.kind != "synonym", -len(e.before.split())))
    harmless += fillers_in(text, rules, draw, known)
    count = len(sentence_spans(text, rules.abbreviations))
    for words in range(sum(e.changed for e in against), 0, -1):
        a, b = picked(against, words), picked(harmless, words)
        if a and b:
            kept = tuple(range(count))
            return Edited(applied(text, a), tuple(a), count, kept), Edited(applied(text, b), tuple(b), count, kept)
    return None


def _parts(
    text: str, said: Sequence[tuple[str, list[Edit]]], topic: list[str], rules: Rules, seed: str
) -> dict[str, Edited]:
    spans = sentence_spans(text, rules.abbreviations)
    order = lot(seed, "parts").sample(range(len(said)), len(said))
    half = _part(text, spans, said, sorted(order[: (len(order) + 1) // 2]), set(order), [], {})
    found = {"half_reworded": half}
    draw = lot(seed, "topic")
    topic = draw.sample(topic, len(topic))
    alone = _filling(topic, len(half.text.split()))
    if alone:
        put = tuple(Edit(PUT_IN, -1, "", t) for t in alone)
        found["own_topic"] = Edited(" ".join(alone), put, len(said), ())
    places = {t: draw.random() * len(said) for t in topic}
    reworded = {i for at, i in enumerate(order) if at % 2}
    for name, share in SHARES.items():
        kept = order[: round(share * len(order))]
        lacking = sum(len(text[a:b].split()) for i, (a, b) in enumerate(spans) if i not in kept)
        fill = _filling(topic, lacking)
        # a share that leaves out nothing more than the next one, or that cannot be filled up, is no dose of its own
        if len(order) >= len(SHARES) - 1 and (not lacking or sum(len(t.split()) for t in fill) > lacking / 2):
            found[name] = _part(text, spans, said, sorted(kept), reworded, fill, places)
    return found


def _part(
    text: str,
    spans: Sequence[tuple[int, int]],
    said: Sequence[tuple[str, list[Edit]]],
    kept: Sequence[int],
    reworded: Collection[int],
    fill: Sequence[str],
    places: Mapping[str, float],
) -> Edited:
    """The `kept` sentences, those in `reworded` in other words, with `fill` between them at its places."""
    edits: list[Edit] = []
    parts: list[tuple[float, str]] = []
    for i, (a, b) in enumerate(spans):
        if i in kept:
            parts.append((i, said[i][0] if i in reworded else text[a:b]))
            edits += said[i][1] if i in reworded else []
        else:
            edits.append(Edit(LEFT_OUT, a, text[a:b], "", i))
    parts += [(places[t], t) for t in fill]
    edits += [Edit(PUT_IN, -1, "", t) for t in fill]
    return Edited(" ".join(t for _, t in sorted(parts)), tuple(edits), len(spans), tuple(kept))


def _filling(sentences: Sequence[str], words: int) -> list[str]:
    """Sentences in their order until there are about so many words; a smaller number takes a part of the same ones."""
    taken: list[str] = []
    for sentence in dict.fromkeys(sentences):
        size = len(sentence.split())
        if words < size / 2:
            break
        taken.append(sentence)
        words -= size
    return taken
