"""What the person said when a question was asked again, in another interview: how far she agrees with herself."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

import numpy as np

from raft.types import Exchange
from ratf.agents.given.repeats import repeats
from ratf.results.exams import Exam, Repeat, Repeats, SaidBefore
from ratf.scores.coverage import Beside
from ratf.scores.measures import OF_TEXTS, coverage, text_measures, warm
from ratf.statistics.contrasts import Scores
from ratf.suite.study import Study

MOST = 30
"""So many repeats are kept, those with the nearest questions."""


SAME, ELSE = "half_reworded", "own_topic"
"""Half of an answer in other words, and the person's other answers on the topic: an answer given again that is nearer to
the first than to the second says the same."""


def repeats_of(study: Study, scores: Scores, exams: Iterable[Exam]) -> Repeats:
    """The questions asked again, with both answers, and on how many the person agrees with herself.

    By each metric that is admitted for coverage and reads nothing but two texts: an answer agrees with the earlier one
    where it scores above the middle between `SAME` and `ELSE`.
    """
    asked = {e.exchange_id: e for e in (*study.earlier, *study.held_out)}

    def find() -> dict[str, Any]:
        vectors = text_measures(study).vectors([e.question for e in asked.values()])
        found = repeats(list(asked.values()), np.stack(vectors))
        pairs = [(r.later.exchange_id, r.earlier.exchange_id, round(r.similarity, 4)) for r in found.found]
        return {"pairs": pairs, "reason": found.reason}

    made = study.made("repeats", find)
    pairs = [(asked[later], asked[earlier]) for later, earlier, _ in made["pairs"]]
    middles = {
        e.metric: middle
        for e in exams
        if e.axis == "coverage" and e.admitted and e.metric in (*OF_TEXTS, "sentence_coverage")
        if (middle := _middle(scores, e.metric)) is not None
    }
    values = {metric: _scores(study, metric, pairs) for metric in middles}
    agrees = {m: sum(v is not None and v > middles[m] for v in of) for m, of in values.items()}
    found = [
        Repeat(
            later=_said(later),
            earlier=_said(earlier),
            similarity=similarity,
            scores={m: v for m, of in values.items() if (v := of[i]) is not None},
        )
        for i, ((later, earlier), (_, _, similarity)) in enumerate(zip(pairs, made["pairs"], strict=True))
    ]
    return Repeats(
        found=found[:MOST], of=len(found), agrees=agrees if found else {}, middles=middles, reason=made["reason"]
    )


def _middle(scores: Scores, metric: str) -> float | None:
    sides = [[s.value for s in scores.get(c, {}).get(metric, {}).values() if s.value is not None] for c in (SAME, ELSE)]
    return round((fmean(sides[0]) + fmean(sides[1])) / 2, 6) if all(sides) else None


def _scores(study: Study, metric: str, pairs: list[tuple[Exchange, Exchange]]) -> list[float | None]:
    texts = text_measures(study)
    read = [Beside(earlier.answer.strip(), later.answer, later.question) for later, earlier in pairs]
    warm(study, read, [metric])
    of_texts = OF_TEXTS.get(metric)
    given = [of_texts(texts, b.answer, b.real) if of_texts else coverage(study, b) for b in read]
    numbers = [g[0] if isinstance(g, tuple) else g for g in given]
    return [round(n, 6) if isinstance(n, float) else None for n in numbers]


def _said(exchange: Exchange) -> SaidBefore:
    return SaidBefore(
        id=exchange.exchange_id,
        interview_id=exchange.interview_id,
        date=exchange.date.isoformat() if exchange.date else None,
        question=exchange.question,
        answer=exchange.answer,
    )
