"""An answer of megabytes is neither scored nor carried along; the reason says so."""

import time
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from raft.text import MOST_CHARACTERS
from ratf.agents.questions import bounded
from ratf.scores.named import named


@solver
def asks() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        return bounded(await generate(state))

    return solve


def test_a_10_mb_answer_is_unscored_with_its_length(tmp_path: Path) -> None:
    said = ["The river is slow. " * 526_000, "The river is slow."]
    replies = [ModelOutput.from_content("mockllm/model", text) for text in said]
    for reply in replies:
        reply.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    samples = [Sample(input="Is it slow?", target="It is slow.") for _ in said]
    task = Task(dataset=samples, name="long", solver=asks(), scorer=named("rouge_l")())
    model = get_model("mockllm/model", custom_outputs=replies, memoize=False)
    start = time.monotonic()
    (log,) = eval(task, model=model, log_dir=str(tmp_path), display="none", max_samples=1)
    assert time.monotonic() - start < 30
    long, short = log.samples or []
    assert long.scores and short.scores
    assert long.scores["rouge_l"].reason == f"too long: 9,994,000 characters; at most {MOST_CHARACTERS:,} are scored"
    assert long.output.completion == "" and long.messages[-1].text == "" and long.output.usage
    assert short.output.completion == said[1] and short.scores["rouge_l"].as_float() > 0
