"""The documents as their tests read them: pages, blocks of code, sentences."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from places import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(p.relative_to(REPOSITORY).as_posix() for p in DOCS.rglob("*.md"))]


@cache
def make_docs() -> ModuleType:
    """The script `docs/make.py`."""
    spec = importlib.util.spec_from_file_location("make_docs", DOCS / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def generated() -> dict[str, str]:
    """The pages that are made from the code."""
    return dict(make_docs().generated())


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```", text)


def simple_commands(block: str) -> Iterator[list[str]]:
    """The commands of a shell block in words, without comments, redirections and variables before them."""
    for line in block.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        skip = False
        for word in lexer:
            if word in (">", ">>", "<"):
                skip = True
            elif skip:
                skip = False
            elif word in ("|", "&&", "||", ";"):
                yield words
                words = []
            elif words or "=" not in word:
                words.append(word)
        yield words


def spans(text: str) -> list[str]:
    """The spans of code in running text."""
    return [" ".join(s.split()) for s in re.findall(r"`([^`]+)`", re.sub(r"(?s)```.*?```", "", text))]


def sentences(text: str) -> Iterator[str]:
    """The sentences of running text, without code, tables and headings."""
    text = re.sub(r"(?s)^---.*?^---|```.*?```|<!--.*?-->", "", text, flags=re.M)
    text = re.sub(r"(?m)^\s*\|.*$|^#.*$|^ {4,}.*$", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        whole = " ".join(paragraph.split())
        yield from (s for s in re.split(r"(?<=[.!?:;])[”)*]*\s+(?=[A-Z“*`(\[])", whole) if s)


def words_of(sentence: str) -> int:
    """The number of words; a span of code counts as one."""
    return len(re.findall(r"[\w'’/.@-]*\w+", re.sub(r"`[^`]*`", "code", sentence)))


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
