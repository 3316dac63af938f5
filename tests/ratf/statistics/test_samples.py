"""Several answers to a question: one number for it, and the parts of the variance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratf.results.results import Scored
from ratf.statistics.samples import averaged, of_first, spread, variance_parts

NUMBERS = st.floats(-100, 100, allow_nan=False, width=32)


def scored(*values: float | None) -> list[Scored]:
    return [Scored(value=v, why="" if v is not None else "parse") for v in values]


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_a_question_counts_once_with_its_mean(values: list[float]) -> None:
    assert averaged(scored(*values)).value == pytest.approx(np.mean(values), abs=1e-9)
    assert averaged(scored(*values, None)).value is None and averaged(scored(*values, None)).why == "parse"


def test_one_answer_stays_as_it_is() -> None:
    (one,) = scored(0.5)
    assert averaged([one]) is one and spread([[one], [one]]) == {}


def test_the_votes_on_every_answer_are_kept_and_say_which_it_was() -> None:
    votes = [[{"grader": "g", "order": "as drawn", "value": v}] for v in (1.0, 0.0)]
    both = [Scored(value=v[0]["value"], votes=v, against={"raft": v[0]["value"]}) for v in votes]  # type: ignore[arg-type]
    made = averaged(both)
    assert [(v["answer"], v["value"]) for v in made.votes] == [(1, 1.0), (2, 0.0)] and made.against == {"raft": 0.5}


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=2, max_size=8))
def test_equal_numbers_of_answers_give_the_mean_squares_of_an_analysis_of_variance(table: list[list[float]]) -> None:
    """σ²_s = MSW, σ²_q = (MSB - MSW) / N, from the textbook's sums of squares."""
    x = np.array(table, dtype=float)
    within = float(((x - x.mean(axis=1, keepdims=True)) ** 2).sum() / (len(x) * 2))
    between = float(3 * ((x.mean(axis=1) - x.mean()) ** 2).sum() / (len(x) - 1))
    found = spread([scored(*row) for row in table])
    assert found["sample"] == pytest.approx(within, abs=1e-6) and found["rating"] is None
    assert found["question"] == pytest.approx(max(0.0, (between - within) / 3), abs=1e-6)


def test_a_question_with_an_unscored_answer_has_no_part_in_it() -> None:
    whole = [scored(0.1, 0.2, 0.6), scored(0.4, 0.5, 0.5)]
    assert spread([*whole, scored(9.0, None, -9.0)]) == spread(whole) and spread([scored(None, 1.0)]) == {}


def test_what_graders_differ_by_is_not_the_models_dice() -> None:
    """Two graders, one always a point above the other, read in both orders; the answers themselves vary by nothing."""
    votes = [{"grader": g, "value": v} for g, v in (("a", 1.0), ("b", 2.0), ("a", 1.0), ("b", 2.0))]
    unread = [*votes[:3], {"grader": "b", "value": None}]
    same = [[Scored(value=1.5, votes=votes) for _ in range(3)] for _ in range(4)]
    assert spread(same) == {"question": 0.0, "sample": 0.0, "rating": pytest.approx(0.5)}
    alone = [[Scored(value=1.0, votes=unread) for _ in range(3)] for _ in range(4)]
    assert spread(alone)["rating"] is None, "a grader that could not be read in both orders gave no grade"


def test_parts_of_the_variance_are_found_again() -> None:
    random, shape = np.random.default_rng(0), (800, 4, 3)
    x = random.normal(0, 3, (800, 1, 1)) + random.normal(0, 2, (800, 4, 1)) + random.normal(0, 1, shape)
    parts = variance_parts(np.where(random.random(shape) < 0.2, np.nan, x))
    assert parts.question == pytest.approx(9, rel=0.15)
    assert parts.sample == pytest.approx(4, rel=0.15)
    assert parts.rating == pytest.approx(1, rel=0.15)
    single = variance_parts(x[:, :1, :1])
    assert single.sample is None and single.rating is None and single.question == pytest.approx(14, rel=0.2)


def test_a_judges_grade_of_the_answer_that_is_shown_is_its_votes_on_the_first() -> None:
    votes = [[{"grader": "g", "value": v}, {"grader": "g", "value": v}] for v in (1.0, 0.0, 0.0)]
    three = averaged([Scored(value=v[0]["value"], votes=v) for v in votes])  # type: ignore[arg-type]
    assert (three.value, of_first(three)) == (pytest.approx(1 / 3), 1.0)
    assert of_first(Scored(value=0.4, votes=votes[0])) == 0.4, "of one answer it is the score"
    lost = averaged([Scored(value=1.0, votes=votes[0]), Scored(value=None, why="parse")])
    assert of_first(lost) is None, "the answer that is shown is the one that went wrong"
