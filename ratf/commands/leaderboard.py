"""`ratf leaderboard`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.told import told

if TYPE_CHECKING:
    from ratf.results import Results


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs' folders, or bundles of `ratf bundle`.")],
    out: Annotated[Path, typer.Option(help="The folder of the site; an older site there is replaced.")],
    verified: Annotated[
        list[Path] | None, typer.Option(help="A record of `ratf verify --record`; its run is marked. Can be repeated.")
    ] = None,
) -> None:
    """Make a leaderboard of finished runs: a folder of pages to open from disk or to put on any static host.

    Runs that did not measure the same thing are never in one table; what differs is said.

    Example: ratf leaderboard runs/demo runs/demo-seed-2 --out site
    """
    with told():
        from ratf.leaderboard import leaderboard as board_of
        from ratf.leaderboard import run_digest
        from ratf.site import site, write_site
        from ratf.verify_record import verified_runs

        opened = [_open(run) for run in runs]
        board = board_of([results for results, _ in opened], verified_runs(verified or []))
        pages = {run_digest(results)[:12]: page for results, page in opened}
        write_site(site(board, pages), out)
        for said in board.differences:
            typer.echo(f"note: {said}")
        counted = f"{len(board.systems)} systems of {len(board.runs)} runs on {len(board.boards)} boards"
        typer.echo(f"{counted}; {sum(run.verified for run in board.runs)} runs verified")
        typer.echo(str(out / "index.html"))


def _open(run: Path) -> "tuple[Results, str]":
    """A run's results and its page, made anew where there is none."""
    from ratf.bundle import is_bundle, read_bundle
    from ratf.gate import open_run
    from ratf.report import render

    if is_bundle(run):
        results = read_bundle(run).results
        return results, render(results)
    results = open_run(run)
    page = (run if run.is_dir() else run.parent) / "report.html"
    return results, page.read_text("utf-8") if page.is_file() else render(results)
