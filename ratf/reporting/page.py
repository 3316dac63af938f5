"""The page: one HTML file made from a `Results` and the templates in `reports/`, and from nothing else."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from raft.text import plain
from ratf.pages.glossary import TERMS
from ratf.pages.templates import environment, template_digest
from ratf.pages.text import (
    ICONS,
    beyond,
    brief,
    detectable,
    interval,
    interview_name,
    minus,
    orders,
    p_value,
    plus,
    value,
)
from ratf.pages.words import FAMILIES, families, meanings, titled
from ratf.reporting.changes import SHOWN as MOST_MOVED
from ratf.reporting.changes import Change, words_of
from ratf.reporting.flags import beginning
from ratf.reporting.history import Past, drawn
from ratf.reporting.plots import attributed, curves, plot
from ratf.reporting.questions import QuestionList, questions_shown
from ratf.reporting.slices import FEW_INTERVIEWS, FEW_QUESTIONS, slices
from ratf.reporting.spread import percent, samples_of, sentence, splits
from ratf.reporting.top.answer import answer, cost, one_question
from ratf.reporting.top.licences import agreement, asked_again, by_sentence, particular
from ratf.reporting.top.trust import checks, unmeasured
from ratf.results.exams import Exam
from ratf.results.results import Cell, Contrast, Effect, Results, Skill
from ratf.results.rights import rights
from ratf.statistics.disagreement import disagreement
from ratf.statistics.estimates import Estimate
from ratf.statistics.exam import TAKEN_IN
from ratf.statistics.verdict import signed
from ratf.suite.arms import CEILING, FLOOR
from ratf.suite.metrics import title

FEW, LARGEST = 60, 500_000
"""A page of at most FEW questions has at most LARGEST bytes, if shorter memories can make it so."""


TELLING = 0.6
"""From this AUC on, what interviewers' questions tell is said beside the exam."""


MOST = 30
"""The greatest number of rows of a list whose length depends on the data; hidden rows are counted."""


MOST_AGAIN = 10
"""The greatest number of questions asked again that are shown with both answers."""


SECTIONS = {
    "changed": "What changed",
    "questions": "Questions and real answers",
    "run": "What was run",
    "exam": "Exams of the metrics",
    "table": "Scores of every arm",
    "skill": "Skill on a scale from 0 to 1",
    "contrasts": "Comparisons of arms",
    "attribution": "Attribution to training or memories",
    "judges": "Judges' grades",
    "slices": "Parts of the questions",
    "disagreement": "Disagreement of metrics",
    "style": "Style and typical words",
    "training": "Fine-tuning",
    "retrieval": "Retrieval of memories",
    "history": "History",
    "methods": "Methods and words of this page",
    "rights": "Whose words these are",
}
"""The page's sections in order, by the name of their template in `reports/reporting/`, and what the contents call them."""


def render(
    results: Results, change: Change | None = None, questions: QuestionList | None = None, runs: Sequence[Past] = ()
) -> str:
    """The page as text. The same results give the same bytes; whatever agents and people said stays text.

    `change`: what there is to say about a reference run; `runs`: those of the history, this one too. All questions are on
    the page unless `questions` says otherwise.
    """
    questions = questions or questions_shown(results, fell(change))
    page = _page(results, change, questions, runs)
    if len(results.questions) > FEW or _fits(page) or not (shorter := questions.shorter()):
        return page
    least = _page(results, change, shorter.pop(), runs)
    if _fits(least):  # else nothing between is tried: what is too long is something else
        for fewer in shorter:
            page = _page(results, change, fewer, runs)
            if _fits(page):
                return page
    return least


def _fits(page: str) -> bool:
    return len(page.encode(errors="replace")) <= LARGEST


def _page(results: Results, change: Change | None, questions: QuestionList, runs: Sequence[Past]) -> str:
    primary = results.suite["primary"]
    return slim(
        page_environment()
        .get_template("reporting/page.html.j2")
        .render(
            r=results,
            asked=questions,
            answer=answer(results),
            example=one_question(results, questions.example),
            silent=silent(results, questions),
            sections=sections_of(results),
            empty=empty(results, change, runs),
            samples=samples_of(results),
            splits=lambda metric: splits(results, metric),
            split_metrics=[m for m in results.metrics if splits(results, m)],
            spread_sentence=sentence(results),
            percent=percent,
            worded=lambda text: minus(titled(text, results)),
            cost=cost(results),
            columns=columns(results),
            rivals=rivals(results),
            unmeasured=unmeasured(results),
            icon=ICONS[results.verdict],
            icons=ICONS,
            primary=primary,
            plots=[(m, plot(results, m)) for m in results.primary_metrics],
            headline=results.sentence.split(". "),
            checks=checks(results),
            change=change,
            past=drawn(results, runs) if runs else [],
            moved_words=words_of(change, results) if change else {},
            most=MOST,
            most_moved=MOST_MOVED,
            families=families(results),
            family_words=FAMILIES,
            meanings=meanings(results),
            terms=TERMS,
            contrasts=[c for c in results.comparisons if c.metric == primary["metric"]],
            other_contrasts=[c for c in results.comparisons if c.metric != primary["metric"]],
            floor=FLOOR if FLOOR in results.arms else None,
            ceiling=CEILING if CEILING in results.arms else None,
            curves=curves(results.tuned),
            template_digest=template_digest(),
            signed=estimate,
            crossed=crossed,
            beyond=beyond,
            exam={e.metric: e for e in results.exam},
            about_voice=about_voice(results),
            exams=[*results.exam, *results.more_exams],
            licences=by_sentence(results, results.metrics),
            particular=particular(results),
            agreement=agreement(results),
            asked_again=asked_again(results),
            most_again=MOST_AGAIN,
            orders=orders,
            why_refused=why_refused,
            poor={n: arm.match for n, arm in results.arms.items() if arm.match and arm.match["poor"]},
            skills=skills(results),
            evidence=evidence(results),
            attributed=attributed(results),
            rights=rights(results),
            parts=slices(results, primary["metric"]),
            few=(FEW_QUESTIONS, FEW_INTERVIEWS),
            split=disagreement(results),
            interview_name=interview_name,
        )
    )


def sections_of(results: Results) -> dict[str, str]:
    """The page's sections in order, with one about the spread where questions were answered several times."""
    found = {}
    for name, words in SECTIONS.items():
        found[name] = words
        if name == "table" and samples_of(results) > 1:
            found["spread"] = "Randomness"
    return found


def empty(results: Results, change: Change | None, runs: Sequence[Past]) -> dict[str, str]:
    """The sections that have nothing to show but why, as `sections_of` gives them."""
    judged = results.judging
    there = {
        "changed": change is not None,
        "exam": bool(results.exam),
        "skill": bool(results.skill),
        "judges": bool(judged and (judged.forced_choice or judged.pairwise or judged.agreement or judged.masked)),
        "disagreement": bool(disagreement(results)),
        "style": results.style is not None,
        "training": bool(results.tuned),
        "retrieval": results.retrieval is not None,
        "history": bool(runs),
    }
    return {name: words for name, words in sections_of(results).items() if not there.get(name, True)}


def slim(page: str) -> str:
    """The page without the templates' indentation, and with plain apostrophes: no attribute is quoted with one."""
    return re.sub(r"\n\s+(?=<)", "\n", page).replace("&#39;", "'")


@cache
def page_environment() -> Environment:
    """The Jinja environment of a report's pages. It is kept, since compiling templates takes longer than a page."""
    made = environment(finalize=said)
    made.filters |= {
        "plain": plain,
        "brief": brief,
        "beginning": beginning,
        "p": p_value,
        "minus": minus,
        "title": title,
        "detectable": detectable,
    }
    made.filters |= {
        "value": lambda c: minus(value(c)),
        "interval": _interval,
        "plus": lambda c: minus(plus(c)),
    }
    return made


def _interval(cell: Cell | Estimate | None, top: float | None = None) -> str:
    return minus(interval(cell, top))


def said(value: Any) -> Any:
    """Make whatever text a template shows `plain`; markup stays, since it is only made here."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def estimate(found: Contrast | Effect) -> str:
    """A difference with its interval, as `−0.34 [−0.47, −0.21]`, or `n/a` where there is none."""
    number = found.difference if isinstance(found, Contrast) else found.effect
    return "n/a" if number is None else minus(signed(number, found.low, found.high))


def crossed(several: Sequence[Contrast | Effect]) -> tuple[list[str], list[tuple[str, list[Contrast | Effect | None]]]]:
    """A table of comparisons: its columns, and for each metric what was found in each of them."""
    at = {(f.metric, _compares(f)): f for f in several}
    columns = list(dict.fromkeys(compared for _, compared in at))
    return columns, [(m, [at.get((m, column)) for column in columns]) for m in dict.fromkeys(m for m, _ in at)]


def _compares(found: Contrast | Effect) -> str:
    return f"{found.a} − {found.b}" if isinstance(found, Contrast) else found.name


def rivals(results: Results) -> dict[str, list[Contrast]]:
    """The primary arm against the arms that the verdict does not name, by each metric of the verdict that has some."""
    pair = results.suite["primary"]
    mine = [
        c for c in results.comparisons if c.a == pair["better"] and c.b != pair["than"] and c.difference is not None
    ]
    of = {m: [c for c in mine if c.metric == m] for m in results.primary_metrics}
    return {m: found for m, found in of.items() if found}


def fell(change: Change | None) -> set[str] | None:
    """The questions that got worse than in the reference run; None where there is none to compare with."""
    if change is None or change.unread or change.incomparable:
        return None
    return {moved.question for moved in change.fell}


def silent(results: Results, questions: QuestionList) -> dict[str, str]:
    """Metrics that scored nothing, with the reason."""
    scored = {m for arm in results.arms.values() for m, cell in arm.metrics.items() if cell.n}
    return {metric: why for metric, why in questions.silent if metric not in scored}


def why_refused(entry: Exam) -> str:
    """Why a metric was not admitted, where its AUC beside it and its orders do not say so already."""
    return "; ".join(w for w in entry.reason.split("; ") if "lower end" not in w and not w.endswith("orders hold"))


def about_voice(results: Results) -> list[str]:
    """Sentences on what voice rests on besides its exam: what its checks cost, and what the questions alone tell."""
    if results.voice is None:
        return []
    costs = ", ".join(f"{check} {100 * share:.0f} %" for check, share in results.voice.refused.items())
    said = [
        "An answer that fails one of Voice's checks has no voice score. "
        f"Of the person's real answers, the checks would refuse: {costs}."
    ]
    said += _about_strangers(results)
    placebo = results.voice.placebo
    if placebo and placebo.auc > TELLING:
        ends = "" if placebo.low is None or placebo.high is None else f" [{placebo.low:.2f}, {placebo.high:.2f}]"
        said.append(
            f"The interviewers' questions alone tell who is asked, AUC {placebo.auc:.2f}{ends}, without a word of the answers. "
            "Years and topics also differ between the people, so part of the voice score may come from them."
        )
    return said


def _about_strangers(results: Results) -> list[str]:
    """What voice makes of people it has never seen, and what that means where it is much."""
    found = results.voice and results.voice.strangers
    if not found:
        return []
    who = ", ".join(results.strangers.values())
    if found.skill is None:
        return [f"How strangers ({who}) score on voice is not known: {found.reason}."]
    ends = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    said = minus(
        f"Strangers whom the metric has never seen ({who}) have a mean skill of {found.skill:.2f}{ends}; "
        "0 is an impostor, 1 the person."
    )
    if found.skill > TAKEN_IN:
        said += (
            f" That is above {TAKEN_IN:g}: the metric partly mistakes a new speaker for {results.person['name']}, so voice is "
            f"refused. Add people who talk like {results.person['name']} to the impostors."
        )
    return [said]


def columns(results: Results) -> list[str]:
    """The arms as tables have them: the two of the primary comparison first, which a narrow screen shows, then the rest."""
    pair = [results.suite["primary"][side] for side in ("better", "than")]
    return [
        name
        for name in dict.fromkeys([*pair, *results.arms])
        if name in results.arms and results.arms[name].kind == "arm"
    ]


def skills(results: Results) -> list[tuple[str, list[Skill]]]:
    """The skill scores by metric, the arms in the order of the columns."""
    named, order = list(dict.fromkeys(s.metric for s in results.skill)), columns(results)
    return [
        (metric, sorted((s for s in results.skill if s.metric == metric), key=lambda s: order.index(s.arm)))
        for metric in named
    ]


def evidence(results: Results) -> list[tuple[str, str, list[Any]]]:
    """The words and n-grams for and against the person, as (kind, side, evidence)."""
    found = results.style.evidence if results.style else []
    sides = (("for", 1), ("against", -1))
    return [
        (kind, side, [e for e in found if e.kind == kind and e.weight * sign > 0])
        for kind in ("word", "n-gram")
        for side, sign in sides
    ]
