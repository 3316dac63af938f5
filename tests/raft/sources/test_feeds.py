from collections.abc import Iterator
from datetime import date
from html import escape

import pytest
from website import Answer, Site, as_html, packed, prose, redirect

from raft.errors import RaftError
from raft.sources import feeds, kind_of, pages
from raft.sources.http import Web
from raft.sources.visit import Visit


@pytest.fixture
def visit() -> Iterator[Visit]:
    web = Web(pause=0, backoff=0.01, timeout=0.5, tries=2)
    yield Visit(web)
    web.close()


def rss(*items: str, head: str = "") -> str:
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'<?xml version="1.0"?><rss version="2.0" {space}><channel><title>River</title>{head}{"".join(items)}</channel></rss>'


def item(site: Site, number: int, content: str = "", description: str = "", when: str = "") -> str:
    whole = f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else ""
    when = when or f"Tue, {number:02} Mar 2024 23:30:00 -0500"
    return (
        f"<item><title>Letter {number}</title><link>{site.url}/p/{number}</link><pubDate>{when}</pubDate>"
        f"<description>{escape(description)}</description>{whole}</item>"
    )


def test_rss_with_whole_entries_fetches_no_page(site: Site, visit: Visit) -> None:
    source = site.put("/feed", rss(*[item(site, n, as_html(prose(n))) for n in (1, 2)]), "application/rss+xml")
    assert kind_of(source, visit) == "feed"
    first, second = feeds.read(source, visit)
    assert (first.title, first.date, first.source) == ("Letter 1", date(2024, 3, 1), f"{site.url}/p/1")
    assert second.text == "\n\n".join(prose(2))
    assert set(site.requests) == {"/feed"}


def test_a_long_description_is_the_whole_entry(site: Site, visit: Visit) -> None:
    source = site.put("/feed", rss(item(site, 1, description=as_html(prose(1)))), "text/xml")
    assert [d.text for d in feeds.read(source, visit)] == ["\n\n".join(prose(1))]


@pytest.mark.parametrize(
    "teaser", ["It begins with a heron.", as_html(prose(1)) + "<p>Read more…</p>", as_html(prose(1)) + "[…]"]
)
def test_a_teaser_is_fetched_from_its_page_and_keeps_its_date(site: Site, visit: Visit, teaser: str) -> None:
    source = site.put("/feed", rss(item(site, 1, description=teaser)), "application/rss+xml")
    site.put("/p/1", f"<html><body><nav>Home</nav><article>{as_html(prose(9))}</article></body></html>")
    (found,) = feeds.read(source, visit)
    assert found.text == "\n\n".join(prose(9))
    assert found.date == date(2024, 3, 1)


def test_atom_with_a_date_of_change_only(site: Site, visit: Visit) -> None:
    entry = f"<entry><title>On eels</title><id>urn:1</id><link href='{site.url}/eels'/><updated>2024-03-05T23:30:00-05:00</updated>"
    entry += f"<content type='html'>{escape(as_html(prose(1)))}</content></entry>"
    source = site.put(
        "/atom", f"<feed xmlns='http://www.w3.org/2005/Atom'><title>River</title>{entry}</feed>", "text/plain"
    )
    assert kind_of(source, visit) == "feed"
    (found,) = feeds.read(source, visit)
    assert (found.title, found.date, found.text) == ("On eels", date(2024, 3, 5), "\n\n".join(prose(1)))


def test_a_site_leads_to_its_feed_and_an_article_does_not(site: Site, visit: Visit) -> None:
    site.put("/feed", rss(item(site, 1, as_html(prose(1)))), "application/rss+xml")
    links = """<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
        <link rel="alternate" type="application/rss+xml" href="/feed">"""
    front = site.put("/", f"<html><head>{links}</head><body>Welcome</body></html>")
    assert kind_of(front, visit) == "feed"
    assert [d.title for d in feeds.read(front, visit)] == ["Letter 1"]
    article = site.put(
        "/a", f'<html><head>{links}<meta property="og:type" content="article"></head><body>{as_html(prose(1))}'
    )
    assert kind_of(article, visit) == "page"
    assert kind_of(site.put("/b", f"<html><body>{as_html(prose(1))}"), visit) == "page"


def test_older_pages_of_a_feed_are_read_and_known_entries_are_not_fetched(site: Site, visit: Visit) -> None:
    older = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{site.url}/feed?page=2"/>'

    def route(path: str, query: dict[str, str]) -> Answer:
        text = (
            rss(item(site, 1, description="Short.")) if query else rss(item(site, 2, description="Short."), head=older)
        )
        return Answer(text.encode(), "application/rss+xml")

    site.routes["/feed"] = route
    for n in (1, 2):
        site.put(f"/p/{n}", as_html(prose(n)))
    found = list(feeds.read(f"{site.url}/feed", visit))
    assert [d.title for d in found] == ["Letter 2", "Letter 1"]
    visit.known |= {d.doc_id for d in found}
    assert not list(feeds.read(f"{site.url}/feed", visit))
    assert site.count("/p/1") == site.count("/p/2") == 1


def test_a_feed_that_leads_to_itself_ends(site: Site, visit: Visit) -> None:
    own = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{site.url}/feed"/>'
    source = site.put("/feed", rss(item(site, 1, as_html(prose(1))), head=own), "application/rss+xml")
    assert len(list(feeds.read(source, visit))) == 1
    assert site.count("/feed") == 2


@pytest.mark.parametrize("when", ["2024", "2024-03", "03/04/2024", "Spring"])
def test_no_date_is_invented(site: Site, visit: Visit, when: str) -> None:
    source = site.put("/feed", rss(item(site, 1, as_html(prose(1)), when=when)), "application/rss+xml")
    assert [d.date for d in feeds.read(source, visit)] == [None]


def test_broken_feeds_give_what_is_in_them_or_say_that_they_are_none(site: Site, visit: Visit) -> None:
    cut = rss(item(site, 1, as_html(prose(1))), item(site, 2, as_html(prose(2))))[:-40]
    source = site.put("/cut", cut.replace("River", "R&iver"), "application/rss+xml")
    assert "Letter 1" in [d.title for d in feeds.read(source, visit)]
    with pytest.raises(RaftError, match="neither RSS nor Atom"):
        list(feeds.read(site.put("/no", "just words", "application/rss+xml"), visit))
    with pytest.raises(RaftError, match="names no feed"):
        list(feeds.read(site.put("/page", "<html><p>words"), visit))


def test_entries_without_date_link_or_page(site: Site, visit: Visit) -> None:
    odd = item(site, 1, as_html(prose(1)), when="some time in spring")
    gone = item(site, 2, description="Short.")
    homeless = "<item><title>Lost</title><description>Short.</description></item>"
    broken = "<item><title>Broken</title><link>http://[nowhere</link><description>Short.</description></item>"
    source = site.put("/feed", rss(odd, gone, homeless, broken), "application/rss+xml")
    (found,) = feeds.read(source, visit)
    assert found.date is None
    assert len(visit.left_out) == 3
    assert any("404" in reason for reason, _ in visit.left_out)


def test_a_page_behind_a_redirect_packed_and_with_a_wrong_charset(site: Site, visit: Visit) -> None:
    body = as_html([*prose(1), "Façade, “naïve” – and €5, said the keeper of the lock to nobody who was listening."])
    site.routes["/new"] = packed(f"<html><title>Café</title>{body}".encode(), "text/html; charset=iso-8859-1")
    site.routes["/old"] = redirect("/new")
    (found,) = pages.read(f"{site.url}/old", visit)
    assert found.title == "Café"
    assert "Façade, “naïve” – and €5" in found.text
    assert found.source == f"{site.url}/old"


def test_a_page_that_is_something_else_is_told(site: Site, visit: Visit) -> None:
    source = site.put("/x", b"\x89PNG....", "image/png")
    for read in (kind_of, lambda s, v: list(pages.read(s, v))):
        with pytest.raises(RaftError, match="image/png"):
            read(source, visit)
