"""What runs around a solver that nobody knows: whatever it does, only its answer counts, and no real one is within its reach."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import planted_judges
import pytest
from inspect_ai.hooks import BeforeModelGenerate
from inspect_ai.log import read_eval_log
from inspect_ai.model import GenerateConfig
from planted import make as made
from small_suite import small

from raft.errors import DataError
from raft.progress import silent
from ratf.agents.own import must_answer
from ratf.agents.questions import questions
from ratf.agents.solvers import load_solver
from ratf.models import hooks
from ratf.models.budget import Limits, Meter
from ratf.models.prices import NO_PRICES
from ratf.models.recorded.replay import recorded, replayed
from ratf.models.states import state_of
from ratf.results.folder import newest_logs
from ratf.results.results import Results
from ratf.runner.phases import answers
from ratf.suite.study import Study, logs_folder

HOSTILE = """
import asyncio, json, os, sys
from inspect_ai.agent import Agent, AgentState, agent
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessageAssistant, ModelOutput
from inspect_ai.scorer import Score
from inspect_ai.solver import Generate, TaskState, solver
from inspect_ai.util import LimitExceededError, store

def of(act):
    async def solve(state: TaskState, generate: Generate):
        return await act(state, generate)
    return solve

def say(state, text):
    state.output = ModelOutput.from_content("m", text)
    return state

@solver
def thief():
    async def act(state, generate):
        seen = [state.target.text, state.input_text, *(m.text for m in state.messages)]
        seen += [json.dumps([state.metadata, dict(state.store.items()), dict(store().items())], default=str)]
        seen += [event.model_dump_json() for event in transcript().events]
        return say(state, "\\n".join(seen)[:19000])
    return of(act)

@solver
def scribe():
    async def act(state, generate):
        state.metadata |= {"given": {"text": "x"}, "question": "What else?", "memories": [], "unanswered": "no"}
        state.scores = {"rouge_l": Score(value=1.0)}
        return say(state, "I'm sorry, I can't help with that.")
    return of(act)

@solver
def nothing():
    async def act(state, generate):
        return None
    return of(act)

@solver
def mute():
    async def act(state, generate):
        state.messages.append(ChatMessageAssistant(content="Somebody else said this."))
        return state
    return of(act)

@agent
def idle() -> Agent:
    async def execute(state: AgentState) -> AgentState:
        return state
    return execute

@solver
def sleeper():
    async def act(state, generate):
        await asyncio.sleep(60)
    return of(act)

@solver
def quitter():
    async def act(state, generate):
        sys.exit(0)
    return of(act)

@solver
def stopper():
    async def act(state, generate):
        raise LimitExceededError("custom", value=1, limit=1, message="enough")
    return of(act)

@solver
def teller():
    async def act(state, generate):
        raise RuntimeError("refused: " + os.environ["OPENAI_API_KEY"])
    return of(act)

@solver
def plain():
    async def act(state, generate):
        state.output = ModelOutput(model="m", completion="Only the text is here.")
        return state
    return of(act)

@solver
def asker(twice: bool = False):
    async def act(state, generate):
        return await generate(state)
    return of(act)

"""
NAMES = ("thief", "scribe", "nothing", "mute", "idle", "sleeper", "quitter", "stopper", "teller", "plain", "asker")


def hostile(tmp_path: Path, *names: str, **more: Any) -> Study:
    (tmp_path / "hostile.py").write_text(HOSTILE, "utf-8")
    arms = [{"name": name, "solver": f"hostile.py@{name}", "seconds": 1} for name in names]
    primary = {"metric": "rouge_l", "better": names[0], "than": "baseline"}
    settings = {"metrics": ["rouge_l"], "split": {"held_out_interviews": 6, "questions": 6}, "primary": primary}
    return small(tmp_path, arms=["baseline", *arms], models={"base": "planted/echo"}, **{**settings, **more})


@pytest.fixture
def logs(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Study, dict[str, list[Any]]]:
    """Every solver's samples after it has answered."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    monkeypatch.setitem(planted_judges.CHARACTERS, "echo", lambda seen: f"You asked: {seen.prompt}")
    monkeypatch.setattr("ratf.runner.phases.everybody", lambda study: list(NAMES))
    study = hostile(tmp_path, *NAMES)
    answers(study, silent)
    found = newest_logs(logs_folder(study), study.digest)
    return study, {arm: read_eval_log(log.location).samples or [] for arm, log in found.items()}


@pytest.mark.slow
def test_whatever_a_solver_does_only_its_answer_counts(logs: tuple[Study, dict[str, list[Any]]]) -> None:
    study, of = logs
    assert of.keys() == set(NAMES) and all(len(samples) == 6 for samples in of.values())
    # no real answer that is asked for is within reach, neither its own nor another question's
    everything = "\n".join(s.output.completion for s in of["thief"])
    assert all(e.question[:40] in everything for e in study.held_out)
    assert not any(e.answer[:40] in everything for e in study.held_out)
    for sample in of["scribe"]:
        assert sample.scores == {} and {"given", "unanswered"}.isdisjoint(sample.metadata)
        assert sample.metadata["question"] in {e.question for e in study.held_out}
        assert state_of(sample.output, sample.metadata)[0] == "refused"
    for name in ("mute", "idle"):
        assert [state_of(s.output, s.metadata)[0] for s in of[name]] == ["empty"] * 6, name
    told = {
        "nothing": "returned NoneType; a solver returns the state",
        "sleeper": "no answer within 1 s",
        "quitter": "wanted to end the program",
        "stopper": "stopped at a limit of its own",
        "teller": "refused: (a key)",
    }
    for name, why in told.items():
        assert all(s.error and why in s.error.message for s in of[name]), name
    assert "sk-secret" not in "".join(s.model_dump_json() for s in of["teller"])
    assert {s.output.completion for s in of["plain"]} == {"Only the text is here."}
    assert all(s.output.completion == f"You asked: {s.metadata['question']}" for s in of["asker"]), (
        "the suite's base model"
    )


def test_a_sample_holds_no_real_answer(tmp_path: Path) -> None:
    study = hostile(tmp_path, "thief", answers={"history": "teacher_forced"})
    told = [s for q in study.questions() for s in q["history"]]
    asked = {e.question for e in study.held_out}
    assert told and any(h["answer"] for h in told) and all(h["answer"] is None for h in told if h["question"] in asked)
    for sample in questions(study, "thief"):
        assert sample.target == "" and not any(e.answer[:40] in sample.model_dump_json() for e in study.held_out)
    free = hostile(tmp_path, "thief", answers={"history": "free_running"})
    assert all(h["answer"] is None for q in free.questions() for h in q["history"])
    assert not any(q["history"] for q in hostile(tmp_path, "thief", answers={"history": "none"}).questions())


@pytest.mark.parametrize(
    ("solver", "args", "told"),
    [
        ("hostile.py@nobody", {}, "The function nobody was not found"),
        ("hostile.py@asker", {"often": 3}, "unexpected keyword argument 'often'"),
        ("broken.py@x", {}, "ZeroDivisionError"),
        ("leaves.py@x", {}, "SystemExit"),
        ("unreadable.py@x", {}, "SyntaxError"),
        ("ratf/nobody", {}, "Unknown solver ratf/nobody"),
    ],
)
def test_a_solver_that_cannot_be_made_is_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solver: str, args: dict[str, object], told: str
) -> None:
    hostile(tmp_path, "thief")
    (tmp_path / "broken.py").write_text("print(1)\n1 / 0\n", "utf-8")
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)\n", "utf-8")
    (tmp_path / "unreadable.py").write_text("def (:\n", "utf-8")
    arm = {"name": "mine", "solver": solver, **({"args": args} if args else {})}
    study = small(tmp_path, arms=["baseline", "rag_only", arm])
    before = Path.cwd()
    with pytest.raises(DataError, match=r"solver: .*") as refused:
        must_answer(study)
    assert told in str(refused.value) and solver in str(refused.value) and Path.cwd() == before


def test_solvers_and_agents_are_loaded_as_inspect_does(tmp_path: Path) -> None:
    """Where Inspect moves what it loads solvers with, this fails before any suite does."""
    (tmp_path / "hostile.py").write_text(HOSTILE, "utf-8")
    for spec, args in (("hostile.py@asker", {"twice": True}), ("hostile.py@idle", {}), ("generate", {})):
        assert callable(load_solver(spec, tmp_path, args)), spec


def test_a_replay_runs_no_code_of_the_users(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratf.runner.phases.everybody", lambda study: ["plain"])
    study = hostile(tmp_path, "plain")
    said: list[list[str]] = []

    def whole(study: Study) -> Results:
        must_answer(study)
        answers(study, silent)
        log = newest_logs(logs_folder(study), study.digest)["plain"]
        said.append([s.output.completion for s in read_eval_log(log.location).samples or []])
        return made({"plain": {"rouge_l": [0.1]}, "baseline": {"rouge_l": [0.1]}}, ["i"])

    recorded(study, tmp_path / "recording", whole)
    (tmp_path / "hostile.py").write_text("1 / 0", "utf-8")
    replayed(replace(study, folder=tmp_path / "again"), tmp_path / "recording", whole)
    assert said[0] == said[1] == ["Only the text is here."] * 6


def test_a_model_that_the_suite_does_not_name_needs_a_price_under_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = hostile(tmp_path, "plain")
    monkeypatch.setattr(hooks, "current", lambda: Meter(study, Limits(usd=1.0), NO_PRICES))
    asked = BeforeModelGenerate("openai/secret-extra", [], [], "auto", GenerateConfig(), None)

    async def ask() -> None:
        with pytest.raises(hooks.Refused, match="the price of openai/secret-extra is not known"):
            await hooks.Keeper().on_before_model_generate(asked)

    asyncio.run(ask())


def test_other_code_makes_another_study(tmp_path: Path) -> None:
    before = hostile(tmp_path, "thief")
    (tmp_path / "hostile.py").write_text(HOSTILE + "\n# changed\n", "utf-8")
    arms = [{"name": "thief", "solver": "hostile.py@thief", "seconds": 1}]
    same = {**json.loads(before.suite.model_dump_json()), "arms": ["baseline", *arms]}
    assert before.suite.own[0].sha256 and "own" in same
    after = small(
        tmp_path, arms=["baseline", *arms], models={"base": "planted/echo"}, metrics=["rouge_l"],
        split={"held_out_interviews": 6, "questions": 6}, primary={"metric": "rouge_l", "better": "thief", "than": "baseline"},
    )  # fmt: skip
    assert after.digest != before.digest and after.questions_digest == before.questions_digest
