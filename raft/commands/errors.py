"""A command reports here what went wrong, and ends with an exit code."""

import errno
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import typer

BAD_INPUT = 2
_OF_LOCAL = {"torch", "transformers", "peft", "bert_score", "gguf", "safetensors"}


_FULL = "make room there and run the command again: finished work is kept, and the command continues where it stopped"
_SHUT = "it must be allowed to read and write there; change that, or name another place"
_DISK = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _SHUT,
    errno.EPERM: _SHUT,
    errno.EROFS: _SHUT,
    errno.EISDIR: "a file belongs there, not a folder",
    errno.ENOTDIR: "a folder belongs there, not a file",
    errno.ENOENT: "is the path right?",
    errno.ELOOP: "the links there lead in a circle",
    errno.ENAMETOOLONG: "take a shorter name",
    errno.EIO: "the disk may be broken",
}
"""What to do about an error of the operating system, by its number."""
_SAID = {
    "database or disk is full": errno.ENOSPC,
    "no space left on device": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
}
"""The same errors in the words of libraries that hide the number."""


class _Notes(logging.Handler):
    """Shows the warnings of our own packages on stderr, whatever other packages make of the log."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"note: {record.getMessage()}", err=True)


@contextmanager
def _shown_warnings() -> Iterator[None]:
    notes, logs = _Notes(logging.WARNING), [logging.getLogger(name) for name in ("raft", "ratf")]
    before = [log.level for log in logs]
    for log in logs:
        log.addHandler(notes)
        log.setLevel(logging.WARNING)  # a run with Inspect raises the level of the root logger
    # libraries keep logs of their own: on a full disk each of their lines would print a traceback here
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = raising
        for log, level in zip(logs, before, strict=True):
            log.removeHandler(notes)
            log.setLevel(level)


class _Unbreakable:
    """A text stream that goes on in silence when nobody reads it any more, so that a command ends as it would have."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._fall_silent()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())  # what is still in a buffer goes there as well
        os.close(nowhere)


@contextmanager
def _unbreakable_streams() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Unbreakable(sys.stdout), _Unbreakable(sys.stderr)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an error that the user can mend as one message on stderr, any other with its traceback; exit with code 2.

    The code is never 1, which would say that a regression was measured; and it is the same where nobody reads the
    output to its end.
    """
    from raft.errors import RaftError
    from raft.text import plain

    with _unbreakable_streams(), _shown_warnings():
        try:
            yield
        except (typer.Exit, typer.Abort):
            raise
        except RaftError as error:
            typer.echo(plain(f"error: {error}").replace("\r", "\ufffd"), err=True)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _OF_LOCAL:
                traceback.print_exc()
            else:
                typer.echo(
                    f"error: the embedded models need {error.name}; install them from RATF's folder: pip install 'FOLDER[local]'",
                    err=True,
                )
        except Exception as error:
            told = _of_the_disk(error)
            if told:
                typer.echo(f"error: {told}", err=True)
            else:
                traceback.print_exc()
        else:
            return
        raise typer.Exit(BAD_INPUT) from None


def _of_the_disk(error: BaseException) -> str:
    """What is wrong with the disk or a file, in a sentence; empty where neither the error nor one behind it is of these."""
    from raft.errors import behind

    for one in behind(error):
        if isinstance(one, OSError) and one.errno in _DISK:
            place = f"{one.filename}: " if one.filename is not None else ""
            return f"{place}{(one.strerror or str(one)).lower()}; {_DISK[one.errno]}"
        for words, number in _SAID.items():
            if words in str(one).lower():
                return f"{words}; {_DISK[number]}"
    return ""
