"""The interface through which long work reports its progress, without knowing who displays it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""A function `progress(what, total, unit)` that returns a context manager, which gives a function `advance(n)`.

The work calls `advance(n)` when n more of its `total` units are done.
"""


TUNING = "tuning"
"""The name under which the tuners report their steps."""


ENOUGH = 0.1
"""The share of the work that must be done before the remaining time is estimated: the first units alone mislead."""


def to_go(seconds: float, done: int, total: int) -> float | None:
    """Return the seconds that the rest of the work will take, where `done` of `total` units took `seconds`.

    None before a tenth is done, and where nothing is left.
    """
    if not 0 < done < total or done < ENOUGH * total:
        return None
    return seconds * (total - done) / done


def renamed(progress: Progress, names: Mapping[str, str]) -> Progress:
    """Return a progress that reports work under other names, given by the name that the work has where it is done."""
    return lambda what, total, unit: progress(names.get(what, what), total, unit)


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Report no progress: this `Progress` is the default, and displays nothing."""
    yield lambda n: None
