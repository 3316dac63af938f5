"""Controls: answers that are given, so that every score has something to be read against."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raft.person import Person
from raft.types import Embedder, Exchange
from ratf.study import Study


@dataclass(frozen=True)
class Given:
    """A real answer that stands in for an agent's. `similarity` is the cosine of the two questions."""

    text: str
    person: str
    exchange_id: str
    interview_id: str
    question: str
    similarity: float


def controls(study: Study, embedder: Embedder) -> dict[str, dict[str, Given]]:
    """For each control of the suite, the given answer to each held-out question."""
    own = [(study.person, e) for e in study.earlier]
    others = [(impostor, e) for impostor in study.impostors for e in impostor.exchanges]
    found = {
        "real": {e.exchange_id: _given(study.person, e, 1.0) for e in study.held_out},
        "same_near": _nearest(study.held_out, own, embedder),
        "impostor_near": _nearest(study.held_out, others, embedder),
    }
    return {name: found[name] for name in study.suite.controls}


def _nearest(
    asked: Sequence[Exchange], candidates: Sequence[tuple[Person, Exchange]], embedder: Embedder
) -> dict[str, Given]:
    vectors = embedder.embed([e.question for e in asked])
    others = embedder.embed([e.question for _, e in candidates])
    near = np.round(vectors @ others.T, 5)
    best = near.argmax(axis=1)
    answers = {}
    for i, (exchange, b) in enumerate(zip(asked, best, strict=True)):
        person, other = candidates[b]
        answers[exchange.exchange_id] = _given(person, other, float(near[i, b]))
    return answers


def _given(person: Person, exchange: Exchange, similarity: float) -> Given:
    return Given(
        text=exchange.answer,
        person=person.key,
        exchange_id=exchange.exchange_id,
        interview_id=exchange.interview_id,
        question=exchange.question,
        similarity=round(similarity, 5),
    )
