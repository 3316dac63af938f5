"""`ratf leaderboard`."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors
from ratf.commands.sharing.options import Data, Public, Redact


def leaderboard(
    runs: Annotated[
        list[str],
        typer.Argument(help="Finished runs' folders, their addresses in a store, or bundles of `ratf bundle`."),
    ],
    out: Annotated[Path, typer.Option(help="The folder of the site; an older site there is replaced.")],
    verified: Annotated[
        list[Path] | None, typer.Option(help="A record of `ratf verify --record`; its run is marked. Can be repeated.")
    ] = None,
    redact: Redact = False,
    public: Public = False,
    data: Data = None,
) -> None:
    """Make a leaderboard of finished runs: a folder of pages to open from disk or to put on any static host.

    One run is enough; the site includes its report. Runs that did not measure the same thing are never in one table,
    and the command says what differs.

    Example: ratf leaderboard runs/demo runs/demo-seed-2 --out site --public
    """
    with reported_errors():
        from raft.text import one_line
        from ratf import leaderboard as publish
        from ratf.boards.words import several

        board = publish(runs, out, verified=verified or [], redact=redact, public=public, data=data)
        for said in board.differences:
            typer.echo(f"note: {one_line(said)}")
        systems, ran, boards = (len(of) for of in (board.systems, board.runs, board.boards))
        checked = several(sum(run.verified for run in board.runs), "run")
        typer.echo(
            f"{several(systems, 'system')} of {several(ran, 'run')} on {several(boards, 'board')}; {checked} verified"
        )
        typer.echo(f"{out}: the whole site; open {out / 'index.html'}, or put the folder on any static host")
