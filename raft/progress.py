"""The interface through which long work reports its progress, without knowing who displays it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""A function `progress(what, total, unit)` that returns a context manager, which gives a function `advance(n)`.

The work calls `advance(n)` when n more of its `total` units are done.
"""


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Report no progress: this `Progress` is the default, and displays nothing."""
    yield lambda n: None
