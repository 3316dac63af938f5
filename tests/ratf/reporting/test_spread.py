"""The split of the variance on the page: only where questions were answered several times, and readable."""

from pathlib import Path

import numpy as np
import planted
import pytest
from browser import axe, opened, overflow
from playwright.sync_api import Browser

from ratf.reporting.files import write_report
from ratf.reporting.page import render
from ratf.reporting.spread import Split, sentence, split, splits
from ratf.results.results import Results

PARTS = {"question": 0.09, "sample": 0.03, "rating": None}


def several(samples: int = 3, variance: dict[str, float | None] = PARTS) -> Results:
    """Two arms on two metrics, in 4 interviews of 5 questions, each answered three times."""
    draw = np.random.default_rng(4)
    scores = {a: {m: draw.uniform(size=20) for m in ("style_identity", "rouge_l")} for a in ("raft", "baseline")}
    made = planted.make(scores, [f"i{n // 5}" for n in range(20)], {"answers": {"samples": samples}})
    arms = {
        name: arm.model_copy(
            update={"metrics": {m: c.model_copy(update={"variance": variance}) for m, c in arm.metrics.items()}}
        )
        for name, arm in made.arms.items()
    }
    return made.model_copy(update={"arms": arms})


def test_shares_are_those_of_one_answer_and_of_the_mean() -> None:
    found = split(PARTS, 3)
    assert found == Split(0.3, pytest.approx(0.03**0.5), None, pytest.approx(0.25), pytest.approx(0.1))
    graded = split({"question": 0.0, "sample": 0.0, "rating": 0.0}, 3)
    assert graded and (graded.one, graded.mean) == (None, None), "where nothing varies, nothing is dice"
    assert split({}, 3) is None and split({"question": None, "sample": 0.1, "rating": None}, 3) is None


def test_the_sentence_is_about_the_arms_of_the_verdict() -> None:
    assert sentence(several()) == (
        "In Voice, the same question answered anew makes 25 % of the variance of raft’s single answers and 25 % of the variance "
        "of baseline’s single answers; in the mean of 3 answers it makes 10 % and 10 %."
    )
    assert "could not be split" in sentence(several(variance={}))


def test_a_page_of_single_answers_has_no_such_section() -> None:
    once = render(several(samples=1, variance={}))
    assert "h-spread" not in once and ".split {" not in once and "first is shown" not in once
    assert list(splits(several(), "rouge_l")) == ["raft", "baseline"]


def test_the_section_is_readable_on_a_desk_and_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    path = write_report(several(), tmp_path / "report.html")
    with opened(browser, path) as page:
        for part in ("Dice", "Questions"):
            page.locator("details.part > summary", has_text=part).first.click()
        section = page.locator("section[aria-labelledby=h-spread]")
        assert "Every arm answered each question 3 times" in section.inner_text()
        assert section.locator("td b").all_inner_texts() == ["25 %", "25 %"]
        section.locator("summary").click()
        assert "rouge_l" in section.locator("table").nth(1).inner_text()
        assert "Of the 3 answers that an arm gave, the first is shown" in page.locator("#questions").inner_text()
        axe(page, within="section[aria-labelledby=h-spread]")
        page.set_viewport_size({"width": 390, "height": 844})
        assert overflow(page) == []
