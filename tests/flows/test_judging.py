"""Whole runs with planted judges: who passes the exam grades the arms, who fails saves its calls."""

import json
from pathlib import Path

import planted_judges as planted
import pytest
from hosted import Hosted
from planted_judges import demo

from raft.progress import silent
from ratf.results.results import Results, load
from ratf.review.choices import judge_choices
from ratf.runner.run import carry_out, finished
from ratf.suite.study import Study

JUDGES = ("judge_stance", "judge_stance_masked", "judge_forced_choice", "judge_pairwise")


def study_with(tmp_path: Path, grader: object) -> Study:
    return demo(
        tmp_path,
        *JUDGES,
        metrics=["rouge_l", *JUDGES],
        models={"base": "planted/agent", "grader": grader, "embedder": "openai/words"},
        arms=["baseline", "rag_only"],
        controls=["real", "same_near", "impostor_near"],
        split={"held_out_interviews": 6, "questions": 18},
        memories={"k": 1, "gate": -1},
        primary={"metric": "judge_stance", "better": "rag_only", "than": "baseline"},
    )


@pytest.fixture(autouse=True)
def characters(cache: Path, hosted: Hosted, tmp_path: Path) -> None:
    """`planted/agent` says the same few things about rivers; with memories it repeats the person."""
    study = demo(tmp_path, split={"held_out_interviews": 6})
    own = [e.answer for e in study.person.exchanges]
    planted.CHARACTERS.update(
        agent=lambda seen: own[0] if "You remember" in seen.prompt else "I think rivers are very nice, all in all.",
        perfect=planted.perfect(own, study),
        coin=planted.coin(),
    )


def judging(results: Results) -> dict[str, int]:
    assert results.judging
    return {**results.judging.spent, **{f"saved_{k}": v for k, v in results.judging.saved.items()}}


@pytest.mark.slow
def test_a_judge_that_passes_grades_the_arms_and_one_that_fails_does_not(tmp_path: Path) -> None:
    passed = carry_out(study_with(tmp_path, ["planted/perfect", "planted/coin"]), silent)
    entries = {e.metric: e for e in passed.exam}
    for name in ("judge_stance", "judge_stance_masked", "judge_forced_choice_chosen", "judge_pairwise_won"):
        entry = entries[name]
        assert entry.admitted and entry.judge and entry.judge.grades, entry.reason
        assert [g.admitted for g in entry.judge.graders] == [True, False], "the coin of the panel grades nothing"
    votes = passed.questions[0].answers["rag_only"].scores["judge_forced_choice_chosen"].votes
    assert [v["order"] for v in votes] == ["as drawn", "reversed"]
    assert {v["grader"] for v in votes} == {"planted/perfect"} and all(v["why"] for v in votes)
    assert (passed.arms["rag_only"].metrics["judge_stance"].mean or 0) > 0.8
    assert passed.arms["baseline"].metrics["judge_stance"].mean == 0
    assert passed.verdict == "PASS", passed.sentence
    assert passed.judging and {s.arm for s in passed.judging.pairwise} == {"baseline", "rag_only"}
    strong = {s.arm: s.strength for s in passed.judging.pairwise}
    assert strong["rag_only"] > strong["baseline"]
    told = {c.arm: c.says for c in passed.judging.forced_choice}
    assert told["baseline"] == told["impostor_near"] == "told apart"
    took_the_real_one = judge_choices(passed, "baseline")["judge_forced_choice_chosen"]
    assert len(took_the_real_one) == 18 and all(took_the_real_one.values())
    assert {m.arm for m in passed.judging.masked} == {"baseline", "rag_only"}
    spent = judging(passed)
    assert spent["saved_calls"] == 0 and 0 < spent["exam_calls"] <= passed.judging.planned["exam_calls"]
    assert 0 < spent["grading_calls"] <= passed.judging.planned["grading_calls"]
    assert load(tmp_path / "run" / "results.json") == passed

    study = study_with(tmp_path, "planted/coin")
    failed = carry_out(study, silent)
    spent = judging(failed)
    assert spent["grading_calls"] == 0 and spent["saved_calls"] == failed.judging.planned["grading_calls"]  # type: ignore[union-attr]
    assert spent["saved_tokens"] > 0
    assert failed.verdict == "NOT MEASURED" and "judge_stance" in failed.sentence
    scored = failed.questions[0].answers["baseline"].scores["judge_stance"]
    assert scored.value is None and "did not pass its exam" in scored.why
    assert any("judge_stance did not pass its exam, and it graded nothing, which saved" in n for n in failed.notes)
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "did not pass its exam" in page

    assert finished(study) == failed and finished(study, judge_anyway=True) is None
    anyway = carry_out(study, silent, judge_anyway=True)
    assert anyway.judging and anyway.judging.anyway and judging(anyway)["grading_calls"] > 0
    assert anyway.questions[0].answers["baseline"].scores["judge_stance"].votes
    assert anyway.verdict == "NOT MEASURED", "graded anyway is not admitted"
    assert finished(study, judge_anyway=True) == anyway
    assert json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))["judging"]["anyway"] is True
