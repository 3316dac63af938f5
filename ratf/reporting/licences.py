"""What each metric may say about a person, by the axes that it was admitted for, and what it may not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ratf.results.exams import Exam
from ratf.results.results import Results
from ratf.statistics.verdict import auc
from ratf.suite.metrics import AXES_BEFORE, axis_meant, is_judged

SAYS = {
    "topic": "whether the same thing is talked about",
    "coverage": "whether the same claims are made",
    "agreement": "whether the answer agrees with the person or says the opposite",
    "voice": "whether it sounds like this person",
}
"""What a metric of each axis may say."""


PARTICULAR = "whether what is said is more like this person's than like another's"
"""What may be said of content by what was examined on speaker against speaker only: judges, and metrics of older runs."""


@dataclass(frozen=True)
class Licence:
    """One metric's, in words."""

    metric: str
    may: str
    may_not: str

    @property
    def sentence(self) -> str:
        """All of it, in one sentence."""
        if not self.may:
            return "may say nothing about this person"
        return f"may say {self.may}" + (f"; may not say {self.may_not}" if self.may_not else "")


def licences(results: Results) -> list[Licence]:
    """One for each metric and judge that sat an exam."""
    sat: dict[str, list[Exam]] = {}
    for entry in (*results.exam, *results.more_exams):
        sat.setdefault(entry.metric, []).append(entry)
    return [_licence(metric, entries) for metric, entries in sat.items()]


def _licence(metric: str, entries: list[Exam]) -> Licence:
    said, axes = [], set()
    for entry in entries:
        if entry.admitted and axis_meant(entry.axis) in SAYS:
            by_speakers = axis_meant(entry.axis) != "voice" and (is_judged(metric) or entry.axis in AXES_BEFORE)
            said.append(PARTICULAR if by_speakers else SAYS[axis_meant(entry.axis)])
            axes.update([] if by_speakers else [axis_meant(entry.axis)])
    order = [words for words in (*SAYS.values(), PARTICULAR) if words in said]
    rest = [words for axis, words in SAYS.items() if axis not in axes]
    return Licence(metric, _listed(order, "and"), _listed(rest, "or"))


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def by_sentence(results: Results, metrics: Collection[str]) -> dict[str, list[str]]:
    """What these metrics may and may not say, and which of them it is said of."""
    found: dict[str, list[str]] = {}
    for licence in licences(results):
        if licence.metric in metrics:
            found.setdefault(licence.sentence, []).append(licence.metric)
    return found


def particular(results: Results) -> list[tuple[str, str]]:
    """Of each metric of coverage, the AUC of the person's own answer to the nearest question over another person's."""
    return [
        (entry.metric, auc(order))
        for entry in results.exam
        for order in entry.orders
        if entry.axis == "coverage" and not is_judged(entry.metric)
        if (order.higher, order.lower) == ("same_near", "impostor_near")
    ]
