"""Hooks into Inspect: they count samples that end, and calls of models, and refuse calls over the budget."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from inspect_ai.hooks import (
    BeforeModelGenerate,
    Hooks,
    ModelCacheUsageData,
    ModelUsageData,
    SampleEnd,
    TaskStart,
    hooks,
)
from inspect_ai.model import ModelUsage
from inspect_ai.util import LimitExceededError

from ratf.models.budget import ESTIMATED, Meter, current
from ratf.models.prices import HOW, price_of


@dataclass(frozen=True)
class _Listener:
    advance: Callable[[int], None]
    arms: frozenset[str]


_listeners: list[_Listener] = []


@hooks(name="ratf_progress", description="counts finished samples while `ratf run` shows its progress")
class Counter(Hooks):
    """A hook that tells every listener of each sample that ends, of the arms that it listens for."""

    def __init__(self) -> None:
        self._arms: dict[str, str] = {}

    def enabled(self) -> bool:
        """Whether there are listeners."""
        return bool(_listeners)

    async def on_task_start(self, data: TaskStart) -> None:
        """Note which arm answers in a task."""
        self._arms[data.eval_id] = str((data.spec.metadata or {}).get("arm", ""))

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Tell every listener of one more sample."""
        for listener in _listeners:
            if self._arms.get(data.eval_id) in listener.arms:
                listener.advance(1)


@contextmanager
def counting(advance: Callable[[int], None], arms: Iterable[str]) -> Iterator[None]:
    """Call `advance(1)` for each sample of one of the arms that ends inside the `with` block."""
    listener = _Listener(advance, frozenset(arms))
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Let Inspect look for the package of a task, and for its git revision, once inside the `with` block.

    It starts git three times for each task, and where this code is not installed but run from a folder, it looks through
    every installed distribution, which takes a quarter of a second. The answer is the same for every task of a run.
    """
    from inspect_ai._eval.task import log
    from inspect_ai._util import package

    places = ((package, "packages_distributions"), (log, "git_context"))
    found = [(module, name, getattr(module, name)) for module, name in places if hasattr(module, name)]
    for module, name, look in found:
        setattr(module, name, cache(look))
    try:
        yield
    finally:
        for module, name, look in found:
            setattr(module, name, look)


class Refused(LimitExceededError):
    """A model was not asked, because a limit was reached. Inspect lets through only this kind of error from a hook."""


@hooks(name="ratf_budget", description="counts what a run takes, and asks no model beyond its budget")
class Keeper(Hooks):
    """A hook that counts every reply not from the cache, and refuses requests once a limit is reached."""

    def __init__(self) -> None:
        self._asking: set[asyncio.Task[object]] = set()

    def enabled(self) -> bool:
        """Whether a run is counted."""
        return current() is not None

    async def on_before_model_generate(self, data: BeforeModelGenerate) -> None:
        """Raises Refused where a limit is reached.

        It first waits for the replies that are under way: they are paid, and must be kept.
        """
        task, counted = asyncio.current_task(), current()
        assert task is not None and counted is not None
        self._asking.discard(task)
        if counted.limits.usd is not None and price_of(data.model_name, counted.prices) is None:
            # only code of the user's own asks a model that the suite does not name
            why = f"the price of {data.model_name} is not known, and --budget-usd needs it: {HOW}"
            raise Refused("custom", value=0, limit=0, message=why)
        if not counted.reached():
            self._asking.add(task)
            return
        over = counted.refuse()
        while any(not other.done() for other in self._asking):
            await asyncio.sleep(0.05)
        raise Refused("custom", value=0, limit=0, message=str(over))

    async def on_model_usage(self, data: ModelUsageData) -> None:
        """Count a reply that has to be paid."""
        self._done()
        counted = current()
        if counted is not None:
            usd = _usd(counted, data.model_name, data.usage)
            counted.add(data.model_name, data.usage.total_tokens, usd, estimated=ESTIMATED.get())

    async def on_model_cache_usage(self, data: ModelCacheUsageData) -> None:
        """Note that a request was answered from the cache, at no cost."""
        self._done()

    def _done(self) -> None:
        self._asking = {t for t in self._asking if not t.done() and t is not asyncio.current_task()}


def _usd(counted: Meter, model: str, usage: ModelUsage) -> float | None:
    price = price_of(model, counted.prices)
    if price is None:
        return None
    cached = usage.input_tokens_cache_write or 0, usage.input_tokens_cache_read or 0
    return price.of(usage.input_tokens, usage.output_tokens, *cached)


@contextmanager
def refusals_are_errors() -> Iterator[None]:
    """Turn Refused into RuntimeError inside the `with` block, so that the next start asks the sample again.

    Inspect takes a sample that meets a limit for finished.
    """
    try:
        yield
    except Refused as refused:
        raise RuntimeError(str(refused)) from None
