"""Answers of somebody who knows nothing of the real ones and tries to look as if: what the checks and scores make of them."""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from raft.types import Exchange
from ratf.scores.coverage import Reals
from ratf.scores.style.answers import COPIED, REASONS, repeated, words
from ratf.scores.style.speaking import Answered, judged, leave_out, warm_voice
from ratf.scores.style.voice import LEAST, masked
from ratf.suite.study import Study, open_study

THINGS = ["heron", "weir", "ducks", "council", "mill", "gravel"]
QUESTION = "Did the weir go for the heron? Or for the ducks?"
REAL = "The council sold the gravel. The heron came back to the weir. Nobody asked the mill."
OUTCOMES = ["The {} went up.", "The {} went down.", "The {} stayed as it was.", "I never cared about the {}."]
OFTEN_SAID = 0.2
"""No answer of these people has so large a share of runs that stand, but for topic words, in another answer as well."""


def by_things(texts: Sequence[str]) -> list[NDArray[np.float32]]:
    """Sentences as vectors of the things that they name."""
    rows = [np.array([float(t in text.casefold()) for t in THINGS] + [0.01], dtype=np.float32) for text in texts]
    return [row / np.float32(np.linalg.norm(row)) for row in rows]


def covered(answer: str) -> float:
    (found,) = Reals([(QUESTION, REAL)], by_things).covered_by(answer)
    assert found is not None
    return found.f


@pytest.mark.parametrize(
    "attack",
    [
        "The weir went for the heron. For the ducks it went. It is true that the weir went for the heron.",
        " ".join(form.format(thing) for thing in ("weir", "heron", "ducks") for form in OUTCOMES),
        "Weir, heron. Heron, weir. Ducks? Ducks and heron and weir. " * 3,
    ],
    ids=["the question as a statement", "every outcome of what was asked", "the question's words, shuffled"],
)
def test_what_is_made_of_the_question_alone_covers_next_to_nothing(attack: str) -> None:
    assert covered(attack) < 0.1 < covered("The council sold the gravel.")


def test_everything_in_one_sentence_covers_less_than_one_claim() -> None:
    soup = "Heron and weir and ducks and council and mill and gravel, up and down, before and after."
    assert covered(soup) < covered("The council sold the gravel.") < covered(REAL)


def test_padding_with_the_question_adds_nothing() -> None:
    claim = "The council sold the ducks."
    assert covered(f"{QUESTION} {claim} {QUESTION}") == pytest.approx(covered(claim), abs=0.01)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The demo's, with the checks that need no model."""
    folder: Path = tmp_path_factory.mktemp("attacks")
    found = open_study("demo", out=folder)
    leave_out(found, ["not fluent", "off topic"])
    return found


def heard(study: Study, answers: Mapping[str, str]) -> list[float | str]:
    arm = [Answered(question, text) for question, text in answers.items()]
    warm_voice(study, arm)
    return [judged(study, a).voice for a in arm]


def topics(text: str) -> list[str]:
    """The words of a text that carry its topic."""
    return list(dict.fromkeys(w for w in re.findall(r"[a-z]+", text.casefold()) if masked(w).startswith("~")))


def filled(study: Study) -> dict[str, str]:
    """The same forms to every question, filled in with its words."""
    return {
        e.exchange_id: " ".join(form.format(w) for w in topics(e.question)[:4] for form in OUTCOMES)
        for e in study.held_out
    }


def test_a_form_that_is_filled_in_is_the_same_to_all_questions(study: Study) -> None:
    long = {question: text for question, text in filled(study).items() if words(text) >= LEAST}
    assert len(long) >= 30
    assert set(heard(study, long)) == {REASONS["same for other questions"]}


def test_nobody_fills_in_forms(study: Study) -> None:
    people = [study.held_out, study.earlier, *(list(p.exchanges) for p in (*study.impostors, *study.strangers))]
    for exchanges in people:
        found = repeated({e.exchange_id: e.answer for e in exchanges}).values()
        assert all(x is not None and x < OFTEN_SAID for x in found) and OFTEN_SAID < COPIED / 2


def test_words_that_no_form_holds_together_are_no_form() -> None:
    answers = {
        "a": "Herons, weirs, ducks, mills, gravel, otters, banks, eels.",
        "b": "Rents, wages, jobs, loans, banks, ",
    }
    assert set(repeated(answers).values()) == {0.0}
    same = {"a": "And so it was that the herons went.", "b": "And so it was that the wages went."}
    assert set(repeated(same).values()) == {1.0}


def test_the_persons_old_answers_under_other_words_have_hardly_a_voice(study: Study) -> None:
    """Grammar that was learnt is too likely to be said again, so an answer is lowered that keeps it word for word."""
    old = [e for e in study.earlier if words(e.answer) >= 80]
    draw = random.Random(1)
    answers = {e.exchange_id: _refilled(draw.choice(old), e.question, draw) for e in study.held_out}
    voices = [v for v in heard(study, answers) if not isinstance(v, str)]
    real = [Answered(e.exchange_id, e.answer, f"{study.person.key}/{e.interview_id}", False) for e in study.held_out]
    warm_voice(study, real)
    assert len(voices) >= 10
    truly = [v for a in real if not isinstance(v := judged(study, a).voice, str)]
    assert np.mean(voices) < 0.3 * np.mean(truly)


def _refilled(old: Exchange, question: str, draw: random.Random) -> str:
    """An old answer with its topic words taken out and those of a question put in."""
    new = topics(question)
    return " ".join(
        draw.choice(new) if masked(w.strip(".,;:!?").casefold()).startswith("~") else w for w in old.answer.split()
    )
