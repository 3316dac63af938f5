"""The command `raft ask` asks a person's agent a question, or chats with it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from raft.types import Memory


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

    Example: raft ask demo/marrack "Do beavers help against floods?"
    """
    with reported_errors():
        from raft.people.folders import folder_of

        folder = folder_of(name)
        _talk(folder, [question] if question else _typed(), model, on, rephraser)


def _talk(
    folder: Path, questions: "list[str] | Iterator[str]", model: str | None, on: str | None, rephraser: str
) -> None:
    from raft.console import progress
    from raft.tuning.conversation import conversation

    with conversation(folder, model, on, rephraser, progress()) as talk:
        for question in questions:
            memories = talk.remember(question)
            _show(memories)
            typer.echo(talk.answer(question, memories).text)


def _typed() -> Iterator[str]:
    """Yield the lines that are typed or piped in, a question each, up to an empty one."""
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
