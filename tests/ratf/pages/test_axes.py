"""Loss curves: where their lines stand on axes that all arms share."""

import re
from itertools import accumulate, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ratf.pages.axes import round_ticks
from ratf.reporting.plots import curves, path_of
from ratf.results.results import Tuned


def tuned(losses: list[float], validation: list[tuple[int, float]] | None = None, arm: str = "raft") -> Tuned:
    return Tuned(arm=arm, digest="d", samples=9, losses=losses, validation=validation or [])


def places(path: str) -> list[tuple[int, int]]:
    """Where a path of ours goes, from its steps."""
    numbers = [int(n) for n in re.findall(r"-?\d+", path)]
    return list(zip(accumulate(numbers[::2]), accumulate(numbers[1::2]), strict=True))


def test_arms_share_the_scale_and_the_steps() -> None:
    made = curves([tuned([4.0, 3.0, 2.0]), tuned([3.0, 2.5, 2.0, 1.5, 1.0])])
    first, second = (places(arm["raw"]) for arm in made["arms"])
    assert len(first) == 3 and len(second) == 5 and second[-1][0] == made["width"] == 2 * first[-1][0]
    assert first[1] == (1, second[0][1]), "a loss of 3 stands as high in both"
    assert [t["text"] for t in made["left"]] == ["2", "4"] and [t["text"] for t in made["bottom"]] == ["1", "3", "5"]
    assert [t["at"] for t in made["bottom"]] == [0, 50, 100]
    assert abs(made["left"][1]["at"] - first[0][1]) <= 1, "the label is where the loss is"


def test_what_was_watched_has_the_same_axes_from_step_0_on() -> None:
    (arm,) = (made := curves([tuned([3.0, 2.0, 1.0], [(0, 3.0), (3, 2.0)])]))["arms"]
    assert places(arm["watched"])[0] == (0, places(arm["raw"])[0][1]) and places(arm["watched"])[1][0] == 3
    assert places(arm["raw"])[0][0] == 1 and made["bottom"][0]["text"] == "0"


def test_many_steps_are_drawn_in_few_points_with_a_running_mean() -> None:
    noisy = [3 - i / 5000 + (-1) ** i for i in range(5000)]
    (arm,) = curves([tuned(noisy)])["arms"]
    assert arm["each"] == 42 and len(places(arm["raw"])) == 120 and len(arm["raw"]) < 1000
    assert arm["over"] == 625 and len(places(arm["mean"])) <= 41 and places(arm["mean"])[-1][0] == 240
    assert abs(arm["ends"][0] - 3) < 0.1 and abs(arm["ends"][1] - 2) < 0.1
    (few,) = curves([tuned([3.0, 2.0])])["arms"]
    assert few["mean"] == "" and few["ends"] == (3, 2)


def test_no_losses_no_axes() -> None:
    made: dict[str, Any] = curves([tuned([])])
    assert made["left"] == [] and len(made["arms"]) == 1 and curves([])["arms"] == [] and path_of([]) == ""
    (one,) = curves([tuned([2.0])])["arms"]
    assert re.fullmatch(r"M0 \d+l0 0", one["raw"])


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_axes_have_a_few_round_numbers_that_are_on_them(low: float, length: float) -> None:
    ticks = round_ticks(low, low + length)
    assert 2 <= len(ticks) <= 4 and low <= ticks[0] and ticks[-1] <= low + length
    gaps = {f"{b - a:.1e}" for a, b in pairwise(ticks)}
    assert len(gaps) == 1 and re.match(r"(1|2|2\.5|5)(\.0)?e", gaps.pop())
