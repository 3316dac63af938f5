"""The answer in a reader's words, made from the verdict by rule, and the page that begins with it."""

from pathlib import Path
from typing import Literal

import pytest
from browser import axe, opened, overflow
from invented import invented
from playwright.sync_api import Browser

from ratf.reporting.page import render, sections_of
from ratf.reporting.top.answer import answer, cost, one_question
from ratf.results.results import Answer, AxisVerdict, Results, Scored, SecondLook, Spent, Verdict

METRICS = ("style_identity", "judge_stance")


def of(verdict: Verdict, axis: str = "voice", **more: object) -> Results:
    found = AxisVerdict(metric="style_identity", axis=axis, verdict=verdict, sentence="raft answered 0 of 9 questions")
    return invented(12, metrics=METRICS).model_copy(update={"axes": [found], "verdict": verdict, **more})


@pytest.mark.parametrize(
    ("verdict", "axis", "told"),
    [
        ("PASS", "voice", "raft sounds more like Tove Marrack than baseline does."),
        ("REGRESSION", "voice", "raft sounds less like Tove Marrack than baseline does."),
        ("PASS", "coverage", "raft makes more of Tove Marrack's points than baseline does."),
        ("REGRESSION", "coverage", "raft makes fewer of Tove Marrack's points than baseline does."),
        ("PASS", "agreement", "raft is nearer to Tove Marrack than baseline is."),
        ("INCONCLUSIVE", "voice", "12 questions show no clear difference between raft and baseline."),
        ("NOT MEASURED", "voice", "This was not measured: raft answered 0 of 9 questions."),
    ],
)
def test_each_verdict_has_a_sentence_that_needs_no_statistics(verdict: Verdict, axis: str, told: str) -> None:
    first, last = answer(of(verdict, axis))
    assert first.found == told
    assert last.heading == "What to do next" and last.found
    assert not any(
        word in first.found + first.scale + last.found for word in ("AUC", "Holm", "skill", "floor", "ceiling")
    )


def test_numbers_stand_on_a_scale_whose_ends_are_named() -> None:
    run = of("PASS")
    skills = {s.arm: s.skill for s in run.skill if s.metric == "style_identity"}
    (first, _) = answer(run)
    raft, baseline = (round(100 * (skills[arm] or 0)) for arm in ("raft", "baseline"))
    assert first.scale == (
        "On a scale from 0 (another person's answer) to 100 (Tove Marrack's own answer to another question), "
        f"raft has {raft} and baseline has {baseline}."
    )
    (without, _) = answer(run.model_copy(update={"skill": []}))
    assert without.scale.startswith(
        "On a scale up to 100, raft has 77 and baseline has 32. For comparison: the real answer has 92, another person's answer"
    )
    (silent, _) = answer(of("NOT MEASURED"))
    assert silent.scale == "", "what was not measured has no numbers"


@pytest.mark.parametrize(
    ("words", "holds", "told"),
    [
        ("raft also beats the best rival, rag_only", True, ", and more than rag_only does."),
        ("raft is not separable from the best rival, rag_only", True, "; no clear difference from rag_only was found."),
        ("raft is worse than the best rival, rag_only", False, "; rag_only does better."),
    ],
)
def test_the_best_rival_is_told(words: str, holds: bool, told: str) -> None:
    look = SecondLook(
        name="best rival", metric="style_identity", holds=holds, words=words, arm="rag_only", difference=0.1, low=0.0
    )
    assert answer(of("PASS", second_looks=[look]))[0].found.endswith(told)


def test_a_rival_whose_lead_is_not_shown_is_not_called_equal() -> None:
    look = SecondLook(
        name="best rival", metric="style_identity", holds=True, arm="rag_only", difference=-0.2, low=-0.4, high=-0.01,
        words="raft is not separable from the best rival, rag_only, as p is 0.04",
    )  # fmt: skip
    (said, _) = answer(of("PASS", second_looks=[look]))
    assert said.found.endswith("; rag_only scored better still, but that may be chance.")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("at the floor", ", but not if the answers without a score count as another person's would."),
        ("above nothing", ", but words that say nothing can score as much."),
    ],
)
def test_a_lead_that_does_not_stand_is_told_as_one(name: Literal["at the floor", "above nothing"], told: str) -> None:
    look = SecondLook(name=name, metric="style_identity", holds=False, words="…")
    assert answer(of("PASS", second_looks=[look]))[0].found.endswith(told)
    assert not answer(of("PASS", second_looks=[look.model_copy(update={"holds": True})]))[0].found.endswith(told)


@pytest.mark.parametrize(
    ("spent", "told"),
    [
        (None, "not counted"),
        (Spent(usd=1.25, tokens=120_000), "1.25 US$, 120,000 tokens"),
        (Spent(tokens=9), "price not known, 9 tokens"),
        (Spent(usd=0.0, tokens=0), "no model was asked: answers are from files, from code, or from an earlier start"),
    ],
)
def test_the_cost_is_on_the_first_screen(spent: Spent | None, told: str) -> None:
    run = of("PASS", budget=spent)
    assert cost(run) == told and f"cost: {told}" in render(run).partition("</header>")[0]


def test_what_to_do_next_follows_from_what_was_found() -> None:
    lost, open_, silent, fine = (
        answer(of(v))[-1].found for v in ("REGRESSION", "INCONCLUSIVE", "NOT MEASURED", "PASS")
    )
    assert "on which raft lost most" in lost and "Four times as many questions" in open_ and "run it again" in silent
    assert all("models.grader" in found for found in (lost, open_, silent, fine)), "nothing may speak of agreement"
    assert "read the 3 checks in doubt: One impostor, Order of texts, Unscored" in fine


def test_why_an_axis_was_not_measured_stands_beside_it() -> None:
    run = of("NOT MEASURED")
    assert answer(run)[0].scale == "", "most answers have a score, so that is not the reason"
    questions = [
        q.model_copy(update={"answers": {arm: _mute(a) for arm, a in q.answers.items()}}) for q in run.questions
    ]
    (first, last) = answer(run.model_copy(update={"questions": questions}))
    assert first.scale == f"{2 * len(questions)} of {2 * len(questions)} answers have no score: fewer than 50 words."
    assert "Name another model that can judge" in last.found, "the run's judge failed its exam"
    untried = run.model_copy(update={"exam": [], "more_exams": []})
    assert "Name a model that can judge" in answer(untried)[-1].found


def _mute(given: Answer) -> Answer:
    mute = Scored(value=None, why="fewer than 50 words")
    return given.model_copy(update={"scores": {**given.scores, "style_identity": mute}})


def test_results_of_before_verdicts_had_axes_keep_their_sentence() -> None:
    run = of("PASS", axes=[])
    assert answer(run) == [] and "raft beats baseline: +0.448" in render(run)


def test_one_question_has_the_real_answer_and_the_two_arms() -> None:
    run = invented(12, metrics=METRICS)
    found = one_question(run, run.questions[3].id)
    assert found is not None and found.question == run.questions[3]
    assert found.real == run.questions[3].real and [arm for arm, _ in found.arms] == ["raft", "baseline"]
    assert one_question(run, "nowhere") is None


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 800, 3), (390, 844, 6)])
def test_the_page_is_short_until_it_is_unfolded(
    browser: Browser, tmp_path: Path, width: int, height: int, most: int
) -> None:
    run = invented(60, metrics=METRICS)
    path = tmp_path / "report.html"
    path.write_text(render(run), "utf-8")
    with opened(browser, path, width=width, height=height) as page:
        assert page.evaluate("document.documentElement.scrollHeight") <= most * height
        told = page.locator(".answer").inner_text()
        assert "How it sounds" in told and "What to do next" in told
        assert page.get_by_role("heading", name="Tove Marrack, really").is_visible()
        box = page.locator(".answer").bounding_box()
        assert box is not None and box["y"] + box["height"] <= height
        folded = page.locator("details.part > summary").all_inner_texts()
        names = set(sections_of(run).values())
        shown = {name for text in folded for name in text.removeprefix("Nothing to show: ").split(", ")}
        assert shown == names, "the appendix is complete"
        page.locator("details.part > summary", has_text="Exams").click()
        assert page.get_by_text("Each metric and judge in its exam").is_visible()
        assert overflow(page) == []
        axe(page)
