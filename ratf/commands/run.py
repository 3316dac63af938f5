"""`ratf run`: carry a suite out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from ratf.commands.exit_codes import Distinct, ZeroOn, exit_code

if TYPE_CHECKING:
    from ratf.results.results import Results

PricesFile = Annotated[
    Path | None,
    typer.Option(
        envvar="INSPECT_EVAL_MODEL_COST_CONFIG", help="A YAML file of models' prices, in US$ per million tokens."
    ),
]


def run(
    suite: Annotated[
        str, typer.Argument(help="A suite's YAML file, or the name of an included suite: demo, fed-chairs.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="The folder with the people's folders; by default the suite's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the run is kept; by default runs/<suite>.")] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Go on although held-out text leaks; the page will say so.")
    ] = False,
    judge_anyway: Annotated[
        bool, typer.Option("--judge-anyway", help="Let judges grade even if they have failed their exam.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Keep every model's replies in this folder, to replay them.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            help="Ask no model: take all replies from this recording. The default --out is runs/<suite>-replay."
        ),
    ] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Stop at this many US$; needs --prices.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=0, help="Stop at this many tokens, in and out.")] = None,
    budget_minutes: Annotated[float | None, typer.Option(min=0, help="Stop after this many minutes.")] = None,
    prices: PricesFile = None,
    give_up_after: Annotated[
        float, typer.Option(min=0.01, help="Stop after this many minutes without a reply from a service.")
    ] = 10.0,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait if another process runs in the same folder or tunes the same adapter."),
    ] = False,
    distinct_exit_codes: Distinct = False,
    exit_zero_on: ZeroOn = None,
) -> None:
    """Run a suite: prepare, tune, answer, score, report. Started again, it continues where it stopped.

    A budget is for the whole run, over all its starts. A run over its budget is NOT MEASURED; start it with a higher budget,
    and it continues. The next start asks again the questions that ended in an error.

    Exit code 0: PASS, 1: REGRESSION, 2: INCONCLUSIVE, NOT MEASURED or bad input; with --distinct-exit-codes 3:
    INCONCLUSIVE, 4: NOT MEASURED, and 2: only bad usage or input.

    Example: ratf run demo/demo.yaml
    """
    with reported_errors():
        from raft.console import progress
        from ratf.models.budget import Limits, Stopped
        from ratf.runner.run import run as carry_out

        try:
            outcome = carry_out(
                suite,
                data,
                out,
                record=record,
                replay=replay,
                limits=Limits(budget_usd, budget_tokens, budget_minutes),
                prices=prices or {},
                allow_leaks=allow_leaks,
                judge_anyway=judge_anyway,
                wait=wait,
                progress=progress(),
                tell=lambda line: typer.echo(line, err=True),
                give_up_after=give_up_after,
            )
        except Stopped as stopped:
            typer.echo(f"NOT MEASURED: {stopped}")
            raise typer.Exit(exit_code("NOT MEASURED", distinct_exit_codes, exit_zero_on or ())) from None
        name, folder = outcome.study.suite.name, outcome.folder
        if outcome.did == "page":
            typer.echo(f"{name}: already run; the page was written again")
        elif outcome.did == "nothing":
            typer.echo(f"{name}: nothing to do, {folder} has the results of exactly this suite and data")
        _say(outcome.results, folder)
        raise typer.Exit(exit_code(outcome.results.verdict, distinct_exit_codes, exit_zero_on or ()))


def _say(results: "Results", folder: Path) -> None:
    """The last lines of a run."""
    from raft.text import one_line
    from ratf.gate.rules import cut_told, errors_told
    from ratf.reporting.licences import agreement
    from ratf.statistics.verdict import exam_lines

    exams = exam_lines([*results.exam, *results.more_exams])
    for line in (*exams, agreement(results), *errors_told(results), *cut_told(results)):
        if line:
            typer.echo(one_line(line), err=True)
    typer.echo(f"{results.verdict}: {one_line(results.sentence)}")
    typer.echo(str(folder / "report.html"))
    sys.stdout.flush()
