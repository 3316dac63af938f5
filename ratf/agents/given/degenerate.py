"""Answers that nobody would call a replica, in the exam and on every page: what reaches the person with them is no voice.

Each function gives an answer to every question asked, by its id. Nothing is drawn but from the seed and the question.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from raft.types import Exchange
from ratf.edits.log import lot

YES = "Yes."
DONT_KNOW = "I don't know."
EVIDENCE_WORDS = 40
COMMONPLACES = 8
SALT_EVERY = 8
Answers = dict[str, str]
"""question → answer"""


def yes(asked: Sequence[Exchange]) -> Answers:
    """A yes to everything."""
    return {e.exchange_id: YES for e in asked}


def dont_know(asked: Sequence[Exchange]) -> Answers:
    """No knowledge of anything."""
    return {e.exchange_id: DONT_KNOW for e in asked}


def echo(asked: Sequence[Exchange]) -> Answers:
    """The question itself."""
    return {e.exchange_id: e.question for e in asked}


def parrot(asked: Sequence[Exchange], earlier: Sequence[Exchange]) -> Answers:
    """One earlier answer of the person's, of middling length, to everything."""
    if not earlier:
        return {}
    by_length = sorted(earlier, key=lambda e: (len(e.answer.split()), e.exchange_id))
    return {e.exchange_id: by_length[len(by_length) // 2].answer for e in asked}


def commonplaces(asked: Sequence[Exchange], sentences: Sequence[str], alike: NDArray[np.float32]) -> Answers:
    """The same eight sentences to everything, of those that the person said the ones that are nearest to all others.

    `alike` has the cosines of the sentences with each other. Greedily, the next sentence is the one with which the sum of
    each sentence's greatest cosine grows most (facility location; Lin & Bilmes 2011).
    """
    covered, chosen = np.zeros(len(sentences), dtype=np.float32), []
    for _ in range(min(COMMONPLACES, len(sentences))):
        best = int(np.maximum(covered[:, None], alike).sum(axis=0).argmax())
        chosen.append(best)
        covered = np.maximum(covered, alike[:, best])
    text = " ".join(sentences[i] for i in chosen)
    return {e.exchange_id: text for e in asked} if text else {}


def babble(asked: Sequence[Exchange], earlier: Sequence[Exchange], seed: int) -> Answers:
    """Chains of word pairs of the person's earlier answers, as long as the real answer."""
    after: dict[str, list[str]] = {}
    for exchange in earlier:
        said = exchange.answer.split()
        for a, b in pairwise(said):
            after.setdefault(a, []).append(b)
    starts = sorted(e.answer.split()[0] for e in earlier)
    found: Answers = {}
    for exchange in asked if starts else ():
        draw = lot(seed, "babble", exchange.exchange_id)
        chain = [draw.choice(starts)]
        while len(chain) < len(exchange.answer.split()):
            chain.append(draw.choice(after.get(chain[-1]) or starts))
        found[exchange.exchange_id] = " ".join(chain)
    return found


def evidence_words(asked: Sequence[Exchange], evidence: Sequence[str], seed: int) -> Answers:
    """The words that a report shows as evidence of the voice, 40 of them by lot; {} where there is no evidence."""
    return {
        e.exchange_id: " ".join(lot(seed, "evidence", e.exchange_id).choices(evidence, k=EVIDENCE_WORDS))
        for e in (asked if evidence else ())
    }


def salted(asked: Sequence[Exchange], impostor: Mapping[str, str], evidence: Sequence[str], seed: int) -> Answers:
    """The impostor's answer to each question, with a word of the person's evidence after every eighth of its words."""
    found: Answers = {}
    for exchange in asked if evidence else ():
        if exchange.exchange_id not in impostor:
            continue
        draw = lot(seed, "salted", exchange.exchange_id)
        salt: list[str] = []
        for at, word in enumerate(impostor[exchange.exchange_id].split(), start=1):
            salt += [word, draw.choice(evidence)] if at % SALT_EVERY == 0 else [word]
        found[exchange.exchange_id] = " ".join(salt)
    return found
