"""The `raft` command: the method on a person's folder, without the harness."""

from typing import Annotated

import typer

from raft.commands.about import tell_what_is_in_the_way, version_option
from raft.commands.ask import ask
from raft.commands.bench_setup import bench_setup
from raft.commands.check import check
from raft.commands.chunk import chunk
from raft.commands.embed import embed
from raft.commands.fetch import fetch
from raft.commands.ft_gen import ft_gen
from raft.commands.ft_run import ft_run
from raft.commands.importing import import_
from raft.commands.leaks import leaks
from raft.commands.memories import memories

app = typer.Typer(
    help="An agent that answers as one person, from their writings and interviews.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("fetch")(fetch)
app.command("check")(check)
app.command("chunk")(chunk)
app.command("embed")(embed)
app.command("memories")(memories)
app.command("ft:gen")(ft_gen)
app.command("ft:run")(ft_run)
app.command("bench:setup")(bench_setup)
app.command("ask")(ask)
app.command("leaks")(leaks)
app.command("import")(import_)


@app.callback()
def main(version: Annotated[bool, version_option("raft")] = False) -> None:
    """An agent that answers as one person, from their writings and interviews."""
    tell_what_is_in_the_way()


if __name__ == "__main__":
    app()
