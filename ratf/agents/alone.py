"""A task that is run by itself, by `inspect eval`: what it cannot do is told in a sentence, before anything is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from inspect_ai._util.error import PrerequisiteError  # what Inspect prints without a traceback; it has no public name
from rich.markup import escape

from raft.errors import RaftError
from ratf.models.known import must_be_known
from ratf.suite.arms import ARMS, GIVEN, WRITTEN
from ratf.suite.study import Study


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Raise what is wrong with the input as the error that Inspect prints by itself, without a traceback."""
    try:
        yield
    except RaftError as error:
        raise PrerequisiteError(escape(str(error))) from None


def must_run_here(study: Study, arm: str) -> None:
    """Raises RaftError where the suite has no such arm or control, or asks for what is not here."""
    own = [one.name for one in study.suite.own]
    if arm not in (*ARMS, *own, *GIVEN, *WRITTEN):
        raise RaftError(
            f"arm={arm}: no arm or control is called that; there are {', '.join([*ARMS, *own, *study.suite.controls])}"
        )
    must_be_known(study, to_run=True)
