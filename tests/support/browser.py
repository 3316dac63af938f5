"""Debian's chromium for tests of pages: pages that may ask for nothing but their own files, and axe on them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser; the test is skipped where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, folder: Path | None = None, width: int = 1280, height: int = 800, **context: Any
) -> Iterator[Page]:
    """A page of the disk. When it closes, it must have asked for nothing outside `folder`, and complained of nothing.

    Without a folder it may ask for itself alone. Keyword arguments are playwright's for a context.
    """
    own = browser.new_context(viewport={"width": width, "height": height}, **context)
    page = own.new_page()
    trouble: list[str] = []
    allowed = path.as_uri() if folder is None else f"{folder.as_uri()}/"
    page.on("request", lambda r: None if r.url.startswith((allowed, "blob:")) else trouble.append(f"asks for {r.url}"))
    page.on("requestfailed", lambda r: trouble.append(f"lacks {r.url}"))
    page.on("console", lambda m: trouble.append(f"{m.type}: {m.text}"))
    page.on("pageerror", lambda e: trouble.append(str(e)))
    page.goto(path.as_uri())
    try:
        yield page
    finally:
        own.close()
    assert trouble == [], f"{path.name}: {'; '.join(trouble)}"


def axe(page: Page, rules: dict[str, Any] = RULES, within: str = "html") -> None:
    """Fail with every violation of WCAG 2.1 A and AA, and of axe's best practices, and where it is.

    Whole pages take seconds: in another colour scheme nothing but the contrasts can differ.
    """
    page.evaluate(_axe())
    found = page.evaluate(
        f"axe.run({json.dumps(within)}, {{runOnly: {json.dumps(rules)}, resultTypes: ['violations']}})"
    )
    said = [
        f"{v['id']}: {v['help']}\n    " + "\n    ".join(str(n["target"][0]) for n in v["nodes"][:5])
        for v in found["violations"]
    ]
    assert said == [], f"axe finds {len(said)} violations:\n" + "\n".join(said)


def _axe() -> str:
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


def overflow(page: Page) -> list[str]:
    """What is wider than the window without a scrolling frame of its own; empty where nothing goes sideways."""
    if page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
        return []
    return list(
        page.evaluate(
            """[...document.querySelectorAll('body *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll'))
            .slice(-5).map(e => `${e.tagName} ${e.className} ${e.id}`)"""
        )
    ) or ["the page"]
