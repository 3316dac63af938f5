from itertools import product

from ratf.gate.policy import read_rule
from ratf.scores.scorers import MEASURES
from ratf.suite.arms import ARMS, CEILING, CONTRASTS, CONTROLS, FLOOR, NAMED
from ratf.suite.metrics import METRICS


def test_contrasts_are_between_different_arms_that_there_are() -> None:
    assert all(a != b and {a, b} <= ARMS.keys() for a, b in CONTRASTS)
    assert len({frozenset(pair) for pair in CONTRASTS}) == len(CONTRASTS)


def test_floor_and_ceiling_are_controls() -> None:
    assert {FLOOR, CEILING} <= CONTROLS.keys()


def test_no_name_is_both_an_arm_and_a_control() -> None:
    assert not ARMS.keys() & CONTROLS.keys()


def test_the_arms_are_every_training_with_every_kind_of_memories() -> None:
    cells = {(arm.training, arm.memories) for arm in ARMS.values()}
    assert cells == set(product(("none", "ft", "ft+mem"), ("none", "own", "shuffled", "impostor")))
    assert len(ARMS) == 12 and list(ARMS)[:4] == NAMED


def test_a_policy_can_say_every_arm() -> None:
    for arm in ARMS:
        rule = read_rule(f"{arm} better than baseline on style.identity", "critical")
        assert rule and rule.arm == arm


def test_every_metric_has_a_scorer_and_every_scorer_a_metric() -> None:
    assert MEASURES.keys() == METRICS.keys()
