"""From logs made by hand to results: answers that were given several times, and the digest of the prompts."""

import math
from dataclasses import replace

import pytest
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score

from raft.types import Message
from ratf.results.results import Results
from ratf.runner import collect as module
from ratf.runner.collect import collect
from ratf.scores.style.speaking import leave_out
from ratf.statistics.judges.judge_exam import Admission
from ratf.suite.study import Study, open_study

METRIC = "style_identity"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    found = open_study("demo", out=tmp_path_factory.mktemp("run"))
    leave_out(found, ["not fluent", "off topic"])
    return found


def log(study: Study, epochs: dict[int, float], lost: tuple[int, int] | None = None) -> EvalLog:
    """Every question answered once an epoch; the score is the epoch's, plus the question's number / 100."""
    samples = []
    for number, exchange in enumerate(study.held_out):
        for epoch, value in epochs.items():
            score = Score(value=math.nan if (number, epoch) == lost else value + number / 100)
            sample = Sample(input=exchange.question, target=exchange.answer, id=exchange.exchange_id)
            samples.append(
                EvalSample(
                    id=str(sample.id), epoch=epoch, input=exchange.question, target=exchange.answer,
                    output=ModelOutput.from_content("m", f"answer {epoch}"),
                    scores=dict.fromkeys(study.suite.metrics, score),
                )
            )  # fmt: skip
    spec = EvalSpec(
        created="2026-01-01T00:00:00+00:00", task="t", dataset=EvalDataset(), model="m", config=EvalConfig()
    )
    return EvalLog(eval=spec, samples=samples[::-1])


def collected(study: Study, **logs: EvalLog) -> Results:
    arms = {arm: log(study, {1: 0.5}) for arm in [*study.suite.arms, *study.suite.controls]}
    return collect(study, {**arms, **logs}, Admission([]), {"finished": "2026-11-28 12:00 UTC", "total": 1.0})


def test_an_answer_that_was_given_three_times_counts_once_with_its_mean(study: Study) -> None:
    results = collected(study, raft=log(study, {1: 0.1, 2: 0.2, 3: 0.6}, lost=(0, 2)))
    first, second = results.questions[0].answers["raft"], results.questions[1].answers["raft"]
    assert (second.text, second.scores[METRIC].value) == ("answer 1", pytest.approx(0.3 + 0.01))
    assert first.scores[METRIC].value is None, "one of three is missing, so the mean is not known"
    cell = results.arms["raft"].metrics[METRIC]
    assert (cell.n, cell.unscored) == (len(study.held_out) - 1, 1)
    assert cell.variance["rating"] is None and cell.variance["sample"] == pytest.approx(0.07, rel=0.05)
    assert results.arms["baseline"].metrics[METRIC].variance == {}
    contrast = next(c for c in results.comparisons if (c.a, c.b, c.metric) == ("raft", "baseline", METRIC))
    assert contrast.n_questions == cell.n and contrast.difference == pytest.approx(-0.2)
    assert contrast.exact == "sign-flip of 6 clusters" and contrast.p_exact_smallest == 2 / 2**6


def test_too_few_answers_give_no_verdict(study: Study) -> None:
    answers = study.suite.answers.model_copy(update={"samples": 3})
    wanted = replace(study, suite=study.suite.model_copy(update={"answers": answers}))
    told = collected(wanted, raft=log(study, {1: 0.1, 2: 0.2}), baseline=log(study, {1: 0.1, 2: 0.2, 3: 0.3}))
    assert told.verdict == "NOT MEASURED" and "raft answered some questions fewer than 3 times" in told.sentence
    assert "baseline answered" not in told.sentence
    assert any("answered each question 3 times, controls once" in note for note in told.notes)


def test_another_prompt_is_another_digest(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    before = collected(study).prompts_digest
    assert before and collected(study).prompts_digest == before

    def reworded(*_: object) -> tuple[Message, ...]:
        return ({"role": "user", "content": "in other words"},)

    monkeypatch.setattr(module, "conversation", reworded)
    assert collected(study).prompts_digest != before
