"""A Substack blog: its archive page by page, then each post that is not kept yet.

The whole listing is read each time, which is a page for fifty posts: so nothing is missed after a kill, nor a post
that its author dated back.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from raft.errors import RaftError
from raft.sources.dates import parse_date
from raft.sources.http import FetchError, Page
from raft.sources.links import id_of_link, is_link
from raft.sources.text import one_line, text_of_html
from raft.sources.visit import Visit
from raft.text import count_words
from raft.types import Document

A_PAGE = 50
MOST_PAGES = 400


def is_substack(source: str) -> bool:
    """Whether the address itself says that it is a Substack blog, not one post of it."""
    parts = urlsplit(source)
    return (parts.hostname or "").endswith(".substack.com") and parts.path.rstrip("/") in ("", "/archive")


def is_made_with(page: Page) -> bool:
    """Whether it is the front page of a Substack blog with an address of its own."""
    return b"substackcdn.com" in page.content and urlsplit(page.url).path.rstrip("/") in ("", "/archive")


def read(source: str, visit: Visit, most_pages: int = MOST_PAGES) -> Iterator[Document]:
    """The blog's posts that are not kept yet, newest first. Posts for subscribers only are left out, and counted."""
    parts = urlsplit(source)
    base = f"{parts.scheme}://{parts.netloc}"
    posts = {
        id_of_link(link): (link, post) for post in _archive(base, visit, most_pages) for link in [_link(base, post)]
    }
    visit.owner.settle((_bylines(post) for _, post in posts.values()), base)
    new = [found for name, found in posts.items() if not visit.has(name)]
    with visit.progress(base, len(new), "posts") as advance:
        for link, post in new:
            if post.get("audience") not in (None, "everyone"):
                visit.leave_out("for subscribers only", link)
            elif document := visit.attempt(link, partial(_post, base, post, link, visit)):
                yield document
            advance(1)


def _archive(base: str, visit: Visit, most_pages: int) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    offset = 0
    for number in range(1, most_pages + 1):
        address = f"{base}/api/v1/archive?sort=new&limit={A_PAGE}&offset={offset}"
        listed = visit.web.get(address).json()
        if not isinstance(listed, list):
            raise FetchError(f"{address}: no list of posts; is {base} a Substack blog? If not, leave --kind out")
        if not listed:
            return
        posts = [p for p in listed if isinstance(p, dict) and p.get("slug") and one_line(p["slug"]) == p["slug"]]
        new = [p for p in posts if p["slug"] not in seen]
        if not new:
            visit.notes.append(f"{base}: its archive repeats itself from page {number} on; stopped there")
            return
        seen.update(p["slug"] for p in new)
        yield from new
        offset += len(listed)
    visit.notes.append(f"{base}: its archive has no end; stopped after {most_pages} pages, {len(seen)} posts")


def _link(base: str, post: dict[str, Any]) -> str:
    given = post.get("canonical_url")
    return one_line(given) if isinstance(given, str) and is_link(given) else f"{base}/p/{quote(post['slug'], safe='')}"


def _bylines(post: dict[str, Any]) -> list[str]:
    found = post.get("publishedBylines")
    return [str(one.get("name", "")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _post(base: str, listed: dict[str, Any], link: str, visit: Visit) -> Document:
    visit.owner.check(_bylines(listed), link)
    post = visit.web.get(f"{base}/api/v1/posts/{quote(listed['slug'], safe='')}").json()
    body = post.get("body_html") if isinstance(post, dict) else None
    if isinstance(post, dict) and not _bylines(listed):
        visit.owner.check(_bylines(post), link)
    text = text_of_html(body, partial(visit.owner.cut, place=link)) if isinstance(body, str) else ""
    if not text:
        raise RaftError("no text, such as a podcast, or cut off for those who do not subscribe")
    visit.owner.check_text(text.split("\n\n"), link)
    said, words = listed.get("wordcount"), count_words(text)
    if isinstance(said, int) and said > 100 and words < said / 2:
        raise RaftError(f"cut off: {words} words of {said}")
    title = one_line(post.get("title") or listed.get("title") or listed["slug"])
    return Document(id_of_link(link), title, parse_date(post.get("post_date") or listed.get("post_date")), link, text)
