import math
from pathlib import Path

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score
from inspect_ai.solver import TaskState
from inspect_ai.tool import ToolChoice, ToolInfo

from ratf.results.results import Scored
from ratf.scores.qualify import exams
from ratf.scores.scorers import MEASURES, scorers
from ratf.scores.style.answers import REASONS
from ratf.suite.metrics import METRICS, USUAL, Metric
from ratf.suite.study import Study, open_study

Scores = dict[str, Score]


class Says:
    """Answers each question as it is told to."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def __call__(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        output = ModelOutput.from_content("scripted", self.answers[input[-1].text])
        output.usage = ModelUsage()
        return output


def scored(study: Study, answers: list[str], logs: Path) -> list[Scores]:
    """The scores of an agent that gives `answers` to the first held-out questions."""
    asked = study.held_out[: len(answers)]
    said = {e.question: answer for e, answer in zip(asked, answers, strict=True)}
    samples = [Sample(id=e.exchange_id, input=e.question, target=e.answer) for e in asked]
    (log,) = eval(
        Task(dataset=samples, scorer=scorers(study, set(METRICS), warm=True)),
        model=get_model("mockllm/model", memoize=False, custom_outputs=Says(said)),
        log_dir=str(logs),
        display="none",
    )
    assert log.status == "success", log.error
    by_id = {str(s.id): s.scores or {} for s in log.samples or []}
    return [by_id[e.exchange_id] for e in asked]


@pytest.fixture
def study(tiny: Path, tmp_path: Path, cache: Path) -> Study:
    return open_study(str(tiny), out=str(tmp_path / "out"))


def test_there_is_a_scorer_for_each_metric_of_the_suite(study: Study) -> None:
    assert len(scorers(study)) == len(study.suite.metrics)
    assert len(scorers(study, {"rouge_1", "copying", "no metric of the suite"})) == 2


@pytest.mark.slow
def test_empty_short_copied_and_real_answers(study: Study, tmp_path: Path) -> None:
    copied = study.earlier[0].answer
    empty, short, copy, real = scored(
        study, [" \n", "Rivers move.", copied, study.held_out[3].answer], tmp_path / "logs"
    )

    assert empty.keys() == set(USUAL)
    assert all(math.isnan(score.as_float()) for score in empty.values())
    assert {score.reason for score in empty.values()} == {"empty answer"}

    assert math.isnan(short["copying"].as_float())
    assert short["copying"].reason == "too short to score"
    assert short["style_identity"].reason == REASONS["too short"]
    without = ("copying", "style_identity", "surprise")
    assert all(math.isnan(short[name].as_float()) and short[name].reason for name in without)
    rest = {name: score for name, score in short.items() if name not in without}
    assert all(math.isfinite(score.as_float()) for score in rest.values())
    assert short["length_ratio"].as_float() == pytest.approx(2 / len(study.held_out[1].answer.split()), abs=1e-6)

    assert copy["copying"].as_float() == 1
    assert math.isnan(copy["style_identity"].as_float()) and copy["style_identity"].reason == REASONS["copied"]

    for name in ("rouge_1", "rouge_2", "rouge_l", "embedding_cosine", "embedding_rank", "bertscore", "length_ratio"):
        assert real[name].as_float() == pytest.approx(1, abs=1e-5), name
    assert real["copying"].as_float() == 0


def test_a_metric_is_a_measure_and_a_line(
    tiny: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks_back(study: Study, state: TaskState, real: str) -> float:
        return float("?" in state.output.completion)

    words = "does the answer ask something back?"
    monkeypatch.setitem(METRICS, "asks_back", Metric("style", words, "higher", 1, axis="voice", reads_real=False))
    monkeypatch.setitem(MEASURES, "asks_back", asks_back)
    with tiny.open("a") as file:
        file.write("metrics: [asks_back]\nprimary: {metric: asks_back}\n")
    study = open_study(str(tiny), out=str(tmp_path / "out"))
    back, not_back = scored(study, ["And why would I?", "Because."], tmp_path / "logs")
    assert (back["asks_back"].as_float(), not_back["asks_back"].as_float()) == (1, 0)

    ladder = {"real": 1.0, "same_near": 1.0, "impostor_near": 0.0}
    rungs = {c: {"asks_back": {e.exchange_id: Scored(value=v) for e in study.held_out}} for c, v in ladder.items()}
    (entry,) = exams(study, rungs, {})
    assert (entry.metric, entry.axis, entry.auc) == ("asks_back", "voice", 1.0)
