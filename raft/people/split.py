"""A person's interviews are split into those for training, for validation, and held out for the benchmark."""

from dataclasses import dataclass
from datetime import date

from raft.errors import RaftError
from raft.people.person import Person
from raft.types import Exchange

ENOUGH = 6
"""The held-out interviews from which on an interval over interviews can be trusted."""


@dataclass(frozen=True)
class Split:
    """The usable exchanges of each part, oldest first; all exchanges of an interview are in the same part."""

    training: list[Exchange]
    validation: list[Exchange]
    held_out: list[Exchange]
    left_out: dict[str, int]
    """The number of exchanges that are in no part, by reason."""


def split(person: Person, held_out: int | None = None, validation: int | None = None) -> Split:
    """Hold out the newest `held_out` interviews, and keep the newest `validation` of the older ones for validation.

    Every interview for training or validation is dated before the first held-out one: another one of that day or later
    is in no part. Undated interviews are in no part either, because they cannot be shown to be older. By default as many
    as `usual_held_out` says are held out, and a tenth of the older ones, at least one, is for validation; where a single
    older one is left, it is for training. Raises RaftError where no interview is left for training.
    """
    usable = person.exchanges
    days = {e.interview_id: e.date for e in usable if e.date}
    newest = sorted(days, key=lambda i: (days[i], i))
    out = _newest(newest, usual_held_out(len(newest)) if held_out is None else held_out, person.key, "held out")
    cut = min(days[i] for i in out)
    earlier = [i for i in newest if days[i] < cut]
    if not earlier:
        raise RaftError(f"no interview of {person.key} is older than the first held-out one, of {cut}")
    if validation is None and len(earlier) < 2:
        validation = 0
    watched = max(1, round(len(earlier) / 10)) if validation is None else validation
    watching = _newest(earlier, watched, person.key, "kept for validation") if watched else []
    parts = {
        "training": [i for i in earlier if i not in watching],
        "validation": watching,
        "held_out": out,
    }
    found = {name: [e for e in usable if e.interview_id in ids] for name, ids in parts.items()}
    return Split(**found, left_out=_left_out(person, usable, {i for ids in parts.values() for i in ids}, cut))


def usual_held_out(interviews: int) -> int:
    """Return how many of so many dated interviews are held out where nobody says how many.

    A fifth of them, but at least six where that leaves six or more to learn from; of fewer than twelve, half.
    """
    if interviews < 2 * ENOUGH:
        return max(1, interviews // 2)
    return max(ENOUGH, round(interviews / 5))


def too_few(person: Person, parts: Split) -> str:
    """Return what so few interviews can show and what to add, in sentences; empty where enough are held out.

    Undated interviews do not count, because nothing can be shown to be older than they are.
    """
    dated = len({e.interview_id for e in person.exchanges if e.date})
    out = len({e.interview_id for e in parts.held_out})
    if out >= ENOUGH:
        return ""
    learnt = len({e.interview_id for e in [*parts.training, *parts.validation]})
    sure = (
        "one interview gives no interval, so no difference can be shown at all"
        if out == 1
        else f"intervals from {out} interviews are wide, so only large differences can be shown"
    )
    short = max(0, 2 * ENOUGH - dated)
    remedy = (
        f"Bring {short} more dated interviews, for {2 * ENOUGH} in all: {ENOUGH} to ask about and {ENOUGH} to learn from"
        if short
        else f"Hold out {ENOUGH}: --held-out {ENOUGH}"
    )
    return (
        f"{person.about.name} has {dated} dated interviews: {out} to ask about ({len(parts.held_out)} questions), "
        f"{learnt} to learn from. That is few: {sure}. {remedy}."
    )


def _newest(interviews: list[str], number: int, person: str, what: str) -> list[str]:
    if number >= len(interviews):
        raise RaftError(
            f"{person} has {len(interviews)} dated interviews to choose from, so {number} cannot be {what}: "
            "at least one must be left to learn from"
        )
    return interviews[len(interviews) - number :]


def _left_out(person: Person, usable: list[Exchange], used: set[str], cut: date) -> dict[str, int]:
    unused = [e for e in usable if e.interview_id not in used]
    return {
        **person.left_out,
        f"dated {cut} (the first held-out interview) or later": sum(e.date is not None for e in unused),
        "undated": sum(e.date is None for e in unused),
    }
