"""The same answers scored by Inspect alone, with a scorer that anybody would write: `bare.py FILE LOGS TASKS`."""

import json
import sys
from pathlib import Path

from inspect_ai import Task, eval_set
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from rouge_score.rouge_scorer import RougeScorer

ROUGE = RougeScorer(["rougeL"], use_stemmer=True)


@solver
def given() -> Solver:
    """Answer with what the sample brings along."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.output = ModelOutput.from_content("given", state.metadata["answer"])
        return state

    return solve


@scorer(metrics=[mean()])
def rouge_l() -> Scorer:
    """The F value of ROUGE-L."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=ROUGE.score(target.text, state.output.completion)["rougeL"].fmeasure)

    return score


def main(file: str, logs: str, tasks: int) -> None:
    """Score the file's answers in so many tasks."""
    with Path(file).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    samples = [
        Sample(id=r["id"], input=r["question"], target=r["real"], metadata={"answer": r["answer"]}) for r in rows
    ]
    made = [Task(samples, solver=given(), scorer=rouge_l(), name=f"arm-{n}") for n in range(tasks)]
    eval_set(made, log_dir=logs, model="mockllm/model", display="none")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
