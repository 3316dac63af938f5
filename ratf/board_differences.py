"""What boards measured differently, in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ratf.standing import Board


def differences(boards: Sequence[Board]) -> list[str]:
    """Why the runs are on several boards: what differs from the person's first, or from the first, a sentence a board."""
    said = []
    for i, board in enumerate(boards[1:], 1):
        before = next((b for b in boards[:i] if b.person == board.person), boards[0])
        was, now = before.measured, board.measured
        several = "; ".join(_differs(k, was.get(k), now.get(k)) for k in changed(was, now))
        said.append(f"board {board.id} is not board {before.id}: {several}")
    return said


def changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys of what two boards measured that differ."""
    return [k for k in sorted(was.keys() | now.keys()) if was.get(k) != now.get(k)]


def called(key: str) -> str:
    """A key of what is measured, in words."""
    return {
        "models.grader": "the judge",
        "rubrics": "the judges' rubrics",
        "data": "the data's digest",
        "prompts": "the prompts' digest",
    }.get(key, key)


def _differs(key: str, was: Any, now: Any) -> str:
    if key == "metrics":
        was, now = was or {}, now or {}
        return f"other metrics ({', '.join(changed(was, now))})"
    return f"{called(key)} was {_short(was)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
