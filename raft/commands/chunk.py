"""The command `raft chunk` cuts a person's writings into passages."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def chunk(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    tokens: Annotated[int | None, typer.Option(min=16, help="A passage's size at most [default: 96].")] = None,
    allow_undated: Annotated[
        bool, typer.Option("--allow-undated", help="Keep documents without a date; dated questions may recall them.")
    ] = False,
) -> None:
    """Cut a person's writings into passages: work/chunks.jsonl. Only new and changed writings are cut.

    Example: raft chunk demo/marrack
    """
    with reported_errors():
        from raft.console import progress
        from raft.memory.embedded import chunk_writings
        from raft.people.folders import folder_of

        folder = folder_of(name)
        chunked, undated = chunk_writings(folder, tokens, allow_undated, progress())
        typer.echo(f"{folder.name}: {len(chunked.chunks)} passages; {chunked.cut} documents were new or changed")
        tell_undated(undated)


def tell_undated(count: int) -> None:
    """Say on stderr that documents were left out, when any were."""
    if count:
        typer.echo(f"left out: {count} undated documents (raft chunk --allow-undated keeps them)", err=True)
