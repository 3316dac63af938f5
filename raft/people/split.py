"""A person's interviews are split into those for training, for validation, and held out for the benchmark."""

from dataclasses import dataclass
from datetime import date

from raft.errors import RaftError
from raft.people.person import Person
from raft.types import Exchange


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
    is in no part. Undated interviews are in no part either, because they cannot be shown to be older. By default a
    fifth of the dated interviews is held out and a tenth of the older ones is for validation, at least one each; where
    a single older one is left, it is for training. Raises RaftError where no interview is left for training.
    """
    usable = person.exchanges
    days = {e.interview_id: e.date for e in usable if e.date}
    newest = sorted(days, key=lambda i: (days[i], i))
    out = _newest(newest, held_out, 5, person.key, "held out")
    cut = min(days[i] for i in out)
    earlier = [i for i in newest if days[i] < cut]
    if not earlier:
        raise RaftError(f"no interview of {person.key} is older than the first held-out one, of {cut}")
    if validation is None and len(earlier) < 2:
        validation = 0
    watching = _newest(earlier, validation, 10, person.key, "kept for validation") if validation != 0 else []
    parts = {
        "training": [i for i in earlier if i not in watching],
        "validation": watching,
        "held_out": out,
    }
    found = {name: [e for e in usable if e.interview_id in ids] for name, ids in parts.items()}
    return Split(**found, left_out=_left_out(person, usable, {i for ids in parts.values() for i in ids}, cut))


def _newest(interviews: list[str], wanted: int | None, part: int, person: str, what: str) -> list[str]:
    number = max(1, round(len(interviews) / part)) if wanted is None else wanted
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
