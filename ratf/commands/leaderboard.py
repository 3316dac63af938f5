"""`ratf leaderboard`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from ratf.commands.sharing import Data, Public, Redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from ratf.results.results import Results


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs' folders, or bundles of `ratf bundle`.")],
    out: Annotated[Path, typer.Option(help="The folder of the site; an older site there is replaced.")],
    verified: Annotated[
        list[Path] | None, typer.Option(help="A record of `ratf verify --record`; its run is marked. Can be repeated.")
    ] = None,
    redact: Redact = False,
    public: Public = False,
    data: Data = None,
) -> None:
    """Make a leaderboard of finished runs: a folder of pages to open from disk or to put on any static host.

    One run is enough; its report comes along. Runs that did not measure the same thing are never in one table; what
    differs is said.

    Example: ratf leaderboard runs/demo runs/demo-seed-2 --out site --public
    """
    with reported_errors():
        from ratf.boards.leaderboard import leaderboard as board_of
        from ratf.boards.site import site, write_site
        from ratf.boards.words import several
        from ratf.results.comparable import run_digest
        from ratf.review.record import verified_runs

        opened = {run: _open(run) for run in runs}
        board = board_of(list(opened.values()), verified_runs(verified or []))
        reports = {run_digest(whole)[:12]: _report(whole, run, redact, public, data) for run, whole in opened.items()}
        write_site(site(board), out, reports)
        for said in board.differences:
            typer.echo(f"note: {said}")
        systems, ran, boards = (len(of) for of in (board.systems, board.runs, board.boards))
        checked = several(sum(run.verified for run in board.runs), "run")
        typer.echo(
            f"{several(systems, 'system')} of {several(ran, 'run')} on {several(boards, 'board')}; {checked} verified"
        )
        typer.echo(f"{out}: the whole site; open {out / 'index.html'}, or put the folder on any static host")


def _report(whole: "Results", run: Path, redact: bool, public: bool, data: Path | None) -> "Callable[[Path], object]":
    """What writes the report of a run. Raises RaftError now where the run may not be shown."""
    from ratf.commands.report import shown
    from ratf.reporting.changes import against
    from ratf.reporting.files import write_report

    results = shown(whole, redact, public, data)
    return lambda path: write_report(results, path, against(whole, run))


def _open(run: Path) -> "Results":
    from ratf.results.bundle import is_bundle, read_bundle
    from ratf.results.folder import open_run

    return read_bundle(run).results if is_bundle(run) else open_run(run)
