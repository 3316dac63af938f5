import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from raft.people.person import About, load_person
from raft.types import Exchange
from ratf.results.exams import WORDS
from ratf.statistics.exam import examine
from ratf.statistics.style import Spoken, StyleIdentity, normalise
from ratf.suite.metrics import LADDERS
from ratf.suite.study import open_study


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
    """How well the labels are told; `seen`: by the bare classifiers, most of which learnt from the answer."""
    found = remembered(model, answers) if seen else model.probabilities([(a.text, a.group) for a in answers])
    return float(roc_auc_score([a.is_person for a in answers], found))


def remembered(model: StyleIdentity, answers: list[Spoken]) -> list[float]:
    counts = model._features.transform([normalise(a.text) for a in answers]).tocsr()
    margins = [fold.classifier.decision_function(counts) for fold in model._folds]
    return [float(m) for m in np.mean(margins, axis=0)]


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


def test_what_the_transcriber_wrote_does_not_tell() -> None:
    assert normalise("“It’s\u00a0here” – no…\n\nyes —  ‘so’ ") == "it's here no yes so"
    assert normalise("Well, I — YES!") == normalise("well i yes") == "well i yes"


class Memoriser:
    """Knows every text that it was shown, and tosses a coin for others."""

    def __init__(self, seed: int) -> None:
        self.known: dict[bytes, bool] = {}

    def fit(self, counts: Any, labels: Any) -> "Memoriser":
        self.known = {key(row): bool(label) for row, label in zip(counts, labels, strict=True)}
        return self

    def decision_function(self, counts: Any) -> list[float]:
        coin = [hashlib.sha256(key(row)).digest()[0] % 2 for row in counts]
        return [2.0 * self.known.get(key(row), c) - 1 for row, c in zip(counts, coin, strict=True)]


def key(row: Any) -> bytes:
    return bytes(row.toarray().tobytes())


@pytest.mark.parametrize("fair", [True, False])
def test_the_exam_refuses_a_memoriser(answers: list[Spoken], fair: bool) -> None:
    """Cross-fitted, it has seen no text that it is asked about; asked about what it saw, it would be admitted."""
    study = open_study("demo")
    model = StyleIdentity(answers, seed=3, pipeline=Memoriser)
    cluster = {e.exchange_id: e.interview_id for e in study.held_out}

    def scores(of: list[Spoken]) -> dict[str, float | None]:
        asked = of[: len(cluster)]
        found = model.probabilities([(a.text, a.group) for a in asked]) if fair else remembered(model, asked)
        return dict(zip(cluster, found, strict=True))

    rungs = {
        "same_near": scores([a for a in answers if a.is_person]),
        "impostor_near": scores([a for a in answers if not a.is_person]),
    }
    entry = examine("style_identity", "voice", LADDERS["voice"], rungs, cluster, 0.6, reads_real=False)
    assert entry.admitted is not fair, entry.reason


def test_probabilities_are_calibrated(model: StyleIdentity, answers: list[Spoken]) -> None:
    """Of a person against a half of themselves, nothing can be told, and the probabilities must say so."""
    own = [a for a in answers if a.is_person]
    other = set(sorted({a.group for a in own})[::2])
    planted = [Spoken(a.text, a.group, a.group not in other) for a in own]
    found = StyleIdentity(planted, seed=1).probabilities([(a.text, a.group) for a in planted])
    assert 0.35 < sum(found) / len(found) < 0.65
    assert sum(0.2 < p < 0.8 for p in found) > 0.8 * len(found)


def test_the_evidence_is_what_people_say(model: StyleIdentity) -> None:
    found = model.evidence()
    assert {e.kind for e in found} == {"word", "n-gram"}
    assert all((e.person > e.others) == (e.weight > 0) for e in found if abs(e.person - e.others) > 0.1)
    grams = [e.text for e in found if e.kind == "n-gram" and e.weight > 0]
    assert not any(a != b and a.strip() in b for a in grams for b in grams)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "others"),
    [("powell", ("bernanke", "yellen")), ("bernanke", ("powell",)), ("yellen", ("bernanke", "powell"))],
)
def test_real_people_are_told_apart_on_held_out_interviews(shared: Path, person: str, others: tuple[str, ...]) -> None:
    about = About(name=person, introduction="speaks", licence="none", consent="none")
    mine = load_person(shared / person, about, False)
    interviews = [i.interview_id for i in mine.interviews]
    held_out = set(interviews[-len(interviews) * 3 // 10 :])
    earlier = [e for e in mine.exchanges if e.interview_id not in held_out]
    real = [e for e in mine.exchanges if e.interview_id in held_out and len(e.answer.split()) >= 50]
    impostors = [(o, e) for o in others for e in load_person(shared / o, about, False).exchanges]
    model = StyleIdentity(
        [Spoken(e.answer, f"{person}/{e.interview_id}", True) for e in earlier]
        + [Spoken(e.answer, f"{o}/{e.interview_id}", False) for o, e in impostors]
    )
    theirs = [(e.answer, f"{o}/{e.interview_id}") for o, e in impostors if len(e.answer.split()) >= 50]
    found = model.probabilities([(e.answer, None) for e in real] + theirs)
    assert roc_auc_score([True] * len(real) + [False] * len(theirs), found) >= 0.93
