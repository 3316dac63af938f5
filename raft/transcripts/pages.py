"""Text as printed: decoded, cut into pages, without running heads, page numbers and footnotes."""

import codecs
import re
from collections import Counter

from raft.errors import DataError
from raft.transcripts.said import Left

EDGE = 4
"""So many lines at the top and at the bottom of a page can be running heads."""
NOTE_LINES = 14
"""So far above a page's end a footnote can begin."""

_PAGE_NUMBER = re.compile(
    r"\s*(?:page\s+)?\d{1,4}\s+of\s+\d{1,4}\s*|\s*page\s+\d{1,4}\s*|\s*[-–—]\s*\d{1,4}\s*[-–—]\s*", re.I
)
_COMMAS = re.compile(r"(?<=[.?!\"”'’)\]:;-]),(?=[^\s,])|(?<=[.?!\"”]\d),(?=\d )")
_NOTE = re.compile(r"\s*(\d{1,2})(?:\s+[A-Z“\"].*)?\s*")


def decoded(data: bytes, name: str) -> str:
    """The file's text: UTF-8, UTF-16 with its mark, else Windows-1252, in which old transcripts are.

    Raises DataError when it is none of them.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return re.sub(r"\r\n?|\x0b|\x85|\u2028|\u2029", "\n", text).replace("\u00a0", " ")
    raise DataError([f"{name}: not text; it can be UTF-8, UTF-16 or Windows-1252, a PDF, or subtitles"])


def is_western(data: bytes) -> bool:
    """Whether `decoded` takes it for Windows-1252, which is a guess to be told."""
    if data.startswith((b"%PDF", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def cut_into_pages(text: str) -> list[list[str]]:
    """The lines of each page: parted by form feeds, else after lines such as `Page 3 of 26`."""
    pages = [page.split("\n") for page in text.split("\f")]
    if len(pages) > 1:
        return pages
    lines, pages = pages[0], [[]]
    for line in lines:
        pages[-1].append(line)
        if _PAGE_NUMBER.fullmatch(line):
            pages.append([])
    return pages if len(pages) > 2 else [lines]


def without_print(pages: list[list[str]]) -> tuple[list[str], list[Left]]:
    """The lines of all pages in order, and what was left out of them."""
    left: list[Left] = []
    repeated = _repeated(pages)
    lines: list[str] = []
    for page in pages:
        edge = set(_edge(page))
        body = []
        for i, line in enumerate(page):
            if i in edge and (_PAGE_NUMBER.fullmatch(line) or _shape(line) in repeated):
                left.append(("running heads and page numbers", line.strip()))
            else:
                body.append(line)
        lines += _without_notes(body, left) if len(pages) > 1 else body
    return lines, left


def unjoined(lines: list[str]) -> list[str]:
    """Paragraphs that were joined by bare commas, parted again."""
    text = "\n".join(lines)
    joints = len(_COMMAS.findall(text))
    return _COMMAS.sub("\n\n", text).split("\n") if joints >= 5 and joints > text.strip().count("\n") else lines


def without_noted_paragraphs(lines: list[str]) -> tuple[list[str], list[Left]]:
    """In text with a paragraph a line: without footnotes that follow the paragraph with their number."""
    kept: list[str] = []
    left: list[Left] = []
    for line in lines:
        number = _NOTE.fullmatch(line)
        place = _mark(kept[-3:], number[1]) if number and len(line) > 3 else None
        if place:
            row, start, end = place
            row += max(0, len(kept) - 3)
            kept[row] = kept[row][:start] + kept[row][end:]
            left.append(("footnotes", line.strip()))
        else:
            kept.append(line)
    return kept, left


def _edge(page: list[str]) -> list[int]:
    filled = [i for i, line in enumerate(page) if line.strip()]
    return filled[:EDGE] + filled[-EDGE:]


def _shape(line: str) -> str:
    return " ".join(re.sub(r"\d+", "#", line).split())


def _repeated(pages: list[list[str]]) -> set[str]:
    """Lines that stand at the edge of at least three pages and of half of them, whatever their numbers."""
    counts = Counter(shape for page in pages for shape in {_shape(page[i]) for i in _edge(page)})
    return {shape for shape, n in counts.items() if n >= max(3, len(pages) / 2)}


def _without_notes(page: list[str], left: list[Left]) -> list[str]:
    """The page without the footnotes at its end, each known by its number there and at its place in the text."""
    for i in range(max(0, len(page) - NOTE_LINES), len(page)):
        first = _NOTE.fullmatch(page[i])
        if first and _mark(page[:i], first[1]):
            kept, notes = page[:i], page[i:]
            left.append(("footnotes", " ".join(" ".join(notes).split())))
            for number in (m[1] for line in notes if (m := _NOTE.fullmatch(line))):
                if place := _mark(kept, number):
                    row, start, end = place
                    kept[row] = kept[row][:start] + kept[row][end:]
            return kept
    return page


def _mark(lines: list[str], number: str) -> tuple[int, int, int] | None:
    glued = re.compile(rf"(?<=[^\W\d_.][.,;:?!”\"’)\]]){number}(?=\s|$)|(?<=[^\W\d_]){number}(?=[\s.,;]|$)")
    apart = re.compile(rf"(?<=[a-z][.?!”\"]) {number}(?= +[A-Z“]|\s*$)")
    for form in (glued, apart):
        for row in range(len(lines) - 1, -1, -1):
            found = form.search(lines[row])
            if found:
                return row, found.start(), found.end()
    return None
