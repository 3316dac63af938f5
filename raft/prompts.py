"""The only place where a persona prompt is put together, for training and for answering alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from raft.people.person import About
from raft.text import shorten
from raft.types import Exchange, Memory, Message

MESSAGE_OVERHEAD = 6
"""The number of tokens that a chat template is taken to add to a message, for its marks and its role."""


@dataclass(frozen=True)
class EarlierExchange:
    """One earlier question of the interview, with the memories it brought up and the answer it got."""

    question: str
    memories: tuple[Memory, ...]
    answer: str


def conversation(
    about: About | None,
    question: str,
    memories: Sequence[Memory],
    before: Sequence[EarlierExchange],
    budget: int,
    count: Callable[[str], int],
) -> tuple[Message, ...]:
    """Return the system message, the latest of the exchanges `before` that fit into `budget` tokens, and the question.

    Without `about`, for a model that is the persona by itself, there is no system message. An exchange is never cut. Where the question and its memories alone exceed the budget, memories are left out from
    the end of `memories`, where the least similar ones stand. `count` returns the number of tokens of a text.
    """
    opening: list[Message] = []
    if about:
        told = (
            f"{about.introduced} Answer the interviewer as {about.name} would: "
            "in the first person, in your own words, in one paragraph."
        )
        opening = [{"role": "system", "content": told}]
    kept = list(memories)
    while kept and _cost([*opening, question_message(question, kept)], count) > budget:
        kept.pop()
    messages = [*opening, question_message(question, kept)]
    room = budget - _cost(messages, count)
    history: list[Message] = []
    for earlier in reversed(before):
        pair: list[Message] = [
            question_message(earlier.question, earlier.memories),
            {"role": "assistant", "content": earlier.answer},
        ]
        room -= _cost(pair, count)
        if room < 0:
            break
        history = [*pair, *history]
    return (*opening, *history, messages[-1])


def question_message(question: str, memories: Sequence[Memory]) -> Message:
    """Return the interviewer's question as a message, followed by the memories that it brings up."""
    if not memories:
        return {"role": "user", "content": question}
    lines = "\n".join(f"- {' '.join(m.text.split())} ({m.title}, {m.date[:4]})" for m in memories)
    return {"role": "user", "content": f"{question}\n\nYou remember having written:\n{lines}"}


def fenced(label: str, text: str) -> str:
    """Return untrusted text between marks that it cannot close, because marks inside it are replaced by brackets."""
    return f"⟦{label}⟧\n{unmarked(text)}\n⟦end of {label}⟧"


def unmarked(text: str) -> str:
    """Return `text` as it stands inside the marks of `fenced`, with brackets in place of any marks of its own."""
    return text.replace("⟦", "[").replace("⟧", "]")


def _cost(messages: Sequence[Message], count: Callable[[str], int]) -> int:
    return sum(count(m["content"]) + MESSAGE_OVERHEAD for m in messages)


def earlier_exchanges(
    before: Iterable[Exchange], memories: Mapping[str, Sequence[Memory]], answer_words: int
) -> list[EarlierExchange]:
    """Return earlier exchanges as the prompt shows them: with their memories, each answer cut to `answer_words` words.

    `memories` are the memories of each exchange, by its id.
    """
    return [
        EarlierExchange(e.question, tuple(memories.get(e.exchange_id, ())), shorten(e.answer, answer_words))
        for e in before
    ]
