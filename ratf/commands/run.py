"""`ratf run`: carry a suite out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError
from ratf.commands.exit_codes import Distinct, ZeroOn, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from raft.progress import Progress
    from ratf.models.prices import Prices
    from ratf.results.results import Results, Verdict
    from ratf.runner.run import Outcome
    from ratf.sweep.run import SweepOutcome

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
    out: Annotated[
        str | None,
        typer.Option(help="The folder of the run, by default runs/<suite>, or a store, such as s3://BUCKET/FOLDER."),
    ] = None,
    allow_leaks: Annotated[
        bool,
        typer.Option("--allow-leaks", help="Go on even if an arm can see held-out text (a leak); the page says so."),
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
    budget_tokens: Annotated[
        int | None, typer.Option(min=0, help="Stop at this many tokens, input and output.")
    ] = None,
    budget_minutes: Annotated[float | None, typer.Option(min=0, help="Stop after this many minutes.")] = None,
    prices: PricesFile = None,
    give_up_after: Annotated[
        float, typer.Option(min=0.01, help="Stop after this many minutes without a reply from a service.")
    ] = 10.0,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Wait if another process runs in the same folder or tunes the same adapter. Suites of many always wait.",
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="For a suite of many people or settings: the number of processes.")
    ] = 1,
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="For such a suite: run the K-th of N shares of its cells, such as 3/16.")
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(help="For such a suite: run only these cells, such as person=powell,seed=1. Can be repeated."),
    ] = None,
    on: Annotated[
        str, typer.Option(help="For such a suite: run it on Ray. `ray` means this machine, ray://HOST:10001 a cluster.")
    ] = "",
    each: Annotated[
        str,
        typer.Option(
            help="The needs of a unit of work on Ray, such as cpu=2,gpu=1, if the suite's `resources` do not say them."
        ),
    ] = "",
    distinct_exit_codes: Distinct = False,
    exit_zero_on: ZeroOn = None,
) -> None:
    """Run a suite: prepare, tune, answer, score, report. If started again, it continues where it stopped.

    A suite with a list of people or a matrix of settings has a cell for each person with each setting. Each cell has a
    folder of its own. If one fails, the others go on. With --shard or --only the cells are not joined. `ratf run` without
    these options joins them.

    A budget is for the whole run, or for each cell, over all its starts. A run over its budget is NOT MEASURED. Start it
    again with a higher budget, and it continues. The next start asks again the questions that ended in an error.

    Exit code 0: PASS, 1: REGRESSION, 2: INCONCLUSIVE, NOT MEASURED or bad input. With --distinct-exit-codes, 3 is
    INCONCLUSIVE, 4 is NOT MEASURED, and 2 is only bad usage or input.

    Example: ratf run demo/demo.yaml
    """
    with reported_errors():
        from raft.console import progress
        from ratf.models.budget import Stopped
        from ratf.runner.run import Outcome

        try:
            outcome = carry_out(
                suite, data, out, allow_leaks=allow_leaks, judge_anyway=judge_anyway, record=record, replay=replay,
                budget_usd=budget_usd, budget_tokens=budget_tokens, budget_minutes=budget_minutes, prices=prices,
                give_up_after=give_up_after, wait=wait, workers=workers, shard=shard, only=only, on=on, each=each,
                progress=progress(), tell=lambda line: typer.echo(line, err=True),
            )  # fmt: skip
        except Stopped as stopped:
            typer.echo(f"NOT MEASURED: {stopped}")
            raise typer.Exit(exit_code("NOT MEASURED", distinct_exit_codes, exit_zero_on or ())) from None
        if not isinstance(outcome, Outcome):
            verdict = _told_of_sweep(outcome)
            raise typer.Exit(exit_code(verdict, distinct_exit_codes, exit_zero_on or ()) if verdict else 0)
        name, folder = outcome.study.suite.name, outcome.folder
        if outcome.did == "page":
            typer.echo(f"{name}: already run; the page was written again")
        elif outcome.did == "nothing":
            typer.echo(f"{name}: nothing to do, {folder} has the results of exactly this suite and data")
        _say(outcome.results, folder)
        raise typer.Exit(exit_code(outcome.results.verdict, distinct_exit_codes, exit_zero_on or ()))


def carry_out(
    suite: str | Path,
    data: str | Path | None = None,
    out: str | Path | None = None,
    *,
    allow_leaks: bool,
    judge_anyway: bool,
    record: str | Path | None,
    replay: str | Path | None,
    budget_usd: float | None,
    budget_tokens: int | None,
    budget_minutes: float | None,
    prices: "Prices | str | Path | None",
    give_up_after: float,
    wait: bool,
    workers: int,
    shard: str,
    only: "Sequence[str] | None",
    on: str,
    each: str,
    progress: "Progress",
    tell: "Callable[[str], None]",
) -> "Outcome | SweepOutcome":
    """Run a suite, or one of many people or settings, with the options of the command `run`, by their names.

    Raises RaftError for options that the suite has no use for, and what `ratf.run` and `ratf.run_sweep` raise.
    """
    from raft.progress import silent
    from ratf.models.budget import Limits
    from ratf.models.prices import load_prices
    from ratf.results.folder import one_at_a_time
    from ratf.results.store.address import is_address, local_path, scratch
    from ratf.runner.run import run as run_suite
    from ratf.suite.study import Study, open_study
    from ratf.sweep.sweep import is_sweep

    limits = Limits(budget_usd, budget_tokens, budget_minutes)
    known = load_prices(Path(prices)) if isinstance(prices, str | Path) else prices or {}
    if is_sweep(str(suite)):
        if record or replay:
            raise RaftError("--record and --replay are for one person and one setting; write such a suite for them")
        from ratf.sweep.run import run_sweep
        from ratf.sweep.working.work import Options

        several = workers > 1 or on
        return run_sweep(
            suite,
            data,
            out,
            workers=workers,
            shard=shard,
            only=only or (),
            on=on,
            each=each,
            options=Options(limits, known, allow_leaks, judge_anyway, give_up_after),
            tell=tell,
            progress=silent if several else progress,
        )
    if shard or only or on or workers > 1:
        raise RaftError(
            f"{suite} is about one person with one setting, which is one piece of work: --workers, --shard, --only and --on "
            "are for suites with a list of people or a matrix"
        )
    subject: str | Path | Study = suite
    folder = local_path(out) if out else None
    within: Callable[[Path], AbstractContextManager[None]] = one_at_a_time
    if out and is_address(out):
        from ratf.results.store.objects import Store
        from ratf.sweep.store import within as stored

        Store(str(out)).must_take()
        folder = scratch(str(out))
        subject = open_study(str(suite), str(data) if data else None, folder)
        within = stored(str(out), subject.digest)
    return run_suite(
        subject,
        data,
        folder,
        within=within,
        record=record,
        replay=replay,
        limits=limits,
        prices=known,
        allow_leaks=allow_leaks,
        judge_anyway=judge_anyway,
        wait=wait,
        progress=progress,
        tell=tell,
        give_up_after=give_up_after,
    )


def _told_of_sweep(outcome: "SweepOutcome") -> "Verdict | None":
    """Say what came out of a sweep, and return its verdict: of a share of it NOT MEASURED where cells failed, else None."""
    from raft.text import one_line

    if outcome.results is None:
        done = len(outcome.ended) - len(outcome.failed)
        typer.echo(
            f"{outcome.sweep.name}: {done} of {len(outcome.ended)} cells are done, of {len(outcome.sweep.cells)} in all; "
            "`ratf run` without --shard and --only joins them"
        )
        for name, ended in outcome.failed.items():
            typer.echo(f"failed: {name}: {one_line(ended.error)}")
        return "NOT MEASURED" if outcome.failed else None
    typer.echo(f"{outcome.results.verdict}: {one_line(outcome.results.sentence)}")
    typer.echo(str(outcome.folder / "report.html"))
    sys.stdout.flush()
    return outcome.results.verdict


def _say(results: "Results", folder: Path) -> None:
    """The last lines of a run."""
    from raft.text import one_line
    from ratf.gate.rules import cut_told, errors_told
    from ratf.reporting.top.licences import agreement
    from ratf.statistics.verdict import exam_lines

    exams = exam_lines([*results.exam, *results.more_exams])
    for line in (*exams, agreement(results), *errors_told(results), *cut_told(results)):
        if line:
            typer.echo(one_line(line), err=True)
    typer.echo(f"{results.verdict}: {one_line(results.sentence)}")
    typer.echo(str(folder / "report.html"))
    sys.stdout.flush()
