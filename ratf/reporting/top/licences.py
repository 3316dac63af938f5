"""What each metric may say about a person, by the axes that it was admitted for, and what it may not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ratf.results.exams import Exam
from ratf.results.results import Results
from ratf.statistics.judges.judge_exam import on_copies
from ratf.statistics.verdict import auc
from ratf.suite.metrics import AXES_BEFORE, axis_meant, is_judged, title

SAYS = {
    "topic": "whether the same thing is talked about",
    "coverage": "whether the same claims are made",
    "agreement": "whether the answer agrees with the person or says the opposite",
    "voice": "whether it sounds like this person",
}
"""What a metric of each axis may say."""


FACTS = "whether numbers, dates and names agree"
"""What may be said by what was examined on facts alone; it is a part of agreement, and no more."""


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
        if entry.admitted and entry.axis == "facts":
            said.append(FACTS)
        elif entry.admitted and axis_meant(entry.axis) in SAYS:
            said.append(PARTICULAR if _by_speakers(entry) else SAYS[axis_meant(entry.axis)])
            axes.update([] if _by_speakers(entry) else [axis_meant(entry.axis)])
    order = [words for words in (*SAYS.values(), FACTS, PARTICULAR) if words in said]
    rest = [words for axis, words in SAYS.items() if axis not in axes]
    return Licence(metric, _listed(order, "and"), _listed(rest, "or"))


def _by_speakers(entry: Exam) -> bool:
    """Whether an exam on content asked only who is speaking."""
    if axis_meant(entry.axis) == "voice" or on_copies(entry):
        return False
    return is_judged(entry.metric) or entry.axis in AXES_BEFORE


def agreement(results: Results) -> str:
    """Who may say whether an answer agrees with the person, or why nobody may; empty for a run of before such exams."""
    if results.made is None:
        return ""
    sat = [e for e in (*results.exam, *results.more_exams) if axis_meant(e.axis) == "agreement"]
    may = [title(e.metric) for e in sat if e.admitted and not _by_speakers(e)]
    if may:
        return f"Agreement: {_listed(may, 'and')} may say {SAYS['agreement']}"
    if not sat:
        return "Agreement: not examined, because no metric or judge of the suite can tell a claim from its opposite"
    why = [
        f"{title(e.metric)} {'was asked only who is speaking, because too few answers could be reversed' if e.admitted else e.reason}"
        for e in sat
    ]
    return f"Agreement: no metric can measure it here: {'; '.join(why)}"


def asked_again(results: Results) -> str:
    """On how many questions that were asked in two interviews the person agrees with herself; empty for older runs."""
    found = results.repeats
    if found is None:
        return ""
    if not found.of:
        return f"No ceiling: {found.reason}"
    many = "1 question was" if found.of == 1 else f"{found.of} questions were"
    told = f"{many} asked in two interviews: what the two answers share is the ceiling for any agent"
    if not found.agrees:
        return f"{told}. No metric passed its exam on coverage, so how far they agree was not measured"
    by = ", ".join(f"{k} of {found.of} by {title(metric)}" for metric, k in found.agrees.items())
    return f"{told}. {results.person['name']} agrees with the earlier answer on {by}"


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
    """Of each metric of coverage and each judge of agreement, the AUC of the person's own answer to the nearest question
    over another person's, where that is no licence."""
    return [
        (entry.metric, auc(order))
        for entry in results.exam
        for order in entry.orders
        if on_copies(entry) or (entry.axis == "coverage" and not is_judged(entry.metric))
        if (order.higher, order.lower) == ("same_near", "impostor_near")
    ]
