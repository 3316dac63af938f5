"""`ratf packet`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from ratf.review.choices import Calibration


class _MakeByDefault(TyperGroup):
    """The commands of `ratf packet`, where a run in the place of a command means `make`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `make` in front of what begins with no command."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["make", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_MakeByDefault,
    help="Make a blind test for human readers, or score the choices that they sent back.",
    no_args_is_help=True,
)


@app.callback()
def main() -> None:
    """Make a blind test for human readers, or score the choices that they sent back.

    Example: ratf packet runs/demo --out packet, and then: ratf packet score choices-*.csv --run runs/demo
    """


@app.command("make")
def make(
    run: Annotated[Path, typer.Argument(help="A finished run's folder, such as runs/demo.")],
    out: Annotated[Path, typer.Option(help="The folder for the readers' packet.")],
    arm: Annotated[
        str | None, typer.Option(help="The arm to tell from the person; by default the suite's own.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="The folder for the keys; by default RUN/packets.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another order.")] = 0,
) -> None:
    """Make a blind test for human readers. The word `make` can be left out.

    Example: ratf packet runs/demo --out packet
    """
    with reported_errors():
        _make(run, out, arm, keys or run / "packets", seed)


@app.command("score")
def score(
    choices: Annotated[list[Path], typer.Argument(help="The files that readers sent back: choices-*.csv.")],
    run: Annotated[
        Path | None, typer.Option(help="The run that the packet was made from, for its keys and its judges.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="The folder of the packet's key; by default RUN/packets.")] = None,
) -> None:
    """Score the choices that readers sent back: can they tell the agent from the person?

    Example: ratf packet score choices-*.csv --run runs/demo
    """
    with reported_errors():
        from raft.errors import RaftError

        place = keys or (run / "packets" if run else None)
        if place is None:
            raise RaftError("--run names the run that the packet was made from (or --keys the folder of its key)")
        _score(choices, place, run)


def _make(run: Path, out: Path, arm: str | None, keys: Path, seed: int) -> None:
    from ratf.results.results import load
    from ratf.review.packet import make_key, write_packet
    from ratf.sweep.records import refuse_sweep

    refuse_sweep(run, "ratf packet")
    results = load(run / "results.json")
    key = make_key(results, arm or results.suite["primary"]["better"], seed)
    page, kept = write_packet(key, out, keys)
    typer.echo(f"{page}: {len(key.items)} pairs; packet.csv beside it is the same without a browser")
    typer.echo(f"the key is {kept} (sealed: {key.seal}); do not send it along")


def _score(files: list[Path], keys: Path, run: Path | None) -> None:
    from raft.errors import DataError
    from ratf.results.results import load
    from ratf.review.choices import calibrate, judge_choices, score_choices
    from ratf.review.packet import known_items, load_key, read_choices

    read = [(path, *read_choices(path)) for path in files]
    packets = sorted({packet for _, packet, _, _ in read})
    if len(packets) > 1:
        raise DataError([f"the files are of {len(packets)} packets ({', '.join(packets)}); score one at a time"])
    names = [reader for _, _, reader, _ in read]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError([f"two files are of one reader: {', '.join(twice)}; give each reader a name of their own"])
    key = load_key(keys, packets[0])
    known_items(key, [(path, choices) for path, _, _, choices in read])
    choices = {reader: c for _, _, reader, c in read}
    outcome = score_choices(key, choices)
    for told_apart in (outcome.impostor, outcome.agent):
        found = told_apart.accuracy
        interval = f" [{found.low:.2f}, {found.high:.2f}]" if found and found.low is not None else ""
        told_right = f"{told_apart.right} of {told_apart.right + told_apart.wrong} right"
        rate = f" {found.mean:.2f}{interval}" if found else ""
        typer.echo(f"against {told_apart.against}:{rate}, {told_right}, d' {told_apart.d_prime:.2f}")
    agreement = f"{outcome.alpha:.2f}" if outcome.alpha is not None else "n/a"
    typer.echo(f"readers: {len(outcome.readers)}, Krippendorff's alpha {agreement}")
    if run is not None:
        for judge, said in judge_choices(load(run / "results.json"), key.arm).items():
            found_judge = calibrate(key, choices, judge, said)
            if found_judge is not None:
                typer.echo(_calibration(found_judge))
    typer.echo(outcome.sentence)


def _calibration(found: "Calibration") -> str:
    def rate(number: float | None) -> str:
        return "n/a" if number is None else f"{number:.2f}"

    alt = "alt-test n/a (it needs three readers)"
    if found.alt is not None:
        passed = "passed" if found.alt.passed else "not passed"
        alt = f"alt-test {passed} (wins against {found.alt.winning:.0%} of {found.alt.readers} readers)"
    return (
        f"{found.judge} against the readers' majority: agrees in {found.agreement:.0%} of {found.items} pairs, sensitivity "
        f"{rate(found.sensitivity)}, specificity {rate(found.specificity)}, corrected rate {rate(found.corrected)}; {alt}"
    )
