"""What stands between a run and a model's service: it hides secrets, bounds the waiting, and counts what is not counted.

Inspect calls a provider's `generate` once for each try, and asks it how long to wait before the next one. Both are
wrapped here, before Inspect writes anything down.
"""

import json
import math
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

import anyio
from inspect_ai.model import Model, ModelCall, ModelOutput, ModelUsage, get_model
from tenacity import RetryCallState, wait_exponential_jitter
from tenacity.wait import wait_base

from raft.errors import RaftError
from raft.masking import masked, without_secrets
from raft.text import estimated_tokens
from ratf.models.budget import ESTIMATED, Meter, current
from ratf.models.faults import FROM, in_short
from ratf.models.prices import is_free
from ratf.models.served import served
from ratf.models.states import stopped_by
from ratf.suite.serving import is_served

LONGEST_WAIT = 30.0
"""In seconds, between two tries, where the provider has no wait of its own."""


Generate = Callable[..., Awaitable[ModelOutput | tuple[ModelOutput | Exception, ModelCall]]]
_READY = "_ratf_ready"


def ready(name: str) -> Model:
    """The model of this name, as a run asks it. A model is made ready once."""
    model = served(name) if is_served(name) else get_model(name)
    api = model.api
    if not getattr(api, _READY, False):
        api.generate = _wrapped(name, api.generate)  # type: ignore[method-assign, assignment]
        own = api.retry_wait
        api.retry_wait = lambda: _Wait(name, own() or wait_exponential_jitter(initial=1, max=LONGEST_WAIT, jitter=1))  # type: ignore[method-assign]
        setattr(api, _READY, True)
    return model


def _wrapped(name: str, generate: Generate) -> Generate:
    # Inspect looks at the parameters that a provider's method has
    @wraps(generate)
    async def one_try(*args: Any, **kwargs: Any) -> Any:
        counted = None if is_free(name) else current()
        left = counted.ask(name) if counted else math.inf
        try:
            with anyio.move_on_after(left) if math.isfinite(left) else nullcontext():
                made = await _read(generate(*args, **kwargs))
                if counted:
                    counted.replied()
                return _harmless(name, made, kwargs.get("input", args[0] if args else ""), counted)
        except Exception as error:
            mask(error)
            setattr(error, FROM, name)
            raise
        assert counted is not None
        raise counted.waited_too_long(name)

    return one_try


async def _read(reply: Awaitable[Any]) -> Any:
    """A provider's reply. Raises RaftError for one that is none, so that it is not kept as an answer that is empty."""
    try:
        made = await reply
    except json.JSONDecodeError as error:
        raise RaftError(f"the service's reply is no JSON: {error}") from None
    output = made[0] if isinstance(made, tuple) else made
    if isinstance(output, ModelOutput) and not output.choices:
        raise RaftError("the service's reply holds no message")
    if isinstance(made, tuple) and isinstance(output, ModelOutput) and output.choices[0].stop_reason == "unknown":
        _understood(output, made[1])
    return made


def _understood(output: ModelOutput, call: ModelCall) -> None:
    """Give a reply the stop reason that its service's own word means, where Inspect does not know the word.

    Raises RaftError where it means that the reply failed halfway.
    """
    choices: Any = (call.response or {}).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    word = str(first.get("finish_reason") or "") if isinstance(first, dict) else ""
    if (meaning := stopped_by(word)) == "error":
        raise RaftError(f"the service's reply failed halfway: its finish_reason is {word[:40]!r}")
    if meaning:
        output.choices[0].stop_reason = meaning


def _harmless(name: str, made: Any, asked: Any, counted: Meter | None) -> Any:
    output, *rest = made if isinstance(made, tuple) else (made,)
    if isinstance(output, Exception):
        mask(output)
        setattr(output, FROM, name)
    else:
        output = without_secrets(output)
        ESTIMATED.set(output.usage is None and counted is not None)
        if ESTIMATED.get():
            read = sum(estimated_tokens(message.text) for message in asked) if isinstance(asked, list) else 0
            wrote = estimated_tokens(output.completion)
            output.usage = ModelUsage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)
    return (output, *map(without_secrets, rest)) if rest else output


def mask(error: BaseException) -> None:
    """Take the secrets out of an error that a service had a hand in, and out of those that led to it."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        at.args = tuple(_masked(arg) for arg in at.args)
        for field, value in list(vars(at).items()):
            if isinstance(value, str | dict | list):
                setattr(at, field, _masked(value))
        at = at.__cause__ or at.__context__


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict | list):
        try:
            return json.loads(masked(json.dumps(value)))
        except (TypeError, ValueError):
            return masked(str(value))
    return value


class _Wait(wait_base):
    """How long to wait before the next try: told to whoever watches, and never past the end of patience or budget."""

    def __init__(self, model: str, own: Callable[[RetryCallState], float | int]) -> None:
        self._model, self._own = model, own

    def __call__(self, retry_state: RetryCallState) -> float:
        wait = float(self._own(retry_state))
        counted = current()
        if counted is None or is_free(self._model):
            return wait
        wait = max(0.0, min(wait, counted.patience_left(), counted.seconds_left()) + 0.05)
        error = retry_state.outcome.exception() if retry_state.outcome else None
        why = in_short(str(error) or type(error).__name__)
        counted.waits(self._model, why, retry_state.attempt_number, wait)
        return wait
