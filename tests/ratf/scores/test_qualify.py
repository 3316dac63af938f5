from pathlib import Path

import pytest

from ratf.results.results import Scored
from ratf.results.shapes import Given
from ratf.scores.qualify import exams, match_of, skills, why_not
from ratf.suite.metrics import LADDERS
from ratf.suite.rubric import shipped
from ratf.suite.study import Study, open_study

FAR = Given(text="t", person="pell", exchange_id="e", interview_id="i", question="q", similarity=0.1)
NEAR = FAR.model_copy(update={"similarity": 0.8})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study("demo", out=tmp_path_factory.mktemp("run"))


def scored(study: Study, **means: float) -> dict[str, dict[str, dict[str, Scored]]]:
    """Scores on style_identity that go up a little from question to question."""
    return {
        arm: {"style_identity": {e.exchange_id: Scored(value=mean + n / 1000) for n, e in enumerate(study.held_out)}}
        for arm, mean in means.items()
    }


def test_every_judge_has_an_axis_with_a_ladder() -> None:
    assert all(rubric.axis in LADDERS for rubric in shipped().values())


def test_what_claims_nothing_sits_no_exam_and_gives_no_verdict(study: Study) -> None:
    found = exams(study, scored(study, real=0.9, impostor_near=0.1), {})
    assert {"length_ratio", "copying"}.isdisjoint(e.metric for e in found)
    assert "sits no exam" in (why_not(found, "length_ratio") or "")


def test_only_the_admitted_give_a_verdict_and_have_skill(study: Study) -> None:
    arms = {"raft": 0.5, "baseline": 0.3}
    good = scored(study, real=0.9, same_near=0.9, impostor_near=0.1, **arms)
    found = exams(study, good, {})
    assert why_not(found, "style_identity") is None
    assert "rouge_l is not admitted on this person: not examined" in (why_not(found, "rouge_l") or "")
    assert {s.arm: s.skill for s in skills(study, good, found)} == pytest.approx({"raft": 0.5, "baseline": 0.25})
    bad = scored(study, real=0.1, same_near=0.1, impostor_near=0.9, **arms)
    assert "not admitted" in (why_not(exams(study, bad, {}), "style_identity") or "")
    assert skills(study, bad, exams(study, bad, {})) == []


def test_what_nobody_could_score_says_why(study: Study) -> None:
    """As with a person who speaks another language: voice is not admitted, by that name."""
    foreign = {e.exchange_id: Scored(value=None, why="voice has no list for other languages") for e in study.held_out}
    short = {e.exchange_id: Scored(value=None, why="fewer than 50 words") for e in study.held_out}
    people = {c: {"style_identity": foreign} for c in ("real", "same_near", "impostor_near")}
    says_nothing = {c: {"style_identity": short} for c in ("yes", "dont_know", "boilerplate", "evidence_words")}
    found = why_not(exams(study, {**people, **says_nothing}, {}), "style_identity")
    assert found is not None and found.endswith(
        "not examined: no question has scores on both sides: voice has no list for other languages"
    )


def test_an_arm_does_not_sit_for_the_person(study: Study) -> None:
    """Whatever arms score, the exam is of the controls alone."""
    controls = {"real": 0.9, "same_near": 0.9, "impostor_near": 0.1}
    alone, among = (exams(study, scored(study, **controls, **more), {}) for more in ({}, {"raft": -5.0}))
    assert alone == among


def test_poor_matches_are_counted_and_left_out_where_the_suite_says_so(tiny: Path) -> None:
    kept = open_study(str(tiny))
    tiny.write_text(tiny.read_text("utf-8") + "exam: {poor_match: 0.5, leave_out_poor: true}\n", "utf-8")
    left_out = open_study(str(tiny))
    keys = [e.exchange_id for e in kept.held_out]
    near = dict(zip(keys, [NEAR, NEAR, NEAR, FAR], strict=True))
    assert match_of(left_out, near) == {"median": 0.8, "lowest": 0.1, "poor": 1}
    for study, n in ((kept, 4), (left_out, 3)):
        scores = scored(study, real=0.9, impostor_near=0.1)
        (entry,) = [e for e in exams(study, scores, {"impostor_near": near}) if e.metric == "style_identity"]
        assert entry.n == n
