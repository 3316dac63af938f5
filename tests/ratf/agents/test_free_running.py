from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from ratf._registry import interview
from ratf.agents.training import samples
from ratf.suite.study import being_run, open_study


@pytest.fixture
def suite(tiny: Path, cache: Path) -> Path:
    tiny.write_text(tiny.read_text().replace("answers: {", "answers: {history: free_running, "))
    tiny.write_text(tiny.read_text().replace("context_tokens: 256", "context_tokens: 4096"))
    return tiny


def run(suite: Path, out: Path, asked: list[Any], limit: int | None = None) -> EvalLog:
    def answer(messages: Any, *_: Any) -> ModelOutput:
        asked.append(messages)
        output = ModelOutput.from_content("mockllm/model", f"My own words about «{messages[-1].text[:40]}»")
        output.usage = ModelUsage()
        return output

    model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    study = open_study(str(suite), out=str(out))
    with being_run(study):
        task = interview(str(suite), "rag_only", digest=study.digest)
    task.model = None
    (log,) = eval(task, model=model, log_dir=str(out), display="none", score=False, limit=limit)
    assert log.status == "success", log.error
    return log


def test_the_agents_own_answers_come_before_a_question(suite: Path, tmp_path: Path) -> None:
    asked: list[Any] = []
    run(suite, tmp_path / "out", asked, limit=2)
    assert len(asked) == 2
    log = run(suite, tmp_path / "out", asked)
    study = open_study(str(suite))
    rows = {str(s.id): s for s in log.samples or []}
    assert rows.keys() == {e.exchange_id for e in study.held_out} and len(log.samples or []) == 4
    assert len(asked) == 4, "an answer was generated twice, or again by the run that went on"
    for exchange in study.held_out:
        earlier = [e for e in study.held_out if e.interview_id == exchange.interview_id and e.number < exchange.number]
        row = rows[exchange.exchange_id]
        said = [m.text for m in row.messages if m.role == "assistant"]
        assert said == [f"My own words about «{e.question[:40]}»" for e in [*earlier, exchange]]
        assert not any(e.answer[:60] in m.text for e in study.person.exchanges for m in row.messages)
        assert row.output.completion == said[-1] and row.target == exchange.answer
    assert any(s.metadata["memories"] for s in rows.values())


def test_tuning_reads_the_real_answers(suite: Path, tmp_path: Path) -> None:
    study = open_study(str(suite), out=str(tmp_path))
    prompts = [s.prompt for s in samples(study, "ft")]
    assert any(m["role"] == "assistant" for p in prompts for m in p)
