"""What choices add up to: equivalence at the stated power, caricature, strengths, agreement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratf.results.results import Scored
from ratf.statistics.judges.votes import agreement, forced_choice, judging, power_of_equivalence, strengths

QUESTIONS, INTERVIEWS, RUNS = 60, 12, 400
CLUSTER = {f"q{i}": f"i{i % INTERVIEWS}" for i in range(QUESTIONS)}


def choices(rng: np.random.Generator, chosen: float) -> dict[str, float]:
    """A judge that makes up its mind: its two orders agree, and the arm is chosen that often."""
    return {q: float(rng.random() < chosen) for q in CLUSTER}


def conclusions(chosen: float) -> list[str]:
    rng = np.random.default_rng(5)
    return [forced_choice("raft", choices(rng, chosen), CLUSTER).says for _ in range(RUNS)]


def test_an_arm_that_answers_like_the_person_is_equivalent_at_the_stated_power() -> None:
    said = conclusions(0.5)
    stated = power_of_equivalence(0.5 / QUESTIONS**0.5, INTERVIEWS - 1)
    error = (stated * (1 - stated) / RUNS) ** 0.5
    # concluding equivalence and a difference at once is told as the difference: at most 5 % of the runs
    assert stated - 0.05 - 3 * error < said.count("equivalent") / RUNS < stated + 0.05 + 3 * error
    assert said.count("caricature") + said.count("told apart") <= RUNS * (0.05 + 2 * (0.05 * 0.95 / RUNS) ** 0.5)


def test_an_impostor_never_is() -> None:
    said = conclusions(0.08)
    assert "equivalent" not in said and said.count("told apart") > 0.99 * RUNS


def test_an_arm_preferred_to_the_person_is_a_caricature() -> None:
    assert conclusions(0.9).count("caricature") > 0.99 * RUNS


def test_one_interview_measures_nothing() -> None:
    told = forced_choice("raft", {"a": 1.0, "b": 0.0}, {"a": "i", "b": "i"})
    assert told.says == "not measured" and told.share == 0.5 and told.low is None
    assert forced_choice("raft", {}, {}).says == "not measured"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_stronger_arm_comes_out_stronger(seed: int) -> None:
    rng = np.random.default_rng(seed)
    games = [("a", "b", float(rng.choice([0.0, 0.5, 1.0], p=[0.1, 0.1, 0.8])), CLUSTER[q]) for q in CLUSTER]
    games += [("a", "c", 1.0, CLUSTER[q]) for q in CLUSTER] + [("b", "c", 0.9, CLUSTER[q]) for q in CLUSTER]
    first, second, third = strengths(games, seed=1, rounds=20)
    assert first.strength > second.strength > third.strength
    assert first.strength + second.strength + third.strength == pytest.approx(0, abs=1e-6)
    assert first.won["c"] == QUESTIONS and third.won["a"] == 0 and np.isfinite(third.strength)
    assert first.low is not None and first.high is not None and first.low <= first.strength <= first.high


def test_strengths_do_not_depend_on_who_is_named_first() -> None:
    games = [("a", "b", 0.75, "i1"), ("a", "b", 0.5, "i2")]
    turned = [("b", "a", 0.25, "i1"), ("b", "a", 0.5, "i2")]
    assert strengths(games, seed=1, rounds=50) == strengths(turned, seed=1, rounds=50)
    assert strengths([], seed=1) == []


def test_agreement_is_1_for_the_same_votes_and_low_for_opposite_ones() -> None:
    votes = {f"q{i}": float(i % 2) for i in range(20)}
    against = {q: 1 - v for q, v in votes.items()}
    same = agreement("judge_stance", {"x": votes, "y": dict(votes)})
    opposite = agreement("judge_stance", {"x": votes, "y": against})
    assert same and same.alpha == pytest.approx(1) and same.n == 20
    assert opposite and opposite.alpha is not None and opposite.alpha < 0
    assert agreement("judge_stance", {"x": votes}) is None
    nothing_shared = agreement("judge_stance", {"x": {"q1": 1.0}, "y": {"q2": 0.0}})
    assert nothing_shared and nothing_shared.alpha is None and nothing_shared.n == 0


def vote(grader: str, value: float, prompt: str) -> dict[str, object]:
    return {"grader": grader, "order": "as drawn", "value": value, "why": "", "prompt": prompt, "tokens": 10}


def test_a_comparison_seen_from_both_arms_counts_once() -> None:
    def won(arm: str, other: str, share: float) -> dict[str, dict[str, Scored]]:
        return {
            "judge_pairwise_won": {
                q: Scored(value=share, votes=[vote("g", share, f"{q}")], against={other: share})
                for q in CLUSTER  # type: ignore[list-item]
            }
        }

    scores = {"baseline": won("baseline", "raft", 0.25), "raft": won("raft", "baseline", 0.75)}
    told = judging(scores, CLUSTER, [], {"exam_calls": 0}, anyway=False, seed=1, margin=0.2)
    assert {s.arm: s.won for s in told.pairwise} == {"baseline": {"raft": 15}, "raft": {"baseline": 45}}
    assert told.spent["grading_calls"] == QUESTIONS and told.spent["grading_tokens"] == 10 * QUESTIONS


def test_what_masking_the_names_does_is_a_paired_difference() -> None:
    plain = {q: Scored(value=0.8) for q in CLUSTER}
    masked = {q: Scored(value=0.5) for q in list(CLUSTER)[:30]}
    scores = {"raft": {"judge_stance": plain, "judge_stance_masked": masked}}
    (told,) = judging(scores, CLUSTER, [], {}, anyway=False, seed=1, margin=0.2).masked
    assert (told.metric, told.arm, told.n) == ("judge_stance", "raft", 30) and told.difference == pytest.approx(0.3)
