"""The documents as a site: what is made from the code is whole, and the generator finds nothing wrong."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import DOCS, files, generated, make_docs, text_of
from typer.main import get_command

import raft
import ratf
from raft.cli import app as raft_app
from ratf.cli import app as ratf_app
from ratf.gate.policy import FORMS
from ratf.pages.glossary import TERMS
from ratf.results.results import EXIT_CODES
from ratf.suite.arms import ARMS, CONTROLS
from ratf.suite.metrics import LADDERS, METRICS
from ratf.suite.rubric import shipped
from ratf.suite.suite import Suite
from ratf.sweep.schema import MADE_BY_READING
from ratf.sweep.sweep import Crossing

make = make_docs()


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The pages that are made from the code."""
    return generated()


@pytest.mark.parametrize(("name", "app"), [("ratf", ratf_app), ("raft", raft_app)])
def test_every_command_and_option_is_in_the_reference(made: dict[str, str], name: str, app: typer.Typer) -> None:
    page = made[f"reference/{name}.md"]
    for called, command in _all_commands(name, get_command(app)):
        assert f"# {called}\n" in page
        part = page.partition(f"# {called}\n")[2].partition("\n## ")[0]
        for option in (o for p in command.params for o in p.opts if o.startswith("--")):
            assert re.search(rf"[`,] ?{option}\b", part), f"{called} {option}"


def _all_commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner in getattr(command, "commands", {}).values():
        yield from _all_commands(f"{name} {inner.name}", inner)


def test_every_key_of_a_suite_is_in_the_reference_with_its_meaning(made: dict[str, str]) -> None:
    page = made["reference/suite.md"]
    keys = Suite.model_fields.keys() - set(MADE_BY_READING) | Crossing.model_fields.keys()
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", page))
    assert keys <= rows.keys()
    assert [key for key, words in re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", page) if words.startswith("*")] == []
    assert all(f"## {part}" in page for part in ("split", "memories", "training", "answers", "models", "primary"))


def test_the_other_tables_have_every_name(made: dict[str, str]) -> None:
    tables = made["reference/tables.md"]
    for name in (*ARMS, *CONTROLS, *METRICS, *(f"judge_{rubric}" for rubric in shipped())):
        assert f"`{name}`" in tables
    assert all(f"`{example}`" in made["reference/policy.md"] for _, example in FORMS.values())
    python = made["reference/python.md"]
    assert all(f"### {p.__name__}.{name}\n" in python for p in (ratf, raft) for name in p.__all__)
    assert "`verdict`" in made["reference/results.md"] and "## Contrast" in made["reference/results.md"]


def test_the_glossary_explains_the_words_of_pages_and_documents(made: dict[str, str]) -> None:
    axes = {axis for m in METRICS.values() for axis in (m.axis, *m.also) if axis} | {"agreement"}
    assert axes - TERMS.keys() == set() and axes <= LADDERS.keys() | {"facts"}
    assert EXIT_CODES.keys() - TERMS.keys() == set()
    assert list(TERMS) == sorted(TERMS, key=str.casefold)
    assert all(f"| {word} | {means} |" in made["glossary.md"] for word, means in TERMS.items())
    for page in ("README.md", "docs/start.md"):
        rows = re.findall(r"(?m)^\| ([\w ]+) \| (.+) \|$", text_of(page).partition("| word | means |")[2])
        told = {word: means.replace("`", "") for word, means in rows if word in TERMS}
        assert len(told) >= 5, page
        for word, means in told.items():
            assert means.casefold().rstrip(".") == TERMS[word].casefold().rstrip("."), f"{page}: {word}"


def test_every_page_is_in_the_navigation(made: dict[str, str]) -> None:
    nav = tomllib.loads((DOCS / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    named = re.findall(r"[\w/-]+\.md", json.dumps(nav))
    there = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")} | {p for p in made if p.endswith(".md")}
    assert len(named) == len(set(named)) and there ^ set(named) == set(), "nav of docs/zensical.toml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, made: dict[str, str]) -> Path:
    try:
        version("zensical")
    except PackageNotFoundError:
        pytest.skip("zensical is not installed; it is in the extra `dev`")
    folder = tmp_path_factory.mktemp("documents")
    assert make.build(folder, made=made) == 0, "a warning is an error"
    return folder


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = files(site / "site")
    assert {p.removesuffix(".md") + ".html" for p in files(site / "docs") if p.endswith(".md")} <= pages
    assert {"clone.py", "notebook.ipynb", "report.png", "ci/policy.yaml", "reference/suite.schema.json"} <= pages
    assert not {"make.py", "pictures.py", "zensical.toml"} & pages
    for page in (p for p in pages if p.endswith(".html")):
        text = (site / "site" / page).read_text("utf-8")
        loading = re.findall(r"<(?:script|img|iframe|source|link)\b[^>]*>", text)
        assert [tag for tag in loading if re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag)] == [], page


def test_a_wrong_link_ends_the_build(site: Path, made: dict[str, str], tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    with (docs / "faq.md").open("a", encoding="utf-8") as page:
        page.write("\nSee [nowhere](nowhere.md).\n")
    assert make.build(tmp_path / "built", docs, made) != 0
