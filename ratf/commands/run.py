"""`ratf run`: carry a suite out."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError

if TYPE_CHECKING:
    from ratf.results.results import Results
    from ratf.suite.study import Study

PricesFile = Annotated[
    Path | None,
    typer.Option(
        envvar="INSPECT_EVAL_MODEL_COST_CONFIG", help="A YAML file of models' prices, in US$ per million tokens."
    ),
]


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
    record: Annotated[
        Path | None, typer.Option(help="Keep every model's replies in this folder, to replay them.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(help="Ask no model: take all replies from this recording; by default into runs/<suite>-replay."),
    ] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Stop at so many US$; needs --prices.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=0, help="Stop at so many tokens, in and out.")] = None,
    budget_minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes.")] = None,
    prices: PricesFile = None,
) -> None:
    """Run a suite: prepare, tune, answer, score, report. Started again, it goes on where it was.

    A budget is for the whole run, with all its starts. Over budget, it is NOT MEASURED, and a higher one goes on.

    Exit code 0: PASS, 1: REGRESSION, 2: INCONCLUSIVE, NOT MEASURED or bad input.

    Example: ratf run benchmarks/demo.yaml
    """
    with reported_errors():
        from ratf.suite.study import open_study

        if record and replay:
            raise RaftError("--record keeps what models reply, and --replay asks none; give one of them")
        study = open_study(suite, str(data) if data else None, str(out) if out else None)
        if replay and not out:
            study = dataclasses.replace(study, folder=study.folder.with_name(f"{study.folder.name}-replay"))
        from ratf.models.replay import recorded, replayed, unrecorded
        from ratf.pages.templates import made_from_these
        from ratf.runner.run import finished, write_report

        # a replay is always made: it is asked for to see whether the recording still has every reply
        results = None if replay or (record and unrecorded(study, record)) else finished(study, judge_anyway)
        if results is not None:
            if results.leaks and results.leaks.found:
                from ratf.runner.leaks import refuse

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
            from ratf.results.folder import noted
            from ratf.runner.run import describe_times
            from ratf.runner.run import run as carry_out

            about = study.person.about.name
            typer.echo(
                f"{study.suite.name}: {about}, {len(study.held_out)} held-out questions since {study.cut}", err=True
            )
            if study.suite.rubrics:
                from ratf.judges.counts import describe_plan

                typer.echo(describe_plan(study), err=True)
            from ratf.models.budget import Limits, OverBudget
            from ratf.models.prices import load_prices

            limits = Limits(budget_usd, budget_tokens, budget_minutes)
            known = load_prices(prices) if prices else {}

            def whole(study: "Study") -> "Results":
                return carry_out(study, noted(progress(), study.folder), allow_leaks, judge_anyway, limits, known)

            try:
                if replay:
                    results = replayed(study, replay, whole)
                    typer.echo(f"replayed: no model was asked; {results.replayed}", err=True)
                else:
                    results = recorded(study, record, whole) if record else whole(study)
            except OverBudget as over:
                typer.echo(f"NOT MEASURED: {over}")
                raise typer.Exit(2) from None
            typer.echo(f"took {results.times['total']:.0f} s ({describe_times(results.times)})", err=True)
        _say(results, study.folder)


def _say(results: "Results", folder: Path) -> None:
    """The last lines of a run, and its exit code."""
    from ratf.statistics.verdict import exam_lines

    for line in exam_lines(results.exam):
        typer.echo(line, err=True)
    typer.echo(f"{results.verdict}: {results.sentence}")
    typer.echo(str(folder / "report.html"))
    sys.stdout.flush()
    if results.exit_code:
        raise typer.Exit(results.exit_code)
