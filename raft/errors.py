"""The errors that a user can mend, and how the problems that pydantic finds are worded."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

Location = tuple[int | str, ...]
"""The keys and places in lists that lead to a value."""

LONGEST_FOUND = 200
"""The greatest number of characters that an error message quotes of an invalid value."""

MOST_FOUND = 1000
"""Of more problems in one record, the values that were found are not quoted: they would take more memory than the record."""


class RaftError(Exception):
    """A problem whose message says what was wrong, where, what is valid and what to do."""


class DataError(RaftError):
    """An error that holds everything wrong with the data that was read, each problem with its file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        head = f"{len(self.problems)} problems in the data; nothing was written:\n" if len(self.problems) > 1 else ""
        super().__init__(head + "\n".join(self.problems))


def behind(error: BaseException) -> Iterator[BaseException]:
    """An error, then those that led to it and the members of groups, each once: libraries raise errors of their own."""
    seen: list[BaseException] = []
    found = [error]
    while found:
        one = found.pop(0)
        if one in seen:
            continue
        seen.append(one)
        yield one
        found += [e for e in (one.__cause__, one.__context__) if e]
        found += getattr(one, "exceptions", ())


def describe(error: "ValidationError", place: Callable[[Location], Location] = lambda location: location) -> list[str]:
    """Return one line for each problem that pydantic found: the place in the record, the fault and the value found.

    `place` gives the location that is told for the location of a value in the model.
    """
    few = error.error_count() <= MOST_FOUND
    return [f"{_place(place(e['loc']))}: {_complaint(e)}" for e in error.errors(include_url=False, include_input=few)]


def _place(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "record"


def _complaint(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "is not a known key"
    text = str(problem["msg"]).removeprefix("Value error, ")
    found = problem.get("input")
    if isinstance(found, dict | list) or str(found) in text:
        return text
    said = repr(found)
    return f"{text} (found {said if len(said) <= LONGEST_FOUND else said[:LONGEST_FOUND] + '…'})"
