"""Every kind of page in a browser: axe, the keyboard, no scripts, a phone, paper."""

import io
from functools import partial
from pathlib import Path

import pytest
from browser import axe, opened, overflow
from invented import ASKED, invented, other_judge
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from ratf.boards.leaderboard import leaderboard
from ratf.boards.site import site, write_site
from ratf.reporting.files import write_report
from ratf.reporting.history import past
from ratf.reporting.page import render
from ratf.results.comparable import run_digest
from ratf.results.results import save
from ratf.review.packet import make_key, write_packet

QUESTIONS = 12
METRICS = ("style_identity", "judge_stance")
LAST = ASKED[(QUESTIONS - 1) % len(ASKED)]
Pages = dict[str, tuple[Path, Path | None]]
PAGES = ("report", "index", "person", "system", "packet")
SAYS = {
    "report": ("PASS", LAST),
    "index": ("Nearest to the person", "How to read it"),
    "person": ("Tove Marrack", "How to read it"),
    "system": ("raft", "badges/"),
    "packet": ("Tove Marrack", LAST),
}
"""Words that stand near the start of each page, and at its end."""

CONTROLS = """() => {
  const radios = new Set();
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}))
    .filter(e => e.type !== 'radio' || (!radios.has(e.name) && radios.add(e.name)))
    .map((e, i) => { e.dataset.tab = i; return `${e.tagName} ${(e.textContent || e.name || e.id).trim().slice(0, 40)}`; });
}"""
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  if (e === document.body) return null;
  const box = e.getBoundingClientRect();
  const seen = e.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return [e.dataset.tab ?? '', seen && box.width > 0 && box.right > 0, `${e.tagName} ${e.textContent.trim().slice(0, 40)}`];
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of runs that never were, each with the folder that it may read."""
    folder = tmp_path_factory.mktemp("pages").resolve()
    about = (("marrack", "local/b", 1), ("pell", "local/b", 2), ("marrack", "local/b", 3))
    runs = [invented(QUESTIONS, *of, metrics=METRICS) for of in about]
    runs.append(other_judge(invented(QUESTIONS, day=4, metrics=METRICS)))
    reports = {run_digest(r)[:12]: partial(write_report, r) for r in runs}
    board = leaderboard(runs, {run_digest(runs[0]): ["style_identity"]})
    write_site(site(board), folder / "site", reports)
    raft = next(s.id for s in board.systems.values() if s.arm == "raft" and s.model == "local/b")
    for i, run in enumerate(runs):
        save(run, folder / f"run-{i}" / "results.json")
    history = past(runs[0], folder / "run-0", [folder / "run-2", folder / "run-3"])
    (folder / "report.html").write_text(render(runs[0], runs=history), "utf-8")
    packet, _ = write_packet(make_key(runs[0], "raft"), folder / "packet", folder / "keys")
    inside = folder / "site"
    return {
        "report": (folder / "report.html", None),
        "index": (inside / "index.html", inside),
        "person": (inside / "persons" / "marrack.html", inside),
        "system": (inside / "systems" / f"{raft}.html", inside),
        "packet": (packet, None),
    }


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, *pages[name], color_scheme="light") as page:
        unfold(page)
        axe(page)
        page.emulate_media(color_scheme="dark")
        axe(page, {"type": "rule", "values": ["color-contrast"]})


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_is_enough(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, *pages[name]) as page:
        controls = page.evaluate(CONTROLS)
        reached: list[int] = []
        for _ in range(3 * len(controls) + 20):
            page.keyboard.press("Tab")
            at = page.evaluate(FOCUSED)
            if at is None or (reached and at[0] == "0"):
                break
            assert at[1], f"focus is not seen on {at[2]}"
            if at[0]:
                reached.append(int(at[0]))
        missed = [c for i, c in enumerate(controls) if i not in reached]
        assert missed == [] and reached == sorted(reached), f"not reached, or out of order: {missed}"
        _operate(page)


def _operate(page: Page) -> None:
    """Enter and Space do what a click does."""
    for summary, key in zip(page.locator("summary:visible").all()[:2], ("Enter", "Space"), strict=False):
        is_open = "e => e.parentElement.open"
        before = summary.evaluate(is_open)
        summary.press(key)
        assert summary.evaluate(is_open) != before
        summary.press(key)
    for box in page.locator("input[type=checkbox]:visible, input[type=radio]:visible").all()[:1]:
        box.press("Space")
        assert box.is_checked()
    skip = page.locator("a.skip")
    if skip.count():
        skip.press("Enter")
        assert page.evaluate("document.querySelector(location.hash).getBoundingClientRect().top") < 800


@pytest.mark.parametrize("name", PAGES)
def test_it_is_read_without_scripts(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, *pages[name], java_script_enabled=False) as page:
        assert page.locator("h1").count() == 1 and page.locator("h1").is_visible()
        assert page.locator("html").get_attribute("lang") == "en" and page.title()
        for part in page.locator("details.part > summary").all():
            part.click()
        text = page.locator("body").inner_text()
        assert all(words in text for words in SAYS[name])
        assert page.locator("button:visible").count() == 0, "a button that does nothing"


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_does_not_scroll_sideways(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, *pages[name], width=390, height=844) as page:
        assert overflow(page) == []
        unfold(page)
        assert overflow(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_it_can_be_printed(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, *pages[name], color_scheme="dark") as page:
        printed = [p.extract_text() for p in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    text = " ".join(" ".join(printed).split())
    assert printed and all(p.strip() for p in printed), "an empty sheet"
    assert all(words in text for words in SAYS[name])


def test_a_permalink_opens_its_question(browser: Browser, pages: Pages) -> None:
    path, _ = pages["report"]
    last = invented(QUESTIONS).questions[-1]
    with opened(browser, path) as page:
        page.goto(f"{path.as_uri()}#q-{last.id}")
        box = page.locator(f"[id='q-{last.id}']").bounding_box()
        assert box is not None and -1 <= box["y"] < 800
        assert page.locator(f"[id='q-{last.id}']").get_by_text(last.real).is_visible()
