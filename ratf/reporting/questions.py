"""The questions part of one page: which questions it shows or lists, and all that its template asks for."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from ratf.reporting.flags import Brief, briefs
from ratf.reporting.spread import samples_of
from ratf.reporting.top.cards import (
    BESIDE,
    LIMITS,
    Card,
    DocumentNumbers,
    JudgeWords,
    SharedMemories,
    cards,
    cut,
    has_controls,
    link,
    memories,
    memory_words,
    said,
    shown_metrics,
    silent_metrics,
)
from ratf.results.exams import WORDS
from ratf.results.results import Question, Results
from ratf.results.table import seed_of
from ratf.suite.metrics import title

PER_PAGE = 100
FLAGS = {
    "regressed": "the primary arm's score is worse than in the reference run",
    "disagree": "metrics of two families, or the votes of one judge, say opposite things of the primary arms",
    "unscored": "a metric that scored the arm's other answers could not score one here",
}


@dataclass(frozen=True)
class QuestionList:
    """Questions on a page, with a brief for each in `listed`; or, with a `folder` of pages, only the list of all."""

    results: Results
    listed: Sequence[Brief]
    questions: Sequence[Question]
    compared: bool = False
    """Whether there was a reference run."""
    folder: str = ""
    title: str = "The questions"
    summary: str = ""
    before: tuple[str, str] | None = None
    after: tuple[str, str] | None = None
    """The pages beside this one: what they are called, and their addresses."""
    per_page: int = PER_PAGE
    controls: tuple[str, ...] = BESIDE
    shown: list[str] = field(default_factory=list)
    limit: int = 0
    """The number of words of each memory, and of each control's answer."""

    @property
    def data(self) -> Markup:
        """The data of the page's script, as JSON."""
        return page_data(self.results, self.listed, self.questions)

    @property
    def samples(self) -> int:
        """The number of times that each arm answered a question."""
        return samples_of(self.results)

    @property
    def style(self) -> bool:
        """Whether there are words that speak for and against the person."""
        return self.results.style is not None

    @property
    def flags(self) -> list[tuple[str, int, str]]:
        """The flags as (flag, how many questions have it, what it means)."""
        return [
            (flag, sum(flag in b.flags for b in self.listed), words)
            for flag, words in FLAGS.items()
            if self.compared or flag != "regressed"
        ]

    @property
    def example(self) -> str:
        """The id of the question with the median primary difference, which nobody picked; none on one page of many."""
        compared = sorted((b for b in self.listed if b.difference is not None), key=lambda b: (b.difference, b.id))
        return "" if self.summary or self.folder or not compared else compared[len(compared) // 2].id

    @property
    def has_controls(self) -> bool:
        """Whether controls' answers are shown, see `ratf.reporting.top.cards.has_controls`."""
        return has_controls(self.limit)

    @property
    def topics(self) -> list[str]:
        """The topics of the questions, where the data say them, by name."""
        return sorted({b.topic for b in self.listed if b.topic}, key=str.casefold)

    @property
    def silent(self) -> list[tuple[str, str]]:
        """Metrics that scored no answer, and why the first was not."""
        if not len(self.results.questions):
            return []
        answers = self.results.questions[0].answers.values()
        why = {m: s.why for answer in answers for m, s in answer.scores.items() if s.value is None and s.why}
        return [(m, why.get(m, "")) for m in silent_metrics(self.results)]

    def page_of(self, place: int) -> str:
        """The page of the question at a place in the list, from the summary."""
        return f"{self.folder}/{page_name(place // self.per_page)}"

    def shorter(self) -> "list[QuestionList]":
        """The same with fewer words of each memory, down to the fewest."""
        return [replace(self, limit=limit) for limit in LIMITS if limit < self.limit]

    def cards(self, question: Question) -> list[Card]:
        """The cards of the answers that there is room for, see `ratf.reporting.top.cards.cards`."""
        every = cards(self.results, question, self.shown, self.limit)
        return [c for c in every if c.kind == "arm" or self.has_controls]

    def scale(self, question: Question) -> list[Card]:
        """The controls whose answers there is no room for."""
        every = [] if self.has_controls else cards(self.results, question, self.shown[:1], 0)
        return [c for c in every if c.kind == "control" and c.scores]

    def memories(self, question: Question) -> list[SharedMemories]:
        """The memories of a question, each list once, see `ratf.reporting.top.cards.memories`."""
        return memories(question)

    def said(self, question: Question) -> list[JudgeWords]:
        """The judges' votes about a question, see `ratf.reporting.top.cards.said`."""
        return said(self.results, question)

    def memory(self, text: str) -> str:
        """The first words of a memory."""
        words, more = cut(text, self.limit)
        return words + " …" * (more > 0)

    def sources(self) -> DocumentNumbers:
        """A new numbering of documents, see `ratf.reporting.top.cards.DocumentNumbers`."""
        return DocumentNumbers()

    def link(self, source: str) -> str:
        """The address of a source on the web, else nothing, see `ratf.reporting.top.cards.link`."""
        return link(source)


def questions_shown(results: Results, fell: Collection[str] | None = None, **more: Any) -> QuestionList:
    """All questions of a run, for one page unless `more` says otherwise. `fell`: see `briefs`; None without a baseline."""
    given = {"listed": briefs(results, fell or ()), "questions": results.questions, **more}
    limit = memory_words(results, given["questions"])
    return QuestionList(results=results, compared=fell is not None, shown=shown_metrics(results), limit=limit, **given)


def page_name(number: int) -> str:
    """The file name of a page of questions by its number from 0: `0001.html` for the first."""
    return f"{number + 1:04d}.html"


DIGITS = 3
"""The number of decimals of scores in the page's data, which has them as whole numbers in half the bytes."""


def page_data(results: Results, listed: Sequence[Brief], questions: Sequence[Question]) -> Markup:
    """The data that the page's script cannot read in its text; a list of thousands has no `questions`, so no scores."""
    names = [n for n, arm in results.arms.items() if arm.kind == "arm" or n in BESIDE]
    made: dict[str, Any] = {
        "format": "ratf page 1",
        "suite": results.suite["name"],
        "person": results.person.get("key", ""),
        "digest": results.digest,
        "data_digest": results.data_digest,
        "verdict": results.verdict,
        "primary": results.suite["primary"],
        "interviews": list({b.place: [b.interview_id, b.interview] for b in listed}.items()),
    }
    if questions:
        places = {b.id: b.place for b in listed}
        scores, reasons = _scores(names, questions, silent_metrics(results))
        made |= {
            "questions": [[q.id, places[q.id]] for q in questions],
            "arms": {n: results.arms[n].kind for n in names},
            "models": {n: results.arms[n].model for n in names},
            "seed": seed_of(results),
            "metrics": {name: facts["family"] for name, facts in results.metrics.items()},
            "shown": [title(m) for m in shown_metrics(results)],
            "digits": DIGITS,
            "scores": scores,
            "unscored": reasons,
            "words": WORDS,
            "evidence": [[e.kind, e.text, e.weight] for e in (results.style.evidence if results.style else [])],
        }
    return embedded(made)


def embedded(made: Any) -> Markup:
    """JSON for inside a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(made, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _scores(
    names: Sequence[str], questions: Sequence[Question], left_out: Sequence[str]
) -> tuple[dict[str, Any], list[Any]]:
    """The scores by arm and metric, one a question or None, and the reasons as (arm, metric, reason, questions)."""
    answers = [q.answers[n] for q in questions for n in names if n in q.answers]
    metrics = [m for m in dict.fromkeys(m for a in answers for m in a.scores) if m not in left_out]
    table: dict[str, dict[str, list[int | None]]] = {n: {m: [] for m in metrics} for n in names}
    reasons: dict[tuple[str, str, str], list[int]] = {}
    for place, question in enumerate(questions):
        for name in names:
            answer = question.answers.get(name)
            for metric in metrics:
                score = answer.scores.get(metric) if answer else None
                value = score.value if score else None
                table[name][metric].append(None if value is None else round(value * 10**DIGITS))
                if score and value is None:
                    reasons.setdefault((name, metric, score.why), []).append(place)
    return table, [[*key, places] for key, places in reasons.items()]
