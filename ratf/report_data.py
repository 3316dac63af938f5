"""The scores of a page as JSON inside it. Texts are in the page once, as text; all of it is in `results.json`."""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ratf.page_words import title
from ratf.report_flags import Brief
from ratf.report_questions import BESIDE, shown_metrics, silent_metrics
from ratf.results import Question, Results
from ratf.style import WORDS

DIGITS = 3
"""Scores are whole numbers, of units of the last of so many decimals: half the bytes."""


def page_data(results: Results, listed: Sequence[Brief], questions: Sequence[Question]) -> Markup:
    """What the page's script needs and cannot read in the text. A list of thousands gives no `questions`, so no scores."""
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
    """arm → metric → a score for each question, null where there is none; and why: (arm, metric, reason, questions)."""
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
