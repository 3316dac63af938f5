"""The README's pictures, from a finished run and a site: `python docs/pictures.py RUN SITE` writes report.png and board.png.

Drives Debian's chromium. A picture is a part of this project, so none is written that shows anybody's own words.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from ratf.pages.redact import Mask, words_of
from ratf.reporting.page import render
from ratf.results.folder import open_run
from ratf.results.results import Results

SIZE = {"width": 1280, "height": 860}

SEEN = """
() => {
  const words = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const box = range.getBoundingClientRect();
    if (box.height && box.top < innerHeight) words.push(texts.currentNode.data);
  }
  return words.join(" ");
}
"""
"""The text in the picture."""


def take(browser: Browser, page: Path, results: Results, out: Path) -> None:
    """Take a picture of the top of a page, unless it shows words of the run's people."""
    mask = Mask(text for q in results.questions for text in words_of(results, q))
    view = browser.new_page(viewport=SIZE, color_scheme="light")
    view.goto(page.as_uri())
    mask.masked(view.evaluate(SEEN))
    if mask.count:
        sys.exit(f"{page}: the picture would show somebody's own words; make it lower than {SIZE['height']} pixels")
    view.screenshot(path=out)
    view.close()


def main(run: Path, site: Path) -> None:
    """Both pictures, beside this file."""
    results = open_run(run)
    here = Path(__file__).parent
    with TemporaryDirectory() as work, sync_playwright() as playwright:
        page = Path(work) / "report.html"
        page.write_text(render(results), "utf-8")
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        take(browser, page, results, here / "report.png")
        take(browser, (site / "index.html").resolve(), results, here / "board.png")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
