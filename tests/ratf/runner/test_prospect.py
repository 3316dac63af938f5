"""The sentence at the end of a plan: what the run can show, or that it is not worth starting."""

from collections import Counter
from pathlib import Path

import pytest

from ratf.runner.plan import plan
from ratf.runner.prospect import prospect
from ratf.statistics.power import PLANNED_ICC, planned_sd, smallest
from ratf.suite.study import open_study


def told(suite: Path) -> str:
    study = open_study(suite)
    return prospect(plan(study), list(Counter(e.interview_id for e in study.held_out).values()))


def held_out(tiny: Path, interviews: int) -> Path:
    text = tiny.read_text("utf-8").replace("held_out_interviews: 2, questions: 4", f"held_out_interviews: {interviews}")
    tiny.write_text(text, "utf-8")
    return tiny


def test_one_interview_shows_nothing(tiny: Path) -> None:
    assert told(held_out(tiny, 1)).startswith("This run cannot show any difference: one held-out interview")


def test_two_interviews_are_not_worth_an_hour(tiny: Path) -> None:
    said = told(held_out(tiny, 2))
    assert "under 0.76, and the whole scale is 1: that is nearly everything. Stop here" in said
    number = int(said.split("bring more first: ")[1].split()[0])
    least = {n: smallest([7] * n, planned_sd("sentence_coverage"), PLANNED_ICC) for n in (number - 1, number)}
    assert (least[number] or 1) <= 0.25 < (least[number - 1] or 1)


def test_a_run_that_can_show_something_says_what(tiny: Path) -> None:
    said = told(held_out(tiny, 4))
    assert said.startswith("This run can show a difference of 0.16 or more in Sentences covered") and "Stop" not in said


@pytest.mark.parametrize("metric", ["style_identity", "judge_stance"])
def test_the_primary_metric_decides(tiny: Path, metric: str) -> None:
    held_out(tiny, 2)
    tiny.write_text(tiny.read_text("utf-8") + f"primary: {{metric: {metric}}}\n", "utf-8")
    assert "that is more than everything" in told(tiny)
