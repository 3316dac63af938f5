import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from raft.types import Exchange
from ratf.agents.given.controls import NONANSWERS
from ratf.scores.style.voice import _SIZE, LEAST, WORDS, Said, Voice, _Grammar, _windows, blocks, masked, placebo
from ratf.statistics.estimates import Estimate
from ratf.statistics.style import tokens
from ratf.suite.study import Study, open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study("demo", out=tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def said(study: Study) -> list[Said]:
    """What both people of the demo said before the first held-out day, and their interviewers."""
    of = [(study.person.key, study.earlier), *((p.key, p.exchanges) for p in study.impostors)]
    answers = [Said(e.answer, e.interview_id, key) for key, said in of for e in said]
    return answers + blocks((e.question, e.interview_id) for _, said in of for e in said)


@pytest.fixture(scope="module")
def voice(said: list[Said], study: Study) -> Voice:
    return Voice(said, study.person.key, seed=3)


def told(voice: Voice, said: list[Said], person: str) -> float:
    people = [s for s in said if not s.speaker.startswith("(")]
    scores = voice.scores([(s.text, s.group) for s in people])
    kept = [(s.speaker == person, x) for s, x in zip(people, scores, strict=True) if x is not None]
    return float(roc_auc_score(*zip(*kept, strict=True)))


def test_people_are_told_apart_in_interviews_that_were_left_out(voice: Voice, said: list[Said], study: Study) -> None:
    assert told(voice, said, study.person.key) > 0.95


def test_no_answer_is_judged_by_a_model_that_saw_its_interview(said: list[Said], study: Study) -> None:
    # one person's interviews, half of them under another name: only memory could tell the halves apart
    own = [s for s in said if s.speaker == study.person.key]
    other = set(sorted({s.group for s in own})[::2])
    planted = [Said(s.text, s.group, "other" if s.group in other else "person") for s in own]
    assert told(Voice(planted, "person"), planted, "person") < 0.7


def test_what_nobody_here_would_say_is_near_nobody(voice: Voice, study: Study) -> None:
    real = voice.scores([(e.answer, None) for e in study.held_out])
    assert np.mean([x for x in real if x is not None]) > 0.7
    assert all(x is not None and x < 0.2 for x in voice.scores([(text, None) for text in NONANSWERS]))


def test_the_person_s_own_words_in_no_order_are_not_the_person(voice: Voice, study: Study) -> None:
    draw = random.Random(1)
    shuffled = [" ".join(draw.sample(words := e.answer.split(), len(words))) for e in study.held_out]
    scores = [x for x in voice.scores([(text, None) for text in shuffled]) if x is not None]
    assert np.mean(scores) < 0.2


def test_the_topic_counts_for_nothing(voice: Voice, study: Study) -> None:
    def elsewhere(text: str) -> str:
        return " ".join(
            {"~": "zulu", "#": "77"}.get(m := masked(w), w if not m.startswith("~") else f"zul{m[1:]}")
            for w in tokens(text)
        )

    answers = [e.answer for e in study.held_out]
    moved = [elsewhere(text) for text in answers]
    assert not any("river" in text for text in moved)
    assert voice.scores([(t, None) for t in moved]) == voice.scores([(t, None) for t in answers])


def test_too_little_text_has_no_score(voice: Voice, study: Study) -> None:
    words = next(e.answer.split() for e in study.held_out if len(tokens(e.answer)) > LEAST)
    short, enough = " ".join(words[: LEAST - 5]), " ".join(words[: LEAST + 5])
    found = voice.scores([("", None), ("Yes.", None), (short, None), (enough, None), ("? … — ! " * 99, None)])
    assert [x is None for x in found] == [True, True, True, False, True]


@pytest.mark.parametrize("text", ["river " * 9999, "ŵ 無 🐟 " * 60, "1 " * 60, "the the " * 60])
def test_odd_text_has_a_finite_score(voice: Voice, text: str) -> None:
    (score,) = voice.scores([(text, "an unknown interview")])
    assert score is not None and 0 <= score <= 1


def test_the_same_seed_gives_the_same_numbers(voice: Voice, said: list[Said], study: Study) -> None:
    asked = [(s.text, s.group) for s in said[:20]]
    assert Voice(said, study.person.key, seed=3).scores(asked) == voice.scores(asked)


def test_a_score_does_not_depend_on_what_is_asked_with_it(voice: Voice, said: list[Said]) -> None:
    asked = [(s.text, s.group) for s in said[:5]]
    alone = [x for one in asked for x in voice.scores([one])]
    assert alone == pytest.approx(voice.scores(asked), abs=1e-9)
    assert voice.scores([]) == []


@pytest.mark.parametrize("mine", [True, False])
def test_one_interview_of_a_side_is_too_few(said: list[Said], study: Study, mine: bool) -> None:
    only = next(s.group for s in said if (s.speaker == study.person.key) is mine)
    few = [s for s in said if (s.speaker == study.person.key) is not mine or s.group == only]
    with pytest.raises(ValueError, match="two or more interviews of the person and of others"):
        Voice(few, study.person.key)


def test_two_interviews_of_each_side_are_enough(said: list[Said], study: Study) -> None:
    people = [study.person.key, *(p.key for p in study.impostors)]
    kept = {g for p in people for g in sorted({s.group for s in said if s.speaker == p})[:2]}
    few = [s for s in said if s.group in kept and s.speaker in people]
    scores = Voice(few, study.person.key).scores([(s.text, s.group) for s in few])
    assert all(x is None or 0 <= x <= 1 for x in scores)


def test_another_language_is_refused() -> None:
    text = "wir haben den fluss gesehen und das wasser war kalt weil der winter lange dauerte " * 6
    said = [Said(text, f"{who}-{n}", who) for who in ("ich", "du") for n in range(4)]
    with pytest.raises(ValueError, match="no list for other languages"):
        Voice(said, "ich")


@given(st.lists(st.lists(st.integers(1, _SIZE - 1), min_size=1, max_size=9), min_size=1, max_size=6), st.data())
@settings(max_examples=50, deadline=None)
def test_the_probabilities_of_all_next_words_add_up_to_one(texts: list[list[int]], data: st.DataObject) -> None:
    learnt = [np.array(t, dtype=np.int64) for t in texts]
    before = data.draw(st.lists(st.sampled_from([w for t in texts for w in t] + [1]), max_size=3))
    nexts = [np.array([*before, w], dtype=np.int64) for w in range(1, _SIZE)]
    at = np.cumsum([len(t) for t in nexts]) - 1
    p = np.exp(_Grammar(learnt).log_probabilities(_windows(nexts))[at])
    assert p.sum() == pytest.approx(1)
    assert (p > 0).all()


@given(st.lists(st.tuples(st.text("ab ", max_size=400), st.sampled_from("xyz")), max_size=8))
@settings(max_examples=50, deadline=None)
def test_blocks_keep_an_interview_s_words_in_order(turns: list[tuple[str, str]]) -> None:
    made = blocks(turns)
    for group in "xyz":
        words = tokens(" ".join(text for text, g in turns if g == group))
        kept = " ".join(b.text for b in made if b.group == group).split()
        assert kept == words[: len(kept)]
        assert len(words) - len(kept) < LEAST
    assert all(LEAST <= len(b.text.split()) <= WORDS for b in made)


def test_the_placebo_tells_nothing_where_the_same_people_ask(study: Study) -> None:
    turns = [(e.question, e.interview_id) for e in study.person.exchanges]
    even = set(sorted({g for _, g in turns})[::2])
    questions = {"a": [t for t in turns if t[1] in even], "b": [t for t in turns if t[1] not in even]}
    found = placebo(questions, "a")
    assert isinstance(found, Estimate)
    assert found.low is not None and found.low < 0.6, "no more than the page would be silent about"


def test_the_placebo_tells_who_asks_otherwise(study: Study) -> None:
    turns = [(e.question, e.interview_id) for e in study.person.exchanges]
    even = set(sorted({g for _, g in turns})[::2])
    curt = [(" ".join(w for w in q.split() if w.lower() not in ("the", "a", "you", "of")), g) for q, g in turns]
    questions = {"a": [t for t in turns if t[1] in even], "b": [t for t in curt if t[1] not in even]}
    found = placebo(questions, "a")
    assert found is not None and found.low is not None
    assert found.low > 0.8


def test_too_few_questions_are_no_placebo(study: Study) -> None:
    assert placebo({"a": [("Why?", "x")], "b": [("Why not?", "y")]}, "a") is None


def test_a_stranger_to_all_is_told_from_the_person(voice: Voice, study: Study, tiny_stranger: list[Exchange]) -> None:
    scores = [x for x in voice.scores([(e.answer, None) for e in tiny_stranger]) if x is not None]
    assert np.mean(scores) < 0.25


@pytest.fixture
def tiny_stranger(study: Study) -> list[Exchange]:
    """Somebody invented, who talks in single breaths and in the past."""
    said = (
        "Then he came. Then she went. They had bread and they had salt, and nobody had shoes. My father was there before "
        "them all. He had said so. She had said no. Then came rain, then came snow, then came his brother with her horse, "
        "and off they went, all of them, over there, and were never seen again by him or by her or by anyone of ours."
    )
    first = study.held_out[0]
    return [Exchange("stranger", n, first.date, first.question, said) for n in range(2)]
