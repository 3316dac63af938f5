from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import planted
import pytest
from hosted import Hosted
from small_suite import small

from raft.types import Exchange, Vectors
from ratf.agents.given.repeats import repeats
from ratf.pages.redact import redacted
from ratf.reporting.page import render
from ratf.reporting.top.licences import asked_again
from ratf.results.results import Scored
from ratf.scores.repeated import repeats_of

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


def test_repeats_are_kept_with_scores_and_redacted(tmp_path: Path, hosted: Hosted) -> None:
    study = small(tmp_path, metrics=["rouge_l", "judge_stance"])
    asked = study.held_out[0]
    before = replace(study.earlier[0], question=asked.question, answer=f"As I said before. {asked.answer}")
    study = replace(study, earlier=[before, *study.earlier[1:]])
    scores = {
        control: {"rouge_l": {e.exchange_id: Scored(value=value) for e in study.held_out}}
        for control, value in (("half_reworded", 0.5), ("own_topic", 0.1))
    }
    entry = planted.make({"raft": {"rouge_l": [0.1]}, "baseline": {"rouge_l": [0.1]}}, ["i"]).exam[0]
    exam = entry.model_copy(update={"axis": "coverage"})
    found = repeats_of(study, scores, [exam])
    first = found.found[0]
    assert (first.later.id, first.earlier.id, first.similarity) == (asked.exchange_id, before.exchange_id, 1.0)
    assert first.scores["rouge_l"] > found.middles["rouge_l"] == pytest.approx(0.3)
    assert 1 <= found.agrees["rouge_l"] <= found.of and len(found.found) == found.of
    run = planted.make({"raft": {"rouge_l": [0.1]}, "baseline": {"rouge_l": [0.1]}}, ["i"], repeats=found)
    page, hidden = render(run), redacted(run)
    assert f"agrees with the earlier answer on {found.agrees['rouge_l']} of {found.of} by Shared word order" in page
    assert asked.answer[:60] in page and asked.answer[:60] not in render(hidden)
    assert hidden.repeats and "words left out" in hidden.repeats.found[0].earlier.answer
    refused = repeats_of(study, scores, [exam.model_copy(update={"admitted": False})])
    assert refused.agrees == {} and refused.of == found.of
    unknown = planted.make({"raft": {"rouge_l": [0.1]}, "baseline": {"rouge_l": [0.1]}}, ["i"], repeats=refused)
    assert "how far they agree was not measured" in asked_again(unknown)
