"""The `ratf` command. Heavy imports happen inside the commands: `ratf --help` loads neither torch nor inspect_ai."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.told import told
from ratf.commands import baseline
from ratf.commands.bundle import bundle, verify
from ratf.commands.check import check
from ratf.commands.leaderboard import leaderboard
from ratf.commands.packet import packet
from ratf.commands.report import report

if TYPE_CHECKING:
    from ratf.results import Results

app = typer.Typer(
    help="Does this agent really answer like that person, and what made it so?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(check)
app.command("report")(report)
app.add_typer(baseline.app, name="baseline")
app.command("packet")(packet)
app.command("leaderboard")(leaderboard)
app.command("bundle")(bundle)
app.command("verify")(verify)


@app.command()
def run(
    suite: Annotated[
        str, typer.Argument(help="A suite's YAML file, or the name of one that comes along: demo, fed-chairs.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="The folder with the people's folders; by default the suite's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the run is kept; by default runs/<suite>.")] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Go on although held-out text leaks; the page will say so.")
    ] = False,
    judge_anyway: Annotated[
        bool, typer.Option("--judge-anyway", help="Let judges grade that have failed their exam.")
    ] = False,
) -> None:
    """Run a suite: prepare, tune, answer, score, report. Started again, it goes on where it was.

    Exit code 0: PASS, 1: REGRESSION, 2: INCONCLUSIVE, NOT MEASURED or bad input.

    Example: ratf run benchmarks/demo.yaml
    """
    with told():
        from ratf.study import open_study

        study = open_study(suite, str(data) if data else None, str(out) if out else None)
        from ratf.run import finished, write_report
        from ratf.templates import made_from_these

        results = finished(study, judge_anyway)
        if results is not None:
            if results.leaks and results.leaks.found:
                from ratf.leaks import refuse

                refuse(results.leaks, allow_leaks)
            if not made_from_these(study.folder / "report.html"):
                write_report(results, study.folder)
                typer.echo(f"{study.suite.name}: already run; the page was written again")
            else:
                typer.echo(
                    f"{study.suite.name}: nothing to do, {study.folder} has the results of exactly this suite and data"
                )
        else:
            from raft.console import progress
            from ratf.run import describe_times
            from ratf.run import run as carry_out

            about = study.person.about.name
            typer.echo(
                f"{study.suite.name}: {about}, {len(study.held_out)} held-out questions since {study.cut}", err=True
            )
            if study.suite.rubrics:
                from ratf.judging.plan import describe_plan

                typer.echo(describe_plan(study), err=True)
            results = carry_out(study, progress(), allow_leaks, judge_anyway)
            typer.echo(f"took {results.times['total']:.0f} s ({describe_times(results.times)})", err=True)
        _say(results, study.folder)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]) -> None:
    """Copy the demo suite, its two people and the task file into a folder, to change and to run.

    Example: ratf init demo && ratf run demo/demo.yaml
    """
    with told():
        from raft.errors import RaftError
        from ratf.content import content

        if folder.exists():
            raise RaftError(f"{folder} is there already; name a folder that is not")
        aside = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name in ("marrack", "pell"):
            shutil.copytree(content("benchmarks", name), aside / name)
        shutil.copy(content("benchmarks", "demo.yaml"), aside / "demo.yaml")
        shutil.copy(content("tasks", "interview.py"), aside / "interview.py")
        aside.rename(folder)
        typer.echo(f"{folder} is ready; now: ratf run {folder / 'demo.yaml'}")


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


def _say(results: "Results", folder: Path) -> None:
    """The last lines of a run, and its exit code."""
    from ratf.verdict import exam_lines

    for line in exam_lines(results.exam):
        typer.echo(line, err=True)
    typer.echo(f"{results.verdict}: {results.sentence}")
    typer.echo(str(folder / "report.html"))
    sys.stdout.flush()
    if results.exit_code:
        raise typer.Exit(results.exit_code)


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
