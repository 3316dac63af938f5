import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from raft.types import Vectors
from ratf.agents.given.controls import BOILERPLATE, NONANSWERS, controls, mix
from ratf.agents.questions import questions
from ratf.agents.roles import model_under_test
from ratf.suite.arms import DOSES
from ratf.suite.study import Study, open_study


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
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study("demo", out=tmp_path_factory.mktemp("run"))


def test_every_control_answers_every_held_out_question(study: Study) -> None:
    found = controls(study, Sketches())
    asked = [e.exchange_id for e in study.held_out]
    names = [*study.suite.controls, *DOSES]
    assert {name: list(answers) for name, answers in found.items()} == dict.fromkeys(names, asked)


def test_a_strangers_answer_is_that_to_the_nearest_question(study: Study) -> None:
    asked, stranger = study.held_out[0], study.strangers[0]
    nearest = stranger.exchanges[7]
    given = controls(study, Sketches({nearest.question: asked.question}))["stranger_near"]
    assert given[asked.exchange_id].text == nearest.answer and given[asked.exchange_id].similarity == 1
    assert {g.person for g in given.values()} == {stranger.key}
    assert {g.text for g in given.values()} <= {e.answer for e in stranger.exchanges}


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
        assert given.person in {p.key for p in study.impostors}
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


def test_unrelated_questions_are_of_the_less_similar_half_and_vary(study: Study) -> None:
    sketches = Sketches()
    near = sketches.embed([e.question for e in study.held_out]) @ sketches.embed([e.question for e in study.earlier]).T
    taken = controls(study, sketches)["same_far"]
    earlier = {e.exchange_id for e in study.earlier}
    for exchange, row in zip(study.held_out, near, strict=True):
        given = taken[exchange.exchange_id]
        assert given.exchange_id in earlier
        assert given.similarity is not None and given.similarity <= float(np.median(row)) + 1e-5
    assert len({g.exchange_id for g in taken.values()}) > len(taken) / 2


def test_what_nobody_said_comes_from_nowhere_and_varies(study: Study) -> None:
    found = controls(study, Sketches())
    for name, texts in (("boilerplate", BOILERPLATE), ("nonanswer", NONANSWERS), ("empty", ("",))):
        assert {g.text for g in found[name].values()} == set(texts)
        assert {(g.person, g.interview, g.similarity) for g in found[name].values()} == {("", None, None)}


def test_doses_hold_their_share_of_the_impostors_words(study: Study) -> None:
    found = controls(study, Sketches())
    for key, given in found["mix_50"].items():
        real, other = found["real"][key], found["impostor_near"][key]
        assert given.interview == other.interview
        words = given.text.split()
        assert set(words) <= set(real.text.split()) | set(other.text.split())
        assert len(words) <= len(real.text.split())


def test_a_mixture_keeps_length_and_share() -> None:
    mine = " ".join(f"mine{n} mine{n} mine{n}." for n in range(20))
    theirs = " ".join(f"theirs{n} theirs{n} theirs{n} theirs{n}." for n in range(20))
    for share in (0.25, 0.5, 0.75):
        words = mix(mine, theirs, share, 7).split()
        assert len(words) == 60
        assert sum(w.startswith("theirs") for w in words) == round(60 * share)
    assert mix(mine, theirs, 0.5, 7) == mix(mine, theirs, 0.5, 7) != mix(mine, theirs, 0.5, 8)
    assert len(mix(mine, "short.", 0.5, 7).split()) == 31


def test_the_same_study_has_the_same_controls(study: Study) -> None:
    assert controls(study, Sketches()) == controls(study, Sketches())


def test_a_model_that_writes_a_control_is_not_told_who_speaks(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-tests")
    tiny.write_text(
        tiny.read_text("utf-8").replace("{grader:", "{paraphraser: openai/gpt-5, grader:")
        + "controls: [generic, paraphrase]\n",
        "utf-8",
    )
    study = open_study(str(tiny))
    assert controls(study, Sketches()) == {}
    for name, model in (("generic", study.suite.models.base), ("paraphrase", "openai/gpt-5")):
        for sample, exchange in zip(questions(study, name), study.held_out, strict=True):
            read = "".join(m.text for m in sample.input if not isinstance(m, str))
            assert study.person.about.name not in read.replace(exchange.question, "").replace(exchange.answer, "")
            assert (exchange.question if name == "generic" else exchange.answer) in read
            assert (exchange.answer in read) == (name == "paraphrase")
        assert str(model_under_test(study, name, obey=False)) == model
