"""`ratf models`: the embedded models, and whether they are here."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def models(
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch the models that are missing.")] = False,
) -> None:
    """List the embedded models, their licences and sizes, and whether they are on this machine.

    Example: ratf models --fetch
    """
    with reported_errors():
        from raft.console import progress
        from raft.models.weights import PINNED, cache_folder, ready
        from raft.models.weights import fetch as fetch_model

        for name, pinned in PINNED.items():
            if fetch:
                fetch_model(name, progress())
            folder = ready(name)
            size = sum(f.stat().st_size for f in folder.iterdir()) if folder else pinned.wheel_bytes
            state = f"{size / 1e6:.0f} MB, here" if folder else f"{size / 1e6:.0f} MB to fetch"
            typer.echo(f"local/{name:<24} {pinned.kind:<9} {pinned.licence:<11} {state:<16} {pinned.source}")
        typer.echo(f"kept in {cache_folder()} (RATF_CACHE names another folder)", err=True)
