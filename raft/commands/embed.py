"""The command `raft embed` embeds a person's passages."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def embed(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    embedder: Annotated[
        str, typer.Option(help="local/<embedded encoder> or openai/<model>.")
    ] = "local/all-minilm-l6-v2",
    chroma: Annotated[
        str | None, typer.Option(metavar="URL", help="A Chroma server, instead of the folder work/store.")
    ] = None,
) -> None:
    """Embed a person's writings into their Chroma collection. Only new and changed passages are embedded.

    Writings are cut into passages first, where `raft chunk` has not done so. Killed, it goes on where it was.

    Example: raft embed demo/marrack
    """
    with reported_errors():
        from raft.commands.chunk import tell_undated
        from raft.console import progress
        from raft.memory.embedded import embed_writings
        from raft.people.folders import folder_of

        folder = folder_of(name)
        _, undated, synced = embed_writings(folder, embedder, chroma, progress())
        done = f"{synced.embedded} embedded, {synced.removed} removed" if synced.embedded or synced.removed else ""
        typer.echo(f"{folder.name}: {synced.there} passages; {done or 'all there already, nothing to embed'}")
        tell_undated(undated)
