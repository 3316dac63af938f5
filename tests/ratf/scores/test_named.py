"""The metrics as Inspect scorers by name, on logs that know nothing of a study."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hosted import Hosted
from inspect_ai import Task, eval, score
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Scorer
from rouge_score.rouge_scorer import RougeScorer

from raft.errors import RaftError
from ratf.scores.named import named
from ratf.suite.metrics import METRICS

TARGET, ANSWER = "The river is old, and it is slow in summer.", "It is an old and slow river."
STUDIES = ("sentence_coverage", "embedding_rank", "style_identity", "surprise", "copying", "nli")


@pytest.fixture
def log(tmp_path: Path) -> EvalLog:
    """A log of another task: an answer with a target, an empty answer, and a question without a target."""
    said = [ANSWER, "", ANSWER]
    replies = [ModelOutput.from_content("mockllm/model", text) for text in said]
    for reply in replies:
        reply.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    samples = [Sample(input="Is it slow?", target=target) for target in (TARGET, TARGET, "")]
    model = get_model("mockllm/model", custom_outputs=replies)
    task = Task(dataset=samples, name="somebody_elses")
    (made,) = eval(task, model=model, log_dir=str(tmp_path), display="none", max_samples=1)
    assert made.status == "success"
    return made


def values(log: EvalLog, name: str) -> list[float]:
    return [float(s.scores[name].as_float()) for s in log.samples or [] if s.scores]


def reasons(log: EvalLog, name: str) -> list[str | None]:
    return [s.scores[name].reason for s in log.samples or [] if s.scores]


def test_the_command_scores_a_log_of_another_task(log: EvalLog) -> None:
    options = ["--scorer", "ratf/rouge_l", "--overwrite", "--action", "append", "--display", "none"]
    command = [sys.executable, "-m", "inspect_ai", "score", *options, log.location]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    scored = read_eval_log(log.location)
    expected = RougeScorer(["rougeL"], use_stemmer=True).score(TARGET, ANSWER)["rougeL"].fmeasure
    first, *rest = values(scored, "rouge_l")
    assert first == pytest.approx(expected, abs=1e-6) and 0 < expected < 1
    assert all(math.isnan(value) for value in rest)
    assert reasons(scored, "rouge_l") == [None, "empty answer", "no target to compare with"]


@pytest.mark.parametrize(("name", "expected"), [("length_ratio", 7 / 10), ("rouge_1", 0.705882)])
def test_scores_through_the_library(log: EvalLog, name: str, expected: float) -> None:
    made: Scorer = named(name)()  # type: ignore[call-arg]
    assert values(score(log, made, display="none"), name)[0] == pytest.approx(expected, abs=1e-6)


def test_an_embedder_is_named_as_an_argument(log: EvalLog, hosted: Hosted) -> None:
    found = values(score(log, named("embedding_cosine")("openai/words"), display="none"), "embedding_cosine")
    assert 0 < found[0] < 1 and sorted(text for part in hosted.embedded for text in part) == sorted([ANSWER, TARGET])


@pytest.mark.parametrize("name", STUDIES)
def test_what_reads_a_study_says_so_in_a_sentence(name: str) -> None:
    with pytest.raises(RaftError, match=f"ratf/{name} reads more of a study than an answer and its target"):
        named(name)()  # type: ignore[call-arg]


def test_every_other_metric_is_made_without_one() -> None:
    assert all(callable(named(name)()) for name in METRICS if name not in STUDIES)  # type: ignore[call-arg]
