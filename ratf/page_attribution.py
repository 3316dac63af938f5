"""The page's interaction plot: a metric's mean for each kind of memories, one line a training."""

import math
from collections.abc import Sequence
from typing import Any

from ratf.arms import ARMS, Shown, Training
from ratf.attribution import CELLS, SHOWN, TRAININGS
from ratf.attribution_words import findings
from ratf.page_text import minus
from ratf.results import Cell, Results

WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 12, 34
"""Of the plot's box, in its own units: on a narrow screen one of them is about a pixel."""
ASIDE = 9
"""Lines stand beside each other by so much, so that their intervals do not hide one another."""
MARKS = ("circle", "square", "triangle")

Series = tuple[str, list[tuple[Shown, str]], bool]
"""What a line is called, its arms by memories, and whether it joins two recipes."""


def attributed(results: Results) -> dict[str, Any] | None:
    """All that the section shows; None where the arms give no effect."""
    if results.attribution is None:
        return None
    primary = results.suite["primary"]["metric"]
    lower = results.metrics[primary].get("better") == "lower"
    mine = [e for e in results.attribution.effects if e.metric == primary]
    pairs = {frozenset((c.a, c.b)) for c in results.contrasts}
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
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "bottom": HEIGHT - BOTTOM, "lines": drawn,
        "levels": [{"name": SHOWN[m], "shown": m, "x": round(LEFT + across * (i + 0.5), 1)} for i, m in enumerate(levels)],
        "ticks": [{"y": y(t), "text": f"{round(t, 9):g}"} for t in marks],
    }  # fmt: skip


def lines(arms: Sequence[str]) -> list[Series]:
    """One line a training. Where each tuned recipe is asked in one way only, they are one line, and told to be two."""

    def of(training: Training) -> list[tuple[Shown, str]]:
        return [(m, CELLS[training, m]) for m in SHOWN if CELLS[training, m] in arms]

    plain, tuned = of("ft"), of("ft+mem")
    if [m for m, _ in plain] == ["none"] and [m for m, _ in tuned] == ["own"]:
        return [("untrained", of("none"), False), ("fine-tuned, each in its own form", [*plain, *tuned], True)]
    return [(TRAININGS[t], of(t), False) for t in TRAININGS if of(t)]


def scale(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Ends of an axis around the numbers, and the step of 3 to 6 round ticks between them."""
    spread = (max(numbers) - min(numbers)) or 0.1
    power = 10.0 ** math.floor(math.log10(spread / 3))
    step = next(s * power for s in (1, 2, 5, 10) if spread / (s * power) <= 5)
    low, high = math.floor(min(numbers) / step) * step, math.ceil(max(numbers) / step) * step
    return low, (high if high > low else low + step), step
