"""README and CONTRIBUTING name only what is there."""

import importlib
import re

import pytest
from places import REPOSITORY

from ratf.suite.metrics import METRICS

PAGES = ["README.md", "CONTRIBUTING.md", "docs/ci.md", "docs/statistics.md", "docs/trust.md"]
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
