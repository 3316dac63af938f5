"""Progress is displayed on stderr: as bars on a terminal, as plain lines elsewhere."""

import os
import sys
import threading
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

from raft.progress import Progress, to_go

EVERY_SECONDS = 10


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
    began = moved = time.monotonic()
    done = 0

    def say(text: str) -> None:
        print(f"  {what}: {text}", file=sys.stderr, flush=True)

    def advance(n: int) -> None:
        nonlocal done, moved
        done += n
        moved = time.monotonic()

    def watch() -> None:
        """No command is silent for long, also where a single piece of work takes minutes."""
        while not over.wait(EVERY_SECONDS):
            now = time.monotonic()
            spent = now - began
            # work that ends in batches took until the last of them, not until now
            left = (to_go(moved - began, done, total) or 0) - (now - moved)
            guess = f", about {left:.0f} s to go" if left > 0 else ""
            so_far = f"{_number(done, unit)} of {_amount(total, unit)}" if total > 1 else "still working"
            say(f"{so_far} after {spent:.0f} s{guess}")

    over = threading.Event()
    watcher = threading.Thread(target=watch, name="progress", daemon=True)
    say(_amount(total, unit) if total > 1 else "…")
    watcher.start()
    try:
        yield advance
    finally:
        over.set()
        watcher.join()
    say(f"done in {time.monotonic() - began:.1f} s")


def _number(n: int, unit: str) -> str:
    return f"{n / 1e6:.0f}" if unit == "bytes" else str(n)


def _amount(n: int, unit: str) -> str:
    return f"{_number(n, unit)} {'MB' if unit == 'bytes' else unit}"
