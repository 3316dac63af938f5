"""A run's plots as figures for papers: the same places and numbers as on its page."""

from collections.abc import Iterator, Sequence
from typing import Any

from ratf.pages.axes import padded, round_ticks
from ratf.pages.figures import (
    CEILING_WORD,
    FLOOR_WORD,
    Figure,
    Kind,
    Line,
    Panel,
    Panels,
    Row,
    Rows,
    corners,
    heading,
    over_runs,
)
from ratf.pages.text import interval, minus, value
from ratf.reporting.history import Past, drawn
from ratf.reporting.plots import EVERY, POINTS, interaction_plot, means, plot, smoothed
from ratf.results.results import Results, Tuned
from ratf.suite.arms import CEILING, FLOOR
from ratf.suite.metrics import title

ENDS = {FLOOR: FLOOR_WORD, CEILING: CEILING_WORD}


def figures(results: Results, runs: Sequence[Past] = ()) -> Iterator[Figure]:
    """Each plot of a run: arms on the verdict's and all admitted metrics, attribution, losses, and scores over `runs`."""
    passed = [e.metric for e in results.exam if e.admitted]
    for metric in dict.fromkeys([*results.primary_metrics, *passed]):
        if any((cell := arm.metrics.get(metric)) and cell.mean is not None for arm in results.arms.values()):
            yield _arms(results, metric)
    primary = results.suite["primary"]["metric"]
    if results.attribution is not None and (crossed := interaction_plot(results, primary)):
        yield _interaction(results, primary, crossed)
    if any(t.losses for t in results.tuned):
        yield _losses(results.tuned)
    if runs:
        yield from (_history(chart) for chart in drawn(results, runs))


def headed(results: Results, metric: str) -> str:
    """A metric's title, with what a reader must know of it."""
    failed = any(e.metric == metric and not e.admitted for e in results.exam)
    return heading(metric, failed, results.metrics[metric].get("better") == "lower")


def _arms(results: Results, metric: str) -> Rows:
    made, top = plot(results, metric), results.metrics[metric].get("top")

    def row(of: dict[str, Any]) -> Row:
        name, cell = str(of["name"]), of["cell"]
        told = minus(f"{value(cell)} ({interval(cell, top)})")
        mine = results.arms[name].kind == "arm"
        kind: Kind = "ahead" if name == results.suite["primary"]["better"] else "usual" if mine else "aside"
        called = f"{name} ({ENDS[name]})" if name in ENDS else name
        return Row(called, of["at"], of["low"], of["high"], told, kind)

    return Rows(
        name=f"arms-{metric}",
        title=f"{headed(results, metric)}: {results.person['name']}",
        rows=[row(r) for r in made["rows"]],
        ticks=[(t["at"], t["text"]) for t in made["ticks"]],
        marks=[(at, ENDS[name]) for name, at in made["marks"].items()],
        words=f"mean of {results.held_out['questions']} questions, 95 % interval over interviews",
    )


def _interaction(results: Results, metric: str, p: dict[str, Any]) -> Panels:
    lines = [
        Line(
            name=line["name"],
            points=[(at["x"], at["y"]) for at in line["points"]],
            ends=[tuple(at["ends"]) if at["ends"] else None for at in line["points"]],
            style=n,
        )
        for n, line in enumerate(p["lines"])
    ]
    return Panels(
        name=f"attribution-{metric}",
        title=f"{headed(results, metric)}, by training and memories: {results.person['name']}",
        panels=[Panel("", lines)],
        across=(p["left"], p["right"]),
        up=(p["bottom"], p["top"]),
        bottom=[(level["x"], level["name"]) for level in p["levels"]],
        left=[(t["y"], minus(t["text"])) for t in p["ticks"]],
        below="memories in the prompt",
        beside=f"mean {title(metric)}, 95 % intervals",
    )


def _losses(tuned: Sequence[Tuned]) -> Panels:
    """Each arm's losses, their running mean where there are enough steps, and the loss on interviews that were not learnt."""
    losses = [v for t in tuned for v in (*t.losses, *(v for _, v in t.validation))]
    first = min([1, *(step for t in tuned for step, _ in t.validation)])
    last = max(first + 1, *(max([len(t.losses), *(step for step, _ in t.validation)]) for t in tuned))
    low, high = padded(losses)

    def lines(one: Tuned) -> list[Line]:
        half = len(one.losses) // EVERY
        raw = means(one.losses, max(1, -(-len(one.losses) // POINTS)))
        found = [Line("training", raw, dots=False, faint=bool(half))]
        if half:
            mean = [(i + 1.0, v) for i, v in enumerate(smoothed(one.losses, half))]
            found = [
                Line("training, each step", raw, dots=False, faint=True),
                Line("training, running mean", mean, dots=False),
            ]
        watched = [(float(step), loss) for step, loss in one.validation]
        return [*found, Line("interviews not learnt", watched, style=1)] if watched else found

    steps = dict.fromkeys([first, (first + last) // 2, last])
    return Panels(
        name="training",
        title="Loss in fine-tuning",
        panels=[Panel(f"{t.arm}, {t.samples} samples", lines(t)) for t in tuned if t.losses],
        across=(first, last),
        up=(low, high),
        bottom=[(n, f"{n:,}") for n in steps],
        left=[(t, f"{t:g}") for t in round_ticks(low, high)],
        below="step",
        beside="loss (less is better)",
    )


def _history(chart: dict[str, Any]) -> Panels:
    """Places in percent, with the top at 0, as the page has them."""
    marks = [
        Line(ENDS[name], [], style=1 + (name == CEILING), joined=[corners(s) for s in segments], dots=False, faint=True)
        for name, segments in chart["marks"].items()
    ]
    metric = str(chart["metric"])
    return Panels(
        name=f"history-{metric}",
        title=f"{title(metric)} over the runs",
        panels=[Panel(p["arm"], [over_runs(p), *marks], p["breaks"]) for p in chart["panels"]],
        across=(0, 100),
        up=(100, 0),
        bottom=[(t["at"], str(t["text"])) for t in chart["bottom"]],
        left=[(t["at"], minus(t["text"])) for t in chart["left"]],
        below="run; the line breaks where something else was measured",
        beside=f"mean {title(metric)}",
    )
