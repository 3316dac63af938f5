"""The questions of the page in a browser: its controls, its addresses, hostile text, and how soon it is seen."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from asked import asked, scored
from browser import axe, overflow
from browser import opened as shown_on
from hostile import HOSTILE, hostile
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ratf.pages.redact import redacted
from ratf.reporting import files as report_files
from ratf.reporting.files import write_report
from ratf.reporting.page import render
from ratf.reporting.questions import questions_shown as every
from ratf.results.results import Results
from ratf.results.table import COLUMNS, rows

PAINT = 3
"""Times the bar: on a busy machine the first paint takes longer than on a quiet one."""


def sixty() -> Results:
    made = asked(60, length=0.6)
    questions = list(made.questions)
    for at, metric in ((3, "rouge_l"), (41, "rouge_1")):
        questions[at] = scored(questions[at], "raft", metric, value=None, why='the "why", =1+1')
    real = "We really think that the otter bank should hold, and it will."
    text = "Perhaps so. We think that the otter bank should hold, and it won't."
    for at in (7, 8, 20):
        questions[at] = questions[at].model_copy(update={"topic": "Weirs & eels"})
    answer = questions[5].answers["raft"].model_copy(update={"text": text})
    questions[5] = questions[5].model_copy(update={"real": real, "answers": {**questions[5].answers, "raft": answer}})
    return made.model_copy(update={"questions": questions})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(sixty(), questions=every(sixty(), ["talk-0-q002"])), "utf-8")
    return path


def opened(context: BrowserContext, path: Path, hash: str = "") -> tuple[Page, list[str]]:
    """The page, and whatever it did that it should not: requests elsewhere, errors, words on the console, dialogs."""
    page, trouble = context.new_page(), []
    page.set_default_timeout(60_000)
    folder = path.parent.as_uri()
    page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((folder, "blob:")) else None)
    page.on("console", lambda m: trouble.append(m.text))
    page.on("pageerror", lambda e: trouble.append(str(e)))
    page.on("dialog", lambda d: trouble.append(d.message))
    page.goto(path.as_uri() + hash)
    page.evaluate("document.querySelectorAll('details.part').forEach(d => { d.open = true })")
    return page, trouble


def shown(page: Page) -> list[str]:
    found = page.locator("#questions .q:not([hidden])").evaluate_all("all => all.map((q) => q.id)")
    assert isinstance(found, list)
    return found


def test_search_filters_and_order_are_kept_in_the_address(context: BrowserContext, report: Path) -> None:
    page, trouble = opened(context, report)
    status = page.locator("output")
    assert status.inner_text() == "60 of 60 questions shown" and status.get_attribute("aria-live") == "polite"
    page.get_by_role("checkbox", name="unscored").check()
    assert shown(page) == ["q-talk-0-q003", "q-talk-8-q041"]
    page.get_by_role("combobox", name="Interview").select_option(label="Talk 8")
    assert shown(page) == ["q-talk-8-q041"] and status.inner_text() == "1 of 60 questions shown"
    again, more = opened(context, report, "#" + page.url.partition("#")[2])
    assert shown(again) == ["q-talk-8-q041"] and again.get_by_role("checkbox", name="unscored").is_checked()
    page.get_by_role("combobox", name="Interview").select_option(label="all")
    page.get_by_role("checkbox", name="unscored").uncheck()
    page.get_by_role("combobox", name="Topic").select_option(label="Weirs & eels")
    assert len(shown(page)) == 3 and page.url.endswith("#?topic=Weirs+%26+eels")
    again, more = opened(context, report, "#" + page.url.partition("#")[2])
    assert len(shown(again)) == 3
    page.get_by_role("combobox", name="Topic").select_option(label="all")
    page.get_by_role("searchbox").fill("41: ")
    assert "q-talk-8-q041" in shown(page) and "q-talk-0-q003" not in shown(page)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Order").select_option("down")
    gaps = page.locator("#questions .q summary b").evaluate_all(
        "all => all.map((b) => Number(b.textContent.replace('−', '-')))"
    )
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 0 > gaps[-1]
    page.get_by_role("checkbox", name="regressed").check()
    assert shown(page) == ["q-talk-0-q002"]
    assert re.search(r"#\?sort=down&filter=regressed$", page.url)
    assert trouble == [] and more == []


def test_a_permalink_opens_its_question_whatever_was_filtered(context: BrowserContext, report: Path) -> None:
    page, trouble = opened(context, report, "#q-talk-6-q033")
    question = page.locator("#q-talk-6-q033")
    assert question.evaluate("q => q.open") and page.locator("#questions .q[open]").count() <= 2
    box = question.locator("summary").first.bounding_box()
    assert box is not None and -1 <= box["y"] < 400
    assert question.get_by_role("link", name="Permalink").get_attribute("href") == "#q-talk-6-q033"
    page.get_by_role("checkbox", name="unscored").check()
    assert shown(page) == ["q-talk-0-q003", "q-talk-8-q041"]
    page.evaluate("location.hash = '#q-talk-7-q037'")
    page.wait_for_function("document.getElementById('q-talk-7-q037').open")
    assert len(shown(page)) == 60 and trouble == []


def test_words_are_compared_and_marked_on_demand(context: BrowserContext, report: Path) -> None:
    page, trouble = opened(context, report, "#q-talk-1-q005")
    card = page.locator("#q-talk-1-q005 .as > div").nth(3)
    text = card.locator("p").first.inner_text()
    card.get_by_role("button", name="Compare").click()
    made = card.locator(".made")
    assert made.locator("del").all_inner_texts() == ["We really", "will."]
    assert made.locator("ins").all_inner_texts() == ["Perhaps so. We", "won't."]
    card.get_by_role("button", name="Mark style").click()
    marks = [(m.inner_text(), m.get_attribute("class")) for m in card.locator("mark").all()]
    assert marks == [("Perhaps", "against"), ("We t", "for")]
    assert card.locator(".made").inner_text() == text
    card.get_by_role("button", name="Mark style").press("Enter")
    assert card.locator(".made").count() == 0 and card.locator("p").first.inner_text() == text
    assert card.locator("p").nth(1).inner_text().startswith("Voice 0.")
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("#questions .q[open]").count() == 0
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("#questions .q[open]").count() == 60 and trouble == []


def test_the_scores_come_as_csv(context: BrowserContext, report: Path) -> None:
    page, trouble = opened(context, report)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    got = list(csv.reader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
    known = [
        ["" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v) for v in row[:-1]] for row in rows(sixty())
    ]
    assert waiting.value.suggested_filename == "scores.csv"
    assert got[0] == list(COLUMNS[:-1]), "a page does not know the digest of its run"
    rounded = [[*row[:8], f"{float(row[8]):.3f}" if row[8] else "", *row[9:]] for row in got[1:]]
    assert sorted(rounded) == sorted(known) and trouble == []


def test_without_scripts_everything_can_be_read(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page, trouble = opened(context, report, "#q-talk-6-q033")
    assert not page.locator("#questions form").is_visible()
    question = page.locator("#q-talk-6-q033")
    question.locator("summary").first.click() if not question.locator(".real").is_visible() else None
    texts = question.inner_text()
    made = sixty().questions[33]
    assert made.real in texts and made.answers["raft"].text in texts and "Compare with" not in texts
    question.locator(".m > summary").click()
    assert "2011-01-01" in question.inner_text() and trouble == []
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_text_runs_nothing_and_keeps_the_layout(browser: Browser, tmp_path: Path, width: int) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(hostile()), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, trouble = opened(context, path)
    title = page.title()
    page.get_by_role("button", name="Expand all").click()
    page.locator("#questions details").evaluate_all("all => all.forEach((d) => { d.open = true; })")
    for name in ("Compare with the real answer", "Mark style"):
        page.get_by_role("button", name=name).first.click()
    assert page.locator("#questions").evaluate("s => s.scrollWidth <= s.clientWidth && s.clientWidth <= innerWidth")
    assert page.locator("#questions .real p").first.inner_text().endswith(HOSTILE[-50_000:])
    assert page.title() == title and page.locator("img").count() == 0 and trouble == []
    id = page.locator("#questions .q").last.get_attribute("id")
    again, more = opened(context, path, "#" + quote(id or ""))
    assert again.locator("#questions .q").last.evaluate("q => q.open") and more == []
    context.close()


def first_paint(page: Page) -> float:
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    found = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return float(found) / 1000


def test_pages_are_seen_soon(context: BrowserContext, tmp_path: Path) -> None:
    path = write_report(asked(60), tmp_path / "report.html")
    assert first_paint(opened(context, path)[0]) <= 1 * PAINT
    results = asked(100, length=0.1)
    many = [q.model_copy(update={"id": f"{k:02d}-{q.id}"}) for k in range(50) for q in results.questions]
    results = results.model_copy(update={"questions": many})
    path.write_text(render(results, questions=every(results, folder="report-questions", questions=[])), "utf-8")
    page, trouble = opened(context, path)
    assert first_paint(page) <= 2 * PAINT
    page.get_by_role("searchbox").fill("99: ")
    assert page.locator("output").inner_text() == "50 of 5000 questions shown" and trouble == []


def test_a_list_of_many_leads_to_its_pages(
    context: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_files, "ONE_FILE", 100)
    path = write_report(asked(210, length=0.1), tmp_path / "report.html")
    page, trouble = opened(context, path)
    page.get_by_role("searchbox").fill("199: ")
    page.locator(".q:not([hidden]) a").last.click()
    page.wait_for_url("**/report-questions/0002.html#q-talk-39-q199")
    assert page.locator("#q-talk-39-q199").evaluate("q => q.open")
    page.get_by_role("link", name="The verdict and all questions").first.click()
    page.wait_for_url("**/report.html")
    there, more = opened(context, path, "#q-talk-41-q205")
    there.wait_for_url("**/report-questions/0003.html#q-talk-41-q205")
    assert there.locator("#q-talk-41-q205").evaluate("q => q.open")
    assert trouble == [] and more == []


def test_pages_of_many_questions_are_for_everybody(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_files, "ONE_FILE", 100)
    path = write_report(redacted(asked(210, length=0.1)), tmp_path / "report.html")
    second = tmp_path / "report-questions" / "0002.html"
    for file, part in ((path, "#questions"), (second, "body")):
        with shown_on(browser, file, tmp_path, width=390, height=844) as page:
            page.evaluate("document.querySelectorAll('details.part').forEach(d => { d.open = true })")
            assert overflow(page) == []
            axe(page, within=part)
            page.emulate_media(color_scheme="dark")
            axe(page, {"type": "rule", "values": ["color-contrast"]}, within=part)
    with shown_on(browser, path, tmp_path) as page:
        page.locator("details.part > summary", has_text="Questions").first.click()
        page.get_by_role("link", name="Skip the list of 210 questions").press("Enter")
        assert page.locator("#h-training").evaluate("h => h.getBoundingClientRect().top") < 800
        page.locator(".index a").nth(150).press("Enter")
        page.wait_for_url("**/0002.html#q-talk-30-q150")
        assert page.locator("#q-talk-30-q150").evaluate("q => q.open")
        page.get_by_role("link", name="Questions 201 to 210").last.press("Enter")
        page.wait_for_url("**/0003.html")
        page.get_by_role("button", name="Dark colours").press("Enter")
        page.get_by_role("link", name="Questions 101 to 200").first.press("Enter")
        page.wait_for_url("**/0002.html")
        assert page.locator("html").get_attribute("data-theme") == "dark", "what was switched stays switched"
    with shown_on(browser, second, tmp_path, java_script_enabled=False) as page:
        assert page.locator("button:visible").count() == 0
        page.locator(".q summary").first.click()
        assert "words left out, sha256" in page.locator(".q .real").first.inner_text()
