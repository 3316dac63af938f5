"""`ratf plan`: what a run will take, before it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError
from ratf.commands.run import PricesFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratf.runner.calls import CallCount
    from ratf.runner.plan import Plan, Total
    from ratf.suite.study import Study


def plan(
    suite: Annotated[
        str, typer.Argument(help="A suite's YAML file, or the name of an included suite: demo, fed-chairs.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="The folder with the people's folders; by default the suite's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the run; by default runs/<suite>.")] = None,
    earlier: Annotated[
        Path | None,
        typer.Option("--from", help="A finished run, for times and the spread of scores; by default the one in --out."),
    ] = None,
    prices: PricesFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what a run will cost and which differences it can show, before anything is spent. No model is asked.

    Example: ratf plan demo/demo.yaml
    """
    with reported_errors():
        from ratf.models.known import Named, lacking, must_be_known, without_package
        from ratf.models.prices import load_prices
        from ratf.results.results import load
        from ratf.runner.plan import plan as planned
        from ratf.suite.study import open_study
        from ratf.sweep.sweep import is_sweep

        if is_sweep(suite):
            from ratf.sweep.plan import lines, plan_of
            from ratf.sweep.sweep import open_sweep

            if earlier:
                raise RaftError("--from is for one person and one setting; leave it out with many")
            sweep = open_sweep(suite, data, out)
            asked = [Named(cell.suite, sweep.path) for cell in sweep.cells]
            for lacks in dict.fromkeys(s for one in asked for s in (lacking(one), without_package(one)) if s):
                typer.echo(f"this cannot run here: {lacks}", err=True)
            whole = plan_of(sweep, load_prices(prices) if prices else {})
            typer.echo(whole.model_dump_json(indent=1) if as_json else "\n".join(lines(whole)))
            return
        study = open_study(suite, str(data) if data else None, str(out) if out else None)
        must_be_known(study, to_run=False)
        path = (
            (earlier if earlier.is_file() else earlier / "results.json") if earlier else study.folder / "results.json"
        )
        known = load(path) if earlier or path.is_file() else None
        for lacks in filter(None, (lacking(study), without_package(study))):
            typer.echo(f"this cannot run here: {lacks}", err=True)
        made = planned(study, load_prices(prices) if prices else {}, known)
        if known is not None and known.digest == study.digest and not earlier:
            typer.echo(
                f"{study.folder} has the results of exactly this suite and data: a run would ask nothing", err=True
            )
        typer.echo(
            made.model_dump_json(indent=1) if as_json else "\n".join([*_lines(made), "", _prospect(study, made)])
        )


def _prospect(study: "Study", made: "Plan") -> str:
    from collections import Counter

    from ratf.runner.prospect import prospect

    return prospect(made, list(Counter(e.interview_id for e in study.held_out).values()))


def _lines(made: "Plan") -> "Iterator[str]":
    yield f"{made.suite}: {made.person}, {made.questions} questions of {made.interviews} interviews"
    if made.uneven:
        yield made.uneven
    yield ""
    yield _row("role", "for", "model", "samples", "calls", "tokens", "cost", "time")
    for ask in made.asks:
        tokens = f"{'' if ask.counted else '~'}{ask.tokens:,}"
        note = f"  {ask.note}" if ask.note else ""
        role = f"{ask.role}*" if ask.if_admitted else ask.role
        cells = (ask.who, ask.model, f"{ask.samples:,}", f"{ask.calls:,}", tokens, _cost(ask), _time(ask.seconds))
        yield _row(role, *cells) + note
    yield ""
    graded = any(a.if_admitted for a in made.asks)
    yield f"in all{', if every judge fails its exam at once' if graded else ''}: {_sum(made.least, made.asks)}"
    if graded:
        yield f"in all, if every judge passes it (*):          {_sum(made.most, made.asks)}"
    yield f"Times are estimates, from {made.rates}."
    yield from made.notes
    yield ""
    yield from _smallest(made)


def _row(*cells: str) -> str:
    widths = (-14, -20, -34, 8, 7, 11, 9, 9)
    return " ".join(f"{c:{'<' if w < 0 else '>'}{abs(w)}}" for c, w in zip(cells, widths, strict=True)).rstrip()


def _cost(ask: "CallCount") -> str:
    from ratf.models.prices import is_free

    return "none" if is_free(ask.model) else _dollars(ask.usd)


def _dollars(usd: float | None) -> str:
    from ratf.models.prices import dollars

    return "unknown" if usd is None else f"${dollars(usd)}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _sum(total: "Total", asks: "list[CallCount]") -> str:
    from ratf.models.prices import is_free

    cost = "no cost" if all(is_free(a.model) for a in asks) else f"cost {_dollars(total.usd)}"
    return f"{total.calls:,} calls, {total.tokens:,} tokens, {cost}, time {_time(total.seconds)}"


def _smallest(made: "Plan") -> "Iterator[str]":
    for primary in made.primary:
        of_primary = [s for s in made.smallest if s.metric == primary]
        yield f"{made.questions} questions of {made.interviews} interviews cannot show a difference in {primary} under"
        told: dict[tuple[str, str], list[str]] = {}
        for s in of_primary:
            least = "n/a: one interview gives no interval" if s.difference is None else f"{s.difference:.2f}"
            source = f"standard deviation of paired differences {s.sd:.2f}, ICC {s.icc:.2f}: {s.source}"
            told.setdefault((least, source), []).append(f"{s.a} - {s.b}")
        for (least, source), pairs in told.items():
            yield f"  {least}  {'any two arms' if len(pairs) == len(of_primary) > 1 else ', '.join(pairs)}  ({source})"
    yield "with 80 % power at the 5 % level. --json has every metric."
