"""Text, Markdown and PDF with the speaker's label before the words."""

import re
from io import BytesIO
from typing import Any

from raft.errors import DataError
from raft.transcripts.dates import date_given
from raft.transcripts.labels import is_talk, split
from raft.transcripts.pages import cut_into_pages, decoded, unjoined, without_noted_paragraphs, without_print
from raft.transcripts.said import Left, NoSpeakersError, Transcript
from raft.yaml_file import front_matter

_NO_TITLE = re.compile(r"^microsoft word|^untitled|\.(?:docx?|pdf|indd|rtf|txt)$", re.I)


def read_text(data: bytes, name: str) -> list[Transcript]:
    """Text or Markdown, with or without front matter, as it is or as pdftotext gives it. Raises NoSpeakersError."""
    facts, lines, left = text_lines(data, name)
    return [_transcript(lines, left, facts, name)]


def read_pdf(data: bytes, name: str) -> list[Transcript]:
    """A PDF with a text layer. Raises NoSpeakersError, and DataError when the PDF cannot be read."""
    facts, lines, left = pdf_lines(data, name)
    return [_transcript(lines, left, facts, name)]


def text_lines(data: bytes, name: str) -> tuple[dict[str, Any], list[str], list[Left]]:
    """The front matter, the lines without what belongs to the printed page, and what that was."""
    facts, body = _front_matter(decoded(data, name), name)
    pages = cut_into_pages(body)
    if len(pages) == 1:
        return facts, *without_noted_paragraphs(unjoined(pages[0]))
    return facts, *without_print(pages)


def pdf_lines(data: bytes, name: str) -> tuple[dict[str, Any], list[str], list[Left]]:
    """The PDF's title, its lines without what belongs to the printed page, and what that was."""
    title, pages = _pages_of_pdf(data, name)
    if not any(line.strip() for page in pages for line in page):
        raise DataError([f"{name}: no text in it; is it a scan? Only PDFs with a text layer can be read"])
    return {"title": "" if _NO_TITLE.search(title) else title}, *without_print(pages)


def _transcript(lines: list[str], left: list[Left], facts: dict[str, Any], name: str) -> Transcript:
    head, said = split(lines)
    if not is_talk(said, head):
        raise NoSpeakersError(name)
    if head:
        left = [*left, ("words before the first speaker", head)]
    answers = next((s.speaker for s in said if s.speaker.casefold() in ("a", "answer")), None)
    source = next((str(facts[key]) for key in ("url", "source", "link") if facts.get(key)), "")
    title = str(facts.get("title") or "")
    return Transcript(said, left, title, date_given(facts.get("date")), source, answers, head=head)


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
