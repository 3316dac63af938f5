"""Synchronous code waits here for a coroutine, also in a notebook, whose own event loop is running."""

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def result_of(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end and return its result, or raise what it raises.

    Where an event loop is running already, as in Jupyter, the coroutine runs in a thread of its own, with a copy of the
    caller's context variables.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(context.run, _alone, work).result()


def _alone(work: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner() as runner:
        return runner.run(work)
