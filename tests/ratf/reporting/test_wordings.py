"""What readers of the page stumbled over, each with a test: numbers that cannot be, words that run together."""

import html
import re
from pathlib import Path

import pytest
from browser import opened, overflow
from invented import invented
from playwright.sync_api import Browser

from ratf.gate.gate import check
from ratf.models.prices import dollars
from ratf.pages.text import interval
from ratf.reporting.markdown import markdown
from ratf.reporting.page import columns, render
from ratf.reporting.top.trust import checks
from ratf.results.exams import Exam, Share
from ratf.results.results import Cell, Results, Spent
from ratf.statistics.verdict import signed


def words_of(page: str) -> str:
    bare = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", bare)))


def with_cell(results: Results, arm: str, metric: str, cell: Cell) -> Results:
    one = results.arms[arm].model_copy(update={"metrics": {**results.arms[arm].metrics, metric: cell}})
    return results.model_copy(update={"arms": {**results.arms, arm: one}})


def test_the_glossary_keeps_a_metrics_title_and_its_name_apart() -> None:
    told = words_of(render(invented()))
    assert "Voice style_identity" in told.partition("The metrics in plain words")[2]


def test_why_a_metric_was_refused_does_not_run_into_the_legend() -> None:
    results = invented()
    refused = [
        e.model_copy(update={"admitted": False, "reason": "0.56 is not above the bar, 0.6"}) for e in results.exam
    ]
    page = render(results.model_copy(update={"exam": refused}))
    assert re.search(r"not above the bar, 0\.6\.</em></p>\s*<p class=legend>\s*<span class=\"key key-floor\">", page)


def test_an_interval_does_not_end_where_no_score_can_be() -> None:
    beyond = Cell(mean=0.99, low=0.953, high=1.027, n=12, interviews=6, unscored=0)
    assert (interval(beyond, 1.0), interval(beyond), interval(beyond, 2.0)) == (
        "≥ 0.95",
        "0.95 to 1.03",
        "0.95 to 1.03",
    )
    results = with_cell(invented(), "raft", "style_identity", beyond)
    assert "1.03" not in words_of(render(results)) and "≥ 0.95" in words_of(render(results))
    told = markdown(results, check(results, None, None))
    assert "1.03" not in told and "≥ 0.95" in told


@pytest.mark.parametrize(("flips", "state"), [(8, "fine"), (20, "doubt"), (34, "doubt")])
def test_a_judge_that_turns_with_the_order_is_no_tick(flips: int, state: str) -> None:
    results = invented()
    exams = [
        e.model_copy(
            update={
                "judge": e.judge.model_copy(
                    update={
                        "graders": [
                            g.model_copy(
                                update={
                                    "order_flips": Share(k=flips, n=34, share=flips / 34, low=0.1, high=0.9),
                                    "faults": [],
                                }
                            )
                            for g in e.judge.graders
                        ]
                    }
                )
            }
        )
        for e in results.exam
        if e.judge
    ]
    (told,) = (c for c in checks(results.model_copy(update={"exam": exams})) if c.name == "Order of texts")
    assert told.state == state and f"{flips} of 34" in told.words


def test_a_voice_that_was_told_from_one_impostor_alone_is_in_doubt() -> None:
    sat = Exam(
        metric="style_identity", axis="voice", auc=0.95, low=0.9, high=1.0, admitted=True, reason="", bar=0.9, n=60,
        interviews=6, unscored=0,
    )  # fmt: skip
    run = invented().model_copy(update={"exam": [sat], "impostors": {"pell": "Conrad Pell"}})
    (told,) = (c for c in checks(run) if c.name == "One impostor")
    assert told.state == "doubt" and "Conrad Pell alone" in told.words
    two = {"impostors": {"pell": "Conrad Pell", "rudge": "Bettany Rudge"}}
    refused = {"exam": [sat.model_copy(update={"admitted": False})]}
    for other in (two, {"strangers": {"rudge": "Bettany Rudge"}}, refused):
        assert not [c for c in checks(run.model_copy(update=other)) if c.name == "One impostor"]


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        (Spent(usd=1.0), "no limit was set"),
        (Spent(usd=1.0, limits={"usd": 5.0, "tokens": 2e6}), "5.00 US$ and 2,000,000 tokens not reached"),
    ],
)
def test_a_budget_is_not_reached_only_where_one_was_set(spent: Spent, words: str) -> None:
    (told,) = (c for c in checks(invented().model_copy(update={"budget": spent})) if c.name == "Budget")
    assert (told.state, told.words) == ("fine", words)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((-0.0001, None, None), "+0.000 [no interval]"),
        ((-0.0004, -0.1, 0.1), "+0.00 [-0.10, 0.10]"),
        ((0.5, -0.001, 1.0), "+0.50 [0.00, 1.00]"),
        ((-0.2, -0.3, -0.0001), "-0.20 [-0.30, 0.00]"),
    ],
)
def test_no_zero_is_below_zero(numbers: tuple[float, float | None, float | None], told: str) -> None:
    assert signed(*numbers) == told


def test_the_first_lines_say_what_was_not_measured() -> None:
    head = words_of(render(invented()).partition("</header>")[0])
    assert "Not measured: what the answers say. No metric of the suite asks that" in head


def test_numbers_about_contamination_have_minus_signs_and_no_zero_below_zero() -> None:
    run = invented()
    assert run.contamination is not None
    sign = run.contamination.signs[0].model_copy(update={"difference": -0.0001, "low": -0.02})
    told = words_of(
        render(run.model_copy(update={"contamination": run.contamination.model_copy(update={"signs": [sign]})}))
    )
    assert "−0.020, 0.040]" in told and "-0.000" not in told and "-0.020" not in told


def test_numbers_about_retrieval_have_minus_signs() -> None:
    assert "−0.0880 to 0.1120" in words_of(render(invented()))


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        (0.0, "0.00"),
        (0.01, "0.01"),
        (0.0104, "0.0104"),
        (0.00001, "0.0001"),
        (0.5, "0.50"),
        (0.999999, "1.00"),
        (1234.5, "1,234.50"),
    ],
)
def test_small_amounts_are_told_apart_from_their_limit(usd: float, told: str) -> None:
    assert dollars(usd) == told


def test_the_arms_of_the_verdict_are_the_first_columns() -> None:
    assert columns(invented()) == ["raft", "baseline", "rag_only", "finetune_only"]


def test_on_a_narrow_screen_the_headline_is_free_and_the_primary_arm_is_seen(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(invented(12)), "utf-8")
    with opened(browser, path, width=390, height=844) as page:
        button, verdict = page.locator("#theme").bounding_box(), page.locator("h1").bounding_box()
        assert button and verdict and button["y"] + button["height"] <= verdict["y"]
        for table in ("#h-table", "#h-skill"):
            head = page.locator(f"section:has({table}) th", has_text=re.compile("^raft$")).first.bounding_box()
            assert head and head["x"] + head["width"] <= 390, table
        assert overflow(page) == []
