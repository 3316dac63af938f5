"""`raft ask`."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.commands.memories import day

if TYPE_CHECKING:
    from raft.types import Memory

PROMPT_TOKENS = 1024


def ask(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    question: Annotated[str | None, typer.Argument(help="What to ask; without it, a chat.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="local/<model>[+<adapter>] or openai/<model> [default: the tuned one, else the embedded]."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Ask on that day (YYYY-MM-DD): only older writings are remembered.")
    ] = None,
    rephraser: Annotated[str, typer.Option(help="extractive, local/<model> or openai/<model>.")] = "extractive",
) -> None:
    """Answer as the person; on stderr, the memories used. A chat ends with an empty line.

    Example: raft ask benchmarks/marrack "Do beavers help against floods?"
    """
    with reported_errors():
        from raft.people.folders import folder_of

        folder = folder_of(name)
        _talk(folder, [question] if question else _typed(), model or _default_model(folder), on, rephraser)


def _talk(folder: Path, questions: "list[str] | Iterator[str]", model: str, on: str | None, rephraser: str) -> None:
    from raft.console import progress
    from raft.memory.recall import mind_of
    from raft.models.names import chat_model
    from raft.models.tokens import token_counter
    from raft.people.person import load_about
    from raft.prompts import EarlierExchange, conversation
    from raft.types import Exchange

    about, chat, when = load_about(folder), chat_model(model), day(on)
    count = token_counter(model.removeprefix("local/").partition("+")[0])
    said: list[EarlierExchange] = []
    before: list[Exchange] = []
    with mind_of(folder, rephraser, temporary=True, progress=progress()) as mind:
        for number, question in enumerate(questions, start=1):
            asked = Exchange("asked", number, when, question, "")
            found = asyncio.run(mind.remember([asked], {asked.exchange_id: before}))[asked.exchange_id]
            _show(found)
            prompt = conversation(about, question, found, said, PROMPT_TOKENS, count)
            answer = asyncio.run(chat.generate(prompt))
            typer.echo(answer)
            said.append(EarlierExchange(question, found, answer))
            before.append(Exchange("asked", number, when, question, answer))


def _typed() -> Iterator[str]:
    """What is typed or piped in, a question a line, up to an empty one."""
    while True:
        if sys.stdin.isatty():
            typer.echo("> ", err=True, nl=False)
        line = sys.stdin.readline().strip()
        if not line:
            return
        yield line


def _show(memories: "tuple[Memory, ...]") -> None:
    for m in memories:
        place = f"{m.date}, {m.title}, {m.source}, characters {m.start}-{m.end}"
        typer.echo(f"remembers ({place}): {m.text}", err=True)


def _default_model(folder: Path) -> str:
    """The person's tuned model, where there is one; else the embedded base."""
    from raft.models.names import CHAT
    from raft.tuning.jobs import tuned_model

    return tuned_model(folder) or CHAT
