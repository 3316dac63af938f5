"""The `ratf` command. Heavy imports happen inside the commands: `ratf --help` loads neither torch nor inspect_ai."""

from typing import Annotated

import typer

from raft.commands.about import tell_what_is_in_the_way, version_option
from ratf.commands import baseline
from ratf.commands.cache import cache
from ratf.commands.check import check
from ratf.commands.data import data
from ratf.commands.init import init
from ratf.commands.models import models
from ratf.commands.plan import plan
from ratf.commands.questions import questions
from ratf.commands.report import report
from ratf.commands.run import run
from ratf.commands.schema import schema
from ratf.commands.sharing import packet
from ratf.commands.sharing.bundle import bundle, verify
from ratf.commands.sharing.leaderboard import leaderboard
from ratf.commands.view import view

app = typer.Typer(
    help="Does this agent really answer like that person, and what made it so?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("plan")(plan)
app.command("questions")(questions)
app.command("run")(run)
app.command("init")(init)
app.command("check")(check)
app.command("report")(report)
app.add_typer(baseline.app, name="baseline")
app.add_typer(packet.app, name="packet")
app.command("leaderboard")(leaderboard)
app.command("bundle")(bundle)
app.command("verify")(verify)
app.command("view")(view)
app.command("models")(models)
app.command("cache")(cache)
app.command("data")(data)
app.command("schema")(schema)


@app.callback()
def main(version: Annotated[bool, version_option("ratf")] = False) -> None:
    """Does this agent really answer like that person, and what made it so?"""
    tell_what_is_in_the_way()


if __name__ == "__main__":
    app()
