"""How long work will still take, and under which names it is shown."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft import console
from raft.progress import renamed, to_go


@pytest.mark.parametrize(
    ("seconds", "done", "total", "left"),
    [(10, 0, 10, None), (10, 1, 10, 90), (10, 1, 11, None), (10, 8, 90, None), (30, 15, 20, 10), (30, 20, 20, None)],
)
def test_the_rest_is_told_after_a_tenth_of_the_work(seconds: float, done: int, total: int, left: float | None) -> None:
    assert to_go(seconds, done, total) == left


@given(st.lists(st.floats(0.8, 1.2), min_size=20, max_size=200))
def test_steps_that_take_about_as_long_as_each_other_are_told_within_half_as_much_again(took: list[float]) -> None:
    for done in range(1, len(took)):
        left = to_go(sum(took[:done]), done, len(took))
        assert left is None or 1 / 1.51 <= left / sum(took[done:]) <= 1.51


def test_lines_say_what_is_done_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "EVERY_SECONDS", 0.05)
    monkeypatch.setenv("CI", "1")
    shown = renamed(console.progress(), {"tuning": "teaching the voice"})
    with shown("tuning", 4, "steps") as advance:
        time.sleep(0.2)
        advance(1)
        time.sleep(0.2)
    told = capsys.readouterr().err
    assert "teaching the voice: 4 steps" in told and "1 of 4 steps after 0 s, about" in told and "tuning" not in told
