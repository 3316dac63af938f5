"""Batches of a small model are worked on side by side, each on one core: its answers are then the same on any number of cores."""

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import ceil
from multiprocessing.pool import ThreadPool
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield what `work` returns for each item, in their order; as many are worked on at a time as torch may use threads.

    Two threads that share every matrix product of one batch wait for each other in each, and each number of threads
    rounds in its own way. Raises what `work` raises.
    """
    threads = torch.get_num_threads()
    with ThreadPool(max(1, min(threads, len(items))), torch.set_num_threads, (1,)) as workers:
        try:
            yield from workers.imap(work, items)
        finally:
            torch.set_num_threads(threads)  # some libraries under torch have one setting for all threads of a process


def evenly(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Return the items in batches of equal size and at most `most`, even in number, so that two cores finish together."""
    pairs = max(1, ceil(len(items) / (2 * most)))
    size = max(1, ceil(len(items) / (2 * pairs)))
    return [items[start : start + size] for start in range(0, len(items), size)]


def return_freed_memory() -> None:
    """Have glibc return freed memory to the system: tensors of many sizes leave unused gaps in its heap."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # the C library is not glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)
