import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft.errors import DataError
from ratf.review.choices import alpha, alt_test, corrected_rate, d_prime, sensitivity_specificity
from ratf.review.packet import read_choices


def test_alpha_of_a_known_table() -> None:
    """Two coders, ten units, two categories: Krippendorff (2011), section B, gives 0.095."""
    a = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    b = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = alpha({n: {str(i): bool(v) for i, v in enumerate(c)} for n, c in (("a", a), ("b", b))})
    assert found == pytest.approx(0.095, abs=0.0005)


def test_alpha_is_not_defined_for_one_reader_or_one_answer() -> None:
    assert alpha({"a": {"1": True, "2": False}}) is None
    assert alpha({"a": {"1": True}, "b": {"1": True}}) is None
    assert alpha({"a": {"1": True}, "b": {"2": False}}) is None


def readers(seed: int, items: int = 200, right: float = 0.85) -> dict[str, dict[str, bool]]:
    draw = random.Random(seed)
    return {f"r{n}": {str(i): (i % 2 == 0) == (draw.random() < right) for i in range(items)} for n in range(5)}


def test_a_coin_never_stands_in_for_careful_readers_and_one_of_them_does() -> None:
    draw = random.Random(0)
    passed = {"coin": 0, "reader": 0}
    for seed in range(20):
        votes = readers(seed)
        coin = alt_test(votes, {str(i): draw.random() < 0.5 for i in range(200)})
        another = alt_test(votes, {str(i): (i % 2 == 0) == (draw.random() < 0.85) for i in range(200)})
        assert coin is not None and another is not None
        passed["coin"] += coin.passed
        passed["reader"] += another.passed
    assert passed["coin"] == 0 and passed["reader"] >= 18


def test_two_readers_are_too_few() -> None:
    assert alt_test({n: v for n, v in readers(1).items() if n in ("r0", "r1")}, {"0": True, "1": False}) is None


def test_errors_are_taken_out_of_a_rate() -> None:
    # a judge with sensitivity 0.8 and specificity 0.9 says yes in 0.8 * 0.6 + 0.1 * 0.4 of the cases
    assert corrected_rate(0.8 * 0.6 + 0.1 * 0.4, 0.8, 0.9) == pytest.approx(0.6)
    assert corrected_rate(0.5, 0.5, 0.5) is None
    assert sensitivity_specificity([True, True, False], [True, False, False]) == (0.5, 1.0)
    assert sensitivity_specificity([True], [True]) == (1.0, None)


@given(st.integers(0, 200), st.integers(0, 200))
def test_d_prime_is_antisymmetric(right: int, wrong: int) -> None:
    assert d_prime(right, wrong) == pytest.approx(-d_prime(wrong, right), abs=1e-9)


def test_a_cell_beyond_all_measure_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "choices.csv").write_text(f"packet,item,choice\nx,001,A\nx,002,{'A' * 2**20}\n")
    with pytest.raises(DataError, match=r"choices.csv:3: no table: field larger"):
        read_choices(tmp_path / "choices.csv")
