"""Tells a progress bar of answered questions, whichever task they belong to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inspect_ai.hooks import Hooks, SampleEnd, hooks

_listeners: list[Callable[[int], None]] = []


@hooks(name="ratf_progress", description="counts finished samples while `ratf run` shows its progress")
class Counter(Hooks):
    """Passes every finished sample on to whoever listens."""

    def enabled(self) -> bool:
        """Only while somebody listens."""
        return bool(_listeners)

    async def on_sample_end(self, data: SampleEnd) -> None:
        """One more."""
        for advance in _listeners:
            advance(1)


@contextmanager
def counting(advance: Callable[[int], None]) -> Iterator[None]:
    """Call `advance(1)` for each sample that ends in here."""
    _listeners.append(advance)
    try:
        yield
    finally:
        _listeners.remove(advance)
