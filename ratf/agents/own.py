"""Agents of the user's own that are asked here: what runs around a solver that nobody knows, so that only its answer counts."""

from copy import deepcopy
from typing import Any

import anyio
from inspect_ai.model import ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import LimitExceededError

from raft.masking import without_secrets
from ratf.agents.earlier import answered
from ratf.agents.questions import BEFORE, bounded
from ratf.agents.roles import ANSWER_CACHE, seed_of
from ratf.agents.solvers import load_solver
from ratf.models.hooks import refusals_are_errors
from ratf.models.recorded.listening import as_output, recordable
from ratf.models.recorded.recordings import Request
from ratf.models.recorded.replay import session
from ratf.models.service import mask
from ratf.suite.own import OwnArm
from ratf.suite.study import Study


def must_answer(study: Study) -> None:
    """Raises DataError for an arm of the user's own that could not answer: its solver is loaded, its log is read."""
    listening = session()
    for arm in study.suite.own:
        if arm.log:
            answered(study, arm)
        elif arm.solver and not (listening and listening.replaying):
            _loaded(study, arm)


def _loaded(study: Study, arm: OwnArm) -> Solver:
    folder = study.path.parent if study.path else study.folder
    return study.held(f"solver of {arm.name}", lambda: load_solver(str(arm.solver), folder, arm.args))


def answering_alone(study: Study, arm: OwnArm) -> Solver:
    """A solver that lets the user's own solver answer, and takes nothing from it but the answer.

    What it writes into the sample's metadata or scores is dropped. What it raises, and an answer that takes longer than
    the arm's `seconds`, is an error of the sample. The whole answer is recorded; a replay runs none of its code.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        about, listening = deepcopy(state.metadata), session()
        request, who = _request(arm, state), f"{arm.name}, question {state.sample_id}"
        number, reply = listening.take(request, who) if listening else (0, None)
        if reply is not None:
            output = as_output(reply)
        else:
            output = await _asked(study, arm, state, generate)
            if listening:
                output = as_output(listening.keep(request, number, recordable(output), who))
        state.output, state.metadata, state.scores = output, about, None
        return bounded(state)

    # a solver's arguments are written into the log
    @solver(name="answering_alone")
    def answers_alone(spec: str, args: dict[str, Any], sha256: str) -> Solver:
        return solve

    return answers_alone(str(arm.solver), arm.args, arm.sha256)


def _request(arm: OwnArm, state: TaskState) -> Request:
    made = {"kind": "answer", "model": arm.solver, "sha256": arm.sha256, "args": arm.args, "epoch": state.epoch}
    said = [{"role": m.role, "content": m.text.split("\n")} for m in state.messages]
    return {**made, "question": str(state.sample_id), "messages": said}


async def _asked(study: Study, arm: OwnArm, state: TaskState, generate: Generate) -> ModelOutput:
    """What the user's solver gives as its output. Raises RuntimeError where it gives none, or takes too long."""

    async def cached(state: TaskState, tool_calls: Any = "loop", **more: Any) -> TaskState:
        return await generate(state, tool_calls, **{"cache": ANSWER_CACHE, "seed": seed_of(study, state.epoch), **more})

    inner = _loaded(study, arm)
    with anyio.move_on_after(arm.seconds) as limit:
        try:
            with refusals_are_errors():
                made: object = await inner(state, cached)
        except LimitExceededError as error:  # Inspect would take the sample for finished
            raise RuntimeError(f"the solver stopped at a limit of its own: {error}") from None
        except SystemExit:
            raise RuntimeError("the solver wanted to end the program") from None
        except Exception as error:
            mask(error)
            raise
    if limit.cancelled_caught:
        raise RuntimeError(f"no answer within {arm.seconds:g} s, the arm's `seconds`")
    if not isinstance(made, TaskState):
        raise RuntimeError(f"the solver returned {type(made).__name__}; a solver returns the state")
    output = made.output
    # an agent that adds nothing has the last answer of its input as its output: the person's own, to another question
    echoed = output.choices and str(output.message.id).startswith(BEFORE)
    return ModelOutput(model=output.model) if echoed else without_secrets(_whole(output))


def _whole(output: ModelOutput) -> ModelOutput:
    """The output with its text as the answer of a choice, where the solver wrote down the text alone, or another."""
    said = output.choices[0].message.text if output.choices else ""
    return output if said == output.completion else ModelOutput.from_content(output.model, output.completion)
