"""Answers from an earlier log of Inspect's: which question a sample answers, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.solver import Generate, Solver, TaskState, solver
from small_suite import small

from raft.errors import DataError
from ratf.agents.earlier import answered, provenance
from ratf.agents.own import must_answer
from ratf.suite.study import Study


@solver
def told() -> Solver:
    """Says what its sample tells it to, or raises it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.metadata.get("raises"):
            raise RuntimeError("no reply")
        state.output = ModelOutput.from_content("m", state.metadata["says"], state.metadata.get("stops", "stop"))
        state.output.usage = ModelUsage()
        return state

    return solve


def logged(tmp_path: Path, samples: list[Sample], **more: Any) -> None:
    task = Task(dataset=samples, solver=told(), name="interview_of_old")
    made = eval(task, model="none/none", log_dir=str(tmp_path / "made"), display="none", fail_on_error=False, **more)[0]
    (tmp_path / "old.eval").write_bytes(Path(made.location.removeprefix("file://")).read_bytes())


def of_log(tmp_path: Path) -> Study:
    return small(tmp_path, arms=["baseline", "rag_only", {"name": "old", "log": "old.eval"}])


def sample(question: str, says: str, id: str, **about: Any) -> Sample:
    return Sample(input=question, id=id, metadata={"says": says, **about})


def test_answers_are_matched_by_id_or_by_their_exact_text(tmp_path: Path) -> None:
    asked = small(tmp_path).held_out
    samples = [
        sample(f"Answer as she would.\n\n{asked[0].question}", "By its id.", asked[0].exchange_id),
        sample(f" {asked[1].question}\n", "By its text.", "another-1"),
        sample("Something else?", "Of another question.", asked[2].exchange_id),
        sample(asked[3].question, "Once.", "another-3a"),
        sample(asked[3].question, "Twice.", "another-3b"),
        sample(asked[4].question, "", asked[4].exchange_id, raises=True),
        sample(asked[5].question, "It went on and", asked[5].exchange_id, stops="max_tokens"),
        sample(asked[6].question, 20_001 * "x", asked[6].exchange_id),
        sample("Who asked that?", "Nobody.", "nobody"),
    ]
    logged(tmp_path, samples, epochs=2)
    study = of_log(tmp_path)
    [arm] = study.suite.own
    found = [answered(study, arm)[e.exchange_id] for e in asked]
    assert [f["answered"] for f in found[:2]] == ["By its id.", "By its text."]
    assert found[2]["unanswered"] == "empty: the log has no answer to this question"
    assert "asks this question more than once" in found[3]["unanswered"]
    assert found[4]["unanswered"] == "empty: in the log this question ended in an error: no reply"
    assert found[5] == {"answered": "It went on and", "stopped": "max_tokens"}
    assert found[6]["unanswered"] == "too long: 20,001 characters; at most 20,000 are scored"
    said = provenance(study, arm)
    assert (said["task"], said["model"], said["answers"]) == ("interview_of_old", "none/none", "3 of 18 questions")
    assert arm.facts["sha256"] == arm.sha256 and said["date"]


def test_the_log_of_another_suite_is_refused(tmp_path: Path) -> None:
    logged(tmp_path, [sample("What is a lock?", "A gate.", e.exchange_id) for e in small(tmp_path).held_out])
    with pytest.raises(DataError, match=r"none of its 18 samples asks a question of this suite.*another suite"):
        must_answer(of_log(tmp_path))


def test_a_log_that_is_none_or_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.eval"
    path.write_bytes(b"PK no zip")
    with pytest.raises(DataError, match=r"old\.eval: no log that Inspect can read"):
        must_answer(of_log(tmp_path))
    study = of_log(tmp_path)
    path.write_bytes(b"another")
    with pytest.raises(DataError, match="not the log of old that this suite was read with"):
        must_answer(study)
