"""`ratf leaderboard`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError
from ratf.commands.sharing.options import Data, Public, Redact
from ratf.commands.sharing.papers import note, put_all

if TYPE_CHECKING:
    from ratf.boards.standing import Leaderboard


class Format(StrEnum):
    """What a leaderboard is written as."""

    SITE = "site"
    SVG = "svg"
    PDF = "pdf"
    TABLES = "tables"


def leaderboard(
    runs: Annotated[
        list[str],
        typer.Argument(help="Finished runs' folders, their addresses in a store, or bundles of `ratf bundle`."),
    ],
    out: Annotated[
        Path,
        typer.Option(help="The folder of the site; an older site there is replaced. Or that of figures or tables."),
    ],
    format: Annotated[
        Format,
        typer.Option(
            help="svg, pdf: each plot as a figure for papers. tables: the tables as LaTeX, Markdown, CSV and Parquet."
        ),
    ] = Format.SITE,
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
        from raft.text import number_of, one_line
        from ratf import leaderboard as publish

        if format != Format.SITE and (redact or public):
            raise RaftError("--redact and --public are for the reports of the site; figures and tables have no answers")
        site = out if format == Format.SITE else None
        board = publish(runs, site, verified=verified or [], redact=redact, public=public, data=data)
        for said in board.differences:
            typer.echo(f"note: {one_line(said)}")
        if format != Format.SITE:
            put_all(_files(board, format), out)
            return
        systems, ran, boards = (len(of) for of in (board.systems, board.runs, board.boards))
        checked = number_of(sum(run.verified for run in board.runs), "run")
        typer.echo(
            f"{number_of(systems, 'system')} of {number_of(ran, 'run')} on {number_of(boards, 'board')}; {checked} verified"
        )
        typer.echo(f"{out}: the whole site; open {out / 'index.html'}, or put the folder on any static host")


def _files(board: "Leaderboard", format: Format) -> dict[str, bytes]:
    from ratf.boards.papers import figures, tables
    from ratf.pages.figures import drawn
    from ratf.pages.printed import files

    if format == Format.TABLES:
        return files(tables(board))
    return drawn(figures(board), "svg" if format == Format.SVG else "pdf", note)
