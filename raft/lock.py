"""One process at a time: a lock ends with the process that holds it, and says who that is."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from raft.errors import RaftError

_LOG = logging.getLogger(__name__)
_wait: ContextVar[bool] = ContextVar("wait", default=False)


@contextmanager
def waiting(wait: bool = True) -> Iterator[None]:
    """Let every lock that is taken in this context wait until it is free, rather than raise RaftError."""
    before = _wait.set(wait)
    try:
        yield
    finally:
        _wait.reset(before)


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path` while the context lasts. `what` says in an error what it protects.

    The operating system frees it when the process ends, however that is, so none is left over. Where no file can be
    written there, two processes could not both write either, and there is no lock. Raises RaftError where another
    process holds it and `waiting` is not set.
    """
    from filelock import FileLock, Timeout

    lock, holder = FileLock(path), path.with_name(f"{path.name}.by")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        held = True
    except Timeout:
        who = _who(holder)
        if not _wait.get():
            raise RaftError(f"{what} is in use by {who}; wait for it with --wait, or stop that process") from None
        _LOG.warning("%s is in use by %s; waiting for it", what, who)
        lock.acquire()
        held = True
    except OSError:
        held = False
    try:
        if held:
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
            with suppress(OSError):
                holder.write_text(f"process {os.getpid()} on {socket.gethostname()} since {since}", "utf-8")
        yield
    finally:
        if held:
            with suppress(OSError):
                holder.unlink()
            lock.release()


def _who(holder: Path) -> str:
    with suppress(OSError):
        if said := " ".join(holder.read_bytes()[:200].decode("utf-8", "replace").split()):
            return said
    return "another process"
