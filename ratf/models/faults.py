"""Errors in which answers ended, in words that can be counted."""

import ast
import re
from collections.abc import Iterable

from raft.errors import LONGEST_FOUND, behind
from raft.masking import masked
from raft.text import plain

_STATUS = re.compile(r"Error code: (\d{3})(?: - (.*))?", re.DOTALL)
_OUTER = re.compile(r"^\w*(?:Error|Exception)\((['\"])(.*?)\1?\)?$", re.DOTALL)
_CHANGING = re.compile(r"[0-9a-f]{8,}|\d+")
"""What differs between two errors of a kind: numbers and ids."""


def in_short(message: str) -> str:
    """An error's message in a line: its HTTP status and what the service said, or else how the message begins."""
    # Inspect puts the request in front of what the service said, and prints line ends and quotes as in a program
    text = message.replace("\\n", "\n").replace("\\'", "'").replace('\\"', '"').rpartition("\n\n")[2].strip()
    if found := _STATUS.search(text):
        text = f"{found[1]} {_said((found[2] or '').strip())}"
    elif outer := _OUTER.match(text):
        text = outer[2]
    return plain(" ".join(masked(text).split()))[:LONGEST_FOUND] or "an error without words"


FROM = "_ratf_from"
"""The attribute of an error that says which model's service it came from."""


def of_a_service(error: BaseException) -> str:
    """The model and in short what its service did, where an error or one behind it came from there; else empty."""
    for one in behind(error):
        if model := getattr(one, FROM, ""):
            return f"{model}: {in_short(str(one) or type(one).__name__)}"
    return ""


def kinds(messages: Iterable[str]) -> dict[str, int]:
    """The first error of each kind, in short, and how many there are of it. Numbers and ids make no kind."""
    first: dict[str, str] = {}
    counts: dict[str, int] = {}
    for said in map(in_short, messages):
        told = first.setdefault(_CHANGING.sub("#", said.casefold()) if not said[:3].isdigit() else said[:3], said)
        counts[told] = counts.get(told, 0) + 1
    return counts


def _said(body: str) -> str:
    """The message in the body of a refused request, as Python prints it in the arguments of an error."""
    body = re.sub(r"['\"][)'\"]*$", "", body) if not body.startswith("{") else body[: body.rfind("}") + 1]
    try:
        read = ast.literal_eval(body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return body
    error = read.get("error", read) if isinstance(read, dict) else read
    said = error.get("message") if isinstance(error, dict) else None
    return said if isinstance(said, str) and said.strip() else str(error)
