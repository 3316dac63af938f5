from ratf.arms import ARMS, CEILING, CONTRASTS, CONTROLS, FLOOR
from ratf.metrics import METRICS
from ratf.scorers import MEASURES


def test_contrasts_are_between_different_arms_that_there_are() -> None:
    assert all(a != b and {a, b} <= ARMS.keys() for a, b in CONTRASTS)
    assert len({frozenset(pair) for pair in CONTRASTS}) == len(CONTRASTS)


def test_floor_and_ceiling_are_controls() -> None:
    assert {FLOOR, CEILING} <= CONTROLS.keys()


def test_no_name_is_both_an_arm_and_a_control() -> None:
    assert not ARMS.keys() & CONTROLS.keys()


def test_what_is_learnt_with_memories_is_asked_with_memories() -> None:
    assert all(arm.memories == "own" for arm in ARMS.values() if arm.training == "ft+mem")


def test_every_metric_has_a_scorer_and_every_scorer_a_metric() -> None:
    assert MEASURES.keys() == METRICS.keys()
