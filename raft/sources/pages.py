"""A web page: its main text, its title, and the date that it gives itself."""

import datetime
import logging
import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from typing import Any

from raft.errors import DataError, RaftError
from raft.formats.json_file import parse
from raft.sources.bylines import Owner
from raft.sources.dates import date_in, parse_date
from raft.sources.links import id_of_link, is_link
from raft.sources.others import drop_others, without_footers
from raft.sources.text import blocks, decode_html, drop_furniture, drop_unread, one_line, parse_html
from raft.sources.visit import Visit
from raft.text import by_script, count_words
from raft.types import Document

LONG = 40
"""A block of so many words is running text: the page's head, with title, date and speaker, is over."""

_PUBLISHED = [
    "article:published_time",
    "datepublished",
    "publishdate",
    "pubdate",
    "date",
    "dc.date",
    "dc.date.issued",
    "dcterms.date",
    "dcterms.created",
    "dcterms.issued",
    "citation_publication_date",
    "parsely-pub-date",
    "sailthru.date",
    "article.published",
    "og:published_time",
]
_AUTHOR = {
    "author",
    "article:author",
    "dc.creator",
    "dcterms.creator",
    "citation_author",
    "parsely-author",
    "sailthru.author",
}
_TITLE_CLASSES = {"title", "entry-title", "post-title", "article-title", "headline"}
_DATE_LINE = re.compile(r"(?:published|posted|date|on|first published)?\s*(?:on)?\s*:?\s*(\S.{5,40})", re.I)
_WAY_BACK = re.compile(r"(?:(?:return|back) to (?:the )?(?:text|top)|↩\ufe0e?)\W*$", re.I)
_NOT_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.I)
_NOTES = re.compile(r"(?:references|bibliography|footnotes|endnotes)\W*", re.I)


def read(source: str, visit: Visit) -> Iterator[Document]:
    """The page at a web address, unless it is kept already."""
    if visit.has(id_of_link(source)):
        return
    page = visit.page(source)
    if not page.is_html:
        raise RaftError(f"{source}: answered with {page.content_type or 'no content type'} where a page was expected")
    document = visit.attempt(source, partial(read_page, page.content, source, page.header, visit.owner))
    if document:
        yield document


def is_article(page: bytes) -> bool:
    """Whether a page calls itself an article: one writing, not a list of them."""
    return bool(re.search(rb"""<meta[^>]{0,80}property=["']og:type["'][^>]{0,80}content=["']article""", page, re.I))


def read_page(html: bytes, url: str, content_type: str | None = None, owner: Owner | None = None) -> Document:
    """The writing on a page; its date is None when the page gives none. `content_type` may name a charset.

    trafilatura says which of the page's paragraphs are its main text; they are then taken from the page itself, in
    its order. Footnotes, references, the head with title, date and speaker, and sharing links are left out.
    The date is, in this order: the one in the page's metadata, its `<time>`, the one in the address, a line at
    the top that is a date and nothing else, the one at the end of the title.

    Raises SomebodyElse when the page is signed by others than the `owner`, where one is given, and
    RaftError when there is no main text, or only what is free of a page that says it is not.
    """
    charset = re.search(r"charset=([^;]+)", content_type or "", re.I)
    tree = parse_html(decode_html(html, charset[1] if charset else None))
    if tree is None:
        raise RaftError(f"{url}: an empty page")
    if any(_NOT_FREE.search(script) for script in tree.xpath("//script[@type='application/ld+json']/text()")):
        raise RaftError(f"{url}: for subscribers only, by its own metadata")
    title, of_window = _title(tree), one_line(" ".join(tree.xpath("//title[1]//text()")))
    day = next((d for d in (*_in_metadata(tree), *_in_time(tree), date_in(url.partition("?")[0])) if d), None)
    owner = owner or Owner()
    owner.check(authors_of(tree), url)
    drop_unread(tree)
    cut = partial(owner.cut, place=url)
    drop_others(tree, blocks, cut)
    day = day or _on_top(blocks(tree), of_window)
    drop_furniture(tree)
    main = without_footers(_without_head_and_notes(_main_blocks(tree), title), cut)
    owner.check_text(main, url)
    text = "\n\n".join(main)
    if not text:
        raise RaftError(f"{url}: no main text on the page; does it need scripts or a login?")
    return Document(id_of_link(url), title or url, day, url, text)


def authors_of(tree: Any) -> list[str]:
    """The names of those who a page's metadata say have written it; not of organisations and links."""
    named: list[object] = []
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            named += _authors(parse(script, "metadata"))
        except (DataError, ValueError):
            continue
    if not named:
        metas = tree.xpath("//meta[@content][not(ancestor::article//article)]")
        named = [m.get("content") for m in metas if str(m.get("property") or m.get("name") or "").lower() in _AUTHOR]
    if not named:
        named = [a.text_content() for a in tree.xpath("//a[contains(concat(' ', @rel, ' '), ' author ')]")[:1]]
    return [name for one in named if (name := one_line(one)) and not is_link(name) and len(name) < 200]


def _authors(data: Any) -> Iterator[str]:
    """The people who are authors of a JSON-LD object, of those that it lists, and of its graph."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            found = item.get("author", [])
            for author in found if isinstance(found, list) else [found]:
                if isinstance(author, str):
                    yield author
                elif isinstance(author, dict) and "Organization" not in str(author.get("@type", "")):
                    yield str(author.get("name", ""))
            yield from _authors(item.get("@graph", []))


def _main_blocks(tree: Any) -> list[str]:
    import trafilatura
    from lxml import etree

    every = blocks(tree)
    # It logs each page that it finds nothing on; that is told by the one error of read_page.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    page = etree.tostring(tree, encoding="unicode", method="html")
    main = trafilatura.extract(page, favor_recall=True, include_comments=False, include_tables=True) or ""
    lines = {" ".join(_words(line)) for line in main.splitlines()}
    runs = set(_runs(_words(main)))
    return [block for block in every if " ".join(_words(block)) in lines or _is_of(runs, _words(block))]


def _words(text: str) -> list[str]:
    return by_script(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _is_of(runs: set[tuple[str, ...]], words: list[str]) -> bool:
    """Whether the words are nearly all in a text with these runs of three words; fewer than three never are."""
    own = _runs(words)
    return bool(own) and sum(run in runs for run in own) >= 0.8 * len(own)


def _without_head_and_notes(every: list[str], title: str) -> list[str]:
    first_long = next((i for i, block in enumerate(every) if count_words(block) >= LONG), len(every))
    heads = [i for i in range(first_long) if every[i] == title or any(map(_is_date_line, every[i].split("\n")))]
    body = every[heads[-1] + 1 :] if heads and heads[-1] + 1 < len(every) else every
    end = next((i for i in range(len(body) // 2, len(body)) if i and _NOTES.fullmatch(body[i])), len(body))
    return [block for block in body[:end] if not _WAY_BACK.search(block)]


def _title(tree: Any) -> str:
    headings = [h for h in tree.xpath("//h1 | //h2 | //h3") if set(h.get("class", "").split()) & _TITLE_CLASSES]
    alone = tree.xpath("//article//h1") or tree.xpath("//h1")
    named = tree.xpath("//meta[@property='og:title' or @name='og:title']/@content")
    of_page = [t.text_content() for t in tree.xpath("//head/title | //title")[:1]]
    found = [one_line(h.text_content()) for h in headings[:1] or (alone if len(alone) == 1 else [])]
    return next((t for t in (*found, *(one_line(t) for t in (*named, *of_page))) if t), "")


def _on_top(every: list[str], of_window: str) -> datetime.date | None:
    first_long = next((i for i, block in enumerate(every) if count_words(block) >= LONG), len(every))
    lines = {_is_date_line(line) for block in every[:first_long] for line in block.split("\n")} - {None}
    if lines:
        return lines.pop() if len(lines) == 1 else None
    return parse_date(re.split(r"\s*(?:--|–|—|\|)\s*", of_window)[-1])


def _in_metadata(tree: Any) -> Iterator[datetime.date | None]:
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            yield from map(parse_date, _published(parse(script, "metadata")))
        except (DataError, ValueError):
            continue
    for meta in tree.xpath("//meta[@content]"):
        name = str(meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        if name in _PUBLISHED:
            yield parse_date(str(meta.get("content")))


def _published(data: Any) -> Iterator[str]:
    """Every `datePublished` of a JSON-LD object, of those that it lists, and of its graph; not of what it mentions."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            yield str(item.get("datePublished", ""))
            yield from _published(item.get("@graph", []))


def _in_time(tree: Any) -> Iterator[datetime.date | None]:
    """The first time of the article; of a page without one, only a time that has no rival."""
    own = tree.xpath("//article//time/@datetime | //main//time/@datetime")
    if own:
        yield parse_date(str(own[0]))
    else:
        days = {parse_date(str(value)) for value in tree.xpath("//time/@datetime")}
        yield days.pop() if len(days) == 1 else None


def _is_date_line(line: str) -> datetime.date | None:
    found = _DATE_LINE.fullmatch(line.strip())
    return parse_date(found[1]) if found else None
