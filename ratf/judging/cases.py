"""What a judge is shown of a study: the question, the texts, and earlier words of those who may have spoken."""

import hashlib
from collections.abc import Sequence

from raft.types import Exchange
from ratf.judging.rubric import Rubric
from ratf.judging.texts import Case
from ratf.study import Study


def case_of(study: Study, rubric: Rubric, exchange_id: str, answer: str, rival: str = "", masked: bool = False) -> Case:
    """The case of an answer to a held-out question; examples are earlier answers, and never a text that is judged."""
    exchange = next(e for e in study.held_out if e.exchange_id == exchange_id)
    judged = {answer, rival, exchange.answer}
    people = [(study.person.about.name, study.earlier), *((p.about.name, p.exchanges) for p in study.impostors)]
    spoke = {name: _drawn(said, judged, exchange_id, rubric.examples) for name, said in people}
    return Case(
        key=exchange_id,
        question=exchange.question,
        real=exchange.answer,
        answer=answer,
        rival=rival,
        examples=spoke[study.person.about.name],
        candidates=spoke,
        names=tuple(spoke) if masked else (),
    )


def _drawn(said: Sequence[Exchange], judged: set[str], key: str, wanted: int) -> tuple[str, ...]:
    drawn = sorted(said, key=lambda e: hashlib.sha256(f"{key}\0{e.exchange_id}".encode()).digest())
    return tuple([e.answer for e in drawn if e.answer not in judged][:wanted])
