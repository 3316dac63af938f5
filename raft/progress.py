"""How long work tells how far it is, without knowing who watches."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""`progress(what, total, unit)` is a context in which `advance(n)` says that n more units are done."""


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Nobody watches."""
    yield lambda n: None
