"""Runs for a leaderboard that never were: arms of a known skill between a floor and a ceiling."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from planted import make

from ratf.results.results import Results, Spent
from ratf.statistics.skill import skill
from ratf.suite.arms import CEILING, FLOOR

INTERVIEWS, EACH = 8, 3
LOW, HIGH = 0.3, 0.7
"""The true means of floor and ceiling."""


def planted(
    skills: Mapping[str, float],
    seed: int = 0,
    metrics: Sequence[str] = ("style_identity",),
    admitted: Sequence[str] = ("style_identity",),
    model: str = "local/b",
    person: str = "marrack",
    settings: dict[str, Any] | None = None,
    world: int = 0,
    **changes: Any,
) -> Results:
    """A run whose arms have these true skills. `world`: the seed of the questions, which runs of one board share."""
    interviews = [f"{person}-{i}" for i in range(INTERVIEWS) for _ in range(EACH)]
    shared = np.random.default_rng(world)
    hard = np.repeat(shared.normal(0, 0.04, INTERVIEWS), EACH) + shared.normal(0, 0.06, len(interviews))
    ends = {FLOOR: LOW, CEILING: HIGH}
    controls = {c: mean + hard + _noise(shared, len(hard)) for c, mean in ends.items()}
    own = np.random.default_rng([seed, 7])
    arms = {a: LOW + s * (HIGH - LOW) + hard + _noise(own, len(hard)) for a, s in skills.items()}
    scores = {name: dict.fromkeys(metrics, values) for name, values in {**arms, **controls}.items()}
    models = {"base": model, "embedder": "local/e", "grader": "openai/g"}
    about = {"person": person, "impostors": ["pell"], "models": models, "seed": seed, **(settings or {})}
    parts: dict[str, Any] = {"person": {"key": person, "name": person.title()}, "data_digest": f"data-{person}"}
    made = make(scores, interviews, about, **{**parts, **changes})
    exams = [e.model_copy(update=_passed(e.metric in admitted)) for e in made.exam]
    found = [_skill(made, m, arm) for m in metrics if m in admitted for arm in skills]
    budget = Spent(usd=round(0.5 + seed / 10, 2), tokens=120_000)
    return made.model_copy(update={"exam": exams, "skill": found, "budget": budget})


def _noise(random: np.random.Generator, n: int) -> np.ndarray:
    return np.repeat(random.normal(0, 0.05, INTERVIEWS), EACH) + random.normal(0, 0.1, n)


def _passed(admitted: bool) -> dict[str, Any]:
    words = (
        "the lower end 0.80 is above the bar of 0.6" if admitted else "the AUC's lower end 0.41 is not above the bar"
    )
    return {"admitted": admitted, "low": 0.8 if admitted else 0.41, "auc": 0.9 if admitted else 0.55, "reason": words}


def _skill(results: Results, metric: str, arm: str) -> Any:
    def numbers(name: str) -> dict[str, float]:
        rows = {q.id: q.answers[name].scores[metric].value for q in results.questions}
        return {q: v for q, v in rows.items() if v is not None}

    cluster = {q.id: q.interview_id for q in results.questions}
    return skill(metric, arm, numbers(arm), numbers(FLOOR), numbers(CEILING), cluster)
