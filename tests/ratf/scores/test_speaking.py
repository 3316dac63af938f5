"""Voice as a study scores it: whether it is an answer, the verifier, and what is told of both."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from raft.errors import RaftError
from raft.models import likelihood
from raft.types import Vectors
from ratf.agents.controls import controls
from ratf.scores import measures
from ratf.scores.answers import REASONS
from ratf.scores.speaking import (
    GLANCE_WORDS,
    Answered,
    answered,
    leave_out,
    verifier,
    voice_facts,
    voice_of,
    warm_voice,
)
from ratf.suite.arms import SAYS_NOTHING
from ratf.suite.study import Study, open_study

LONG = "And so it went on along the bank for a good while, and nobody in the village said a word about it to me. " * 4


class WordsInCommon:
    """Texts are as near as their words."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        from sklearn.feature_extraction.text import HashingVectorizer

        rows: Vectors = HashingVectorizer(n_features=2**12, stop_words="english").transform(texts).toarray()
        return rows.astype("float32")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The demo's, with an embedder of words and without the reader."""
    monkeypatch.setattr(measures, "embedder", lambda name: WordsInCommon())
    found = open_study("demo", out=tmp_path)
    leave_out(found, ["not fluent"])
    return found


def judged(study: Study, arm: Sequence[Answered]) -> list[float | str]:
    warm_voice(study, arm)
    return [voice_of(study, answer) for answer in arm]


def test_what_says_nothing_has_no_voice_or_no_more_than_an_impostor(study: Study) -> None:
    made = controls(study, WordsInCommon())
    found = {
        name: judged(study, [answered(q, g.text, {"given": asdict(g)}) for q, g in made[name].items()])
        for name in (*SAYS_NOTHING, "real", "same_near", "impostor_near", "empty")
    }
    told = {name: set(values) for name, values in found.items() if isinstance(values[0], str)}
    too_short, again = REASONS["too short"], REASONS["same for other questions"]
    assert told == {
        "yes": {too_short},
        "dont_know": {too_short},
        "boilerplate": {too_short},
        "evidence_words": {too_short},
        "nonanswer": {again},
        "parrot": {REASONS["copied"]},
        "empty": {REASONS["empty"]},
    }
    means = {
        name: sum(numbers) / len(numbers)
        for name, values in found.items()
        if (numbers := [v for v in values if not isinstance(v, str)])
    }
    assert means["real"] > 0.8 and means["same_near"] > 0.8, "people's own answers are not checked for copying"
    assert means["impostor_near"] < 0.1 and means["salted"] < 0.1


def test_the_same_text_is_refused_to_many_questions_and_not_to_one(study: Study) -> None:
    first, second = (e.exchange_id for e in study.held_out[:2])
    alone = judged(study, [Answered(first, LONG)])
    both = judged(study, [Answered(first, LONG), Answered(second, LONG)])
    again = judged(study, [Answered(first, LONG), Answered(first, LONG, epoch=2)])
    assert REASONS["same for other questions"] not in (*alone, *again)
    assert both == [REASONS["same for other questions"]] * 2


def test_memories_that_were_shown_count_as_learnt(study: Study) -> None:
    question = study.held_out[0].exchange_id
    (found,) = judged(study, [answered(question, LONG, {"memories": [{"text": LONG}]})])
    assert found == REASONS["copied"]


def test_babble_is_not_fluent_and_what_is_fluent_at_a_glance_is_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "embedder", lambda name: WordsInCommon())
    study = open_study("demo", out=tmp_path)
    leave_out(study, ["off topic"])
    made, read = controls(study, WordsInCommon()), list[str]()
    word_salad = {" ".join(g.text.split()[:n]) for g in made["babble"].values() for n in (GLANCE_WORDS, 100)}
    smooth = " ".join(study.held_out[0].answer.split()[:GLANCE_WORDS])

    def read_by_a_script(model: object, conversations: object, answers: Sequence[str]) -> list[float]:
        read.extend(answers)
        return [-6.0 if a in word_salad else -1.0 if a == smooth else -4.0 - 0.01 * (len(a) % 40) for a in answers]

    monkeypatch.setattr(likelihood, "log_likelihoods", read_by_a_script)
    babble = [answered(q, g.text, {"given": asdict(g)}) for q, g in made["babble"].items()]
    assert set(judged(study, babble)) == {REASONS["not fluent"]}
    machine = Answered(study.held_out[0].exchange_id, study.held_out[0].answer)
    read.clear()
    assert not isinstance(judged(study, [machine])[0], str)
    assert read == [smooth]


def test_a_person_without_a_verifier_has_no_score_and_a_reason(tiny: Path, tmp_path: Path) -> None:
    study = open_study(tiny, out=tmp_path)
    foreign = [replace(e, answer="这条河在一夜之间冲走了堤岸。 " * 60) for e in study.earlier]
    study = replace(study, earlier=foreign)
    assert isinstance(verifier(study), str)
    leave_out(study, ["not fluent", "off topic"])
    (found,) = judged(study, [Answered(study.held_out[0].exchange_id, LONG)])
    assert found == verifier(study)


def test_voice_computes_nothing_when_it_is_asked(study: Study) -> None:
    with pytest.raises(RaftError, match="warm_voice first"):
        voice_of(study, Answered(study.held_out[0].exchange_id, LONG))


def test_the_price_and_the_placebo_are_told(study: Study) -> None:
    found = voice_facts(study)
    assert found is not None and list(found.refused) == list(REASONS)
    assert found.refused["not fluent"] == 0 and max(found.refused.values()) <= 0.1
    assert found.placebo is not None and 0.5 < found.placebo.auc <= 1 and found.placebo.interviews > 2
    assert voice_facts(study) == found


def test_nothing_is_learnt_from_held_out_interviews(study: Study) -> None:
    question = study.held_out[0].exchange_id
    changed = replace(study, held_out=[replace(e, answer=LONG) for e in study.held_out])
    asked = [Answered(question, study.earlier[3].answer, checked=False)]
    assert judged(changed, asked) == judged(study, asked)
    other = replace(study, earlier=[replace(e, answer=f"Quite so, {e.answer}") for e in study.earlier])
    assert judged(other, asked) != judged(study, asked)
