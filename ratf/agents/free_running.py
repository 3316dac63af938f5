"""Free-running interviews: the agent's own earlier answers, not the person's, come before a question."""

from collections import defaultdict
from dataclasses import asdict, replace

import anyio
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from raft.memory.mind import Mind
from raft.prompts import EarlierExchange
from raft.text import shorten
from raft.types import Exchange, Memory
from ratf.agents.memories import Memories, memories_shown, mind
from ratf.agents.questions import after, bounded
from ratf.agents.roles import ANSWER_CACHE, seed_of
from ratf.models.chat import chat_messages
from ratf.models.hooks import refusals_are_errors
from ratf.suite.arms import Shown
from ratf.suite.study import Study


def free_running(study: Study, arm: str) -> Solver:
    """A solver that answers the interview's held-out questions up to the sample's own, each after its earlier answers.

    A sample is still one question. The answers before it come from Inspect's cache, where the samples of the earlier
    questions have put them, because an interview's samples run one at a time; so a resumed run goes on with the same
    history. Where questions are answered several times, each time is an interview of its own.
    """
    shown, persona = study.suite.shown(arm), study.suite.own_arm(arm) is None
    turn: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        told: list[EarlierExchange] = []
        before: list[Exchange] = []
        async with turn[state.metadata["interview_id"]]:
            for exchange in _up_to(study, str(state.sample_id)):
                with refusals_are_errors():
                    memories = await _memories(study, shown, exchange, before)
                    state.messages = chat_messages(after(study, exchange, memories, told, persona))
                    config = GenerateConfig(seed=seed_of(study, state.epoch))
                    state.output = await get_model().generate(state.messages, config=config, cache=ANSWER_CACHE)
                answer = bounded(state).output.completion
                told.append(
                    EarlierExchange(exchange.question, memories, shorten(answer, study.suite.answers.max_words))
                )
                before.append(replace(exchange, answer=answer))
        state.messages.append(state.output.message)
        state.metadata["memories"] = [asdict(m) for m in told[-1].memories]
        return state

    # a solver's arguments are written into the log: the arm is one, the study is not
    @solver(name="free_running")
    def answers_after_its_own(arm: str) -> Solver:
        return solve

    return answers_after_its_own(arm)


def _up_to(study: Study, exchange_id: str) -> list[Exchange]:
    """The held-out exchanges of one interview up to this one, without the real answers."""
    last = next(e for e in study.held_out if e.exchange_id == exchange_id)
    asked = [e for e in study.held_out if e.interview_id == last.interview_id]
    return [replace(e, answer="") for e in asked if e.number <= last.number]


async def _memories(study: Study, shown: Shown, exchange: Exchange, before: list[Exchange]) -> tuple[Memory, ...]:
    """The memories that the arm reads at a question, recalled after the agent's own answers in `before`.

    Shuffled memories are the exception: they were made before the agent answered anything.
    """
    if shown == "none":
        return ()
    if shown == "shuffled":
        others: Memories = study.held("shuffled memories", lambda: memories_shown(study, "shuffled"))
        return others.get(exchange.exchange_id, ())
    impostors = shown == "impostor"
    whose: Mind = study.held(f"mind {impostors}", lambda: mind(study, impostors=impostors))
    found = await whose.remember([exchange], {exchange.exchange_id: before})
    return found[exchange.exchange_id]
