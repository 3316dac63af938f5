"""An agent in 15 lines: it answers with what the person said to the most similar question before."""

import json
import re
import sys
from collections.abc import Iterable

from inspect_ai.model import ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver

import raft
from raft.types import Exchange


def words(text: str) -> set[str]:
    """Return the different words of a text."""
    return set(re.findall(r"\w+", text.casefold()))


def nearest(said: Iterable[Exchange], question: str, day: str) -> str:
    """Return the answer, from before that day, to the question with most words in common."""
    earlier = [e for e in said if str(e.date) < day]
    return max(earlier, key=lambda e: len(words(e.question) & words(question))).answer


@solver
def clone(person: str) -> Solver:
    """Answer as the person has answered before; `person` is their folder."""
    said = raft.open_person(person).exchanges

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        answer = nearest(said, state.metadata["question"], state.metadata["date"])
        state.output = ModelOutput.from_content("clone", answer)
        return state

    return solve


if __name__ == "__main__":  # ratf questions SUITE | python clone.py PERSON > clone.jsonl
    for row in map(json.loads, sys.stdin):
        answer = nearest(raft.open_person(sys.argv[1]).exchanges, row["question"], row["date"])
        print(json.dumps({"id": row["id"], "answer": answer, "digest": row["digest"]}))  # noqa: T201
