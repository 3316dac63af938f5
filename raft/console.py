"""Progress is displayed on stderr: as bars on a terminal, as plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from raft.progress import Progress

EVERY_SECONDS = 20
ENOUGH = 0.05
"""The share of the work that must be done before the remaining time is estimated: the first units alone mislead."""


def progress() -> Progress:
    """Return how this process displays progress: on stderr, so that stdout holds results alone."""
    return _bar if sys.stderr.isatty() and not os.environ.get("CI") else _lines


@contextmanager
def _bar(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    count: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("  {task.description:<34}"), BarColumn(), count, TextColumn(unit if unit != "bytes" else ""))
    with Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=total)
        yield lambda n: bars.advance(task, n)
        bars.update(task, completed=total)


@contextmanager
def _lines(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    began = told = time.monotonic()
    done = 0

    def say(text: str) -> None:
        print(f"  {what}: {text}", file=sys.stderr, flush=True)

    def advance(n: int) -> None:
        nonlocal told, done
        done += n
        now = time.monotonic()
        if now - told > EVERY_SECONDS and 0 < done < total:
            left = (now - began) * (total - done) / done
            guess = f", about {left:.0f} s to go" if done >= ENOUGH * total else ""
            say(f"{_amount(done, unit)} of {_amount(total, unit)}{guess}")
            told = now

    say(_amount(total, unit) if total > 1 else "…")
    yield advance
    say(f"done in {time.monotonic() - began:.1f} s")


def _amount(n: int, unit: str) -> str:
    return f"{n / 1e6:.0f} MB" if unit == "bytes" else f"{n} {unit}"
