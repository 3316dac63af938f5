"""`ratf check`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from ratf.commands.exit_codes import Distinct, ZeroOn, exit_code

if TYPE_CHECKING:
    from ratf.gate.gate import Checked
    from ratf.results.results import Results


def check(
    run: Annotated[str, typer.Argument(help="A finished run's folder, such as runs/demo, or its address in a store.")],
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            "--baseline",
            help="Another run's folder, or a file of `ratf baseline save`, to compare with.",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="A YAML file of rules; by default primary comparison, errors and unscored answers."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="The file for JUnit XML, with one case for each rule.")] = None,
    distinct_exit_codes: Distinct = False,
    exit_zero_on: ZeroOn = None,
) -> None:
    """Judge a finished run by a policy and against a reference run. No model is asked.

    Exit code 0: PASS, 1: REGRESSION, 2: INCONCLUSIVE, NOT MEASURED or bad input. With --distinct-exit-codes, 3 is
    INCONCLUSIVE, 4 is NOT MEASURED, and 2 is only bad usage or input. The verdict is kept in the run's
    check.json. In GitHub Actions it is also written to the step's summary and as annotations.

    Example: ratf check runs/demo --reference baseline.json --policy policy.yaml
    """
    with reported_errors():
        from raft.files import write_whole
        from ratf.gate.gate import save_check
        from ratf.sweep.store import here

        folder = here(run)
        results, checked = judged(folder, policy, baseline)
        try:
            save_check(checked, folder)
        except OSError as error:  # the verdict stands, kept or not
            typer.echo(f"note: check.json could not be written: {error.strerror or error}", err=True)
        if junit:
            from ratf.reporting.junit import junit as cases

            write_whole(junit, cases(checked))
        _summarise(results, checked)
        _say(checked)
        raise typer.Exit(exit_code(checked.verdict, distinct_exit_codes, exit_zero_on or ()))


def judged(run: Path, policy: Path | None, reference: Path | None) -> "tuple[Results, Checked]":
    """A finished run in a folder, of one suite or of many cells, and the verdict on it.

    Raises RaftError for a run that is not finished, and DataError for a policy or a reference that is none.
    """
    from ratf.gate.gate import check as judge
    from ratf.gate.policy import load_policy
    from ratf.results.folder import open_run
    from ratf.sweep.people import of_units
    from ratf.sweep.records import is_sweep_run, load

    rules = load_policy(policy) if policy else None
    results = open_run(run)
    checked = judge(results, reference, rules)
    return results, of_units(checked, load(run).over) if is_sweep_run(run) else checked


def _say(checked: "Checked") -> None:
    from raft.text import one_line

    typer.echo(f"{checked.verdict}: {one_line(checked.sentence)}")
    for rule in checked.rules:
        typer.echo(f"  {rule.verdict:<13} {rule.tier:<10} {one_line(rule.rule)}\n{'':28}{one_line(rule.sentence)}")
    for note in checked.notes:
        typer.echo(f"  note: {one_line(note)}")
    if os.environ.get("GITHUB_ACTIONS"):
        from ratf.reporting.markdown import annotations

        for line in annotations(checked):
            typer.echo(line)


def _summarise(results: "Results", checked: "Checked") -> None:
    """To the end of the GitHub step's summary, where there is one."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        from ratf.reporting.markdown import markdown

        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown(results, checked))
