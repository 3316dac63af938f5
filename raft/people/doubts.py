"""What makes a person's data worthless for a run although every record is well formed."""

import datetime
from collections.abc import Iterator

from raft.people.person import MAX_WORDS, MIN_WORDS, Person


def doubts(person: Person) -> Iterator[str]:
    """Yield a sentence for each thing without which nothing can be asked or remembered."""
    if not person.exchanges:
        yield (
            f"{person.folder}/interviews.jsonl: no usable exchange, which is an interviewer's turn answered by the person in "
            f"{MIN_WORDS} to {MAX_WORDS} words in the next turn"
        )
    newest = max((i.date for i in person.interviews if i.date), default=None)
    if newest and person.documents and not older_writings(person, newest):
        yield nothing_to_remember(person, newest)


def older_writings(person: Person, day: datetime.date) -> bool:
    """Whether the person wrote anything before that day, or anything undated."""
    return any(d.date is None or d.date < day for d in person.documents)


def nothing_to_remember(person: Person, day: datetime.date) -> str:
    """The sentence that says so."""
    return (
        f"{person.folder}/writings.jsonl: none of the {len(person.documents)} writings is older than the interview of {day}, "
        "so nothing can be remembered there; are the dates right?"
    )
