"""`ratf bundle` and `ratf verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from ratf.review.record import Check


def bundle(
    run: Annotated[Path, typer.Argument(help="A finished run's folder, such as runs/demo.")],
    out: Annotated[Path | None, typer.Option(help="The archive to write; by default RUN.ratf.zip beside it.")] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Write only if a licence and consent are stated for all words in it.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="With --public: the folder of the people's folders, where they are stated.")
    ] = None,
) -> None:
    """Pack a finished run into one archive that others can verify: suite, digests, answers, scores, judges' words, versions.

    It holds the person's real answers and the memories, because nobody could verify it without them. Share it only
    if these may be shared. There is no redacted bundle; a redacted page or site shows a run without them.

    Example: ratf bundle runs/demo --out demo.ratf.zip
    """
    with reported_errors():
        from ratf.results.bundle import samples_of, write_bundle
        from ratf.results.folder import open_run
        from ratf.results.rights import publishable
        from ratf.sweep.records import refuse_sweep

        refuse_sweep(run, "ratf bundle")
        results = open_run(run)
        if public:
            publishable(results, data)
        folder = run if run.is_dir() else run.parent
        path = out or folder.with_name(f"{folder.name}.ratf.zip")
        samples = samples_of(folder, results)
        write_bundle(folder, results, samples, path)
        if samples is None:
            typer.echo("note: the run has no logs, so the judges' words are only those in its results", err=True)
        typer.echo(f"{path}: {len(results.questions)} questions, {path.stat().st_size / 1e6:.1f} MB")


def _tell(check: "Check") -> None:
    from raft.text import one_line

    typer.echo(f"{check.outcome:<15} {one_line(check.what)}: {one_line(check.told)}")


def verify(
    bundle: Annotated[Path, typer.Argument(help="An archive of `ratf bundle`.")],
    data: Annotated[
        Path | None, typer.Option(help="The folder with the people's folders, for style and copying.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="The file for the outcome, for `ratf leaderboard --verified`.")
    ] = None,
) -> None:
    """Work out a bundle's scores and statistics again, and say what matches. Judges are not asked again.

    Exit code 0: nothing differs, 1: something differs, 2: bad input, or too little could be worked out again to tell.

    Example: ratf verify demo.ratf.zip --record demo.verified.json
    """
    with reported_errors():
        from tempfile import TemporaryDirectory

        from raft.files import write_whole
        from raft.text import one_line
        from ratf.results.bundle import read_bundle
        from ratf.review.verify import verify as check

        opened = read_bundle(bundle)
        with TemporaryDirectory() as work:
            found = check(opened, bundle, Path(work), data, _tell)
        if record:
            write_whole(record, found.model_dump_json(indent=1) + "\n")
        differs = sum(c.outcome == "differs" for c in found.checks)
        left = sum(c.outcome == "not recomputed" for c in found.checks)
        if differs:
            typer.echo(f"NOT VERIFIED: {differs} of {len(found.checks)} checks differ")
            raise typer.Exit(1)
        if not found.holds:
            lacking = one_line(", ".join(found.missing)) or "any metric's scores"
            typer.echo(
                f"NOT VERIFIED: nothing differs, but nobody worked out {lacking} again, and the run rests on it; see why above"
            )
            raise typer.Exit(2)
        typer.echo(f"VERIFIED: nothing differs; {', '.join(found.metrics)} worked out again, {left} checks were not")
