"""What each metric may say about a person, by the axes that it was admitted for, and what it may not."""

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
    """One metric's: `may` and `may_not` in words, and whether what is said is `particular` to the person, where it was tried."""

    metric: str
    may: str
    may_not: str
    particular: str = ""

    @property
    def sentence(self) -> str:
        """All of it, in one sentence."""
        return f"may say {self.may}; may not say {self.may_not}"


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
    return Licence(metric, " and ".join(order) or "nothing about this person", " or ".join(rest), _particular(entries))


def _particular(entries: list[Exam]) -> str:
    """Whether the person's own answer to another question is nearer to the real one than another person's is."""
    for entry in entries:
        for order in entry.orders:
            if entry.axis == "coverage" and (order.higher, order.lower) == ("same_near", "impostor_near"):
                says = {"holds": "is", "not shown": "is not shown to be", "violated": "is not"}[order.shows]
                return f"what the person says {says} particular to them: the AUC of own over another's answer is {auc(order)}"
    return ""
