"""Asks graders about answers: one axis a call, compared texts in both orders, and every vote is kept."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from inspect_ai.model import CachePolicy, GenerateConfig, Model, ResponseSchema, get_model, model_roles
from inspect_ai.util import collect, json_schema

from ratf.judges.replies import Manner, Reading, how_to_reply, read, reply_model
from ratf.judges.texts import JudgeCase, JudgePrompt, fill, shown
from ratf.models.chat import chat_messages
from ratf.suite.rubric import CRITERIA, Rubric

Replies = Literal["auto", "word", "json"]
TELL_PROBABILITIES = {"local", "hf", "vllm", "sglang", "llama-cpp-python"}
"""The providers that report next-token probabilities, as they run the weights themselves; others are asked for JSON."""


TOP_LOGPROBS = 20
WORD_TOKENS = {"local": 1}
"""The most tokens of a one-word reply by provider, else 8; one is enough where probabilities always come along."""


@dataclass(frozen=True)
class Vote:
    """One reply of one grader; `prompt` is a digest of the prompt, `tokens` counts those of prompt and reply."""

    grader: str
    flipped: bool
    reading: Reading
    prompt: str
    tokens: int

    def record(self, criterion: str) -> dict[str, Any]:
        """The vote on one criterion as the record that the log and the results keep."""
        values = self.reading.values
        return {
            "grader": self.grader,
            "order": "reversed" if self.flipped else "as drawn",
            "value": None if values is None else values[criterion],
            "why": self.reading.why,
            "prompt": self.prompt,
            "tokens": self.tokens,
        }


def bound_graders() -> list[Model]:
    """The models bound to the role `grader`; Inspect raises an error without any, so no model grades itself."""
    bound = model_roles().get("grader")
    return bound if isinstance(bound, list) else [get_model(role="grader", required=True)]


def manner(rubric: Rubric, grader: Model, replies: Replies) -> Manner:
    """The form of reply that a grader is asked for: JSON for claims, else as `replies` or its provider decides."""
    if rubric.form == "claims":
        return "json"
    if replies != "auto":
        return replies
    return "word" if str(grader).partition("/")[0] in TELL_PROBABILITIES else "json"


def config(rubric: Rubric, asked: JudgePrompt, how: Manner, grader: str = "", repeat: int = 0) -> GenerateConfig:
    """The generation settings of one request to a grader.

    The cache key holds the rubric's digest, so that no grade outlives its rubric, and `repeat`, so that a repeat is
    asked anew.
    """
    cache = CachePolicy(expiry=None, per_epoch=False, scopes={"rubric": rubric.digest, "repeat": str(repeat)})
    if how == "word":
        tokens = WORD_TOKENS.get(grader.partition("/")[0], 8)
        return GenerateConfig(temperature=0, max_tokens=tokens, logprobs=True, top_logprobs=TOP_LOGPROBS, cache=cache)
    schema = json_schema(reply_model(rubric.form, tuple(asked.meaning)))
    return GenerateConfig(
        temperature=0,
        max_tokens=rubric.max_tokens,
        response_schema=ResponseSchema(name=rubric.name, json_schema=schema, strict=True),
        cache=cache,
    )


async def ask(
    grader: Model, rubric: Rubric, case: JudgeCase, flipped: bool = False, replies: Replies = "auto", repeat: int = 0
) -> Vote:
    """Ask a grader about a case once. Two texts that read alike get 0.5 unasked: neither can be chosen."""
    if rubric.in_pairs and shown(rubric, case, case.answer) == shown(rubric, case, case.rival):
        values = dict.fromkeys(CRITERIA[rubric.form], 0.5)
        return Vote(str(grader), flipped, Reading(values, "the two texts read alike"), "", 0)
    asked = fill(rubric, case, flipped)
    how = manner(rubric, grader, replies)
    messages = asked.messages(how_to_reply(rubric, list(asked.meaning), how))
    output = await grader.generate(chat_messages(messages), config=config(rubric, asked, how, str(grader), repeat))
    digest = hashlib.sha256(f"{grader}\0{messages}".encode()).hexdigest()[:12]
    tokens = output.usage.total_tokens if output.usage else 0
    return Vote(str(grader), flipped, read(rubric, case, asked.meaning, output), digest, tokens)


async def ask_panel(
    graders: Sequence[Model], rubric: Rubric, cases: Sequence[JudgeCase], replies: Replies
) -> list[Vote]:
    """Ask every grader about every case, in both orders where two texts are compared; votes are grouped by case."""
    orders = (False, True) if rubric.in_pairs else (False,)
    return await collect(
        *(ask(g, rubric, case, flipped, replies) for case in cases for g in graders for flipped in orders)
    )


def pooled(votes: Sequence[Vote]) -> Mapping[str, float] | None:
    """The mean of each criterion over the graders whose every reply could be read; None without such a grader."""
    read_by = [
        g for g in dict.fromkeys(v.grader for v in votes) if all(v.reading.values for v in votes if v.grader == g)
    ]
    kept = [v.reading.values for v in votes if v.grader in read_by and v.reading.values]
    if not kept:
        return None
    return {c: round(sum(v[c] for v in kept) / len(kept), 6) for c in kept[0]}
