"""The only place where a persona prompt is put together, for training and for answering alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from raft.people.person import About
from raft.text import shorten
from raft.types import Exchange, Memory, Message

MESSAGE_OVERHEAD = 6
"""Tokens that a chat template adds to a message: its marks and its role."""


@dataclass(frozen=True)
class EarlierExchange:
    """One earlier question of the interview, with the memories it brought up and the answer it got."""

    question: str
    memories: tuple[Memory, ...]
    answer: str


def conversation(
    about: About,
    question: str,
    memories: Sequence[Memory],
    before: Sequence[EarlierExchange],
    budget: int,
    count: Callable[[str], int],
) -> tuple[Message, ...]:
    """The system message, as many of the latest tuples of `before` as `budget` tokens hold, and the question.

    A tuple is never cut. Where question and memories alone are too long, the least similar memories go first.
    """
    opening: Message = {
        "role": "system",
        "content": f"{about.introduced} Answer the interviewer as {about.name} would: "
        "in the first person, in your own words, in one paragraph.",
    }
    kept = list(memories)
    while kept and _cost([opening, question_message(question, kept)], count) > budget:
        kept.pop()
    messages = [opening, question_message(question, kept)]
    room = budget - _cost(messages, count)
    history: list[Message] = []
    for told in reversed(before):
        pair: list[Message] = [
            question_message(told.question, told.memories),
            {"role": "assistant", "content": told.answer},
        ]
        room -= _cost(pair, count)
        if room < 0:
            break
        history = [*pair, *history]
    return (opening, *history, messages[-1])


def question_message(question: str, memories: Sequence[Memory]) -> Message:
    """The interviewer's question, followed by what it brings to the person's mind."""
    if not memories:
        return {"role": "user", "content": question}
    lines = "\n".join(f"- {' '.join(m.text.split())} ({m.title}, {m.date[:4]})" for m in memories)
    return {"role": "user", "content": f"{question}\n\nYou remember having written:\n{lines}"}


def fenced(label: str, text: str) -> str:
    """Untrusted text between marks that it cannot close, because it cannot contain them."""
    return f"⟦{label}⟧\n{unmarked(text)}\n⟦end of {label}⟧"


def unmarked(text: str) -> str:
    """`text` as it stands inside its marks."""
    return text.replace("⟦", "[").replace("⟧", "]")


def _cost(messages: Sequence[Message], count: Callable[[str], int]) -> int:
    return sum(count(m["content"]) + MESSAGE_OVERHEAD for m in messages)


def earlier_exchanges(
    before: Iterable[Exchange], memories: Mapping[str, Sequence[Memory]], answer_words: int
) -> list[EarlierExchange]:
    """Earlier exchanges as the prompt shows them."""
    return [
        EarlierExchange(e.question, tuple(memories.get(e.exchange_id, ())), shorten(e.answer, answer_words))
        for e in before
    ]
