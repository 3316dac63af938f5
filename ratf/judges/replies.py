"""Reads judges' replies strictly, as a probability of each choice or as checked claims; others have no value."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from inspect_ai.model import ModelOutput
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ratf.judges.texts import JudgeCase, shown
from ratf.suite.rubric import Form, Rubric

Manner = Literal["word", "json"]
"""How a grader replies: one `word`, whose next-token probabilities are read where the provider tells any, or `json`."""


CODE_FENCE = re.compile(r"```(?:json)?\s*\n(.*)\n```", re.DOTALL)
REFUSAL = re.compile(
    r"\b(i|we) (can(no|')t|can not|won't|will not|am unable|'m unable|must decline)|\b(sorry|as an ai)\b", re.IGNORECASE
)
WORD_PART = 3
"""The fewest letters of a token that counts for the one choice which it begins."""


class Strict(BaseModel):
    """Anything beside the keys asked for is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(Strict):
    """One claim of the real answer, with evidence."""

    claim: str
    real_quote: str
    status: Literal["recalled", "contradicted", "absent"]
    answer_quote: str


class Claims(Strict):
    """The whole reply of a judge of claims."""

    claims: Annotated[list[Claim], Field(min_length=1, max_length=8)]


@dataclass(frozen=True)
class Reading:
    """A reply as it was read: `values` by criterion, None where it could not be read; `why` explains or quotes it."""

    values: dict[str, float] | None
    why: str
    refused: bool = False
    first: float | None = None
    """The probability of the choice that the prompt named first."""


def how_to_reply(rubric: Rubric, replies: Sequence[str], manner: Manner) -> str:
    """The last line of a prompt, which says how to reply."""
    if rubric.form == "claims":
        shape = '{"claims": [{"claim": "…", "real_quote": "…", "status": "recalled|contradicted|absent", "answer_quote": "…"}]}'
        return f"Reply with JSON only: {shape}"
    listed = f"{', '.join(replies[:-1])} or {replies[-1]}"
    if manner == "word":
        return f"Reply with one word only: {listed}."
    if rubric.form == "identity":
        return f"Reply with JSON only: for each of {listed}, the chance in percent that it is the speaker, as {_example(replies)}"
    return f'Reply with JSON only: {{"choice": "…"}}, where … is {listed}.'


def _example(replies: Sequence[str]) -> str:
    return json.dumps({reply: 100 // len(replies) for reply in replies})


@cache
def reply_model(form: Form, replies: tuple[str, ...]) -> type[BaseModel]:
    """The reply in JSON as a pydantic model: the schema that providers constrain to, and the check of what came."""
    if form == "claims":
        return Claims
    if form == "identity":
        percent = Annotated[int, Field(ge=0, le=100)]
        shares: dict[str, Any] = dict.fromkeys(replies, (percent, ...))
        return create_model("Shares", __base__=Strict, **shares)
    kind: Any = Literal[replies]
    return create_model("Choice", __base__=Strict, choice=(kind, ...))


def read(rubric: Rubric, case: JudgeCase, meaning: Mapping[str, str], output: ModelOutput) -> Reading:
    """Read a model's output by its rubric; a reply that is none of those asked for gives a reading without values."""
    text = output.completion.strip()
    refused = output.stop_reason == "content_filter" or bool(REFUSAL.search(text[:200]))
    if rubric.form == "claims":
        return _claims(rubric, case, text, refused)
    found, why = probabilities(rubric, list(meaning), output)
    if found is None:
        return Reading(None, why, refused)
    return Reading(_values(rubric, case, meaning, found), why, first=found[next(iter(meaning))])


def probabilities(rubric: Rubric, replies: Sequence[str], output: ModelOutput) -> tuple[dict[str, float] | None, str]:
    """The probability of each reply, and how it was found: next-token probabilities if told, else the reply's text.

    The first is None where the output cannot be read; the second then says why.
    """
    logprobs = output.choices[0].logprobs if output.choices else None
    text = output.completion.strip()
    if logprobs is not None and logprobs.content:  # asked for with a word, never with JSON
        return _from_tokens(rubric, replies, [(t.token, t.logprob) for t in logprobs.content[0].top_logprobs or []])
    parsed = _parsed(text)
    if isinstance(parsed, dict):
        try:
            made = reply_model(rubric.form, tuple(replies)).model_validate(parsed, strict=True).model_dump()
        except ValidationError:
            return None, _unreadable(replies, text)
        shares = made if rubric.form == "identity" else {r: float(r == made["choice"]) for r in replies}
        total = sum(shares.values())
        return (
            ({r: v / total for r, v in shares.items()}, f"replied {text[:200]}")
            if total
            else (None, _unreadable(replies, text))
        )
    said = text.strip(".").casefold()
    if said not in [r.casefold() for r in replies]:
        return None, _unreadable(replies, text)
    return {r: float(said == r.casefold()) for r in replies}, f"replied {text}"


def _unreadable(replies: Sequence[str], text: str) -> str:
    return f"the reply is none of {', '.join(replies)}: {text[:200]!r}"


def _from_tokens(
    rubric: Rubric, replies: Sequence[str], top: Sequence[tuple[str, float]]
) -> tuple[dict[str, float] | None, str]:
    mass = dict.fromkeys(replies, 0.0)
    for token, logprob in top:
        word = token.strip().casefold()
        begun = [r for r in replies if r.casefold() == word] or [
            r for r in replies if len(word) >= WORD_PART and r.casefold().startswith(word)
        ]
        if len(begun) == 1:
            mass[begun[0]] += math.exp(logprob)
    total = sum(mass.values())
    told = ", ".join(f"{r} {p:.3f}" for r, p in mass.items())
    if total < rubric.min_mass:
        return None, f"the choices hold only {total:.3f} of the probability ({told})"
    return {r: p / total for r, p in mass.items()}, f"next-token probabilities: {told}"


def _parsed(text: str) -> Any:
    fence = CODE_FENCE.fullmatch(text)
    try:
        return json.loads(fence[1] if fence else text)
    except (ValueError, RecursionError):
        return None


def _values(
    rubric: Rubric, case: JudgeCase, meaning: Mapping[str, str], found: Mapping[str, float]
) -> dict[str, float]:
    by_meaning = {meaning[reply]: p for reply, p in found.items()}
    if rubric.form == "grade":
        return {"": round(sum(rubric.choices[choice] * p for choice, p in by_meaning.items()), 6)}
    if rubric.form == "identity":
        person, *others = case.candidates
        brier = (1 - by_meaning[person]) ** 2 + sum(by_meaning[o] ** 2 for o in others)
        top = all(by_meaning[person] > by_meaning[o] for o in others)
        return {"top1": float(top), "brier": round(brier, 6)}
    won = by_meaning["answer"] + by_meaning.get("tie", 0.0) / 2
    return {"chosen" if rubric.form == "forced_choice" else "won": round(won, 6)}


def _claims(rubric: Rubric, case: JudgeCase, text: str, refused: bool) -> Reading:
    try:
        claims = Claims.model_validate(_parsed(text), strict=True).claims
    except ValidationError:
        return Reading(None, f"the reply is not the JSON that was asked for: {text[:200]!r}", refused)
    real, answer = (_plain(shown(rubric, case, t)) for t in (case.real, case.answer))
    # a claim counts only if its quote stands in the real answer, and a status only if its quote stands in the answer
    made = [c for c in claims if _plain(c.real_quote) and _plain(c.real_quote) in real]
    if not made:
        return Reading(None, f"no claim quotes the real answer: {text[:200]!r}", refused)
    evident = [c for c in made if c.status != "absent" and _plain(c.answer_quote) and _plain(c.answer_quote) in answer]
    counts = {s: sum(c.status == s for c in evident) for s in ("recalled", "contradicted")}
    unproved = len(claims) - len(made) + sum(c.status != "absent" for c in made) - len(evident)
    lines = [f"{c.status}: {c.claim} [“{c.answer_quote}”]" for c in evident]
    why = f"{len(made)} claims, {counts['recalled']} recalled, {counts['contradicted']} contradicted, {unproved} without evidence"
    values = {"recall": counts["recalled"] / len(made), "contradiction": counts["contradicted"] / len(made)}
    return Reading(values, "; ".join([why, *lines])[:1000])


def _plain(text: str) -> str:
    """`text` without what makes it no other quote: case, spacing, kinds of quotation marks, and marks at its ends."""
    return " ".join(text.casefold().translate(str.maketrans("’‘“”", "''\"\"")).split()).strip("\"'… .")
