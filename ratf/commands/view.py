"""`ratf view`."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def view(
    folder: Annotated[
        Path, typer.Argument(help="A run's folder, also while it runs, or a site of `ratf leaderboard`.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Show a run or a site in the browser, on this machine only. A run in progress is followed until its report is there.

    Ctrl-C ends it.

    Example: ratf view runs/demo
    """
    with reported_errors():
        import webbrowser

        from ratf.pages.view import server

        with server(folder, port) as serving:
            address = f"http://127.0.0.1:{serving.server_port}/"
            typer.echo(f"{folder} is shown at {address} to this machine; Ctrl-C ends it")
            if not no_open and not webbrowser.open(address):
                typer.echo("no browser could be opened; open the address yourself", err=True)
            try:
                serving.serve_forever()
            except KeyboardInterrupt:
                typer.echo("ended", err=True)
