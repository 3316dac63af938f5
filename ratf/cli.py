"""The `ratf` command. Heavy imports happen inside the commands: `ratf --help` loads neither torch nor inspect_ai."""

from pathlib import Path
from typing import Annotated

import typer

from raft.told import told
from ratf.commands import baseline
from ratf.commands.bundle import bundle, verify
from ratf.commands.check import check
from ratf.commands.init import init
from ratf.commands.leaderboard import leaderboard
from ratf.commands.packet import packet
from ratf.commands.plan import plan
from ratf.commands.report import report
from ratf.commands.run import run
from ratf.commands.view import view

app = typer.Typer(
    help="Does this agent really answer like that person, and what made it so?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("plan")(plan)
app.command("run")(run)
app.command("init")(init)
app.command("check")(check)
app.command("report")(report)
app.add_typer(baseline.app, name="baseline")
app.command("packet")(packet)
app.command("leaderboard")(leaderboard)
app.command("bundle")(bundle)
app.command("verify")(verify)
app.command("view")(view)


@app.command()
def models(
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch those that are not there yet.")] = False,
) -> None:
    """List the embedded models: what they are, under which licence, how large, and whether they are here.

    Example: ratf models --fetch
    """
    with told():
        from raft.console import progress
        from raft.weights import PINNED, cache_folder, ready
        from raft.weights import fetch as fetch_model

        for name, pinned in PINNED.items():
            if fetch:
                fetch_model(name, progress())
            folder = ready(name)
            size = sum(f.stat().st_size for f in folder.iterdir()) if folder else pinned.wheel_bytes
            state = f"{size / 1e6:.0f} MB, here" if folder else f"{size / 1e6:.0f} MB to fetch"
            typer.echo(f"local/{name:<24} {pinned.kind:<9} {pinned.licence:<11} {state:<16} {pinned.source}")
        typer.echo(f"kept in {cache_folder()} (RATF_CACHE names another folder)", err=True)


@app.command()
def data(
    recipe: Annotated[str, typer.Argument(help="fed-chairs, or a recipe's YAML file.")],
    out: Annotated[Path, typer.Option(help="Where the people's folders go.")],
    base_url: Annotated[str | None, typer.Option(help="A mirror, instead of the recipe's own site.")] = None,
) -> None:
    """Make people's folders from official sources: fetched politely, kept in the cache, checked by sha256 where known.

    Started again, it goes on where it was. Nothing is written before everything could be had and read.

    Example: ratf data fed-chairs --out people && ratf run fed-chairs --data people
    """
    with told():
        from raft.console import progress
        from raft.sources.http import Web
        from raft.weights import cache_folder
        from ratf.data import build, find_recipe, load_recipe

        web = Web()
        try:
            made = build(load_recipe(find_recipe(recipe)), out, cache_folder() / "pages", web.get, base_url, progress())
        finally:
            web.close()
        for one in made:
            again = one.of - one.interviews - one.writings
            there = f"; {again} there already" if again else ""
            typer.echo(f"{one.folder}: {one.interviews} interviews and {one.writings} writings added{there}")


def version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        from importlib.metadata import version as of

        typer.echo(f"ratf {of('ratf')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Does this agent really answer like that person, and what made it so?"""


if __name__ == "__main__":
    app()
