"""A person's agent answers questions: the model that was tuned for them, if any, is shown each question's memories."""

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
    """The text of the agent's answer, and the memories that it was shown."""

    text: str
    memories: tuple[Memory, ...]

    def __str__(self) -> str:
        """Return the text alone."""
        return self.text


@dataclass
class Conversation:
    """A conversation with one agent, in which each question is asked with the earlier questions and answers.

    `on` is the day of its questions, a date or YYYY-MM-DD, or None for today; `count` counts the tokens of a text.
    """

    about: About
    chat: ChatModel
    mind: Mind
    count: Callable[[str], int]
    on: date | str | None
    _before: list[Exchange] = field(default_factory=list)
    _said: list[EarlierExchange] = field(default_factory=list)

    def remember(self, question: str) -> tuple[Memory, ...]:
        """Return the memories of the next question, after all that was said. Raises RaftError where `on` is no date."""
        exchange = asked(question, self.on, len(self._before) + 1)
        found = result_of(self.mind.remember([exchange], {exchange.exchange_id: self._before}))
        return found[exchange.exchange_id]

    def answer(self, question: str, memories: tuple[Memory, ...]) -> Reply:
        """Return the agent's answer with these memories; question and answer are part of the conversation from then on.

        Raises RaftError where the model cannot be asked.
        """
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
    """Open a conversation with the person's agent; its store stays open until the context ends.

    The arguments and the errors raised are those of `ask`.
    """
    folder = person_folder(person)
    about, name = load_about(folder), model or tuned_model(folder) or CHAT
    chat, count = chat_model(name), token_counter(name.removeprefix("local/").partition("+")[0])
    asked("", on)  # an `on` that is no date is refused before anything is embedded
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
    """Ask the person's agent one question, and return its reply: the answer's text and the memories that it was shown.

    `on` is the day of the question, a date or YYYY-MM-DD, by default today: only older writings are remembered. `model`
    is `local/<model>[+<adapter>]` or `openai/<model>`; by default the one tuned last for the person, else the embedded
    one. `rephraser` is `extractive`, `local/…` or `openai/…`. Writings that are not embedded yet are embedded for this
    call alone. Raises DataError for what is wrong with the person's folder, and RaftError where `on` is no date or a
    model cannot be asked. The str() of a reply is its text.
    """
    with conversation(person, model, on, rephraser, progress) as talk:
        return talk.answer(question, talk.remember(question))
