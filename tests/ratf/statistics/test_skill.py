import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratf.statistics.skill import fieller, skill

CLUSTER = {f"{g}-{i}": f"interview {g}" for g in range(8) for i in range(6)}


def around(mean: float, seed: int, spread: float = 0.2) -> dict[str, float]:
    draw = np.random.default_rng(seed)
    return {q: mean + draw.normal(0, spread) for q in CLUSTER}


def test_floor_is_0_ceiling_is_1_and_halfway_is_a_half() -> None:
    floor, ceiling = around(0.1, 1), around(0.9, 2)
    half = {q: (floor[q] + ceiling[q]) / 2 for q in CLUSTER}
    for arm, expected in ((floor, 0.0), (ceiling, 1.0), (half, 0.5)):
        found = skill("m", "raft", arm, floor, ceiling, CLUSTER)
        assert found is not None and found.skill == pytest.approx(expected)
        assert found.low is not None and found.high is not None
        # each of these is known without error, whatever the spread: numerator and denominator move together
        assert found.high - found.low < 1e-6


def test_more_like_the_person_than_the_person_is_flagged() -> None:
    floor, ceiling = around(0.1, 1), around(0.9, 2)
    for arm, above in ((0.7, False), (1.2, True)):
        found = skill("m", "raft", around(arm, 3), floor, ceiling, CLUSTER)
        assert found is not None and found.skill is not None and found.above_ceiling is above == (found.skill > 1)


def test_it_is_refused_where_ceiling_and_floor_are_not_separable() -> None:
    found = skill("m", "raft", around(0.5, 1), around(0.5, 2), around(0.52, 3), CLUSTER)
    assert found is not None and (found.skill, found.low, found.high) == (None, None, None)
    assert "not separable" in found.reason


def test_it_is_refused_where_the_ceiling_is_below_and_with_one_interview() -> None:
    below = skill("m", "raft", around(0.5, 1), around(0.9, 2), around(0.1, 3), CLUSTER)
    assert below is not None and below.skill is None and "below the floor" in below.reason
    one = skill("m", "raft", around(0.5, 1), around(0.1, 2), around(0.9, 3), dict.fromkeys(CLUSTER, "one"))
    assert one is not None and one.skill is None and "single interview" in one.reason
    assert skill("m", "raft", {}, around(0.1, 2), around(0.9, 3), CLUSTER) is None


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_the_scale_of_the_scores_does_not_matter(factor: float, shift: float) -> None:
    def moved(scores: dict[str, float]) -> dict[str, float]:
        return {q: factor * s + shift for q, s in scores.items()}

    sides = [around(0.6, 1), around(0.1, 2), around(0.9, 3)]
    one, two = (skill("m", "raft", *of, CLUSTER) for of in (sides, [moved(s) for s in sides]))
    assert one is not None and two is not None
    assert (one.skill, one.low, one.high) == pytest.approx((two.skill, two.low, two.high), rel=1e-6)


def test_fieller_by_hand() -> None:
    # with no error in the denominator it is the plain interval of the numerator, divided
    assert fieller(1.0, 2.0, np.array([[0.04, 0.0], [0.0, 0.0]]), 2.0) == pytest.approx((0.3, 0.7))


def test_intervals_cover_what_they_say() -> None:
    rounds, covered = 500, 0
    for seed in range(rounds):
        draw = np.random.default_rng(seed)
        shift = {g: draw.normal(0, 0.1, 3) for g in sorted(set(CLUSTER.values()))}
        sides = [
            {q: m + shift[g][n] + draw.normal(0, 0.2) for q, g in CLUSTER.items()}
            for n, m in enumerate((0.5, 0.1, 0.9))
        ]
        found = skill("m", "raft", *sides, CLUSTER)
        assert found is not None and found.low is not None and found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert abs(covered / rounds - 0.95) < 3 * (0.05 * 0.95 / rounds) ** 0.5
