"""The documents name only what is there."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from commands_shown import wrong_with
from documents import DOCS, PAGES, blocks, generated, make_docs, sentences, simple_commands, spans, text_of, words_of
from places import REPOSITORY

from raft.formats.yaml_file import read_keys
from ratf.gate.policy import load_policy, policy_schema, read_rule
from ratf.suite.metrics import METRICS
from ratf.suite.study import open_study
from ratf.sweep.schema import suite_schema
from ratf.sweep.sweep import crosses, open_sweep

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


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents with the pages that are made from the code."""
    folder = tmp_path_factory.mktemp("documents") / "docs"
    make_docs().assemble(folder, made=generated())
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_document_leads_somewhere(page: str, assembled: Path) -> None:
    path = assembled / page.removeprefix("docs/") if page.startswith("docs/") else REPOSITORY / page
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        file, _, part = link.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{page}: {link}"
        if part:
            heads = re.findall(r"(?m)^#+ (.+)$", there.read_text("utf-8"))
            assert part in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_document_shows_is_one(page: str) -> None:
    text = text_of(page)
    shown = [words for block in blocks(text, "sh") for words in simple_commands(block)]
    wrong = [(" ".join(words), problem) for words in shown if (problem := wrong_with(words))]
    # `raft` is an arm as well, so that a policy's rule may begin with it
    named = [span for span in spans(text) if re.match(r"(?:ratf|raft) ", span) and not read_rule(span, "critical")]
    wrong += [(s, found) for s in named for words in simple_commands(s) if (found := wrong_with(words, whole=False))]
    assert wrong == []


def _yaml_of(page: str) -> list[tuple[str, dict[str, Any]]]:
    """The blocks of YAML that a page shows, as written and as read."""
    read = [(block, yaml.safe_load(block)) for block in blocks(text_of(page), "yaml")]
    return [(block, value) for block, value in read if isinstance(value, dict)]


SUITE = suite_schema()


@pytest.mark.parametrize("page", PAGES)
def test_every_suite_and_policy_that_a_document_shows_can_be_read(page: str, tmp_path: Path) -> None:
    suite = jsonschema.Draft202012Validator(SUITE)
    parts = jsonschema.Draft202012Validator({k: v for k, v in SUITE.items() if k not in ("required", "if", "else")})
    for text, value in _yaml_of(page):
        path = tmp_path / "shown.yaml"
        path.write_text(text, "utf-8")
        plain = json.loads(json.dumps(value, default=str))
        if "name" in value and ("person" in value or "people" in value):
            suite.validate(plain)
            people = REPOSITORY / "benchmarks"
            # `finished`: the files of an agent of one's own need not be there
            open_sweep(path, people, finished=True) if crosses(read_keys(path).value) else open_study(
                path, people, finished=True
            )
        elif "critical" in value:
            jsonschema.Draft202012Validator(policy_schema()).validate(plain)
            load_policy(path)
        elif value.keys() <= SUITE["properties"].keys() - {"name"}:
            parts.validate(plain)


LONGEST = 35
"""The greatest number of words of a sentence."""


FORBIDDEN = (
    "what it is is",
    "tokens are at most",
    "rungs",
    " dice",
    "e.g.",
    "i.e.",
    "obviously",
    "of course",
    "simply ",
    "needless",
)
"""Words that no page should need; see "How we write" in CONTRIBUTING.md."""


@pytest.mark.parametrize("page", PAGES)
def test_the_documents_are_written_in_short_sentences(page: str) -> None:
    said = list(sentences(text_of(page)))
    assert [s for s in said if words_of(s) > LONGEST] == []
    if page != "CONTRIBUTING.md":
        assert [s for s in said for word in FORBIDDEN if word in s.casefold()] == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = text_of("README.md")
    assert len(text.splitlines()) <= 150
    assert [
        p.name
        for p in DOCS.rglob("*.md")
        if p.parent.name != "reference" and f"({p.relative_to(REPOSITORY)})" not in text
    ] == []
