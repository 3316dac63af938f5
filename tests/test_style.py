import pytest
from sklearn.metrics import roc_auc_score

from raft.types import Exchange
from ratf.study import open_study
from ratf.style import WORDS, Spoken, StyleIdentity, normalise


@pytest.fixture(scope="module")
def answers() -> list[Spoken]:
    """What both people of the demo said before the first held-out day."""
    study = open_study("demo")
    theirs: list[Exchange] = [e for p in study.impostors for e in p.exchanges]
    return [
        Spoken(e.answer, e.interview_id, is_person)
        for is_person, said in ((True, study.earlier), (False, theirs))
        for e in said
    ]


@pytest.fixture(scope="module")
def model(answers: list[Spoken]) -> StyleIdentity:
    """Learnt once for the tests that only ask it."""
    return StyleIdentity(answers, seed=3)


def auc(model: StyleIdentity, answers: list[Spoken], seen: bool) -> float:
    """How well the labels are told; `seen`: also by the models that learnt from the answer."""
    probabilities = model.probabilities([(a.text, None if seen else a.group) for a in answers])
    return float(roc_auc_score([a.is_person for a in answers], probabilities))


def test_people_are_told_apart_in_interviews_that_were_left_out(model: StyleIdentity, answers: list[Spoken]) -> None:
    assert auc(model, answers, seen=False) > 0.9


@pytest.mark.parametrize("seed", [0, 1])
def test_no_answer_is_judged_by_a_model_that_saw_its_interview(answers: list[Spoken], seed: int) -> None:
    # one person's interviews, half of them labelled as another's: only memory could tell the halves apart
    own = [a for a in answers if a.is_person]
    interviews = sorted({a.group for a in own})
    other = set(interviews[::2])
    planted = [Spoken(a.text, a.group, a.group not in other) for a in own]
    model = StyleIdentity(planted, seed)
    assert auc(model, planted, seen=True) > 0.95
    assert 0.3 < auc(model, planted, seen=False) < 0.7


def test_the_same_seed_gives_the_same_numbers(model: StyleIdentity, answers: list[Spoken]) -> None:
    asked = [(a.text, a.group) for a in answers[:20]] + [("Never heard of it.", None)]
    assert StyleIdentity(answers, seed=3).probabilities(asked) == model.probabilities(asked)


def test_an_answers_probability_does_not_depend_on_what_is_asked_with_it(
    model: StyleIdentity, answers: list[Spoken]
) -> None:
    asked = [(a.text, a.group) for a in answers[:5]]
    assert model.probabilities(asked) == [p for one in asked for p in model.probabilities([one])]


def test_probabilities_are_probabilities(model: StyleIdentity) -> None:
    found = model.probabilities([("", None), ("ŵ 無 🐟", None), ("river " * 9999, "an unknown interview")])
    assert all(0 < p < 1 for p in found)


@pytest.mark.parametrize("side", [True, False])
def test_one_interview_of_a_side_is_too_few(answers: list[Spoken], side: bool) -> None:
    only = next(a.group for a in answers if a.is_person is side)
    few = [a for a in answers if a.is_person is not side or a.group == only]
    with pytest.raises(ValueError, match="two or more interviews of the person and of the impostors"):
        StyleIdentity(few)


def test_two_interviews_of_each_side_are_enough(answers: list[Spoken]) -> None:
    kept = {g for side in (True, False) for g in sorted({a.group for a in answers if a.is_person is side})[:2]}
    few = [a for a in answers if a.group in kept]
    assert len(StyleIdentity(few).probabilities([(a.text, a.group) for a in few])) == len(few)


def test_length_does_not_tell() -> None:
    long = [f"word{n}" for n in range(WORDS + 50)]
    assert normalise(" ".join(long)) == " ".join(long[:WORDS])


def test_typography_does_not_tell() -> None:
    assert normalise("“It’s\u00a0here” – no…\n\nyes —  ‘so’ ") == "\"It's here\" - no... yes - 'so'"


def test_case_and_punctuation_are_kept() -> None:
    assert normalise("Well, I — YES!") == "Well, I - YES!"
