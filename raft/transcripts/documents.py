"""Text, Markdown, PDF and web pages with the speaker's label before the words."""

import contextlib
import re
from dataclasses import replace
from io import BytesIO
from typing import Any

from raft.errors import DataError
from raft.formats.yaml_file import front_matter
from raft.transcripts.dates import date_given
from raft.transcripts.labels import is_talk, looks_like_talk, split, still_marked
from raft.transcripts.looks import ANSWERS, PAIRS, bare_name, initials_of, key_of, look_at, style
from raft.transcripts.pages import (
    MARK,
    cut_into_pages,
    decoded,
    unjoined,
    without_columns,
    without_escapes,
    without_line_numbers,
    without_noted_paragraphs,
    without_print,
)
from raft.transcripts.said import Left, NoSpeakersError, Said, Transcript, words

_NO_TITLE = re.compile(r"^microsoft word|^untitled|\.(?:docx?|pdf|indd|rtf|txt)$", re.I)


def read_text(data: bytes, name: str) -> list[Transcript]:
    """Text or Markdown, with or without front matter, as it is or as pdftotext gives it. Raises NoSpeakersError."""
    facts, lines, left = text_lines(data, name)
    return [_transcript(lines, left, facts, name, words(without_escapes(decoded(data, name))))]


def read_pdf(data: bytes, name: str) -> list[Transcript]:
    """A PDF with a text layer. Raises NoSpeakersError, and DataError when the PDF cannot be read."""
    facts, lines, left = pdf_lines(data, name)
    return [_transcript(lines, left, facts, name, sum(map(words, lines)) + sum(words(text) for _, text in left))]


def read_html(data: bytes, name: str) -> list[Transcript]:
    """A web page whose paragraphs begin with labels. Raises NoSpeakersError for any other."""
    from raft.errors import RaftError
    from raft.sources.pages import read_page
    from raft.sources.text import blocks, decode_html, drop_furniture, drop_unread, one_line, parse_html

    tree = parse_html(decode_html(data))
    if tree is None:
        raise NoSpeakersError(name)
    title = one_line(" ".join(tree.xpath("(//h1)[1]//text()")) or " ".join(tree.xpath("//title[1]//text()")))
    drop_unread(tree)
    drop_furniture(tree)
    for mark, tags in (("**", ("b", "strong")), ("*", ("em", "i"))):
        for element in tree.iter(*tags):
            if element.text_content().strip():
                element.text = mark + (element.text or "").lstrip()
                last = element[-1] if len(element) else None
                if last is None:
                    element.text = element.text.rstrip() + mark
                else:
                    last.tail = (last.tail or "").rstrip() + mark
                element.tail = (
                    " " + (element.tail or "").lstrip() if (element.tail or " ")[:1] not in ".,:;?!)" else element.tail
                )
    lines = [line for block in blocks(tree) for line in (*block.split("\n"), "")]
    found = _transcript(lines, [], {"title": title}, name, sum(map(words, lines)))
    day = None
    with contextlib.suppress(RaftError):
        day = read_page(data, name).date
    said = [Said(one.speaker, one.text.replace("**", "").replace("*", ""), one.role) for one in found.said]
    return [replace(found, said=said, date=day)]


def text_lines(data: bytes, name: str) -> tuple[dict[str, Any], list[str], list[Left]]:
    """The front matter, the lines without what belongs to the printed page, and what that was."""
    text = without_escapes(decoded(data, name))
    facts, body = _front_matter(text, name)
    left: list[Left] = [(MARK, text[: len(text) - len(body)])] if facts else []
    pages = cut_into_pages(body)
    lines, numbers = without_line_numbers([line for page in pages for line in page])
    if numbers:
        return facts, lines, left + numbers
    if len(pages) == 1:
        lines, more = without_noted_paragraphs(unjoined(without_columns(pages[0], name)))
    else:
        lines, more = without_print(pages)
        lines = without_columns(lines, name)
    return facts, lines, left + more


def pdf_lines(data: bytes, name: str) -> tuple[dict[str, Any], list[str], list[Left]]:
    """The PDF's title, its lines without what belongs to the printed page, and what that was."""
    title, pages = _pages_of_pdf(data, name)
    if not any(line.strip() for page in pages for line in page):
        raise DataError([f"{name}: no text in it; is it a scan? Only PDFs with a text layer can be read"])
    facts = {"title": "" if _NO_TITLE.search(title) else title}
    lines, numbers = without_line_numbers([line for page in pages for line in page])
    return (facts, lines, numbers) if numbers else (facts, *without_print(pages))


def _transcript(lines: list[str], left: list[Left], facts: dict[str, Any], name: str, total: int) -> Transcript:
    found = split(lines)
    head, said = found.head, found.said
    if not is_talk(said, head):
        text = "\n".join(lines)
        raise NoSpeakersError(name, lines=text, looks_like=looks_like_talk(text))
    said, notes = _initials(said, head)
    marks = found.marks + sum(words(text) for why, text in left if why == MARK)
    left = [*(one for one in left if one[0] != MARK), *found.left]
    if head:
        left = [*left, ("words before the first speaker", head)]
    keys = {key_of(s.speaker) for s in said}
    replies = {*ANSWERS, *(a for q, a in PAIRS.items() if q in keys)}
    answers = next((s.speaker for s in said if key_of(s.speaker) in replies and "b" not in keys), None)
    source = next((str(facts[key]) for key in ("url", "source", "link") if facts.get(key)), "")
    title = str(facts.get("title") or "")
    return Transcript(
        said,
        left,
        title,
        date_given(facts.get("date")),
        source,
        answers,
        head=head,
        total=total,
        marks=marks,
        unmarked=still_marked(said, found.unmarked),
        notes=notes,
        form=found.look,
    )


def _initials(said: list[Said], head: str) -> tuple[list[Said], tuple[str, ...]]:
    """Labels that are initials, as the names that they stand for: only where exactly one full name has them.

    The second value tells of those that could be several people's.
    """
    full = {s.speaker for s in said if len(bare_name(s.speaker)) > 1}
    for found in re.finditer(r"((?:[\w.’'-]+ ){2,4})\(([A-Z]{2,4})\)", head):
        full.add(" ".join(found[1].split()[-len(found[2]) :]))
    full |= {part.strip() for line in head.split("\n") for part in re.split(r"[:,;&]| and ", line) if _is_name(part)}
    of: dict[str, set[str]] = {}
    for one in full:
        for short in initials_of(one):
            of.setdefault(short, set()).add(key_of(one))
    named = {key_of(one): one for one in sorted(full)} | {key_of(s.speaker): s.speaker for s in said}

    def resolved(speaker: str) -> str:
        short = speaker.replace(".", "").replace(" ", "")
        meant = of.get(short, set()) if 2 <= len(short) <= 4 and short[:1].isupper() else set()
        return named[next(iter(meant))] if len(meant) == 1 else speaker

    notes = tuple(
        f"{short!r} could be {' or '.join(sorted(named[key] for key in of[short]))}, and was left a label of its own"
        for short in sorted({s.speaker for s in said})
        if len(of.get(short, ())) > 1
    )
    return [Said(resolved(s.speaker), s.text, s.role) for s in said], notes


def _is_name(part: str) -> bool:
    found = part.split()
    label = look_at(part.strip() + ":")
    return 2 <= len(found) <= 4 and label is not None and style(part) in ("title", "caps")


def _characters(text: str) -> str:
    """Text without no-break spaces and halves of characters."""
    return text.replace("\u00a0", " ").encode("utf-8", "replace").decode("utf-8")


def _front_matter(text: str, name: str) -> tuple[dict[str, Any], str]:
    """The head between two lines of `---`, where it is YAML with keys."""
    try:
        return front_matter(text, name)
    except DataError:
        return {}, text


def _pages_of_pdf(data: bytes, name: str) -> tuple[str, list[list[str]]]:
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(BytesIO(data))
        title = str((reader.metadata and reader.metadata.title) or "")
        return title, [_characters(page.extract_text()).split("\n") for page in reader.pages]
    except Exception as error:  # pypdf raises whatever a broken file brings it to
        raise DataError([f"{name}: not a readable PDF: {error or type(error).__name__}"]) from None
