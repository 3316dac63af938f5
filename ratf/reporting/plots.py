"""The page's plots: means of arms, means by memories and training, and losses of training."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from statistics import fmean
from typing import Any

from ratf.pages.axes import axis, labels, padded, scale, ticks_between
from ratf.pages.text import minus
from ratf.results.results import Cell, Results, Tuned
from ratf.statistics.attribution import CELLS, SHOWN, TRAININGS, findings
from ratf.suite.arms import ARMS, CEILING, FLOOR, Shown, TrainingKind
from ratf.suite.metrics import WITHOUT_CEILING

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 12, 34
"""The size and margins of the interaction plot, in its own units: on a narrow screen one is about a pixel."""


ASIDE = 9
"""The distance between neighbouring lines in the plot's units, so that their intervals do not hide one another."""


FAR_FROM_THE_TOP = 0.5
"""Scores below so much of their greatest number are drawn on an axis of their own."""


MOST_TICKS = 4


MARKS = ("circle", "square", "triangle")
Series = tuple[str, list[tuple[Shown, str]], bool]
"""A line of the plot: its name, its arms by memories, and whether it joins two recipes."""


def attributed(results: Results) -> dict[str, Any] | None:
    """Everything that the attribution section shows; None where the arms give no effect."""
    if results.attribution is None:
        return None
    primary = results.suite["primary"]["metric"]
    lower = results.metrics[primary].get("better") == "lower"
    mine = [e for e in results.attribution.effects if e.metric == primary]
    pairs = {frozenset((c.a, c.b)) for c in results.comparisons}
    # an effect of two arms is told on every metric among the contrasts
    others = [e for e in results.attribution.effects if e.metric != primary and frozenset(e.weights) not in pairs]
    return {
        "metric": primary,
        "plot": interaction_plot(results, primary),
        "effects": mine,
        "others": others,
        "words": results.attribution.words,
        "findings": minus(findings(mine, lower)),
    }


def interaction_plot(results: Results, metric: str) -> dict[str, Any] | None:
    """Lines with their points, levels and ticks, in the units of the box; None with fewer than two means."""
    cells = {a: c for a, r in results.arms.items() if a in ARMS and (c := r.metrics.get(metric)) and c.mean is not None}
    if len(cells) < 2:
        return None
    levels = [m for m in SHOWN if any(ARMS[a].memories == m for a in cells)]
    low, high, step = scale([n for c in cells.values() for n in (c.mean, c.low, c.high) if n is not None])
    across = (WIDTH - LEFT - RIGHT) / len(levels)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    def point(arm: str, shown: Shown, i: int, of: int) -> dict[str, Any]:
        cell: Cell = cells[arm]
        x = LEFT + across * (levels.index(shown) + 0.5) + ASIDE * (i - (of - 1) / 2)
        ends = [y(n) for n in (cell.low, cell.high) if n is not None]
        return {"arm": arm, "cell": cell, "shown": shown, "x": round(x, 1), "y": y(cell.mean or 0.0), "ends": ends}

    found = lines(list(cells))
    drawn = [
        {"name": name, "mark": MARKS[i], "mixed": mixed, "points": [point(a, m, i, len(found)) for m, a in arms]}
        for i, (name, arms, mixed) in enumerate(found)
    ]
    marks = [low + step * i for i in range(round((high - low) / step) + 1)]
    return {
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP,
        "bottom": HEIGHT - BOTTOM, "lines": drawn,
        "levels": [{"name": SHOWN[m], "shown": m, "x": round(LEFT + across * (i + 0.5), 1)} for i, m in enumerate(levels)],
        "ticks": [{"y": y(t), "text": f"{round(t, 9):g}"} for t in marks],
    }  # fmt: skip


def lines(arms: Sequence[str]) -> list[Series]:
    """The lines of the plot, one a training. Tuned recipes each asked in one way only share a line, named so."""

    def of(training: TrainingKind) -> list[tuple[Shown, str]]:
        return [(m, CELLS[training, m]) for m in SHOWN if CELLS[training, m] in arms]

    plain, tuned = of("ft"), of("ft+mem")
    if [m for m, _ in plain] == ["none"] and [m for m, _ in tuned] == ["own"]:
        return [("untrained", of("none"), False), ("fine-tuned, each in its own form", [*plain, *tuned], True)]
    return [(TRAININGS[t], of(t), False) for t in TRAININGS if of(t)]


POINTS, SMOOTH_POINTS = 120, 40
"""The greatest numbers of points of a line of losses, and of their running mean."""


EVERY = 16
"""The running mean covers one in EVERY steps to either side; with fewer steps than this there is none."""


Points = Sequence[tuple[float, float]]


def curves(tuned: Sequence[Tuned]) -> dict[str, Any]:
    """The curves of training losses: each arm's lines as SVG paths in a box of `width` by 100, and the axes' labels.

    `left` and `bottom` are the labels with their places in percent. A line of many steps is drawn with means of as many
    as `each` says; `over` is how many the running mean has.
    """
    losses = [v for t in tuned for v in (*t.losses, *(v for _, v in t.validation))]
    if not losses:
        return {"arms": [{"tuned": t} for t in tuned], "left": [], "bottom": [], "width": 100}
    first = min([1, *(step for t in tuned for step, _ in t.validation)])
    last = max(first + 1, *(max([len(t.losses), *(step for step, _ in t.validation)]) for t in tuned))
    low, high = padded(losses)
    width = min(last - first, 2 * POINTS)

    def path(points: Points) -> str:
        return path_of([(width * (x - first) / (last - first), 100 * (high - y) / (high - low)) for x, y in points])

    def lines(one: Tuned) -> dict[str, Any]:
        each = max(1, ceil(len(one.losses) / POINTS))
        half = len(one.losses) // EVERY
        smooth = smoothed(one.losses, half)
        kept = range(0, len(smooth), max(1, ceil(len(smooth) / SMOOTH_POINTS)))
        steps = [*kept, len(smooth) - 1] if smooth and kept[-1] < len(smooth) - 1 else [*kept]
        return {
            "tuned": one,
            "each": each,
            "raw": path(means(one.losses, each)),
            "over": 2 * half + 1,
            "mean": path([(i + 1, smooth[i]) for i in steps]) if half else "",
            "watched": path(one.validation),
            "ends": (smooth[0], smooth[-1]) if smooth else None,
        }

    bottom = dict.fromkeys([first, (first + last) // 2, last])
    return {
        "arms": [lines(t) for t in tuned],
        "left": labels(low, high),
        "bottom": [{"at": round(100 * (n - first) / (last - first), 1), "text": f"{n:,}"} for n in bottom],
        "width": width,
    }


def smoothed(losses: Sequence[float], half: int) -> list[float]:
    """The running mean over `half` steps on either side of each step; at the ends over those that there are."""
    return [fmean(losses[max(0, i - half) : i + half + 1]) for i in range(len(losses))]


def means(losses: Sequence[float], each: int) -> list[tuple[float, float]]:
    """The means of `each` losses in a row, as (the middle step, the mean loss)."""
    parts = [(at, losses[at : at + each]) for at in range(0, len(losses), each)]
    return [(at + 1 + (len(part) - 1) / 2, fmean(part)) for at, part in parts]


def path_of(points: Points) -> str:
    """An SVG path in whole numbers and relative steps: a third fewer bytes than with absolute places."""
    at = [(round(x), round(y)) for x, y in points]
    if not at:
        return ""
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(at)] or [(0, 0)]
    return f"M{at[0][0]} {at[0][1]}l" + " ".join(f"{x}{y}" if y < 0 else f"{x} {y}" for x, y in steps)


def plot(results: Results, metric: str) -> dict[str, Any]:
    """Every arm's mean and interval on one axis. The rows are the arms, floor and ceiling; `others` are the other controls."""
    cells = {name: c for name, arm in results.arms.items() if (c := arm.metrics.get(metric)) and c.mean is not None}
    no_ceiling = results.metrics[metric].get("axis") in WITHOUT_CEILING
    marked = [name for name in ((FLOOR,) if no_ceiling else (FLOOR, CEILING)) if name in cells]
    main = [n for n in cells if results.arms[n].kind == "arm"] + [n for n in (CEILING, FLOOR) if n in marked]
    low, high, ticks = _axis_of(cells, main, results.metrics[metric]["top"], no_ceiling)

    def place(number: float) -> float:
        return round(100 * (min(max(number, low), high) - low) / (high - low), 2)

    def row(name: str, cell: Cell) -> dict[str, Any]:
        assert cell.mean is not None
        ends = (cell.mean, cell.mean) if cell.low is None or cell.high is None else (cell.low, cell.high)
        return {
            "name": name,
            "arm": results.arms[name],
            "cell": cell,
            "at": place(cell.mean),
            "low": place(ends[0]),
            "high": place(ends[1]),
        }

    return {
        "rows": [row(n, cells[n]) for n in main],
        "others": [row(n, c) for n, c in cells.items() if n not in main],
        "marks": {name: place(cells[name].mean or 0.0) for name in marked},
        "ticks": [{"at": place(t), "text": minus(f"{t:g}")} for t in ticks],
    }


def _axis_of(
    cells: dict[str, Cell], main: Sequence[str], top: float | None, no_ceiling: bool
) -> tuple[float, float, list[float]]:
    """Both ends of a plot's axis, and its ticks: around the rows that are seen where nothing is a ceiling to them."""

    def ends(names: Sequence[str]) -> list[float]:
        return [n for name in names for n in (cells[name].mean, cells[name].low, cells[name].high) if n is not None]

    near = ends(main)
    if no_ceiling and near and max(near) < FAR_FROM_THE_TOP * (top or 0.0):
        low, high, step = scale([0.0, *near])
        ticks = [round(low + step * i, 10) for i in range(round((high - low) / step) + 1)]
        zero = ticks.index(0.0)
        return low, high, ticks if len(ticks) <= MOST_TICKS else ticks[zero % 2 :: 2]
    # an interval may reach beyond the top, the axis need not
    low, high = axis([n if top is None else max(0.0, min(n, top)) for n in ends(list(cells))])
    return low, high, ticks_between(low, high)
