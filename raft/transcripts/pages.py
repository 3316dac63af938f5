"""Text as printed: decoded, cut into pages, without running heads, page and line numbers, columns and footnotes."""

import codecs
import html
import itertools
import re
from collections import Counter
from statistics import median

from raft.errors import DataError
from raft.transcripts.looks import TIME_ONLY, look_at
from raft.transcripts.said import Left

EDGE = 4
"""So many lines at the top and at the bottom of a page can be running heads."""
MARK = ""
"""The reason of what is a mark of the form, as the figure that calls a footnote: it is counted, and not told."""
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


def without_escapes(text: str) -> str:
    """The text without what Markdown and HTML put around signs: `\\[` `\\_` `&nbsp;` `<br>`, and marks that only direct."""
    text = re.sub("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]", "", text)
    if re.search(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[\da-f]{2,5});", text):
        text = html.unescape(text).replace("\u00a0", " ")
    text = re.sub(r"<br\s*/?>|\\$", "\n", text, flags=re.I | re.M)
    return re.sub(r"\\([\\`*_{}\[\]()#+\-.!<>~|:&])", r"\1", text)


def without_line_numbers(lines: list[str]) -> tuple[list[str], list[Left]]:
    """Lines of a deposition: without the numbers before them, and without what stands between its pages."""
    found = [re.match(r"\s{0,8}(\d{1,2})(?:\s{1,}(?=\S)|\s*$)", line) for line in lines]
    filled = [i for i, line in enumerate(lines) if line.strip()]
    numbers = [int(m[1]) for m in found if m]
    steps = sum(1 for a, b in itertools.pairwise(numbers) if b == a + 1 or b == 1)
    if len(numbers) < 6 or len(numbers) < 0.6 * len(filled) or steps < 0.85 * (len(numbers) - 1) or max(numbers) > 60:
        return lines, []
    shapes = Counter(_shape(lines[i]) for i in filled if not found[i])
    kept: list[str] = []
    left: list[Left] = []
    taken, last = [], 0
    for line, match in zip(lines, found, strict=True):
        if match and (int(match[1]) == last + 1 or int(match[1]) == 1 or last == 0):
            last = int(match[1])
            taken.append(match[1])
            if line[match.end() :].strip():
                kept.append(" " * match.end() + line[match.end() :])
        elif line.strip() and (shapes[_shape(line)] > 1 or re.fullmatch(r"\s*(?:page\s+)?\d+\s*", line, re.I)):
            left.append(("running heads and page numbers", line.strip()))
        elif line.strip():
            kept.append(line)
    return kept, [*left, ("line numbers", " ".join(taken))]


def without_columns(lines: list[str], name: str) -> list[str]:
    """Two columns set in one row, one after the other; names in a column of their own, before their words.

    Raises DataError where there are two columns and a row that runs through both.
    """
    filled = [line for line in lines if line.strip()]
    gapped = [line for line in filled if re.search(r"\S\s{3,}\S", line)]
    widths = sorted(len(line.rstrip()) for line in filled)
    if len(gapped) < 4 or len(gapped) < 0.3 * len(filled) or widths[int(0.95 * (len(widths) - 1))] > 220:
        return lines
    best, at = 0, 0
    for column in range(4, widths[-1] - 3):
        both = sum(
            1
            for line in gapped
            if line[:column].strip() and not line[column - 2 : column].strip() and line[column : column + 1].strip()
        )
        if both > best:
            best, at = both, column
    sides = [(line[:at].rstrip(), line[at:].strip()) for line in lines]
    through = [line for line in filled if len(line.rstrip()) > at and line[at - 2 : at].strip()]
    lefts = [a.strip() for a, b in sides if a.strip() and b]
    if best < 3 or best < 0.25 * len(filled):
        return lines
    names = Counter(" ".join(cell.split()) for cell in lefts)
    if (
        len(names) > 1
        and all(len(cell.split()) <= 4 and not re.search(r"[.,;?!]$", cell) for cell in names)
        and max(names.values()) > 1
    ):
        if any(look_at(cell + ("" if cell.endswith(":") else ":")) is None for cell in names) or len(names) > 0.7 * len(
            lefts
        ):
            return lines
        if through or all(TIME_ONLY.fullmatch(b) for a, b in sides if a.strip() and b):
            return lines
        return _hanging(sides)
    if not lefts or median(len(cell.split()) for cell in lefts) < 3 or len(lefts) < 0.4 * len(filled):
        return lines
    if len(through) > 0.1 * len(filled):
        if len(through) < 0.4 * len(filled):
            raise DataError(
                [
                    f"{name}: two columns in one row that cannot be parted ({through[0].strip()[:60]!r} runs through both); give it as one column"
                ]
            )
        return lines
    return _in_order(sides, name)


def _hanging(sides: list[tuple[str, str]]) -> list[str]:
    """Names in a column of their own, each before all the words beside it."""
    rows: list[str] = []
    for name, said in sides:
        if name.strip() and said:
            rows.append(f"{name.strip().rstrip(':')}: {said}")
        elif said and rows and rows[-1]:
            rows[-1] = f"{rows[-1]} {said}"
        else:
            rows.append(name or said)
    return rows


def _in_order(sides: list[tuple[str, str]], name: str) -> list[str]:
    """Newspaper columns one after the other; a column a speaker, block by block."""
    first = next((i for i, side in enumerate(sides) if any(side)), 0)
    if _PAGE_NUMBER.fullmatch(sides[first][1]) or _PAGE_NUMBER.fullmatch(sides[first][0]):
        return [" ".join(sides[first]).strip(), "", *_in_order(sides[first + 1 :], name)]
    who = [{label.key for cell in column if (label := look_at(cell))} for column in zip(*sides, strict=True)]
    if not who[0] and not who[1]:
        return [*(a for a, _ in sides), "", *(b for _, b in sides)]
    if who[0] & who[1]:
        return [*(a for a, _ in sides), "", *(b for _, b in sides)]
    if len(who[0]) == len(who[1]) == 1:
        lines: list[str] = []
        block: list[tuple[str, str]] = []
        for side in [*sides, ("", "")]:
            starts = any(look_at(cell) for cell in side)
            if block and (starts or not any(side)):
                lines += [
                    " ".join(cell.strip() for cell in column if cell.strip()) + "\n"
                    for column in zip(*block, strict=True)
                ]
                block = []
            block.append(side)
        return "\n".join(lines).split("\n")
    raise DataError([f"{name}: two columns in one row whose order cannot be told; give it as one column"])


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
    """In text with a paragraph a line: without footnotes that follow the paragraph with their number, or end the text."""
    lines, left = _without_endnotes(lines)
    kept: list[str] = []
    for line in lines:
        number = _NOTE.fullmatch(line)
        place = _mark(kept[-3:], number[1]) if number and len(line) > 3 else None
        if place:
            row, start, end = place
            row += max(0, len(kept) - 3)
            left += [(MARK, kept[row][start:end].strip()), ("footnotes", line.strip())]
            kept[row] = kept[row][:start] + kept[row][end:]
        else:
            kept.append(line)
    return kept, left


def _without_endnotes(lines: list[str]) -> tuple[list[str], list[Left]]:
    """Without the notes at the end, numbered from 1, each called in the text before them."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    start = next((n for n in range(len(filled) - 1, -1, -1) if not _NOTE.fullmatch(lines[filled[n]])), -1) + 1
    notes = [lines[i] for i in filled[start:]]
    numbers = [match[1] for note in notes if (match := _NOTE.fullmatch(note)) and len(note.split()) > 1]
    if not notes or numbers != [str(n) for n in range(1, len(notes) + 1)]:
        return lines, []
    kept = lines[: filled[start]]
    left: list[Left] = []
    for number, note in zip(numbers, notes, strict=True):
        place = _mark(kept, number)
        if place is None:
            return lines, []
        row, begin, end = place
        left += [(MARK, kept[row][begin:end].strip()), ("footnotes", note.strip())]
        kept[row] = kept[row][:begin] + kept[row][end:]
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
                    left.append((MARK, kept[row][start:end].strip()))
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
