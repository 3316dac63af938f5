"""The README's pictures: `python docs/pictures.py RUN SITE` writes report.png, board.png and explain.svg.

The first two are of a finished run and a site, the third is of what `raft import --explain` says of an invented file.

Drives Debian's chromium. A picture is a part of this project, so none is written that shows a real person's own words.
"""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

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
    """Take a picture of the top of a page, unless it shows words of the run's people, where these are real."""
    mask = Mask(text for q in results.questions for text in words_of(results, q))
    view = browser.new_page(viewport=SIZE, color_scheme="light")
    view.goto(page.as_uri())
    mask.masked(view.evaluate(SEEN))
    if mask.count and not results.fictional:
        sys.exit(f"{page}: the picture would show somebody's own words; make it lower than {SIZE['height']} pixels")
    view.screenshot(path=out)
    view.close()


TALK = """\
The Kiln Hour

2021-05-04

ODA MARSH, HOST: Who lit the kiln this morning?

TOBIAS FENN, POTTER: I did, before anybody was up, and it sulked for an hour.

MARSH: Does it do that often?

FENN: [laughs] Every spring, when the wood is wet.

WOMAN IN AUDIENCE: Is it old?

FENN: Older than the three of us together.
"""


def explain(out: Path) -> None:
    """Write what `raft import --explain` prints as an SVG, without fonts from elsewhere."""
    with TemporaryDirectory() as work:
        (Path(work) / "kiln-hour.txt").write_text(TALK, "utf-8")
        command = [sys.executable, "-m", "raft.cli", "import", "kiln-hour.txt", "--explain", "--target", "fenn"]
        said = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
    screen = Console(record=True, width=92, file=io.StringIO())
    screen.print(f"$ raft import {' '.join(command[4:])}", style="bold", highlight=False)
    screen.print(said.stdout + said.stderr, highlight=False, markup=False)
    drawn = screen.export_svg(title="raft import --explain", unique_id="explain")
    out.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), "utf-8")


def main(run: Path, site: Path) -> None:
    """Write the pictures beside this file."""
    explain(Path(__file__).parent / "explain.svg")
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
