"""Whether two runs measured the same thing, and by what they differ."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ratf.results.results import Results, dumps

NOT_MEASURING = ("name", "seed", "primary", "arms", "controls", "metrics")
"""Settings of a suite that change no score of an arm on a metric that both runs have; the seed is chance itself."""


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as `split.questions` and their values."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


OF_SYSTEM = ("models.base", "training", "memories", "answers", "split.training_exchanges")
"""Settings that make a system. All others say what is measured, also those that a later version adds."""


SAID_BEFORE = "answers.history"
"""An answer setting that changes the question, hence what is measured."""


VERSIONS = ("ratf", "rouge-score", "scikit-learn")
"""Packages that change scores."""


def run_digest(results: Results) -> str:
    """The digest of a run's results, by which it is known everywhere."""
    return hashlib.sha256(dumps(results).encode()).hexdigest()


def measured(results: Results) -> dict[str, Any]:
    """Everything that two runs must have in common to stand in one table."""
    settings = {key: value for key, value in flat(results.suite) if not _free(key)}
    facts = {name: {k: v for k, v in about.items() if k != "words"} for name, about in results.metrics.items()}
    versions = {f"version of {p}": results.environment[p] for p in VERSIONS if p in results.environment}
    return {**settings, "data": results.data_digest, "prompts": results.prompts_digest, "metrics": facts, **versions}


def _free(key: str) -> bool:
    if key == SAID_BEFORE:
        return False
    return any(key == f or key.startswith(f"{f}.") for f in (*NOT_MEASURING, *OF_SYSTEM))


def changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys of what two boards measured that differ."""
    return [k for k in sorted(was.keys() | now.keys()) if was.get(k) != now.get(k)]


def called(key: str) -> str:
    """A key of what is measured, in words."""
    return {
        "models.grader": "the judge",
        "rubrics": "the judges' rubrics",
        "data": "the data's digest",
        "prompts": "the prompts' digest",
    }.get(key, key)


def _differs(key: str, was: Any, now: Any) -> str:
    if key == "metrics":
        was, now = was or {}, now or {}
        return f"other metrics ({', '.join(changed(was, now))})"
    return f"{called(key)} was {_short(was)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
