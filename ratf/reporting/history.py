"""The history on a run's page: the means of its arms over earlier runs of the same person, and where they cannot be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from ratf.pages.axes import labels, padded
from ratf.pages.lines import Point, line, reach
from ratf.results.comparable import broken, measured, measured_by
from ratf.results.lazy import load_lazily
from ratf.results.loading import load
from ratf.results.results import Cell, Results
from ratf.suite.arms import CEILING, FLOOR

EDGE = 6
"""The percent of a plot's width to the left of the first run, and to the right of the last."""


LABELS = 6
"""The greatest number of runs that are numbered under a plot."""


@dataclass(frozen=True)
class Past:
    """What the history keeps of a run: its scores and what they measure. Names do not count in comparing two."""

    name: str = field(compare=False)
    finished: str
    person: str
    verdict: str
    questions: int
    interviews: int
    measured: Mapping[str, Any]
    cells: Mapping[str, Mapping[str, Cell]]
    """The means with their intervals by metric, then by arm."""
    now: bool = field(default=False, compare=False)
    """Whether it is the run that the page is about."""

    def measures(self, metric: str) -> dict[str, Any]:
        """What must be alike in two runs for this metric's scores to be compared; other metrics do not matter."""
        return measured_by(self.measured, metric)


def past(results: Results, run: Path, others: Sequence[Path]) -> list[Past]:
    """This run and the others, oldest first, each once. Raises RaftError that names every run which cannot be drawn."""
    found, wrong = [_past(results, "this run", True)], []
    for path, name in zip(others, _names([*others, run]), strict=False):
        try:
            read = load(path, load_lazily)
        except RaftError as error:
            wrong.append(str(error))
            continue
        one = _past(read, name)
        if one.person != results.person["key"]:
            wrong.append(f"{path}: a run of {one.person}, and this is one of {results.person['key']}")
        elif one not in found:
            found.append(one)
    if wrong:
        raise RaftError("--history names what cannot be drawn beside this run:\n  " + "\n  ".join(wrong))
    return sorted(found, key=lambda p: (p.finished, not p.now, p.name))


def _past(results: Results, name: str, now: bool = False) -> Past:
    cells: dict[str, dict[str, Cell]] = {}
    for arm, about in results.arms.items():
        for metric, cell in about.metrics.items():
            cells.setdefault(metric, {})[arm] = cell
    of = results.held_out
    return Past(
        name=name,
        finished=str(results.times.get("finished", "")),
        person=results.person["key"],
        verdict=results.verdict,
        questions=of["questions"],
        interviews=len(of["interviews"]),
        measured=measured(results),
        cells=cells,
        now=now,
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """What each run is called: its folder, or its bundle's file, with as many folders before it as tell it from others."""
    parts = [(p.parent if p.name == "results.json" else p).resolve().parts for p in paths]

    def name(own: tuple[str, ...]) -> str:
        alike = {other for other in parts if other != own}
        enough = next((n for n in range(1, len(own)) if all(o[-n:] != own[-n:] for o in alike)), len(own))
        return "/".join(own[-enough:])

    return [name(own) for own in parts]


def drawn(results: Results, runs: Sequence[Past]) -> list[dict[str, Any]]:
    """A chart for the primary metric and each that passed its exam: a panel for each arm on one scale, and the rows of a table."""
    passed = [e.metric for e in results.exam if e.admitted and e.metric in results.metrics]
    metrics = dict.fromkeys([*results.primary_metrics, *passed])
    return [made for metric in metrics if (made := _chart(results, runs, metric))]


def _chart(results: Results, runs: Sequence[Past], metric: str) -> dict[str, Any]:
    names = [n for n, arm in results.arms.items() if arm.kind == "arm"] + [
        n for n in (CEILING, FLOOR) if n in results.arms
    ]
    places = [EDGE + (100 - 2 * EDGE) * i / max(1, len(runs) - 1) for i in range(len(runs))]
    points = {name: _points(runs, places, metric, name) for name in names}
    everything = [p for several in points.values() for p in several]
    if not everything:
        return {}
    low, high = padded(reach(everything))
    lines = {name: line(several, low, high) for name, several in points.items()}
    marks = [name for name in names if name in (CEILING, FLOOR)]
    return {
        "metric": metric,
        "columns": names,
        "panels": [{"arm": name, **lines[name]} for name in names if name not in marks],
        "marks": {name: lines[name]["segments"] for name in marks},
        "left": labels(low, high),
        "bottom": [
            {"at": round(places[i], 1), "text": i + 1} for i in range(len(runs)) if i % -(-len(runs) // LABELS) == 0
        ],
        "rows": [_row(runs, i, metric, names) for i in range(len(runs))],
    }


def _points(runs: Sequence[Past], places: Sequence[float], metric: str, arm: str) -> list[Point]:
    found = [(run, x, run.cells.get(metric, {}).get(arm)) for run, x in zip(runs, places, strict=True)]
    return [
        Point("now" if run.now else "", x, "", cell.mean, cell.low, cell.high, run.measures(metric))
        for run, x, cell in found
        if cell is not None and cell.mean is not None
    ]


def _row(runs: Sequence[Past], at: int, metric: str, names: Sequence[str]) -> dict[str, Any]:
    run = runs[at]
    told = broken(runs[at - 1].measures(metric), run.measures(metric)) if at else ""
    return {"run": run, "breaks": told, "cells": [run.cells.get(metric, {}).get(name) for name in names]}
