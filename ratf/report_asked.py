"""The questions part of one page: which questions it shows or lists, and all that its template asks for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from ratf.report_data import page_data
from ratf.report_flags import Brief, briefs
from ratf.report_questions import (
    BESIDE,
    LIMITS,
    Card,
    Memories,
    Said,
    Sources,
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
from ratf.results import Question, Results

PER_PAGE = 100
FLAGS = {
    "regressed": "the primary arm's score is worse than in the baseline run",
    "disagree": "metrics of two families, or the votes of one judge, say opposite things of the primary arms",
    "unscored": "a metric that scored the arm's other answers could not score one here",
}


@dataclass(frozen=True)
class Asked:
    """Questions on a page, with a brief for each in `listed`; or, with a `folder` of pages, only the list of all."""

    results: Results
    listed: Sequence[Brief]
    questions: Sequence[Question]
    compared: bool = False
    """Whether there was a baseline run."""
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
    """Words of each memory, and of each control's answer."""

    @property
    def data(self) -> Markup:
        """The JSON of the page."""
        return page_data(self.results, self.listed, self.questions)

    @property
    def style(self) -> bool:
        """Whether there are words that speak for and against the person."""
        return self.results.style is not None

    @property
    def flags(self) -> list[tuple[str, int, str]]:
        """(flag, how many questions have it, what it means)."""
        return [
            (flag, sum(flag in b.flags for b in self.listed), words)
            for flag, words in FLAGS.items()
            if self.compared or flag != "regressed"
        ]

    @property
    def example(self) -> str:
        """The question in the middle by the primary arms' difference: one that nobody picked. None on one page of many."""
        compared = sorted((b for b in self.listed if b.difference is not None), key=lambda b: (b.difference, b.id))
        return "" if self.summary or self.folder or not compared else compared[len(compared) // 2].id

    @property
    def has_controls(self) -> bool:
        """See `report_questions.has_controls`."""
        return has_controls(self.limit)

    @property
    def topics(self) -> list[str]:
        """What the questions ask about, where the data say it, by name."""
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

    def shorter(self) -> "Asked | None":
        """The same with fewer words of each memory; None where there are the fewest already."""
        fewer = [limit for limit in LIMITS if limit < self.limit]
        return replace(self, limit=fewer[0]) if fewer else None

    def cards(self, question: Question) -> list[Card]:
        """The answers that there is room for, see `report_questions.cards`."""
        every = cards(self.results, question, self.shown, self.limit)
        return [c for c in every if c.kind == "arm" or self.has_controls]

    def scale(self, question: Question) -> list[Card]:
        """The controls whose answers there is no room for."""
        every = [] if self.has_controls else cards(self.results, question, self.shown[:1], 0)
        return [c for c in every if c.kind == "control" and c.scores]

    def memories(self, question: Question) -> list[Memories]:
        """See `report_questions.memories`."""
        return memories(question)

    def said(self, question: Question) -> list[Said]:
        """See `report_questions.said`."""
        return said(self.results, question)

    def memory(self, text: str) -> str:
        """The first words of a memory."""
        words, more = cut(text, self.limit)
        return words + " …" * (more > 0)

    def sources(self) -> Sources:
        """See `report_questions.Sources`."""
        return Sources()

    def link(self, source: str) -> str:
        """See `report_questions.link`."""
        return link(source)


def asked(results: Results, fell: Collection[str] | None = None, **more: Any) -> Asked:
    """All questions of a run, for one page unless `more` says otherwise. `fell`: see `briefs`; None without a baseline."""
    given = {"listed": briefs(results, fell or ()), "questions": results.questions, **more}
    limit = memory_words(results, given["questions"])
    return Asked(results=results, compared=fell is not None, shown=shown_metrics(results), limit=limit, **given)


def page_name(number: int) -> str:
    """`0001.html` for the first page."""
    return f"{number + 1:04d}.html"
