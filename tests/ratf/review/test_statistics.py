"""Judges' grades put together, and dose responses, worked out again from what a bundle holds."""

from functools import cache, partial
from typing import Any

import pytest
from boards import planted

from ratf.results.bundle import LoggedScore, Sample
from ratf.results.exams import Exam, GraderExam, JudgeFacts, Share
from ratf.results.results import Results
from ratf.review.statistics import doses_of, not_recomputed, scores_of, statistics
from ratf.statistics.exam import dose_response
from ratf.statistics.judges.votes import MARGIN, judging, strengths
from ratf.suite.arms import DOSES, FLOOR

CHOSEN, WON, VOICE = "judge_forced_choice_chosen", "judge_pairwise_won", "judge_voice"


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on both sides, and a hundred times as fast."""
    monkeypatch.setattr("ratf.statistics.judges.votes.strengths", partial(strengths, rounds=20))


@cache
def run() -> tuple[Results, tuple[Sample, ...]]:
    """Judged by a panel of two, with the answers of the doses in its logs."""
    made = planted({"baseline": 0.1, "raft": 0.9, "real": 1.4}, metrics=("style_identity", CHOSEN, WON, VOICE))
    raw: dict[str, Any] = made.model_dump(mode="json")
    doses = []
    for question in raw["questions"]:
        for arm, rival in (("baseline", "raft"), ("raft", "baseline")):
            scores = question["answers"][arm]["scores"]
            scores[WON] |= {"against": {rival: 0.25 if arm == "baseline" else 0.75}}
            votes = [
                {"grader": g, "order": "", "value": scores[VOICE]["value"] * f, "prompt": f"{question['id']} {arm}", "tokens": 7}
                for g, f in (("a/a", 1), ("b/b", 0.9))
            ]  # fmt: skip
            scores[VOICE]["votes"] = votes
        for dose, share in DOSES.items():
            about = LoggedScore(value=0.8 - share / 2, explanation=None, reason=None, about={})
            doses.append(
                Sample(arm=dose, question=question["id"], epoch=1, answer="", given=None, error=None, scores={"style_identity": about})
            )  # fmt: skip
    made = Results.model_validate(raw)
    cluster = {q.id: q.interview_id for q in made.questions}
    scores = scores_of(made)
    rungs = {c: {q: s.value for q, s in scores[c]["style_identity"].items()} for c in ("real", FLOOR)}
    rungs |= {d: of["style_identity"] for d, of in doses_of(doses).items()}  # type: ignore[misc]
    exams = [
        e.model_copy(update={"dose": dose_response(rungs, cluster)}) for e in made.exam if e.metric == "style_identity"
    ]
    told = judging(scores, cluster, exams, {"calls": 1}, False, 0, MARGIN)
    assert told.forced_choice and told.pairwise and told.agreement and exams[0].dose
    return made.model_copy(update={"judging": told, "exam": exams}), tuple(doses)


def differences(results: Results, doses: tuple[Sample, ...] = ()) -> dict[str, list[str]]:
    return dict(statistics(results, doses_of(doses or run()[1])))


def test_what_is_true_is_the_same_again() -> None:
    found = differences(run()[0])
    assert found["statistics: judges' grades put together"] == found["statistics: dose responses"] == []


@pytest.mark.parametrize("part", ["forced_choice", "pairwise", "agreement", "spent"])
def test_a_better_judgement_is_named(part: str) -> None:
    results = run()[0]
    told = results.judging.model_dump()  # type: ignore[union-attr]
    if part == "spent":
        told["spent"]["grading_tokens"] += 1
    else:
        number = {"forced_choice": "share", "pairwise": "strength", "agreement": "alpha"}[part]
        told[part][0][number] += 0.01
    changed = results.model_copy(update={"judging": type(results.judging).model_validate(told)})  # type: ignore[union-attr]
    assert any(part in said for said in differences(changed)["statistics: judges' grades put together"])


def test_a_smoother_dose_response_is_named() -> None:
    results, doses = run()
    steeper = results.exam[0].dose.model_copy(update={"slope": -2.0})  # type: ignore[union-attr]
    changed = results.model_copy(update={"exam": [results.exam[0].model_copy(update={"dose": steeper})]})
    assert "dose response of style_identity" in differences(changed)["statistics: dose responses"][0]
    turned = doses[0].model_copy(update={"error": "stopped"})
    assert differences(results, (turned, *doses[1:]))["statistics: dose responses"]


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        ({"admitted": True, "comparisons": 4, "faults": []}, "g is admitted by an exam that ended early"),
        ({"admitted": True, "comparisons": 119, "faults": ["order"]}, "g is admitted with a fault, order"),
        ({"admitted": False, "comparisons": 4, "faults": []}, "no grader passed it with these numbers"),
        ({"admitted": True, "comparisons": 119, "faults": []}, ""),
        ({"admitted": True, "comparisons": None, "faults": []}, ""),
    ],
)
def test_a_judge_is_admitted_only_by_a_whole_exam_without_faults(forged: dict[str, Any], said: str) -> None:
    of = Share(k=1, n=9, share=1 / 9, low=0.0, high=0.4)
    grader = GraderExam(
        grader="g", reason="", auc=0.9, low=0.8, high=0.95, sensitivity=of, specificity=of, order_flips=of, first_named=0.5,
        self_consistency=of, length_correlation=0.1, obeyed=of, unreadable=of, refused=0, raw=[], **forged,
    )  # fmt: skip
    facts = JudgeFacts(
        rubric="stance", version=1, digest="d", form="grade", graders=[grader], comparisons=119, calls=9, tokens=9, grades=True
    )  # fmt: skip
    exam = Exam(
        metric="judge_stance", axis="coverage", auc=0.9, low=0.8, high=0.95, admitted=True, reason="", bar=0.6, n=9,
        interviews=6, unscored=0, judge=facts,
    )  # fmt: skip
    results = run()[0]
    metrics = {**results.metrics, "judge_stance": results.metrics[VOICE]}
    found = differences(results.model_copy(update={"exam": [exam], "metrics": metrics}))["statistics: exams"]
    assert found == ([f"exam of judge_stance: {said.replace('no grader', 'admitted, and no grader')}"] if said else [])


def test_an_exam_on_facts_has_no_dose_response() -> None:
    results = run()[0]
    of_facts = results.exam[0].model_copy(update={"axis": "facts", "dose": None})
    assert differences(results.model_copy(update={"exam": [of_facts]}))["statistics: dose responses"] == []
    invented = results.model_copy(update={"exam": [of_facts.model_copy(update={"dose": results.exam[0].dose})]})
    assert differences(invented)["statistics: dose responses"], "one that is told all the same is named"


def test_what_is_not_worked_out_again_is_said() -> None:
    results, doses = run()
    assert list(dict(not_recomputed(results, doses_of(doses)))) == ["budget"]
    without = dict(not_recomputed(results, doses_of(None)))
    assert without["statistics: dose responses"] == "the bundle has no answers of the doses"
    assert "statistics: dose responses" not in dict(statistics(results, {}))
