"""A question that is answered several times: each time with a seed of its own, the first as ever."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model

from raft.errors import DataError
from ratf._registry import interview
from ratf.agents.roles import seed_of
from ratf.suite.study import Study, being_run, open_study


def asking(tiny: Path, more: str) -> Study:
    tiny.write_text(tiny.read_text("utf-8").replace("answers: {", f"answers: {{{more}"), "utf-8")
    return open_study(str(tiny), out=str(tiny.parent / "out"))


def answered(study: Study, arm: str, folder: Path) -> EvalLog:
    """By a model that says with which seed it was asked."""

    def answer(messages: Any, tools: Any, choice: Any, config: GenerateConfig) -> ModelOutput:
        output = ModelOutput.from_content("mockllm/model", f"Seed {config.seed} after {len(messages)} messages.")
        output.usage = ModelUsage()
        return output

    with being_run(study):
        task = interview(study.suite.name, arm, digest=study.digest)
    task.model = None
    model = get_model("mockllm/model", custom_outputs=answer, memoize=False)
    (log,) = eval(task, model=model, log_dir=str(folder), display="none", score=False)
    assert log.status == "success", log.error
    return log


@pytest.mark.parametrize("history", ["teacher_forced", "free_running"])
def test_every_answer_has_a_seed_of_its_own_and_the_first_has_the_suites(
    tiny: Path, cache: Path, tmp_path: Path, history: str
) -> None:
    study = asking(tiny, f"samples: 3, history: {history}, ")
    log = answered(study, "baseline", tmp_path)
    seeds = [3, seed_of(study, 2), seed_of(study, 3)]
    assert len(set(seeds)) == 3 and seed_of(study, 1) is None
    rows = log.samples or []
    assert sorted((str(s.id), s.epoch) for s in rows) == sorted(
        (e.exchange_id, n) for e in study.held_out for n in (1, 2, 3)
    )
    for row in rows:
        said = [m.text for m in row.messages if m.role == "assistant"]
        assert said[-1].startswith(f"Seed {seeds[row.epoch - 1]} ")
        if history == "free_running":  # an interview is answered with one seed throughout
            assert all(text.startswith(f"Seed {seeds[row.epoch - 1]} ") for text in said)


def test_a_control_answers_once(tiny: Path, cache: Path) -> None:
    study = asking(tiny, "samples: 3, ")
    with being_run(study):
        tasks = [interview("tiny", arm, digest=study.digest) for arm in ("generic", "baseline")]
    assert [task.epochs for task in tasks] == [None, 3]


def test_at_temperature_0_a_local_model_is_not_asked_again(tiny: Path) -> None:
    with pytest.raises(
        DataError, match=r"answers\.samples is 2, but at temperature 0 local/smollm2-135m-instruct gives the same"
    ):
        asking(tiny, "samples: 2, temperature: 0, ")


def test_one_answer_is_what_it_was_before_there_was_the_setting(tiny: Path) -> None:
    before = open_study(str(tiny))
    assert "samples" not in before.suite.model_dump(mode="json")["answers"]
    assert asking(tiny, "samples: 1, ").digest == before.digest
    tiny.write_text(tiny.read_text("utf-8").replace("samples: 1, ", "samples: 2, "), "utf-8")
    assert open_study(str(tiny)).digest != before.digest
