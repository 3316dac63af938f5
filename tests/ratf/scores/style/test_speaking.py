"""Voice as a study scores it: whether it is an answer, the verifier, and what is told of both."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from raft.errors import RaftError
from raft.models import likelihood
from raft.types import Vectors
from ratf.agents.given.controls import controls
from ratf.models.recorded.replay import recorded, replayed
from ratf.scores import measures
from ratf.scores.style.answers import REASONS
from ratf.scores.style.speaking import (
    FIRST_WORDS,
    NO_NORMS,
    NO_READER,
    READ_WORDS,
    UNREAD,
    Answered,
    answered,
    leave_out,
    verifier,
    voice_facts,
    warm_voice,
)
from ratf.scores.style.speaking import judged as judgement
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
    return [judgement(study, answer).voice for answer in arm]


def surprises(study: Study, arm: Sequence[Answered]) -> list[float | str]:
    warm_voice(study, arm)
    return [judgement(study, answer).surprise for answer in arm]


def test_what_says_nothing_has_no_voice_or_no_more_than_an_impostor(study: Study) -> None:
    made = controls(study, WordsInCommon())
    found = {
        name: judged(study, [answered(q, g.text, {"given": g.model_dump()}) for q, g in made[name].items()])
        for name in (*SAYS_NOTHING, "real", "same_near", "impostor_near", "empty")
    }
    told = {name: set(values) for name, values in found.items() if isinstance(values[0], str)}
    too_short, again = REASONS["too short"], REASONS["same for other questions"]
    assert told == {
        "yes": {too_short},
        "dont_know": {too_short},
        "echo": {too_short},
        "boilerplate": {too_short},
        "evidence_words": {too_short},
        "nonanswer": {again},
        "parrot": {REASONS["copied"]},
        "commonplaces": {REASONS["copied"]},
        "babble": {REASONS["pieced together"]},
        "empty": {REASONS["empty"]},
    }
    means = {
        name: sum(numbers) / len(numbers)
        for name, values in found.items()
        if (numbers := [v for v in values if not isinstance(v, str)])
    }
    assert means["real"] > 0.7 and means["same_near"] > 0.7, "people's own answers are not checked for copying"
    assert means["impostor_near"] < 0.2 and means["salted"] < 0.2, "one of the impostors talks much as the person does"


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


def test_a_question_that_is_repeated_until_it_is_long_is_copied(study: Study) -> None:
    asked = study.held_out[0]
    (found,) = judged(study, [Answered(asked.exchange_id, " ".join([asked.question] * 6))])
    assert found == REASONS["copied"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a scripted reader was given: to it, sentences that begin in upper case are fluent, and "Smoothly" is most."""
    seen: list[str] = []

    def read_by_a_script(model: object, conversations: object, answers: Sequence[str]) -> list[float]:
        seen.extend(answers)
        return [
            -1.0 if a.startswith("Smoothly") else -9.0 if a.startswith("salad") else -4.0 - 0.01 * (len(a) % 40)
            for a in answers
        ]

    monkeypatch.setattr(likelihood, "log_likelihoods", read_by_a_script)
    return seen


@pytest.fixture
def with_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]) -> Study:
    monkeypatch.setattr(measures, "embedder", lambda name: WordsInCommon())
    study = open_study("demo", out=tmp_path)
    leave_out(study, ["off topic"])
    return study


def test_what_is_not_fluent_is_read_to_the_end_and_what_begins_fluently_is_not(
    with_reader: Study, read: list[str]
) -> None:
    first, second = with_reader.held_out[:2]
    smooth, salad = f"Smoothly {first.answer}", f"salad {second.answer}"
    arm = [Answered(first.exchange_id, smooth), Answered(second.exchange_id, salad)]
    warm_voice(with_reader, arm)
    assert not isinstance(judgement(with_reader, arm[0]).voice, str)
    assert judgement(with_reader, arm[1]).voice == REASONS["not fluent"]
    begun = [text for text in read if text.startswith(("Smoothly", "salad"))]
    assert [len(text.split()) for text in begun] == [FIRST_WORDS, FIRST_WORDS, min(READ_WORDS, len(salad.split()))]


def test_what_has_no_voice_is_read_no_further(with_reader: Study, read: list[str]) -> None:
    other = f"salad {with_reader.impostors[0].exchanges[3].answer}"
    (found,) = judged(with_reader, [Answered(with_reader.held_out[0].exchange_id, other)])
    assert not isinstance(found, str) and found < 0.1
    assert [len(text.split()) for text in read if text.startswith("salad")] == [FIRST_WORDS]


def test_surprise_is_a_distance_on_either_side_and_describes_machines(with_reader: Study, read: list[str]) -> None:
    questions = [e.exchange_id for e in with_reader.held_out]
    texts = [e.answer for e in with_reader.held_out]
    machine = surprises(with_reader, [Answered(questions[0], f"Smoothly {texts[0]}")])
    salad = surprises(with_reader, [Answered(questions[0], f"salad {texts[0]}")])
    real = surprises(with_reader, [Answered(q, t, checked=False) for q, t in zip(questions, texts, strict=True)])
    numbers = [x for x in real if not isinstance(x, str)]
    assert len(numbers) == 24 and max(numbers) < 3
    assert isinstance(machine[0], float) and isinstance(salad[0], float) and min(machine[0], salad[0]) > 10
    assert {x for x in real if isinstance(x, str)} == {UNREAD}
    before = len(read)
    voice_facts(with_reader)
    assert not [t for t in read[before:] if len(t.split()) <= FIRST_WORDS], "the real ones are not read twice"


def test_surprise_says_why_it_has_no_score(with_reader: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question, text = with_reader.held_out[0].exchange_id, with_reader.held_out[0].answer
    assert surprises(with_reader, [Answered(question, "Yes.")]) == [REASONS["too short"]]
    few = replace(with_reader, earlier=with_reader.earlier[:8], folder=tmp_path / "few")
    leave_out(few, ["off topic"])
    assert surprises(few, [Answered(question, text)]) == [NO_NORMS]

    def missing(*_: object) -> list[float]:
        raise ImportError

    monkeypatch.setattr(likelihood, "log_likelihoods", missing)
    monkeypatch.setattr("raft.models.kept.made_folder", lambda: tmp_path / "nothing kept")
    without = replace(with_reader, folder=tmp_path / "without")
    leave_out(without, ["off topic"])
    arm = [Answered(question, text)]
    assert surprises(without, arm) == [NO_READER]
    assert not isinstance(judgement(without, arm[0]).voice, str), "without a reader the check is not made"


def test_what_no_reader_read_when_it_was_recorded_is_not_read_in_a_replay(
    with_reader: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run on hosted models is recorded without torch; a replay of it must not ask for what torch would have read."""
    arm = [Answered(with_reader.held_out[0].exchange_id, with_reader.held_out[0].answer)]
    found: list[float | str] = []

    def work(study: Study) -> None:
        leave_out(study, ["off topic"])
        found.extend(surprises(study, arm))
        (study.folder / "results.json").write_text("{}", "utf-8")

    there = likelihood.log_likelihoods
    monkeypatch.delattr(likelihood, "log_likelihoods")
    recorded(replace(with_reader, folder=tmp_path / "run"), tmp_path / "recording", work)  # type: ignore[arg-type]
    monkeypatch.setattr(likelihood, "log_likelihoods", there, raising=False)
    replayed(replace(with_reader, folder=tmp_path / "again"), tmp_path / "recording", work)  # type: ignore[arg-type]
    assert found == [NO_READER, NO_READER]


def test_a_person_without_a_verifier_has_no_score_and_a_reason(tiny: Path, tmp_path: Path) -> None:
    study = open_study(tiny, out=tmp_path)
    foreign = [replace(e, answer="这条河在一夜之间冲走了堤岸。 " * 60) for e in study.earlier]
    study = replace(study, earlier=foreign)
    assert isinstance(verifier(study), str)
    leave_out(study, ["not fluent", "off topic"])
    (found,) = judged(study, [Answered(study.held_out[0].exchange_id, LONG)])
    assert found == verifier(study)


def test_a_stranger_is_not_the_person_and_nothing_is_learnt_from_one(study: Study) -> None:
    made = controls(study, WordsInCommon())["stranger_near"]
    arm = [answered(q, g.text, {"given": g.model_dump()}) for q, g in made.items()]
    found = judged(study, arm)
    numbers = [x for x in found if not isinstance(x, str)]
    assert len(numbers) == len(arm) and sum(numbers) / len(numbers) < 0.5
    alone = replace(study, strangers=[])
    leave_out(alone, ["not fluent"])
    assert judged(alone, arm) == found


def test_voice_computes_nothing_when_it_is_asked(study: Study) -> None:
    with pytest.raises(RaftError, match="warm_voice first"):
        judgement(study, Answered(study.held_out[0].exchange_id, LONG))


def test_the_price_and_the_placebo_are_told(study: Study) -> None:
    found = voice_facts(study)
    assert found is not None and list(found.refused) == list(REASONS)
    assert found.refused["not fluent"] == 0 and max(found.refused.values()) <= 0.1
    assert found.placebo is not None and 0.5 < found.placebo.auc <= 1 and found.placebo.interviews > 2
    assert voice_facts(study) == found


@pytest.mark.slow
def test_nothing_is_learnt_from_held_out_interviews(study: Study) -> None:
    question = study.held_out[0].exchange_id
    changed = replace(study, held_out=[replace(e, answer=LONG) for e in study.held_out])
    asked = [Answered(question, study.earlier[3].answer, checked=False)]
    assert judged(changed, asked) == judged(study, asked)
    other = replace(study, earlier=[replace(e, answer=f"Quite so, {e.answer}") for e in study.earlier])
    assert judged(other, asked) != judged(study, asked)
