"""What the page says of training and memories, with four arms and with twelve."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import invented
from planted import make
from playwright.sync_api import sync_playwright

from ratf.gate.gate import check
from ratf.pages.axes import scale
from ratf.reporting.markdown import markdown
from ratf.reporting.page import render
from ratf.reporting.plots import interaction_plot, lines, plot
from ratf.results.results import Cell, Results
from ratf.review.statistics import statistics
from ratf.suite.arms import ARMS, NAMED

INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(4)]


def run(arms: list[str], interviews: list[str] = INTERVIEWS) -> Results:
    random = np.random.default_rng(1)
    hard = random.normal(0.4, 0.1, len(interviews))
    raised = {arm: 0.1 * (ARMS[arm].training != "none") + 0.1 * (ARMS[arm].memories == "own") for arm in arms}
    scores = {
        arm: {m: hard + by + random.normal(0, 0.03, len(hard)) for m in ("style_identity", "rouge_l")}
        for arm, by in raised.items()
    }
    return make(scores, interviews)


def section(results: Results) -> str:
    page = render(results)
    assert 'id="h-attribution"' in page
    return page[page.index('id="h-attribution"') :].split("</section>")[0]


@pytest.mark.parametrize(("arms", "of_training"), [(NAMED, 2), (list(ARMS), 3)])
def test_every_arm_is_a_point_with_a_title_and_a_number(arms: list[str], of_training: int) -> None:
    said = section(run(arms))
    assert said.count("<title>") == len(arms) and all(f"<title>{arm}: 0." in said for arm in arms)
    assert all(f"<small>{arm}</small>" in said for arm in arms), "the table has the same"
    assert said.count("<polyline") == 2 * of_training, "a line in the plot and its mark in the table"
    assert "Raised by: fine-tuning +0." in said and ("mixed" in said) == (arms == NAMED)


@pytest.mark.parametrize("missing", ["rag_only", "finetune_only"])
def test_a_missing_arm_leaves_its_place_empty(missing: str) -> None:
    said = section(run([arm for arm in NAMED if arm != missing]))
    assert "–</td>" in said and f"<small>{missing}</small>" not in said


def test_without_effects_the_section_says_why() -> None:
    page = render(run(["raft", "baseline"]))
    assert "cannot be told apart here" in page and "effect</th>" not in page
    assert "cannot be told apart here" in render(run(NAMED).model_copy(update={"attribution": None}))


def test_a_single_interview_shows_means_without_intervals() -> None:
    said = section(run(NAMED, ["i0"] * 5))
    assert "A single interview gives no interval" in said and 'class="reach"' not in said and "no interval" in said


def test_a_metric_that_is_not_admitted_proves_nothing() -> None:
    results = run(NAMED)
    refused = [e.model_copy(update={"admitted": False}) for e in results.exam]
    assert "Not admitted" not in section(results)
    assert "Not admitted" in section(results.model_copy(update={"exam": refused}))


def test_lines_are_of_trainings_and_what_is_two_recipes_is_told_to_be() -> None:
    assert [(name, mixed) for name, _, mixed in lines(NAMED)] == [
        ("untrained", False),
        ("fine-tuned, each in its own form", True),
    ]
    assert [len(arms) for _, arms, _ in lines(list(ARMS))] == [4, 4, 4]
    assert [name for name, _, _ in lines(["raft", "raft_none", "finetune_only"])] == [
        "fine-tuned",
        "fine-tuned with memories",
    ]
    assert interaction_plot(run(["raft"]), "style_identity") is None


@given(st.lists(st.floats(-50, 50).map(lambda x: round(x, 4)), min_size=1))
def test_the_axis_holds_all_numbers_between_round_ticks(numbers: list[float]) -> None:
    low, high, step = scale(numbers)
    assert low <= min(numbers) + 1e-9 and max(numbers) - 1e-9 <= high
    assert 1 <= round((high - low) / step) <= 7 and low / step == pytest.approx(round(low / step), abs=1e-6)


def test_it_fits_a_narrow_screen(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    (tmp_path / "page.html").write_text(render(run(list(ARMS))), "utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto((tmp_path / "page.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        sizes = page.evaluate(
            "[...document.querySelectorAll('.attribution figure text')].map(t => t.getBoundingClientRect().height)"
        )
        browser.close()
    assert min(sizes) >= 11


def test_markdown_says_it_in_a_paragraph() -> None:
    results = run(list(ARMS))
    said = markdown(results, check(results))
    assert "**What made it so**, on style_identity. Raised by: fine-tuning +0." in said and len(said.splitlines()) <= 60
    assert "What made it so" not in markdown(run(["raft", "baseline"]), check(run(["raft", "baseline"])))


def test_effects_that_were_tampered_with_are_found() -> None:
    results = run(NAMED)
    assert dict(statistics(results, {}))["statistics: attribution"] == []
    assert results.attribution
    first, *rest = results.attribution.effects
    better = results.attribution.model_copy(update={"effects": [first.model_copy(update={"effect": 0.9}), *rest[1:]]})
    told = dict(statistics(results.model_copy(update={"attribution": better}), {}))["statistics: attribution"]
    assert any("effect fine-tuning: effect is 0.9" in t for t in told) and any("one side only" in t for t in told)
    boast = results.attribution.model_copy(update={"words": "Everything is told apart."})
    assert any(
        "words" in t
        for t in dict(statistics(results.model_copy(update={"attribution": boast}), {}))["statistics: attribution"]
    )


def test_small_scores_without_a_ceiling_have_an_axis_of_their_own() -> None:
    results = invented(12, metrics=("style_identity", "rouge_l"))
    small = {name: Cell(mean=m, low=m - 0.02, high=m + 0.02, n=12, interviews=6, unscored=0) for name, m in
             (("baseline", 0.01), ("raft", 0.03), ("real", 0.9), ("impostor_near", -0.03))}  # fmt: skip
    arms = {n: results.arms[n].model_copy(update={"metrics": {"rouge_l": c}}) for n, c in small.items()}
    facts = {**results.metrics, "rouge_l": {**results.metrics["rouge_l"], "axis": "coverage", "top": 1}}
    drawn = plot(results.model_copy(update={"arms": arms, "metrics": facts}), "rouge_l")
    assert [t["text"] for t in drawn["ticks"]] == ["−0.04", "0", "0.04"]
    rows = {row["name"]: row for row in (*drawn["rows"], *drawn["others"])}
    assert rows["baseline"]["at"] < rows["raft"]["at"] < rows["real"]["at"] == 100
    assert all(0 <= row[end] <= 100 for row in rows.values() for end in ("low", "at", "high"))
