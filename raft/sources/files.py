"""Writings in files: PDF, Markdown, plain text, JSON lines; and a folder of them."""

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError

from raft.errors import DataError, describe
from raft.formats.json_file import within_limits
from raft.formats.yaml_file import front_matter
from raft.people.person import Text
from raft.sources.bylines import SomebodyElse
from raft.sources.dates import date_in, parse_date
from raft.sources.links import id_of_link, id_of_text, is_link
from raft.sources.pages import read_page
from raft.sources.pdf import read_pdf
from raft.sources.text import decode, one_line
from raft.sources.visit import Visit
from raft.types import Document

Tell = Callable[[str], None]

TYPES = {"application/pdf": ".pdf", "text/markdown": ".md", "text/plain": ".txt", "application/jsonl": ".jsonl"}
"""What a site calls files that can be read, for addresses without an ending."""


def quiet(note: str) -> None:
    """Nobody is told."""


def read(source: str, visit: Visit) -> Iterator[Document]:
    """The writings in a file, in a folder of files, or in a file at a web address."""
    if is_link(source):
        page = visit.page(source)
        name = PurePath(unquote(urlsplit(source).path)).name
        ending = "" if suffix_of(name) else TYPES.get(page.content_type, "")
        found = _read_bytes(page.content, name + ending, source, visit.notes.append, visit)
    else:
        found = read_writings(Path(source), visit.notes.append, visit)
    yield from (document for document in found if not visit.has(document.doc_id))


def suffix_of(name: str) -> str | None:
    """The ending of a file's name, when it is one that can be read."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in _READERS else None


def read_writings(path: Path, tell: Tell = quiet, visit: Visit | None = None) -> list[Document]:
    """The writings in a file, or in all files of a folder whose endings are known.

    The source of each is its link, where it gives one, else the path as it is here. A date comes from the record, the
    front matter or the file's name, else from a PDF's metadata; one that cannot be understood is None, and `tell`
    says so. With a `visit`, writings that others have signed are left out, and it is told. Raises DataError with every problem, each as `file:line: what; what is valid`.
    """
    if path.is_dir():
        paths = sorted(p for p in path.rglob("*") if suffix_of(p.name) and not _is_hidden(p.relative_to(path)))
        if not paths:
            raise DataError([f"{path}: no file in it that can be read; {_VALID}"])
    else:
        paths = [path]
    documents: list[Document] = []
    problems: list[str] = []
    for one in paths:
        try:
            documents += _read_bytes(one.read_bytes(), str(one), None, tell, visit)
        except DataError as error:
            problems += error.problems
        except OSError as error:
            problems.append(f"{one}: cannot be read: {error.strerror or error}")
    if problems:
        raise DataError(problems)
    return documents


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read_bytes(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    suffix = suffix_of(name)
    if suffix is None:
        raise DataError([f"{link or name}: what is this? {_VALID}"])
    return _READERS[suffix](data, name, link, tell, visit)


def _id(name: str, link: str | None, title: str) -> str:
    return id_of_link(link) if link else id_of_text(title, str(Path(name).resolve()))


def _text(data: bytes, name: str, tell: Tell) -> str:
    text, encoding = decode(data)
    if "\0" in text:
        raise DataError([f"{name}: not text (it holds null bytes); {_VALID}"])
    if encoding == "cp1252":
        tell(f"{name}: not UTF-8; read as Windows-1252")
    return re.sub(r"\r\n?", "\n", text)


def _date(value: object, where: str, tell: Tell) -> datetime.date | None:
    day = parse_date(value)
    if day is None and value not in (None, ""):
        tell(f"{where}: date {value!r} can be understood in no way, or in two; write it as YYYY-MM-DD")
    return day


def _read_plain(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    text = _text(data, name, tell).strip()
    if not any(c.isalnum() for c in text):
        raise DataError([f"{name}: empty; a writing has text"])
    if not _is_theirs([], text, link or name, visit):
        return []
    title = PurePath(name).stem
    return [Document(_id(name, link, title), title, date_in(PurePath(name).name), link or name, text)]


def _read_markdown(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    facts, content = front_matter(_text(data, name, tell), name)
    head: dict[str, Any] = {str(k).lower(): v for k, v in facts.items()}
    text = _without_markup(content)
    if not any(c.isalnum() for c in text):
        raise DataError([f"{name}: no text under the front matter; a writing has text"])
    heading = re.search(r"^#{1,2}\s+(.+?)\s*#*$", content, re.M)
    if not _is_theirs([head.get(k) for k in _BYLINES], text, link or name, visit):
        return []
    title = one_line(head.get("title") or (heading[1] if heading else PurePath(name).stem))
    day = _date(head.get("date") or head.get("published"), f"{name}: front matter", tell)
    given = next(
        (one_line(head[k]) for k in ("canonical_url", "link", "url", "source") if is_link(str(head.get(k, "")))), link
    )
    return [Document(_id(name, given, title), title, day or date_in(PurePath(name).name), given or name, text)]


_BYLINES = ("author", "authors", "by", "byline", "creator")


def _is_theirs(bylines: Sequence[object], text: str, place: str, visit: Visit | None) -> bool:
    """Whether the person may have written it; what others did is left out, and the visit is told."""
    if visit is None:
        return True
    flat = [one for given in bylines for one in (given if isinstance(given, list) else [given])]
    try:
        visit.owner.check([one.get("name") if isinstance(one, dict) else one for one in flat], place)
        visit.owner.check_text(text.split("\n\n"), place)
    except SomebodyElse as error:
        _somebody_elses(error, place, visit)
        return False
    return True


def _somebody_elses(error: SomebodyElse, place: str, visit: Visit | None) -> list[Document]:
    if visit:
        visit.leave_out(str(error), f"{place}; {error.names}")
    return []


def _without_markup(text: str) -> str:
    """Markdown as it reads: no images, link targets, comments or marks of headings."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    text = re.sub(r"^#{1,6}\s+|^\s*(?:\*\s*\*\s*\*[\s*]*|-\s*-\s*-[\s-]*)$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _read_html(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    try:
        page = read_page(data, link or name, None, visit.owner if visit else None)
    except SomebodyElse as error:
        return _somebody_elses(error, link or name, visit)
    return [Document(_id(name, link, page.title), page.title, page.date, page.source, page.text)]


def _read_pdf(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    title, made, text = read_pdf(data, name)
    title = title or PurePath(name).stem
    day = date_in(PurePath(name).name)
    if day is None and made is not None:
        tell(f"{name}: dated {made} by the PDF's own metadata, the day that the file was made")
    return [Document(_id(name, link, title), title, day or made, link or name, text)]


def _scalar(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class _Line(BaseModel):
    """A writing as we keep it, or as the first RAFT did: title, link, date, content."""

    title: str
    text: Text = Field(validation_alias=AliasChoices("text", "content"))
    source: str | None = Field(None, validation_alias=AliasChoices("source", "link", "url"))
    date: Annotated[str | None, BeforeValidator(_scalar)] = None
    author: Any = Field(None, validation_alias=AliasChoices(*_BYLINES))
    doc_id: Text | None = None


def _read_lines(data: bytes, name: str, link: str | None, tell: Tell, visit: Visit | None) -> list[Document]:
    documents: list[Document] = []
    problems: list[str] = []
    first_line: dict[str, int] = {}
    others = 0
    for number, line in enumerate(_text(data, name, tell).split("\n"), start=1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            record = _Line.model_validate_json(within_limits(line.encode(), where))
        except DataError as error:
            problems += error.problems
        except ValidationError as error:
            problems += [f"{where}: {text}" for text in describe(error)]
        else:
            source = record.source or link or name
            if not _is_theirs([record.author], record.text, source, visit):
                others += 1
                continue
            unique = id_of_link(source) if record.source and is_link(source) else id_of_text(record.title, record.text)
            day = _date(record.date, where, tell)
            document = Document(record.doc_id or unique, record.title, day, source, record.text)
            first = first_line.setdefault(document.doc_id, number)
            if first == number:
                documents.append(document)
            elif record.doc_id:
                problems.append(f"{where}: doc_id {record.doc_id!r} is taken by line {first}; each must be its own")
            else:
                tell(f"{where}: the same writing as line {first}, by its link or text; left out")
    if not documents and not problems and not others:
        problems.append(f"{name}: empty; it holds one JSON object a line")
    if problems:
        raise DataError(problems)
    return documents


_READERS: dict[str, Callable[[bytes, str, str | None, Tell, Visit | None], list[Document]]] = {
    ".pdf": _read_pdf,
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".txt": _read_plain,
    ".text": _read_plain,
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".html": _read_html,
    ".htm": _read_html,
}
_VALID = f"files that can be read end in {', '.join(_READERS)}"
