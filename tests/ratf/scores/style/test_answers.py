import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratf.scores.style.answers import (
    PIECED,
    REASONS,
    Facts,
    Norms,
    Range,
    norms,
    on_topic,
    pairs,
    pieced,
    reason,
    refused,
    repeated,
    usual,
    words,
)
from ratf.scores.style.voice import LEAST

NUMBERS = st.floats(-10, 10)
OWN = Norms(topic=0.5, fluency=Range(-3.4, 0.3))
FINE = Facts(words=80, copied=0.1, repeated=0.0, topic=0.9, fluency=-3.2)


def test_an_ordinary_answer_is_one() -> None:
    assert reason(FINE, OWN) is None


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        (Facts(words=0), "empty"),
        (Facts(words=LEAST - 1, topic=0.9), "too short"),
        (Facts(words=80, copied=0.9), "copied"),
        (Facts(words=80, repeated=1.0), "same for other questions"),
        (Facts(words=80, pieced=0.97), "pieced together"),
        (Facts(words=80, topic=0.4), "off topic"),
        (Facts(words=80, fluency=-5.4), "not fluent"),
        (Facts(words=80, fluency=math.nan), "not fluent"),
        (Facts(words=80, fluency=-math.inf), "not fluent"),
        (Facts(words=80, copied=0.9, fluency=-9.0), "copied"),
    ],
)
def test_each_failure_has_its_name(facts: Facts, named: str) -> None:
    assert reason(facts, OWN) == named
    assert named in REASONS


def test_smooth_text_is_fluent_and_surprising() -> None:
    # machines are smoother than people: that is no reason to refuse them, and a metric of its own
    assert reason(Facts(words=80, fluency=-1.5), OWN) is None
    assert OWN.fluency is not None
    assert OWN.fluency.surprise(-1.5) == pytest.approx(OWN.fluency.surprise(-5.3))
    assert OWN.fluency.surprise(-3.4) == 0


def test_what_is_not_known_refuses_nobody() -> None:
    assert reason(Facts(words=80, topic=0.0, fluency=-9.0), norms([0.5] * 5, [-3.0] * 5)) is None
    assert reason(Facts(words=80), OWN) is None


@given(st.lists(st.floats(0, 1), min_size=40, max_size=200))
def test_few_of_the_person_s_own_answers_are_off_topic(topic: list[float]) -> None:
    made = norms(topic, [])
    assert refused([Facts(words=LEAST, topic=t) for t in topic], made)["off topic"] <= 0.05


def test_of_new_answers_like_the_old_ones_few_are_refused() -> None:
    """Over many people: one of them, with 24 answers to go by, may lose more."""
    draw, shares = np.random.default_rng(1), []
    for _ in range(300):
        old, new = draw.normal(-3.4, 0.3, 24), draw.normal(-3.4, 0.3, 200)
        shares.append(refused([Facts(words=90, fluency=float(x)) for x in new], norms([], old.tolist()))["not fluent"])
    assert np.mean(shares) <= 0.02 and np.quantile(shares, 0.95) <= 0.05


SAID = "We let the meadow flood and the river kept the town dry and nobody on the bank had to let the river go to sea"


@given(st.integers(0, 2**32 - 1))
def test_a_chain_of_somebodys_words_is_pieced_together(seed: int) -> None:
    draw, after = random.Random(seed), dict[str, list[str]]()
    for a, b in pairwise(SAID.lower().split()):
        after.setdefault(a, []).append(b)
    chain = ["we"]
    while len(chain) < 60:
        chain.append(draw.choice(after.get(chain[-1]) or ["we"]))
    known = {*pairs(SAID), ("sea", "we")}
    assert pieced(" ".join(chain), known) == 1 >= PIECED
    assert reason(Facts(60, pieced=1.0), OWN) == "pieced together"


def test_who_speaks_finds_new_pairs_of_words() -> None:
    found = pieced("The river kept nobody dry, and the meadow had to go.", frozenset(pairs(SAID)))
    assert found is not None and found == pytest.approx(6 / 10)
    assert pieced("Yes.", frozenset()) is None and pieced("", frozenset()) is None
    assert reason(Facts(60, pieced=0.945), OWN) is None


def test_the_price_of_a_check_does_not_depend_on_the_others() -> None:
    real = [Facts(words=10, copied=0.9), Facts(words=80, copied=0.9), Facts(words=80), Facts(words=80)]
    assert refused(real, OWN) == {**dict.fromkeys(REASONS, 0.0), "too short": 0.25, "copied": 0.5}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_norms_of_what_is_no_number_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        norms([bad] * 30, [])
    with pytest.raises(ValueError, match="not a number"):
        norms([], [bad] * 30)


@given(st.lists(NUMBERS, max_size=60))
def test_a_range_has_a_spread_or_is_none(values: list[float]) -> None:
    found = usual(values)
    assert found is None or (found.spread > 0 and min(values) <= found.centre <= max(values))


@given(st.lists(NUMBERS, min_size=20, max_size=60, unique=True), NUMBERS, st.floats(0.1, 10), NUMBERS)
def test_surprise_does_not_depend_on_the_unit(values: list[float], value: float, scale: float, shift: float) -> None:
    one, other = usual(values), usual([scale * v + shift for v in values])
    if one and other and one.spread > 1e-3:
        assert other.surprise(scale * value + shift) == pytest.approx(one.surprise(value), rel=1e-4, abs=1e-3)


def test_the_parrot_is_named_and_stock_phrases_are_not() -> None:
    parrot = "I have kept this weir for thirty years and I will keep it for thirty more if they let me."
    own = {f"q{n}": f"Answer {n}: " + " ".join(f"word{n}x{i}" for i in range(60)) for n in range(3)}
    assert set(repeated(dict.fromkeys("abc", parrot)).values()) == {1.0}
    assert all(x == 0 for x in repeated(own).values())
    stock = {q: f"{text} at the end of the day we do what we can do" for q, text in own.items()}
    assert all(x is not None and 0 < x < 0.5 for x in repeated(stock).values())


def test_the_same_short_answer_is_the_same_whatever_its_marks() -> None:
    assert repeated({"a": "Yes.", "b": "— yes!", "c": "No.", "d": "…"}) == {"a": 1.0, "b": 1.0, "c": 0.0, "d": None}


@given(st.dictionaries(st.text(max_size=3), st.text("ab .", max_size=60), max_size=6))
def test_repetition_is_a_share(answers: dict[str, str]) -> None:
    found = repeated(answers)
    assert found.keys() == answers.keys()
    assert all((x is None) == (words(answers[q]) == 0) and (x is None or 0 <= x <= 1) for q, x in found.items())


def test_nearer_to_its_own_question_than_to_others() -> None:
    questions = np.eye(4)
    answers = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]])
    assert on_topic(answers, questions, [0, 1, 2]) == pytest.approx([1.0, 1 / 3, 0.5])
    with pytest.raises(ValueError, match="fewer than two questions"):
        on_topic(answers[:, :1], questions[:1, :1], [0, 0, 0])
