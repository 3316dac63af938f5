"""The paraphrases that a model wrote of the real answers, checked back: what fails is no positive of any exam."""

import hashlib
import json
from collections.abc import Mapping

from ratf.edits.paraphrase import paraphrased
from ratf.edits.rules import NotExamined, rules_for
from ratf.results.exams import Paraphrases
from ratf.scores.measures import text_measures
from ratf.suite.study import Study


def speaks_of_agreement(study: Study) -> bool:
    """Whether a metric or judge of the suite is examined on agreement or facts, so that paraphrases are needed."""
    return any({"agreement", "facts"} & {facts.axis, *facts.also} for facts in study.suite.facts.values())


def checked(study: Study, said: Mapping[str, str]) -> Paraphrases | None:
    """Which of the paraphrases `said`, by question, changed a fact, a denial or a claim. Checked once a study.

    None where nothing is examined on agreement, where there are none, and where there are no rules for the language.
    """
    real = {e.exchange_id: e.answer for e in study.held_out}
    rules = rules_for(real.values())
    if not said or not speaks_of_agreement(study) or isinstance(rules, NotExamined):
        return None

    def check() -> dict[str, list[str]]:
        embed = text_measures(study).vectors
        faults = {q: paraphrased(real[q], lambda _, q=q: said[q], rules, embed).faults for q in said if q in real}  # type: ignore[misc]
        # what a fault quotes are the person's words
        return {q: list(dict.fromkeys(f.partition(":")[0] for f in of)) for q, of in faults.items() if of}

    version = hashlib.sha256(json.dumps(sorted(said.items())).encode()).hexdigest()[:12]
    return Paraphrases(of=len(said), refused=study.made("paraphrases", check, version))
