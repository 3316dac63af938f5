"""Judges: each one YAML rubric, graded through the `grader` role."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import yaml
from inspect_ai.model import (
    CachePolicy,
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState
from pydantic import BaseModel, ConfigDict, Field

from raft.prompts import fenced
from raft.samples import shorten

RUBRICS = Path(__file__).parent / "judges"
TOP_LOGPROBS = 20


class Rubric(BaseModel):
    """One judge. The reply must be one of `choices`; with token probabilities the grade is their expected value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int
    axis: str
    words: str
    system: str
    prompt: str
    choices: dict[str, float] = Field(min_length=2)
    max_words: int = 400
    max_tokens: int = 1
    min_mass: float = 0.5

    @property
    def digest(self) -> str:
        """Changes with anything that could change a grade."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def load_rubric(name: str) -> Rubric:
    """The rubric of the judge `judge_<stem>`."""
    path = RUBRICS / f"{name.removeprefix('judge_')}.yaml"
    return Rubric.model_validate(yaml.safe_load(path.read_text("utf-8")))


def judge(name: str) -> Scorer:
    """The judge of that name as a scorer. It needs the role `grader`: the model under test never grades itself."""
    rubric = load_rubric(name)

    @scorer(metrics=[mean()], name=name)
    def make() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            answer = state.output.completion.strip()
            if not answer:
                return Score.unscored(reason="empty answer")
            grader = get_model(role="grader", required=True)
            messages: list[ChatMessage] = [
                ChatMessageSystem(content=rubric.system),
                ChatMessageUser(content=fill(rubric, str(state.metadata["question"]), target.text, answer)),
            ]
            output = await grader.generate(messages, config=grading(rubric))
            about = {"grader": str(grader), "rubric": rubric.digest, "version": rubric.version}
            grade, why = read_grade(rubric, output)
            if grade is None:
                return Score.unscored(reason="parse", answer=answer, explanation=why, metadata=about)
            return Score(value=grade, answer=answer, explanation=why, metadata=about)

        return score

    return make()


def fill(rubric: Rubric, question: str, real: str, answer: str) -> str:
    """The judge's prompt. All three texts are cut alike and stand between marks that they cannot write."""
    texts: Mapping[str, str] = {
        "question": fenced("question", shorten(question, rubric.max_words)),
        "real": fenced("first answer", shorten(real, rubric.max_words)),
        "answer": fenced("second answer", shorten(answer, rubric.max_words)),
    }
    return rubric.prompt.format_map(texts)


def grading(rubric: Rubric) -> GenerateConfig:
    """The rubric's digest is in the cache key: a grade never outlives its rubric."""
    return GenerateConfig(
        temperature=0,
        max_tokens=rubric.max_tokens,
        logprobs=True,
        top_logprobs=TOP_LOGPROBS,
        cache=CachePolicy(expiry=None, per_epoch=False, scopes={"rubric": rubric.digest}),
    )


def read_grade(rubric: Rubric, output: ModelOutput) -> tuple[float | None, str]:
    """The grade and how it came about; no grade where the reply is none of the choices."""
    logprobs = output.choices[0].logprobs if output.choices else None
    if logprobs is None or not logprobs.content:
        said = output.completion.strip().strip(".").casefold()
        for choice, value in rubric.choices.items():
            if said == choice.casefold():
                return value, f"replied {choice}"
        return None, f"the reply is none of {', '.join(rubric.choices)}: {output.completion[:200]!r}"
    first = logprobs.content[0]
    mass = dict.fromkeys(rubric.choices, 0.0)
    for token in first.top_logprobs or []:
        for choice in rubric.choices:
            if token.token.strip().casefold() == choice.casefold():
                mass[choice] += math.exp(token.logprob)
    total = sum(mass.values())
    told = ", ".join(f"{choice} {p:.3f}" for choice, p in mass.items())
    if total < rubric.min_mass:
        return None, f"the choices hold only {total:.3f} of the probability ({told})"
    grade = sum(value * mass[choice] for choice, value in rubric.choices.items()) / total
    return round(grade, 6), f"next-token probabilities: {told}"
