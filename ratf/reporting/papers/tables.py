"""A run's tables for papers: means, comparisons, effects, skill and exams, printed and with every number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ratf.pages.printed import MOST_METRICS, Cell, Table
from ratf.pages.text import detectable, interval, minus, p_value, value
from ratf.reporting.page import columns, estimate, skills
from ratf.reporting.papers.figures import ENDS, headed
from ratf.results.results import Contrast, Effect, Results
from ratf.results.table import run_id, seed_of
from ratf.statistics.verdict import auc
from ratf.suite.arms import CEILING, FLOOR
from ratf.suite.metrics import title

RUN = {"suite": "string", "run": "string", "person": "string", "seed": "string"}
ENDS_OF = {"low": "double", "high": "double"}
TESTED = {**ENDS_OF, "p": "double", "p_holm": "double", "smallest_detectable": "double", "standardised": "double"}


@dataclass(frozen=True)
class Of:
    """The results that a table is of, what stands at the head of each row of numbers, and what intervals are over."""

    results: Results
    where: Sequence[str]
    unit: str

    @property
    def counted(self) -> dict[str, str]:
        """The columns of counts: questions, and the units that intervals are over."""
        return {"questions": "int64", self.unit: "int64"}

    @property
    def head(self) -> list[str]:
        """The heads over the numbers of a difference."""
        return ["on", "difference", "p (Holm)", "can see", "questions", self.unit]


def tables(results: Results, run: str = "", unit: str = "interviews") -> Iterator[Table]:
    """Each table of a run that has a row. `run` names it, where `results` are only what may be shown of it.

    `unit` says what its intervals are over: interviews, or people in the results of several.
    """
    where = (results.suite["name"], run or run_id(results), results.person.get("key", ""), seed_of(results))
    made = (_means, _comparisons, _effects, _skill, _exams)
    yield from (table for make in made if (table := make(Of(results, where, unit))).values)


def _printed_metrics(results: Results) -> list[str]:
    passed = [e.metric for e in results.exam if e.admitted]
    return list(dict.fromkeys([*results.primary_metrics, *passed]))[:MOST_METRICS]


def _admitted(results: Results) -> dict[str, bool]:
    return {e.metric: e.admitted for e in results.exam}


def _means(of: Of) -> Table:
    results = of.results
    metrics, admitted = _printed_metrics(results), _admitted(results)
    arms = [*columns(results), *(c for c in (CEILING, FLOOR) if c in results.arms)]

    def cell(arm: str, metric: str) -> Cell:
        found, top = results.arms[arm].metrics.get(metric), results.metrics[metric].get("top")
        if found is None or found.mean is None:
            return "–"
        return minus(value(found)), minus(interval(found, top))

    shown = [c for a in arms for m in metrics if (c := results.arms[a].metrics.get(m))]
    asked, units = results.held_out["questions"], max((c.interviews for c in shown), default=0)
    return Table(
        name="means",
        caption=f"Means of the arms: {results.person['name']}",
        head=["arm", *(headed(results, m) for m in metrics)],
        rows=[[f"{a} ({ENDS[a]})" if a in ENDS else a, *(cell(a, m) for m in metrics)] for a in arms],
        note=f"{asked} questions; 95 % intervals, clustered by {units} {of.unit}.",
        columns={
            **RUN, "arm": "string", "kind": "string", "model": "string", "metric": "string", "family": "string",
            "admitted": "bool", "mean": "double", **ENDS_OF, **of.counted, "unscored": "int64",
        },
        values=[
            (*of.where, name, arm.kind, arm.model, m, results.metrics[m]["family"], admitted.get(m), c.mean, c.low, c.high,
             c.n, c.interviews, c.unscored)
            for name, arm in results.arms.items()
            for m, c in arm.metrics.items()
        ],
    )  # fmt: skip


def _tested(found: Contrast | Effect) -> tuple[Any, ...]:
    numbers = (found.low, found.high, found.p, found.p_holm, found.smallest_detectable, found.standardised)
    return (*numbers, found.n_questions, found.n_interviews)


def _row(name: str, found: Contrast | Effect) -> list[Cell]:
    told = (title(found.metric), estimate(found), p_value(found.p_holm), detectable(found))
    return [name, *told, str(found.n_questions), str(found.n_interviews)]


NOTE = "95 % intervals; can see: the smallest true difference that would be found four times in five."


def _comparisons(of: Of) -> Table:
    results = of.results
    admitted, shown = _admitted(results), results.primary_metrics
    model = {name: arm.model for name, arm in results.arms.items()}
    return Table(
        name="comparisons",
        caption=f"Paired differences between arms: {results.person['name']}",
        head=["comparison", *of.head],
        rows=[_row(f"{c.a} − {c.b}", c) for c in results.comparisons if c.metric in shown],
        note=NOTE,
        columns={
            **RUN, "a": "string", "b": "string", "model_a": "string", "model_b": "string", "metric": "string",
            "family": "string", "admitted": "bool", "difference": "double", **TESTED, **of.counted,
        },
        values=[
            (*of.where, c.a, c.b, model[c.a], model[c.b], c.metric, c.family, admitted.get(c.metric), c.difference, *_tested(c))
            for c in results.comparisons
        ],
    )  # fmt: skip


def _effects(of: Of) -> Table:
    results = of.results
    admitted, shown = _admitted(results), results.primary_metrics
    effects = results.attribution.effects if results.attribution else []
    return Table(
        name="effects",
        caption=f"Effects of training and memories: {results.person['name']}",
        head=["effect", *of.head],
        rows=[_row(f"{e.name} (mixed)" if e.mixed else e.name, e) for e in effects if e.metric in shown],
        note=NOTE + (" Mixed: the arms do not separate it from the form of training." if any(e.mixed for e in effects) else ""),
        columns={
            **RUN, "effect_of": "string", "kind": "string", "mixed": "bool", "metric": "string", "family": "string",
            "admitted": "bool", "effect": "double", **TESTED, **of.counted,
        },
        values=[
            (*of.where, e.name, e.kind, e.mixed, e.metric, e.family, admitted.get(e.metric), e.effect, *_tested(e)) for e in effects
        ],
    )  # fmt: skip


def _skill(of: Of) -> Table:
    results = of.results
    found = skills(results)

    def cell(number: float | None, low: float | None, high: float | None) -> Cell:
        if number is None:
            return "–"
        ends = "no interval" if low is None or high is None else f"{low:.2f} to {high:.2f}"
        return minus(f"{number:.2f}"), minus(ends)

    arms = [a for a in columns(results) if any(s.arm == a for _, row in found for s in row)]
    model = {name: arm.model for name, arm in results.arms.items()}
    by_arm = [(metric, {s.arm: s for s in row}) for metric, row in found]
    return Table(
        name="skill",
        caption=f"Skill between floor (0) and ceiling (1): {results.person['name']}",
        head=["metric", *arms],
        rows=[
            [title(m), *(cell(s.skill, s.low, s.high) if (s := row.get(a)) else "–" for a in arms)] for m, row in by_arm
        ],
        note=f"0 is another person, 1 is {results.person['name']} at another question; 95 % intervals by Fieller.",
        columns={
            **RUN, "arm": "string", "model": "string", "metric": "string", "skill": "double", **ENDS_OF,
            "floor": "double", "ceiling": "double", **of.counted, "reason": "string",
        },
        values=[
            (*of.where, s.arm, model[s.arm], s.metric, s.skill, s.low, s.high, s.floor, s.ceiling, s.n, s.interviews, s.reason)
            for _, row in found
            for s in row
        ],
    )  # fmt: skip


def _exams(of: Of) -> Table:
    results = of.results
    exams = [*results.exam, *results.more_exams]
    return Table(
        name="exams",
        caption=f"Exams of the metrics: {results.person['name']}",
        head=["metric", "axis", "AUC", "admitted", "questions", of.unit],
        rows=[
            [title(e.metric), e.axis, minus(auc(e)), "yes" if e.admitted else "no", str(e.n), str(e.interviews)]
            for e in exams
        ],
        columns={
            **RUN, "metric": "string", "axis": "string", "admitted": "bool", "auc": "double", **ENDS_OF, "bar": "double",
            **of.counted, "unscored": "int64", "reason": "string",
        },
        values=[
            (*of.where, e.metric, e.axis, e.admitted, e.auc, e.low, e.high, e.bar, e.n, e.interviews, e.unscored, e.reason)
            for e in exams
        ],
    )  # fmt: skip
