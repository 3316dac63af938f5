"""Sources of writings. A new kind is one module with a `read`, and its line in `READERS`.

A reader takes the source as the user named it and the visit, and yields the documents that are not kept yet, each as
soon as it has it. What it does not take it tells the visit; a source that cannot be read at all is a RaftError.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from raft.errors import RaftError
from raft.sources import feeds, files, pages, substack
from raft.sources.links import is_link
from raft.sources.visit import Visit
from raft.types import Document

READERS: dict[str, Callable[[str, Visit], Iterator[Document]]] = {
    "substack": substack.read,
    "feed": feeds.read,
    "page": pages.read,
    "file": files.read,
}


def kind_of(source: str, visit: Visit) -> str:
    """Which reader a source is for: by its name where that tells, else by a look at the page.

    A page with the mark of Substack is a blog when the address is the site's root. Any other page that names a feed is
    that feed, unless it calls itself an article.
    """
    if not is_link(source):
        if not Path(source).exists():
            raise RaftError(f"{source}: no such file or folder, and no address with http:// or https://")
        return "file"
    if substack.is_substack(source):
        return "substack"
    page = visit.look(source)
    if feeds.is_feed(page):
        return "feed"
    if not page.is_html:
        if files.suffix_of(source.partition("?")[0]) or page.content_type in files.TYPES:
            return "file"
        kind = page.content_type or "no content type"
        raise RaftError(f"{source}: answered with {kind}, which is neither a page, a feed nor a file that can be read")
    if pages.is_article(page.content):
        return "page"
    if substack.is_made_with(page):
        return "substack"
    return "feed" if feeds.feed_of(page) else "page"
