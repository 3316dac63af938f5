"""Controls: answers that are given, so that every score has something to be read against."""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raft.person import Person
from raft.types import Embedder, Exchange, Vectors
from ratf.arms import DOSES, GIVEN
from ratf.canned import BOILERPLATE, NONANSWERS
from ratf.study import Study


@dataclass(frozen=True)
class Given:
    """An answer that stands in for an agent's. `similarity` is the cosine of the two questions.

    What nobody said has no person, no exchange and no similarity.
    """

    text: str
    person: str = ""
    exchange_id: str = ""
    interview_id: str = ""
    question: str = ""
    similarity: float | None = None

    @property
    def interview(self) -> str | None:
        """The person and the interview in which it was said."""
        return f"{self.person}/{self.interview_id}" if self.interview_id else None


Answers = dict[str, Given]
"""held-out question → the control's answer to it"""


def controls(study: Study, embedder: Embedder) -> dict[str, Answers]:
    """For each given control of the suite, and each dose where it can be mixed, the answer to each held-out question."""
    asked = study.held_out
    found: dict[str, Answers] = {"real": {e.exchange_id: _given(study.person, e, 1.0) for e in asked}}
    own = [(study.person, e) for e in study.earlier]
    others = [(impostor, e) for impostor in study.impostors for e in impostor.exchanges]
    questions = embedder.embed([e.question for e in asked])
    for side, candidates in (("same", own), ("impostor", others)):
        alike = np.round(questions @ embedder.embed([e.question for _, e in candidates]).T, 5)
        found[f"{side}_near"] = _taken(asked, candidates, alike, alike.argmax(axis=1))
        found[f"{side}_far"] = _taken(asked, candidates, alike, _unrelated(study, asked, alike))
    found["empty"] = {e.exchange_id: Given("") for e in asked}
    for name, texts in (("boilerplate", BOILERPLATE), ("nonanswer", NONANSWERS)):
        found[name] = {e.exchange_id: Given(texts[_lot(study, name, e) % len(texts)]) for e in asked}
    for name, share in DOSES.items():
        found[name] = {e.exchange_id: _mixed(study, e, found["impostor_near"][e.exchange_id], share) for e in asked}
    return {name: found[name] for name in given_names(study)}


def given_names(study: Study) -> list[str]:
    """The suite's controls that are given, and the doses between `real` and `impostor_near` where both are there."""
    wanted = study.suite.controls
    doses = DOSES if {"real", "impostor_near"} <= set(wanted) else ()
    return [name for name in (*wanted, *doses) if name in GIVEN]


def _taken(
    asked: Sequence[Exchange], candidates: Sequence[tuple[Person, Exchange]], alike: Vectors, which: Sequence[int]
) -> Answers:
    return {
        exchange.exchange_id: _given(*candidates[w], float(alike[i, w]))
        for i, (exchange, w) in enumerate(zip(asked, which, strict=True))
    }


def _unrelated(study: Study, asked: Sequence[Exchange], alike: Vectors) -> list[int]:
    """One of the less similar half, by lot: the least similar of all would be the same odd question every time."""
    order = np.argsort(alike, axis=1, kind="stable")
    half = max(1, alike.shape[1] // 2)
    return [int(row[_lot(study, "far", e) % half]) for e, row in zip(asked, order, strict=True)]


def _lot(study: Study, name: str, exchange: Exchange) -> int:
    """A large number that depends on the seed, the control and the question, and on nothing else."""
    text = f"{study.suite.seed}\0{name}\0{exchange.exchange_id}\0{exchange.question}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _given(person: Person, exchange: Exchange, similarity: float) -> Given:
    return Given(
        text=exchange.answer,
        person=person.key,
        exchange_id=exchange.exchange_id,
        interview_id=exchange.interview_id,
        question=exchange.question,
        similarity=round(similarity, 5),
    )


def _mixed(study: Study, exchange: Exchange, other: Given, share: float) -> Given:
    """The real answer with `share` of its words in sentences of `other`; it keeps the other's interview.

    The order of sentences does not depend on the share, so that a larger dose holds the smaller one.
    """
    text = mix(exchange.answer, other.text, share, _lot(study, "mix", exchange))
    return Given(text, other.person, other.exchange_id, other.interview_id, other.question, other.similarity)


def mix(mine: str, theirs: str, share: float, seed: int) -> str:
    """As many words as `mine` has (fewer where `theirs` is short), `share` of them theirs, whole sentences by lot."""
    words = len(mine.split())
    other = round(words * share)
    draw = random.Random(seed)
    parts = [_first_words(_shuffled(text, draw), n) for text, n in ((mine, words - other), (theirs, other))]
    return " ".join(_shuffled_list([*parts[0], *parts[1]], draw))


def _shuffled(text: str, draw: random.Random) -> list[str]:
    return _shuffled_list(re.split(r"(?<=[.!?])\s+", text.strip()), draw)


def _shuffled_list(sentences: list[str], draw: random.Random) -> list[str]:
    return draw.sample(sentences, len(sentences))


def _first_words(sentences: Sequence[str], words: int) -> list[str]:
    """Whole sentences, the last one cut, until there are so many words."""
    taken: list[str] = []
    for sentence in sentences:
        if words <= 0:
            break
        kept = sentence.split()[:words]
        words -= len(kept)
        taken.append(" ".join(kept))
    return taken
