"""`ratf baseline`."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors

app = typer.Typer(help="Keep a run's scores, so that later runs can be compared with them.", no_args_is_help=True)


@app.command("save")
def save(
    run: Annotated[Path, typer.Argument(help="A finished run's folder, such as runs/demo.")],
    to: Annotated[Path, typer.Option("--to", help="The file to write; commit it.")] = Path("baseline.json"),
) -> None:
    """Write a run's scores to a small file for `ratf check --reference`: sorted, rounded, one answer a line, without texts.

    Example: ratf baseline save runs/demo --to baseline.json
    """
    with reported_errors():
        from raft.errors import RaftError
        from ratf.results.folder import open_run
        from ratf.results.snapshot import save_baseline

        results = open_run(run)
        if not results.questions:
            raise RaftError(f"{run}: the suite asked no question, so there is nothing to compare with")
        save_baseline(results, to)
        arms = sum(arm.kind == "arm" for arm in results.arms.values())
        typer.echo(f"{to}: {len(results.questions)} questions of {arms} arms")


@app.callback()
def main() -> None:
    """Keep a run's scores, so that later runs can be compared with them."""
