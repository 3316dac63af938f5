"""Asking a person's agent: the model that was tuned for them, where there is one, with the memories of each question."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from raft.memory.mind import Mind
from raft.memory.recall import EXTRACTIVE, asked, mind_of
from raft.models.names import CHAT, chat_model
from raft.models.tokens import token_counter
from raft.models.waiting import result_of
from raft.people.person import About, Person, load_about, person_folder
from raft.progress import Progress, silent
from raft.prompts import EarlierExchange
from raft.prompts import conversation as prompt_of
from raft.tuning.jobs import tuned_model
from raft.types import ChatModel, Exchange, Memory

PROMPT_TOKENS = 1024


@dataclass(frozen=True)
class Reply:
    """What the agent said, and the memories that it was shown."""

    text: str
    memories: tuple[Memory, ...]

    def __str__(self) -> str:
        """The text alone."""
        return self.text


@dataclass
class Conversation:
    """Questions to one agent, each asked with what was said before."""

    about: About
    chat: ChatModel
    mind: Mind
    count: Callable[[str], int]
    on: date | str | None
    _before: list[Exchange] = field(default_factory=list)
    _said: list[EarlierExchange] = field(default_factory=list)

    def remember(self, question: str) -> tuple[Memory, ...]:
        """What the question brings to mind after all that was said. Raises RaftError for a day that is none."""
        exchange = asked(question, self.on, len(self._before) + 1)
        found = result_of(self.mind.remember([exchange], {exchange.exchange_id: self._before}))
        return found[exchange.exchange_id]

    def answer(self, question: str, memories: tuple[Memory, ...]) -> Reply:
        """The agent's answer with these memories, which it remembers from then on."""
        prompt = prompt_of(self.about, question, memories, self._said, PROMPT_TOKENS, self.count)
        text = result_of(self.chat.generate(prompt))
        self._said.append(EarlierExchange(question, memories, text))
        self._before.append(asked(question, self.on, len(self._before) + 1, text))
        return Reply(text, memories)


@contextmanager
def conversation(
    person: Person | str | Path,
    model: str | None = None,
    on: date | str | None = None,
    rephraser: str = EXTRACTIVE,
    progress: Progress = silent,
) -> Iterator[Conversation]:
    """A conversation with the person's agent; what it takes is open until its end. The arguments are those of `ask`."""
    folder = person_folder(person)
    about, name = load_about(folder), model or tuned_model(folder) or CHAT
    chat, count = chat_model(name), token_counter(name.removeprefix("local/").partition("+")[0])
    asked("", on)  # a day that is none is refused before anything is embedded
    with mind_of(folder, rephraser, temporary=True, progress=progress) as mind:
        yield Conversation(about, chat, mind, count, on)


def ask(
    person: Person | str | Path,
    question: str,
    on: date | str | None = None,
    *,
    model: str | None = None,
    rephraser: str = EXTRACTIVE,
    progress: Progress = silent,
) -> Reply:
    """One question to the person's agent; str() of the reply is the answer, `memories` is what it was shown.

    `on` is the day of the question, a date or YYYY-MM-DD, by default today: only older writings are remembered.
    `model` is `local/<model>[+<adapter>]` or `openai/<model>`; by default the one tuned last for the person, else the
    embedded one. `rephraser` is `extractive`, `local/…` or `openai/…`. Writings that are not embedded yet are, for this
    once. Raises DataError for what is wrong with the person's folder, and RaftError for models that cannot be asked.
    """
    with conversation(person, model, on, rephraser, progress) as talk:
        return talk.answer(question, talk.remember(question))
