"""What makes a person's data worthless for a run although every record is well formed."""

import datetime
from collections.abc import Iterator

from raft.people.person import MAX_WORDS, MIN_WORDS, Person

NO_WRITINGS = "no writings"


def doubts(person: Person) -> Iterator[str]:
    """Yield a sentence for each thing without which nothing can be asked or remembered."""
    if not person.exchanges:
        yield (
            f"{person.folder}/interviews.jsonl: no usable exchange, which is an interviewer's turn answered by the person in "
            f"{MIN_WORDS} to {MAX_WORDS} words in the next turn"
        )
    if not person.documents:
        yield (
            f"{person.folder}/writings.jsonl: {NO_WRITINGS}: enough for an impostor, but an agent that remembers needs some; "
            f"add them with raft fetch {person.key} --from …"
        )
    newest = max((i.date for i in person.interviews if i.date), default=None)
    if newest and person.documents and not older_writings(person, newest):
        yield nothing_to_remember(person, newest)


def older_writings(person: Person, day: datetime.date) -> bool:
    """Whether the person wrote anything before that day, or anything undated."""
    return any(d.date is None or d.date < day for d in person.documents)


def nothing_to_remember(person: Person, day: datetime.date) -> str:
    """The sentence that says that no writing is older than the interview of that day."""
    if not person.documents:
        return f"{person.folder}/writings.jsonl: {NO_WRITINGS}, so nothing can be remembered; add some with raft fetch."
    return (
        f"{person.folder}/writings.jsonl: none of the {len(person.documents)} writings is older than the interview of {day}, "
        "so nothing can be remembered there; are the dates right?"
    )
