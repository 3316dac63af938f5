"""The documents name only what is there."""

import importlib
import re

import pytest
from places import REPOSITORY

from ratf.suite.metrics import METRICS

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in sorted((REPOSITORY / "docs").glob("*.md")))]
OURS = "raft|ratf|tasks|benchmarks|reports|tests|docs"


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_document_names_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text("utf-8")
    named = set(re.findall(rf"(?<![\w/.-])(?:{OURS})/[\w./-]*\w/?", text))
    known_to_inspect = {f"ratf/{name}" for name in ("interview", *METRICS)}
    assert sorted(p for p in named - known_to_inspect if not (REPOSITORY / p).exists()) == []


def test_every_test_that_is_named_for_a_fault_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (REPOSITORY / "docs" / "trust.md").read_text("utf-8"))
    missing = [f"{p}::{t}" for p, t in named if f"def {t}(" not in (REPOSITORY / p).read_text("utf-8")]
    assert len(named) > 19 and missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_python_name_that_a_document_names_is_there(page: str) -> None:
    for name in set(re.findall(r"`((?:raft|ratf)\.[a-z_]+\.[\w.]+)`", (REPOSITORY / page).read_text("utf-8"))):
        module, _, attribute = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ImportError:
            assert hasattr(importlib.import_module(module), attribute), f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_document_leads_somewhere(page: str) -> None:
    path = REPOSITORY / page
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
    for link in links:
        if link.startswith(("https://", "http://")):
            continue
        file, _, part = link.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{page}: {link}"
        if part:
            heads = re.findall(r"(?m)^#+ (.+)$", there.read_text("utf-8"))
            assert part in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, f"{page}: {link}"


def test_the_readme_is_short_and_names_every_page() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150
    assert [page for page in PAGES if page.startswith("docs/") and f"({page})" not in text] == []
