"""The page: one HTML file made from a `Results` and the templates in `reports/`, and from nothing else."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from ratf.arms import CEILING, FLOOR
from ratf.disagreement import disagreement
from ratf.page_attribution import attributed
from ratf.page_baseline import SHOWN as MOST_MOVED
from ratf.page_baseline import Change
from ratf.page_plot import curve, plot
from ratf.page_text import (
    ICONS,
    beyond,
    brief,
    interval,
    interview_name,
    orders,
    p_value,
    plain,
    plus,
    skill_of,
    value,
)
from ratf.page_trust import checks
from ratf.page_words import FAMILIES, families, meanings
from ratf.report_asked import Asked, asked
from ratf.results import Results, Skill
from ratf.rights import rights
from ratf.slices import FEW_INTERVIEWS, FEW_QUESTIONS, slices
from ratf.templates import environment, template_digest
from ratf.verdict import auc, signed

MOST = 30
"""At most so many rows of a list whose length depends on the data; what is hidden is counted."""

SECTIONS = {
    "changed": "What changed",
    "exam": "Exams",
    "table": "Scores",
    "skill": "Skill",
    "contrasts": "Comparisons",
    "attribution": "Attribution",
    "judges": "Judges",
    "slices": "Parts",
    "disagreement": "Disagreement",
    "style": "Style",
    "questions": "Questions",
    "training": "Fine-tuning",
    "retrieval": "Retrieval",
    "history": "History",
    "methods": "Methods",
    "rights": "Whose words",
}
"""The page's sections in order, by the name of their template in `reports/report/`, and what the contents call them."""


def render(results: Results, change: Change | None = None, questions: Asked | None = None) -> str:
    """The page as text. The same results give the same bytes; whatever agents and people said stays text.

    `change`: what there is to say about a baseline run. All questions are on the page unless `questions` says otherwise.
    """
    primary = results.suite["primary"]
    return slim(
        page_environment()
        .get_template("report.html.j2")
        .render(
            r=results,
            asked=questions or asked(results, fell(change)),
            sections=SECTIONS,
            icon=ICONS[results.verdict],
            icons=ICONS,
            primary=primary,
            plot=plot(results, primary["metric"]),
            checks=checks(results),
            change=change,
            most=MOST,
            most_moved=MOST_MOVED,
            families=families(results),
            family_words=FAMILIES,
            meanings=meanings(results),
            contrasts=[c for c in results.contrasts if c.metric == primary["metric"]],
            other_contrasts=[c for c in results.contrasts if c.metric != primary["metric"]],
            floor=FLOOR if FLOOR in results.arms else None,
            ceiling=CEILING if CEILING in results.arms else None,
            curves=[{"tuned": t, "points": curve(t.losses, t.validation)} for t in results.tuned],
            template_digest=template_digest(),
            signed=lambda c: signed(c.difference, c.low, c.high),
            beyond=beyond,
            exam={e.metric: e for e in results.exam},
            auc=auc,
            orders=orders,
            poor={n: arm.match for n, arm in results.arms.items() if arm.match and arm.match["poor"]},
            skills=skills(results),
            skill_of=skill_of,
            evidence=evidence(results),
            attributed=attributed(results),
            rights=rights(results),
            parts=slices(results, primary["metric"]),
            few=(FEW_QUESTIONS, FEW_INTERVIEWS),
            split=disagreement(results),
            interview_name=interview_name,
        )
    )


def slim(page: str) -> str:
    """The page without the templates' indentation, and with plain apostrophes: no attribute is quoted with one."""
    return re.sub(r"\n\s+(?=<)", "\n", page).replace("&#39;", "'")


@cache
def page_environment() -> Environment:
    """Where the pages of a report are made. Templates are compiled once: that takes longer than a page."""
    made = environment(finalize=said)
    made.filters |= {"value": value, "interval": interval, "plain": plain, "brief": brief, "p": p_value, "plus": plus}
    return made


def said(value: Any) -> Any:
    """Whatever text a template says is `plain`; markup is our own."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def fell(change: Change | None) -> set[str] | None:
    """The questions that got worse than in the baseline run; None where there is none to compare with."""
    if change is None or change.unread or change.incomparable:
        return None
    return {moved.question.id for moved in change.fell}


def skills(results: Results) -> list[tuple[str, list[Skill]]]:
    """The skill scores by metric, arms in the suite's order."""
    named = list(dict.fromkeys(s.metric for s in results.skill))
    return [(metric, [s for s in results.skill if s.metric == metric]) for metric in named]


def evidence(results: Results) -> list[tuple[str, str, list[Any]]]:
    """(kind, side, words or n-grams) for the two sides of each kind."""
    found = results.style.evidence if results.style else []
    sides = (("for", 1), ("against", -1))
    return [
        (kind, side, [e for e in found if e.kind == kind and e.weight * sign > 0])
        for kind in ("word", "n-gram")
        for side, sign in sides
    ]
