"""The text of a PDF: paragraphs, without running heads and page numbers."""

import datetime
import io
import re
from collections import Counter
from typing import Any

from raft.errors import DataError
from raft.sources.dates import parse_date
from raft.sources.text import one_line, sound

EDGE = 2
"""So many lines at the top and at the bottom of a page can be running heads."""

_NUMBER = re.compile(r"page\s+\d{1,4}(?:\s+of\s+\d{1,4})?|\d{1,4}\s*(?:of|/)\s*\d{1,4}|[-–—]\s*\d{1,4}\s*[-–—]", re.I)


def read_pdf(data: bytes, name: str) -> tuple[str, datetime.date | None, str]:
    """Title and day from the metadata, and the text. Raises DataError for what is no PDF, locked, or only pictures."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError([f"{name}: locked with a password; save it without one"])
        pages = [sound(page.extract_text()) for page in reader.pages]
        title, made = _metadata(reader)
    except (
        PyPdfError,
        DependencyError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        RecursionError,
        OSError,
    ) as error:
        raise DataError([f"{name}: a broken PDF, or none at all ({error or type(error).__name__})"]) from None
    text = _paragraphs([line for page in _without_heads(pages) for line in page])
    if not text:
        raise DataError([f"{name}: no text in it, only pictures; run a text recognition over it first"])
    return title, made, text


def _metadata(reader: Any) -> tuple[str, datetime.date | None]:
    about = reader.metadata or {}
    found = re.match(r"D:(\d{8})", str(about.get("/CreationDate", "")))
    return one_line(about.get("/Title") or ""), parse_date(found[1]) if found else None


def _without_heads(pages: list[str]) -> list[list[str]]:
    """The lines of each page without page numbers and without what most pages begin or end with."""
    cut = [[one_line(line) for line in page.splitlines() if line.strip()] for page in pages]
    edges = Counter(shape for lines in cut for shape in {_shape(line) for line in _edge(lines)})
    often = {shape for shape, n in edges.items() if n >= 3 and n > len(pages) / 2}

    def is_printed(line: str, page: int) -> bool:
        return _shape(line) in often or line == str(page) or bool(_NUMBER.fullmatch(line))

    return [
        [line for i, line in enumerate(lines) if not (min(i, len(lines) - 1 - i) < EDGE and is_printed(line, page))]
        for page, lines in enumerate(cut, start=1)
    ]


def _edge(lines: list[str]) -> list[str]:
    return [line for i, line in enumerate(lines) if min(i, len(lines) - 1 - i) < EDGE]


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line)


def _paragraphs(lines: list[str]) -> str:
    """Lines joined; a short one that ends a sentence ends a paragraph. A word broken at a line's end is one again."""
    width = max(map(len, lines), default=0)
    text = ""
    for line in lines:
        if re.search(r"[a-z]-$", text) and line[0].islower():
            text = text[:-1] + line
        else:
            text += line
        ends = len(line) < 0.75 * width and re.search(r"[.?!:][\"'”’)]*$", line)
        text += "\n\n" if ends else "" if re.search(r"[a-z]-$", text) else " "
    return re.sub(r" +\n", "\n", text).strip()
