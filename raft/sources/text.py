"""Bytes to text, and HTML to paragraphs. Nothing is added: every word kept is in the source, in its order."""

import codecs
import re
from collections.abc import Iterator
from typing import Any

from raft.sources.others import Cut, drop_others, without_footers
from raft.text import count_words

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WESTERN = {"ascii", "iso8859-1", "iso8859-15", "cp1252"}
_IN_HEAD = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)|^\s*<\?xml[^>]*encoding=["']([\w.:-]+)""", re.I
)

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_NO_TEXT = (
    "//script | //style | //noscript | //template | //svg | //iframe | //object | //select | //textarea | //button"
    " | //nav | //aside | //footer | //figcaption | //head | //comment() | //processing-instruction()"
)
_FURNITURE = re.compile(
    r"(?:share|social|sharing|breadcrumbs?|related|comments?|subscri(?:be|ption)|newsletter|cookie|byline|watchlive"
    r"|speaker|location|article__time|button-wrapper|captioned-button|pencraft|pagination|sr-only)(?:[-_].*|dl.*)?",
    re.I,
)
_MARK = re.compile(r"\s*(?:\[?\(?\d{1,3}\)?\]?|[*†‡§↩︎^]+)\s*")


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text and the encoding that it is in.

    A byte order mark decides; then UTF-8, when the bytes are that and the declared encoding is Western, which is what
    servers say by default; then the declared one; then UTF-8; and last Windows-1252, with � for what is nothing there.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace"), encoding
    named = _known(declared)
    first = ["utf-8", named] if named in _WESTERN else [named, "utf-8"]
    for encoding in filter(None, first):
        try:
            # What calls itself Latin-1 is Windows-1252: its curly quotes are control characters in Latin-1.
            encoding = "cp1252" if encoding in _WESTERN else encoding
            return data.decode(encoding), encoding
        except (UnicodeError, ValueError):
            continue
    return data.decode("cp1252", "replace"), "cp1252"


def decode_html(data: bytes, declared: str | None = None) -> str:
    """The text of a page, by its byte order mark, its HTTP header or what it says of itself, the last only of a wrong one."""
    found = _IN_HEAD.search(data[:4096])
    inner = (found[1] or found[2]).decode("ascii", "replace") if found else None
    return decode(data, declared if _known(declared) else inner)[0]


def _known(encoding: str | None) -> str | None:
    try:
        name = codecs.lookup((encoding or "").strip().strip("\"'"))
    except (LookupError, ValueError):
        return None
    return name.name if name._is_text_encoding else None


def sound(text: str) -> str:
    """The text without control characters and halves of surrogate pairs, which no file can hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", re.sub(r"[\ud800-\udfff]", "", text))


def one_line(value: object) -> str:
    """A title or link as one sound line."""
    return " ".join(sound(str(value)).split())


def parse_html(text: str) -> Any | None:
    """The tree of a page or a part of one, however broken; None when there is nothing in it."""
    from lxml import etree, html

    text = sound(text)
    if not text.strip():
        return None
    try:
        return html.document_fromstring(text.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
    except etree.LxmlError:
        return None


def drop_unread(tree: Any) -> None:
    """Take out what is no text to read: scripts, menus, forms, captions, comments."""
    _drop([*tree.xpath(_NO_TEXT), *(form for form in tree.xpath("//form") if not _is_long(form))])


def drop_furniture(tree: Any) -> None:
    """Take out what is not the author's: sharing links, subscription boxes, bylines, comments, marks of footnotes."""
    half = count_words(tree.text_content()) / 2
    named = [e for e in tree.xpath("//*[@class or @role='navigation']") if _is_furniture(e)]
    marks = [a for a in tree.xpath("//a[contains(@href, '#')]") if _MARK.fullmatch(a.text_content())]
    around = [e for e in named if _is_long(e) and count_words(e.text_content()) > half]
    _drop([*(e for e in named if e not in around), *marks])
    for element in around:
        # A name such as `comments-open` on the box around everything is no reason to lose everything.
        element.attrib.pop("class", None)


def _drop(elements: list[Any]) -> None:
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def _is_long(element: Any) -> bool:
    """Whether it holds more than a box would, such as the form that some servers put around the whole page."""
    return count_words(element.text_content()) > 100


def _is_furniture(element: Any) -> bool:
    if element.tag in ("html", "body", "article", "main"):
        return False
    return element.get("role") == "navigation" or any(_FURNITURE.fullmatch(c) for c in element.get("class", "").split())


def blocks(tree: Any) -> list[str]:
    """The paragraphs, headings, items and cells of a tree, in its order; a line break within one is a newline."""
    joined = re.sub(r" *\n *", "\n", re.sub(r"[^\S\n]+", " ", "".join(_pieces(tree))))
    return [block.strip() for block in re.split(r"\n{2,}", joined) if block.strip()]


def _pieces(tree: Any) -> Iterator[str]:
    from lxml import etree

    depth_of_pre = 0
    for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            depth_of_pre += tag == "pre"
            yield "\n\n" if tag in _BLOCKS else "\n" if tag == "br" else ""
            yield _flat(element.text, depth_of_pre)
            continue
        depth_of_pre -= tag == "pre"
        yield "\n\n" if tag in _BLOCKS else ""
        yield _flat(element.tail, depth_of_pre) if element is not tree else ""


def _flat(text: str | None, in_pre: int) -> str:
    text = re.sub("[\u00ad\u200b\ufeff]", "", text or "")
    return text if in_pre else re.sub(r"\s+", " ", text)


def silently(what: str, whence: str) -> None:
    """Nobody is told what was left out."""


def text_of_html(fragment: str, cut: Cut = silently) -> str:
    """The text of HTML that is its author's, such as a post's body: paragraphs with an empty line between.

    What the site put into it of others' is left out, and `cut` is told what that was.
    """
    tree = parse_html(fragment)
    if tree is None:
        return ""
    drop_unread(tree)
    drop_others(tree, blocks, cut)
    drop_furniture(tree)
    return "\n\n".join(without_footers(blocks(tree), cut))
