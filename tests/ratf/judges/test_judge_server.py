"""Judging through Inspect's `openai-api/` provider against a real OpenAI-protocol server on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score
from openai_server import OpenAIServer
from planted_judges import controls, demo, planted

from ratf.judges.exam import examine_judges
from ratf.scores.scorers import scorers
from ratf.suite.study import Study

pytestmark = pytest.mark.slow
GRADER = "openai-api/loopback/smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def loopback(openai_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPBACK_BASE_URL", openai_server.url)
    monkeypatch.setenv("LOOPBACK_API_KEY", "sk-of-the-tests")
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "replies"))


def graded(study: Study, tmp_path: Path) -> dict[str, Score]:
    """The judges' scores of one impostor's answer, as a run gives them."""
    exchange, answer = study.held_out[0], study.impostors[0].exchanges[0].answer
    (log,) = eval(
        Task(
            dataset=[Sample(id=exchange.exchange_id, input="?", target=exchange.answer)],
            scorer=scorers(study, {m for m in study.suite.metrics if m.startswith("judge_")}),
        ),
        model=planted("agent", lambda seen: answer),
        model_roles={"grader": study.suite.graders},  # type: ignore[dict-item]
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    assert log.status == "success" and log.samples, log.error
    return log.samples[0].scores or {}


def sent(server: OpenAIServer) -> list[dict[str, Any]]:
    return [json.loads(r.body) for r in server.requests]


def test_replies_are_constrained_to_the_rubrics_schema(openai_server: OpenAIServer, tmp_path: Path) -> None:
    judges = ("judge_stance", "judge_identity", "judge_forced_choice")
    study = demo(tmp_path, *judges, models={"grader": GRADER})
    scores = graded(study, tmp_path)
    assert scores.keys() == {
        "judge_stance",
        "judge_identity_top1",
        "judge_identity_brier",
        "judge_forced_choice_chosen",
    }
    for name, score in scores.items():
        assert score.metadata and all(v["value"] is not None for v in score.metadata["votes"]), (
            name,
            score.explanation,
        )
        assert score.metadata["votes"][0]["grader"] == GRADER
    assert scores["judge_stance"].as_float() in (0, 1)
    requests = sent(openai_server)
    assert len(requests) == 4, "both criteria of identity come from one reply; a forced choice takes two"
    for request in requests:
        schema = request["response_format"]["json_schema"]
        assert schema["strict"] and schema["schema"]["additionalProperties"] is False


def test_choices_are_read_from_next_token_probabilities(openai_server: OpenAIServer, tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance", models={"grader": GRADER, "replies": "word"})
    (score,) = graded(study, tmp_path).values()
    assert score.metadata and "next-token probabilities" in score.metadata["votes"][0]["why"]
    assert 0 < score.as_float() < 1
    assert all(r["logprobs"] and "response_format" not in r for r in sent(openai_server))


def test_a_small_model_sits_the_exam_and_fails_it(openai_server: OpenAIServer, tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance", models={"grader": GRADER}, exam={"comparisons": 8})
    (entry,) = examine_judges(study, controls(study))
    assert entry.judge and entry.judge.calls == len(openai_server.requests) and entry.judge.tokens > 0
    (facts,) = entry.judge.graders
    assert facts.unreadable.k == 0, facts.raw
    assert not entry.admitted and facts.faults
