"""Metrics that point opposite ways, planted."""

from typing import Any

import numpy as np
import pytest
from planted import make
from scipy.stats import spearmanr

from ratf.results.results import Results
from ratf.statistics.disagreement import SHOWN, disagreement

INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(4)]


def run(
    differences: dict[str, Any], admitted: tuple[str, ...] | None = None, auc: dict[str, float] | None = None
) -> Results:
    """A run whose arms differ so, question by question."""
    base = np.full(len(next(iter(differences.values()))), 0.5)
    arms = {"raft": {m: base + d for m, d in differences.items()}, "baseline": dict.fromkeys(differences, base)}
    results = make(arms, INTERVIEWS[: len(base)])
    passed = differences if admitted is None else admitted
    exam = [
        e.model_copy(update={"admitted": e.metric in passed, "auc": (auc or {}).get(e.metric, 0.9)})
        for e in results.exam
    ]
    return results.model_copy(update={"exam": exam})


def noise(seed: int) -> Any:
    return np.random.default_rng(seed).normal(0.2, 0.01, len(INTERVIEWS))


def test_the_planted_question_stands_first_with_both_sides() -> None:
    style, rouge = noise(0), noise(1)
    style[7], rouge[7] = 0.4, -0.3
    found = disagreement(run({"style_identity": style, "rouge_l": rouge}))
    assert found is not None and found.admitted and (found.questions, found.opposite) == (24, 1)
    first = found.splits[0]
    assert first.question.id == "i1-q007"
    assert (first.ahead.metric, first.behind.metric) == ("style_identity", "rouge_l")
    assert first.behind.difference == pytest.approx(-0.3)
    assert first.behind.standardised == pytest.approx(-0.3 / rouge.std(ddof=1))
    assert first.gap == pytest.approx(first.ahead.standardised - first.behind.standardised)


def test_metrics_that_agree_have_no_splits() -> None:
    found = disagreement(run({"style_identity": noise(0), "rouge_l": noise(0) * 2}))
    assert found is not None and found.splits == [] and found.opposite == 0
    assert found.agreement[0].rho == pytest.approx(1)


def test_lower_is_better_is_turned_round() -> None:
    worse = disagreement(run({"style_identity": noise(0), "judge_identity_brier": noise(0)}))
    assert worse is not None and worse.opposite == len(INTERVIEWS)
    assert worse.agreement[0].rho == pytest.approx(-1)


def test_correlation_is_spearmans_with_ties() -> None:
    style = np.round(np.random.default_rng(3).uniform(-1, 1, 24), 1)
    rouge = np.round(np.random.default_rng(4).uniform(-1, 1, 24), 1)
    found = disagreement(run({"style_identity": style, "rouge_l": rouge}))
    assert found is not None and found.agreement[0].rho == pytest.approx(float(spearmanr(style, rouge)[0]))
    few = disagreement(run({"style_identity": style[:6], "rouge_l": rouge[:6]}))
    assert few is not None and few.agreement[0].rho is None and few.agreement[0].n == 6


def test_with_one_admitted_the_best_of_each_family_speak_and_that_is_told() -> None:
    made = {"style_identity": noise(0), "rouge_1": noise(1), "rouge_l": noise(2), "copying": noise(3)}
    found = disagreement(run(made, admitted=("style_identity",), auc={"rouge_1": 0.6, "rouge_l": 0.7}))
    assert found is not None and not found.admitted and found.metrics == ["style_identity", "rouge_l"]


def test_at_most_so_many_are_shown_the_widest_first() -> None:
    found = disagreement(run({"style_identity": noise(0), "rouge_l": -noise(1)}))
    assert found is not None and len(found.splits) == SHOWN and found.opposite == 24
    gaps = [s.gap for s in found.splits]
    assert gaps == sorted(gaps, reverse=True)


def test_one_metric_or_scores_without_spread_say_nothing() -> None:
    assert disagreement(run({"style_identity": noise(0)})) is None
    assert disagreement(run({"style_identity": noise(0), "rouge_l": np.zeros(24)})) is None
    lost = noise(1)
    lost[1:] = np.nan
    assert disagreement(run({"style_identity": noise(0), "rouge_l": lost})) is None
