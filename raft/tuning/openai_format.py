"""OpenAI's fine-tuning files for chat models are written here, checked by every rule, and priced, before they are sent.

The rules are those of OpenAI's guide to supervised fine-tuning, for text. Tools and images are no part of a person's
answers, so a file with them is refused here although the service would accept it.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from raft.errors import RaftError
from raft.prompts import MESSAGE_OVERHEAD
from raft.text import estimated_tokens
from raft.types import TrainingSample

MIN_EXAMPLES = 10
MAX_BYTES = 512 * 1024 * 1024
ROLES = ("system", "user", "assistant")
KEYS = ("role", "content", "name", "weight")
MODELS = {
    "gpt-4.1-nano": (65_536, 1.50),
    "gpt-4.1-mini": (65_536, 5.00),
    "gpt-4.1": (65_536, 25.00),
    "gpt-4o-mini": (65_536, 3.00),
    "gpt-4o": (65_536, 25.00),
    "gpt-3.5-turbo": (16_385, 8.00),
}
"""The greatest number of tokens of an example, and the price in US$ per million training tokens, of each model.

A model is found by the start of its name.
"""


PRICES_OF = "2025-06"
"""The month in which the prices were looked up."""


def openai_jsonl(samples: Iterable[TrainingSample]) -> str:
    """Return the samples in OpenAI's format, one example a line.

    Only the last answer of an example is learnt: each earlier one is the last of a sample of its own.
    """
    return "".join(json.dumps({"messages": _messages(s)}, ensure_ascii=False) + "\n" for s in samples)


def _messages(sample: TrainingSample) -> list[dict[str, object]]:
    told = [{**m, "weight": 0} if m["role"] == "assistant" else {**m} for m in sample.prompt]
    return [*told, {"role": "assistant", "content": sample.answer}]


@dataclass(frozen=True)
class FileCheck:
    """The result of checking a file: its examples, its estimated tokens, and its problems, each with file and line."""

    examples: int
    tokens: int
    problems: list[str]


def check(content: bytes, name: str, model: str | None = None, minimum: int = MIN_EXAMPLES) -> FileCheck:
    """Check a file by every rule, and return its size and its problems.

    `name` is the file's name in the problems, `model` sets the greatest size of an example, and `minimum` is the least
    number of examples. Raises RaftError for a model that has no chat format.
    """
    problems: list[str] = []
    row = known(model) if model else None
    limit = row[0] if row else None
    if len(content) > MAX_BYTES:
        problems.append(f"{name}: {len(content)} bytes; a file may have {MAX_BYTES}")
    if content.startswith(codecs.BOM_UTF8):
        problems.append(f"{name}:1: begins with a byte order mark; save the file as UTF-8 without one")
        content = content.removeprefix(codecs.BOM_UTF8)
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    tokens = 0
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        example, complaint = _parsed(line)
        found = [complaint] if complaint else list(_complaints(example))
        problems += [f"{where}: {text}" for text in found]
        if not found:
            size = sum(estimated_tokens(m["content"]) + MESSAGE_OVERHEAD for m in example["messages"])
            tokens += size
            if limit and size > limit:
                problems.append(f"{where}: about {size} tokens; {model} takes {limit} an example")
    if len(lines) < minimum:
        problems.append(f"{name}: {len(lines)} examples; fine-tuning needs at least {minimum}")
    return FileCheck(len(lines), tokens, problems)


def _parsed(line: bytes) -> tuple[Any, str]:
    if not line.strip():
        return None, "is empty; each line is one JSON object"
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_no_constant), ""
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start}; save the file as UTF-8"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at column {error.colno}; each line is one JSON object"
    except RecursionError:
        return None, "nested too deep; each line is one flat JSON object"
    except ValueError as error:
        return None, f"not JSON: {error}"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _complaints(example: Any) -> Iterator[str]:
    if not isinstance(example, dict):
        yield 'is not a JSON object; it has the form {"messages": […]}'
        return
    for key in example.keys() - {"messages"}:
        yield f"{key!r} is not a known key; an example has messages alone"
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages: is missing or empty; it is a list of messages"
        return
    for i, message in enumerate(messages):
        yield from (f"messages[{i}]{text}" for text in _of_message(message))
    if all(isinstance(m, dict) for m in messages):
        yield from _of_order(messages)


def _of_message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield ": is not an object with role and content"
        return
    for key in message.keys() - set(KEYS):
        yield f".{key}: is not a known key; the keys are: {', '.join(KEYS)}"
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        yield f".role: {role!r} is no role; the roles are: {', '.join(ROLES)}"
    if not isinstance(content, str) or not content.strip():
        yield ".content: is missing or empty; it is a text"
    elif any("\ud800" <= c <= "\udfff" for c in content):
        yield ".content: holds half of a surrogate pair, which is no character"
    name = message.get("name", "name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        yield ".name: has up to 64 letters, digits, - and _"
    if "weight" in message:
        if role != "assistant":
            yield f".weight: is for the assistant's messages, not the {role}'s"
        if type(message["weight"]) is not int or message["weight"] not in (0, 1):
            yield f".weight: {message['weight']!r} is neither 0 nor 1"


def _of_order(messages: list[dict[str, Any]]) -> Iterator[str]:
    roles = [m.get("role") for m in messages]
    for i, role in enumerate(roles):
        if role == "system" and i:
            yield f"messages[{i}].role: a system message comes first or not at all"
    if "user" not in roles:
        yield "messages: nobody asks; there is no user message"
    if roles[-1] != "assistant":
        yield f"messages[{len(roles) - 1}].role: the last message is the assistant's, which is learnt, not the {roles[-1]}'s"
    elif all(m.get("weight") == 0 for m in messages if m.get("role") == "assistant"):
        yield "messages: every answer has weight 0, so nothing would be learnt"


def known(model: str) -> tuple[int, float] | None:
    """Return the model's greatest number of tokens of an example, and its price in US$ per million tokens.

    Returns None for a model that is not in `MODELS`. Raises RaftError for a model that has no chat format.
    """
    name = model.removeprefix("ft:")
    if name.startswith(("babbage", "davinci")):
        raise RaftError(f"{model} completes texts and does not chat; take a chat model, for instance gpt-4o-mini")
    start = max((m for m in MODELS if name.startswith(m)), key=len, default=None)
    return MODELS[start] if start else None


def epochs_of(examples: int) -> int:
    """Return about how many epochs the service chooses by default: 3, more for few examples, fewer for many."""
    if examples * 3 < 100:
        return min(25, max(1, 100 // max(1, examples)))
    return max(1, 25_000 // examples) if examples * 3 > 25_000 else 3


def cost(checked: FileCheck, model: str, epochs: int | None, price: float | None) -> str:
    """Return a sentence that says what training costs.

    `price` is in US$ per million tokens and replaces that of `MODELS`; `epochs` of None is the service's choice. Raises
    RaftError for a model that has no chat format.
    """
    rounds = epochs or epochs_of(checked.examples)
    trained = checked.tokens * rounds
    what = f"{checked.examples} examples, about {checked.tokens} tokens × {rounds} epochs = {trained} tokens"
    row = known(model)
    if price is None and row is None:
        return f"{what}; the price of {model} is unknown (give --price-per-million)"
    each, whence = (price, "as given") if price is not None else (row[1] if row else 0.0, f"list price of {PRICES_OF}")
    return f"{what}; about US$ {trained * each / 1e6:.2f} ({each:g} per million, {whence})"
