"""The turned copies of a study's real answers that judges of agreement are examined on. Nothing is embedded for them."""

from raft.text import shorten
from ratf.edits.made import Made, turned_copies
from ratf.edits.rules import NotExamined, rules_for
from ratf.edits.spans import names_in
from ratf.suite.arms import DIRECTION
from ratf.suite.study import Study

ROOM = 0.85
"""The share of what a judge reads that the part of an answer may take which is edited: an edit can add words."""


def turned_round(study: Study, words: int) -> Made:
    """`edit_KIND` and `even_KIND` of the beginning of each held-out answer, for the kinds that turn what is claimed.

    `words` is how many a judge reads: what is edited further on it can't see, and as many words are to be changed in what
    it sees. Empty where there are no rules for the language. The same whoever asks, so that a plan counts what is asked.
    """

    def make() -> Made:
        rules = rules_for([e.answer for e in study.held_out])
        if isinstance(rules, NotExamined):
            return {}
        found: Made = {}
        for e in study.held_out:
            text, seed = shorten(e.answer, int(ROOM * words)), f"{study.suite.seed}\0{e.exchange_id}"
            made = turned_copies(text, DIRECTION, rules, seed, {}, names_in((text,), rules))
            for name, edited in made.items():
                found.setdefault(name, {})[e.exchange_id] = edited
        return found

    return study.held(f"turned round, {words} words", make)
