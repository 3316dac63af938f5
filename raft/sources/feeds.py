"""RSS and Atom feeds, and plain addresses of sites that name their feed."""

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urljoin

from raft.errors import RaftError
from raft.sources.bylines import names_in
from raft.sources.dates import parse_date
from raft.sources.http import FetchError, Page
from raft.sources.links import id_of_link, id_of_text, is_link
from raft.sources.others import Cut
from raft.sources.pages import read_page
from raft.sources.text import decode_html, one_line, parse_html, text_of_html
from raft.sources.visit import Visit
from raft.text import count_words
from raft.types import Document

MOST_PAGES = 200
FULL_SUMMARY = 150
"""A summary of so many words that does not trail off is the whole entry; many RSS feeds keep theirs there."""

_FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"}
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.|\[[….]+\]|(?:read|see|keep|continue)\s+(?:more|reading|on)\W*)\s*$", re.I)


def is_feed(page: Page) -> bool:
    """Whether a page is a feed, whatever its content type says."""
    head = page.content[:2000].lower()
    return not page.is_html and any(mark in head for mark in (b"<rss", b"<feed", b"<rdf:rdf"))


def feed_of(page: Page) -> str | None:
    """The feed of posts that a page names in its head; feeds of comments do not count."""
    tree = parse_html(decode_html(page.content, page.charset))
    for link in tree.xpath("//link[@href and @type]") if tree is not None else []:
        named = f"{link.get('title', '')} {link.get('href')}".lower()
        rel, kind = link.get("rel", "").lower().split(), link.get("type", "").lower()
        if "alternate" in rel and kind in _FEED_TYPES - {"application/feed+json"} and "comment" not in named:
            return _joined(page.url, str(link.get("href")))
    return None


def _joined(base: str, link: str) -> str | None:
    try:
        return urljoin(base, link)
    except ValueError:
        return None


def read(source: str, visit: Visit, most_pages: int = MOST_PAGES) -> Iterator[Document]:
    """The entries that are not kept yet. An entry that is only a teaser is fetched from its page."""
    entries = {name: entry for entry in _entries(source, visit, most_pages) for name in [_name(entry)]}
    visit.owner.settle(map(_bylines, entries.values()), source)
    new = {name: entry for name, entry in entries.items() if not visit.has(name)}
    with visit.progress(source, len(new), "entries") as advance:
        for name, entry in new.items():
            place = _link(entry) or entry.get("title") or source
            if document := visit.attempt(place, partial(_document, name, entry, source, visit)):
                yield document
            advance(1)


def _entries(source: str, visit: Visit, most_pages: int) -> Iterator[Any]:
    """The entries of the feed, and of the older pages that it names as `rel=next`."""
    import feedparser

    page = visit.page(source)
    if page.is_html:
        address = feed_of(page)
        if address is None:
            raise RaftError(f"{source}: the page names no feed; give the feed's address, or the page with --kind page")
        page = visit.web.get(address)
    seen: set[str] = set()
    for _ in range(most_pages):
        feed = feedparser.parse(
            page.content, response_headers={"content-type": page.header, "content-location": page.url}
        )
        if not feed.version and not feed.entries:
            raise FetchError(f"{page.url}: neither RSS nor Atom ({page.content_type or 'no content type'})")
        new = [entry for entry in feed.entries if _name(entry) not in seen]
        yield from new
        seen.update(map(_name, new))
        older = next((link.href for link in feed.feed.get("links", []) if link.get("rel") == "next"), None)
        if not (new and older and is_link(older)):
            return
        page = visit.web.get(older)
    visit.notes.append(f"{source}: the feed has no end; stopped after {most_pages} pages, {len(seen)} entries")


def _name(entry: Any) -> str:
    link = _link(entry)
    return id_of_link(link) if is_link(link) else id_of_text(entry.get("title", ""), entry.get("id", ""))


def _bylines(entry: Any) -> list[str]:
    whole = str(entry.get("author", ""))
    if "@" in whole:  # feedparser cuts long addresses in two
        return names_in([whole]) or [whole.partition("@")[0].rpartition(" ")[2]]
    return [whole, *(str(one.get("name", "")) for one in entry.get("authors", []))]


def _link(entry: Any) -> str:
    return one_line(entry.get("link", ""))


def _document(name: str, entry: Any, source: str, visit: Visit) -> Document:
    link = _link(entry)
    title = one_line(text_of_html(entry.get("title", "")))
    place = link or title or source
    visit.owner.check(_bylines(entry), place)
    text, day = _given_text(entry, partial(visit.owner.cut, place=place)), _day(entry)
    if text is None:
        if not is_link(link):
            raise RaftError("only a teaser, and no link to the whole")
        page = visit.web.get(link)
        if not page.is_html:
            raise RaftError(f"answered with {page.content_type or 'no content type'} where a page was expected")
        whole = read_page(page.content, link, page.header, visit.owner)
        text, day, title = whole.text, day or whole.date, title or whole.title
    visit.owner.check_text(text.split("\n\n"), place)
    return Document(name, title or link or source, day, link if is_link(link) else source, text)


def _given_text(entry: Any, cut: Cut) -> str | None:
    """The entry's text, when the feed has all of it."""
    contents = [str(content.get("value", "")) for content in entry.get("content", [])]
    text = text_of_html(max(contents, key=lambda c: len(text_of_html(c)), default=""), cut)
    if text and not _TRAILS_OFF.search(text):
        return text
    summary = text_of_html(entry.get("summary", ""))
    is_whole = count_words(summary) >= FULL_SUMMARY and not _TRAILS_OFF.search(summary)
    return text_of_html(entry.get("summary", ""), cut) if is_whole else None


def _day(entry: Any) -> date | None:
    """The day of publication, as written; without it that of the last change, which is no earlier.

    Not feedparser's own reading, which makes the first of January of a bare year.
    """
    return next((day for key in ("published", "created", "updated") if (day := parse_date(entry.get(key)))), None)
