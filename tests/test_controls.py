import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from raft.types import Vectors
from ratf.controls import controls
from ratf.study import Study, open_study


class Sketches:
    """A random unit vector for every text, always the same; texts in `same` get that of the text they are said to equal."""

    def __init__(self, same: Mapping[str, str] | None = None) -> None:
        self.same = same or {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = [self._one(self.same.get(text, text)) for text in texts]
        return np.stack(rows)

    def _one(self, text: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        vector = np.random.default_rng(seed).normal(size=128)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study("demo")


def test_every_control_answers_every_held_out_question(study: Study) -> None:
    found = controls(study, Sketches())
    asked = [e.exchange_id for e in study.held_out]
    assert {name: list(answers) for name, answers in found.items()} == dict.fromkeys(study.suite.controls, asked)


def test_only_the_suites_controls_are_found(tiny: Path) -> None:
    tiny.write_text(tiny.read_text("utf-8") + "controls: [same_near]\n", "utf-8")
    assert list(controls(open_study(str(tiny)), Sketches())) == ["same_near"]


def test_real_is_the_real_answer(study: Study) -> None:
    found = controls(study, Sketches())["real"]
    assert {key: given.text for key, given in found.items()} == {e.exchange_id: e.answer for e in study.held_out}
    assert {given.similarity for given in found.values()} == {1.0}
    assert {given.person for given in found.values()} == {"marrack"}


def test_same_near_is_the_persons_own_and_from_before_the_first_held_out_day(study: Study) -> None:
    # to the encoder all held-out questions are the same one: the nearest of all may not be taken
    questions = [e.question for e in study.held_out]
    same = dict.fromkeys(questions, questions[0])
    dates = {e.exchange_id: e.date for e in study.person.exchanges}
    for given in controls(study, Sketches(same))["same_near"].values():
        day = dates[given.exchange_id]
        assert given.person == "marrack"
        assert day and study.cut and day < study.cut


def test_impostor_near_is_only_ever_an_impostors(study: Study) -> None:
    theirs = {e.exchange_id: e.answer for p in study.impostors for e in p.exchanges}
    for given in controls(study, Sketches())["impostor_near"].values():
        assert given.person == "pell"
        assert theirs[given.exchange_id] == given.text


def test_the_nearest_question_is_taken_with_its_answer_and_similarity(study: Study) -> None:
    asked, own, other = study.held_out[0], study.earlier[5], study.impostors[0].exchanges[7]
    found = controls(study, Sketches({own.question: asked.question, other.question: asked.question}))
    for name, exchange in (("same_near", own), ("impostor_near", other)):
        given = found[name][asked.exchange_id]
        assert (given.exchange_id, given.interview_id) == (exchange.exchange_id, exchange.interview_id)
        assert (given.text, given.question, given.similarity) == (exchange.answer, exchange.question, 1.0)


def test_no_earlier_question_is_nearer_than_the_one_taken(study: Study) -> None:
    sketches = Sketches()
    near = sketches.embed([e.question for e in study.held_out]) @ sketches.embed([e.question for e in study.earlier]).T
    taken = controls(study, sketches)["same_near"]
    for exchange, row in zip(study.held_out, near, strict=True):
        assert taken[exchange.exchange_id].similarity == pytest.approx(row.max(), abs=1e-5)
        assert taken[exchange.exchange_id].exchange_id == study.earlier[row.argmax()].exchange_id


def test_of_equally_near_questions_the_oldest_is_taken(study: Study) -> None:
    asked = study.held_out[0]
    found = controls(study, Sketches({e.question: asked.question for e in study.earlier[3:9]}))
    assert found["same_near"][asked.exchange_id].exchange_id == study.earlier[3].exchange_id
