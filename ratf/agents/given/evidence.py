"""The words that speak for the person: two controls are made of them, and the page shows them."""

from ratf.results.exams import Evidence
from ratf.statistics.style import Spoken, StyleIdentity
from ratf.suite.study import Study


def evidence(study: Study) -> list[Evidence]:
    """The words and n-grams that set the person's earlier answers apart from the impostors'.

    Learnt once a study. Empty where either side has a single interview: what could not be tried is no evidence.
    """

    def learn() -> list[Evidence]:
        own = [Spoken(e.answer, f"{study.person.key}/{e.interview_id}", True) for e in study.earlier]
        others = [Spoken(e.answer, f"{p.key}/{e.interview_id}", False) for p in study.impostors for e in p.exchanges]
        try:
            return StyleIdentity([*own, *others], study.suite.seed).evidence()
        except ValueError:
            return []

    return study.held("evidence", learn)


def words_for(study: Study) -> list[str]:
    """The single words among the evidence that speak for the person."""
    return [e.text for e in evidence(study) if e.kind == "word" and e.weight > 0]
