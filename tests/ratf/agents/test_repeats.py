from datetime import date
from pathlib import Path

import numpy as np
import pytest

from raft.types import Exchange, Vectors
from ratf.agents.repeats import repeats

LONG = "The weir went in the spring, and the mill went after it, and nobody has missed either of them much since then, I think."
OTHER = "I would have kept the mill if they had asked me, but they never did ask anybody at all before it was down, you know."
QUESTION = "Why did the council take the weir out?"


def said(interview: str, answer: str = LONG, question: str = QUESTION, day: int = 1) -> Exchange:
    return Exchange(interview, 1, date(2020, 1, day), question, answer)


def unit(*angles: float) -> Vectors:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32)


def test_a_question_asked_in_two_interviews_is_listed_with_both_answers() -> None:
    asked = [said("b", OTHER, day=2), said("a"), said("c", f"{OTHER} Still.", day=3)]
    found = repeats(asked, unit(0.0, 0.1, 1.5))
    assert [(r.later.interview_id, r.earlier.interview_id) for r in found.found] == [("b", "a")]
    assert found.found[0].similarity == pytest.approx(np.cos(0.1), abs=1e-4)
    assert "1 question was asked twice" in found.words()


@pytest.mark.parametrize(
    ("other", "angle"),
    [
        (said("a", OTHER, day=2), 0.0),
        (said("b", LONG.upper(), day=2), 0.0),
        (said("b", "Far too short an answer.", day=2), 0.0),
        (said("b", OTHER, "And why?", day=2), 0.0),
        (said("b", OTHER, day=2), 0.7),
    ],
    ids=["same interview", "a copy", "short answer", "short question", "another question"],
)
def test_what_is_no_repeat_gives_no_ceiling(other: Exchange, angle: float) -> None:
    found = repeats([said("a"), other], unit(0.0, angle))
    assert found.found == ()
    assert found.words().startswith("No ceiling: no")


def test_the_nearest_of_the_earlier_ones_is_taken() -> None:
    asked = [said("a"), said("b", OTHER, day=2), said("c", f"{OTHER} Still.", day=3)]
    found = repeats(asked, unit(0.0, 0.5, 0.3))
    assert {(r.later.interview_id, r.earlier.interview_id) for r in found.found} == {("b", "a"), ("c", "b")}
    assert found.found[0].later.interview_id == "c"
    with pytest.raises(ValueError, match="2 vectors but 3 exchanges"):
        repeats(asked, unit(0.0, 0.5))


def test_a_real_person_can_have_no_repeat(shared: Path) -> None:
    from ratf.suite.study import open_study

    study = open_study("fed-chairs", str(shared))
    exchanges = [*study.earlier, *study.held_out]
    apart = np.eye(len(exchanges), dtype=np.float32)
    assert "cosine of 0.00" in repeats(exchanges, apart).words()
