"""The text of a PDF: paragraphs, without running heads and page numbers."""

import datetime
import io
import re
from collections import Counter
from typing import Any

from raft.errors import DataError
from raft.sources.dates import parse_date

_NUMBER = re.compile(r"\W*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I)


def read_pdf(data: bytes, name: str) -> tuple[str, datetime.date | None, str]:
    """Title and day from the metadata, and the text. Raises DataError for what is no PDF, locked, or only pictures."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError([f"{name}: locked with a password; save it without one"])
        pages = [page.extract_text() for page in reader.pages]
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
    return " ".join(str(about.get("/Title") or "").split()), parse_date(found[1]) if found else None


def _without_heads(pages: list[str]) -> list[list[str]]:
    """The lines of each page without page numbers and without what most pages begin or end with."""
    cut = [[line.strip() for line in page.splitlines() if line.strip()] for page in pages]
    edges = Counter(_shape(line) for lines in cut for line in {*lines[:2], *lines[-2:]})
    often = {shape for shape, n in edges.items() if n >= 3 and n > len(pages) / 2}
    kept = []
    for lines in cut:
        last = len(lines) - 2
        edge = [i < 2 or i >= last for i in range(len(lines))]
        kept.append(
            [s for s, at in zip(lines, edge, strict=True) if not (at and (_shape(s) in often or _NUMBER.fullmatch(s)))]
        )
    return kept


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
