"""The page: one HTML file made from a `Results` and the templates in `reports/`, and from nothing else."""

import re
from collections.abc import Sequence
from typing import Any

from ratf.arms import CEILING, FLOOR
from ratf.page_attribution import attributed
from ratf.results import Cell, Contrast, Results, Skill
from ratf.templates import environment, template_digest
from ratf.verdict import auc, decimals, signed
from ratf.worth import Exam

ICONS = {"PASS": "✓", "REGRESSION": "✗", "INCONCLUSIVE": "≈", "NOT MEASURED": "∅"}
SHOWN = ("style_identity", "embedding_cosine", "rouge_l")
"""Scores that stand under each answer, after the primary metric's."""

BESIDE = (FLOOR, CEILING)
"""Controls that stand beside the arms' answers; the others would make up half of the page."""

FAMILIES = ["style", "judge", "semantic", "lexical", "length", "copying"]
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def render(results: Results) -> str:
    """The page as text. The same results give the same bytes; whatever agents and people said stays text."""
    pages = environment()
    pages.filters |= {"value": value, "interval": interval, "plain": plain}
    primary = results.suite["primary"]
    return pages.get_template("report.html.j2").render(
        r=results,
        icon=ICONS[results.verdict],
        primary=primary,
        plot=plot(results, primary["metric"]),
        families=families(results),
        contrasts=[c for c in results.contrasts if c.metric == primary["metric"]],
        other_contrasts=[c for c in results.contrasts if c.metric != primary["metric"]],
        floor=FLOOR if FLOOR in results.arms else None,
        ceiling=CEILING if CEILING in results.arms else None,
        curves=[{"tuned": t, "points": curve(t.losses, t.validation)} for t in results.tuned],
        unscored=unscored(results),
        scores=sum(c.n + c.unscored for n, arm in results.arms.items() if n != "empty" for c in arm.metrics.values()),
        shown=[m for m in dict.fromkeys([primary["metric"], *SHOWN]) if m in results.metrics],
        template_digest=template_digest(),
        signed=lambda c: signed(c.difference, c.low, c.high),
        beyond=beyond,
        exam={e.metric: e for e in results.exam},
        auc=auc,
        orders=orders,
        poor={n: arm.match for n, arm in results.arms.items() if arm.match and arm.match["poor"]},
        beside=BESIDE,
        skills=skills(results),
        skill_of=skill_of,
        evidence=evidence(results),
        attributed=attributed(results),
    )


def plain(text: str) -> str:
    """Text without control characters, and without the marks that would turn its neighbours' direction."""
    return _CONTROL_CHARACTERS.sub("�", text)


def value(cell: Cell) -> str:
    """A mean with as many digits as its interval bears."""
    if cell.mean is None:
        return "n/a"
    digits = max(2, decimals(half_width(cell)))
    return f"{cell.mean:.{digits}f}"


def interval(cell: Cell) -> str:
    """`0.41–0.52`, or that there is none."""
    if cell.mean is None or cell.low is None or cell.high is None:
        return "no interval"
    digits = max(2, decimals(half_width(cell)))
    return f"{cell.low:.{digits}f} to {cell.high:.{digits}f}"


def half_width(cell: Cell) -> float | None:
    """Half the interval's width, when there is one."""
    return None if cell.low is None or cell.high is None else (cell.high - cell.low) / 2


def beyond(contrast: Contrast) -> str:
    """What the interval says, in a word."""
    if contrast.low is None or contrast.high is None:
        return "n/a"
    return "more" if contrast.low > 0 else "less" if contrast.high < 0 else "not separable"


def families(results: Results) -> list[tuple[str, list[str]]]:
    """The suite's metrics by family, in the page's order."""
    return [
        (family, names)
        for family in FAMILIES
        if (names := [m for m, facts in results.metrics.items() if facts["family"] == family])
    ]


def unscored(results: Results) -> int:
    """How many scores could not be given."""
    return sum(c.unscored for name, arm in results.arms.items() if name != "empty" for c in arm.metrics.values())


def orders(exam: Exam) -> str:
    """`12 of 14 hold`, and what else is shown the other way round; a must-order that is, is in the reason."""
    must = [o for o in exam.orders if o.must]
    if not must:
        return "none could be tried"
    wrong = [f"{o.lower} above {o.higher}" for o in exam.orders if o.shows == "violated" and not o.must]
    return f"{sum(o.shows == 'holds' for o in must)} of {len(must)} hold" + (f"; {', '.join(wrong)}" if wrong else "")


def skills(results: Results) -> list[tuple[str, list[Skill]]]:
    """The skill scores by metric, arms in the suite's order."""
    named = list(dict.fromkeys(s.metric for s in results.skill))
    return [(metric, [s for s in results.skill if s.metric == metric]) for metric in named]


def skill_of(skill: Skill) -> str:
    """`0.61 [0.40, 0.83]`, or why there is none."""
    if skill.skill is None:
        return f"none: {skill.reason}"
    return f"{skill.skill:.2f} [{skill.low:.2f}, {skill.high:.2f}]"


def evidence(results: Results) -> list[tuple[str, str, list[Any]]]:
    """(kind, side, words or n-grams) for the two sides of each kind."""
    found = results.style.evidence if results.style else []
    sides = (("for", 1), ("against", -1))
    return [
        (kind, side, [e for e in found if e.kind == kind and e.weight * sign > 0])
        for kind in ("word", "n-gram")
        for side, sign in sides
    ]


def plot(results: Results, metric: str) -> dict[str, Any]:
    """Every arm's mean and interval on one axis, in percent of its width."""
    cells = {name: c for name, arm in results.arms.items() if (c := arm.metrics.get(metric)) and c.mean is not None}
    top = results.metrics[metric]["top"]  # an interval may reach beyond it, the axis need not
    ends = [n for c in cells.values() for n in (c.mean, c.low, c.high) if n is not None]
    numbers = [n if top is None else max(0.0, min(n, top)) for n in ends]
    low, high = axis(numbers)

    def place(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2)

    def row(name: str, cell: Cell) -> dict[str, Any]:
        assert cell.mean is not None
        ends = (cell.mean, cell.mean) if cell.low is None or cell.high is None else (cell.low, cell.high)
        return {
            "name": name,
            "arm": results.arms[name],
            "cell": cell,
            "at": place(cell.mean),
            "low": place(max(ends[0], low)),
            "high": place(min(ends[1], high)),
        }

    marks = {name: place(cells[name].mean or 0.0) for name in (FLOOR, CEILING) if name in cells}
    ticks = [{"at": place(t), "text": f"{t:g}"} for t in ticks_between(low, high)]
    return {"rows": [row(n, c) for n, c in cells.items()], "marks": marks, "ticks": ticks}


def axis(numbers: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis: 0 to 1 where everything fits, else whole steps around the numbers."""
    if not numbers or (min(numbers) >= 0 and max(numbers) <= 1):
        return 0.0, 1.0
    return min(0.0, float(int(min(numbers)) - (min(numbers) < 0))), float(int(max(numbers)) + 1)


def ticks_between(low: float, high: float) -> list[float]:
    """Five ticks, both ends included."""
    return [round(low + (high - low) * i / 4, 4) for i in range(5)]


def curve(losses: Sequence[float], validation: Sequence[tuple[int, float]] = ()) -> list[str]:
    """The loss curves as points of SVG polylines in one box of 100 by 100: of each step, and of what was watched."""
    lines = [list(enumerate(losses, start=1)), list(validation)]
    everything = [loss for line in lines for _, loss in line]
    if not everything:
        return []
    top, bottom = max(everything), min(everything)
    spread, step = (top - bottom) or 1.0, 100 / max(1, len(losses) - 1)
    return [
        " ".join(f"{(n - 1) * step:.2f},{100 - 100 * (loss - bottom) / spread:.2f}" for n, loss in line)
        for line in lines
        if line
    ]
