import itertools
from collections.abc import Iterator
from datetime import date

import pytest
from website import Answer, Site, Substack, prose

from raft.sources import kind_of, substack
from raft.sources.http import FetchError, Web
from raft.sources.visit import Visit


@pytest.fixture
def visit() -> Iterator[Visit]:
    web = Web(pause=0, backoff=0.01, timeout=0.5, tries=2)
    yield Visit(web)
    web.close()


def test_every_post_of_every_page_with_title_date_link_and_text(site: Site, visit: Visit) -> None:
    Substack(site, posts=30)
    found = list(substack.read(site.url, visit))
    assert [d.title for d in found] == [f"Letter {n}" for n in range(30, 0, -1)]
    first = found[-1]
    assert (first.date, first.source) == (date(2024, 3, 1), f"{site.url}/p/post-1")
    assert first.text == "\n\n".join(prose(1))
    assert site.count("/api/v1/archive") == 4
    assert not visit.left_out


def test_only_new_posts_are_fetched_again(site: Site, visit: Visit) -> None:
    blog = Substack(site, posts=5)
    visit.known |= {d.doc_id for d in substack.read(site.url, visit)}
    blog.publish(6)
    blog.publish(7, post_date="2020-01-01T00:00:00Z")
    assert {d.title for d in substack.read(site.url, visit)} == {"Letter 6", "Letter 7"}
    assert [site.count(f"/api/v1/posts/post-{n}") for n in range(1, 8)] == [1] * 7
    assert visit.already == 5


def test_paywalled_and_cut_off_posts_are_left_out_and_told(site: Site, visit: Visit) -> None:
    blog = Substack(site, posts=2)
    blog.publish(3, audience="only_paid", body_html=None)
    blog.publish(4, body_html=None)
    blog.publish(5, body_html="<p>The first words, then nothing.</p>")
    blog.publish(6, body_html="<p></p>")
    assert len(list(substack.read(site.url, visit))) == 2
    reasons = {place.rpartition("-")[2]: reason for reason, place in visit.left_out}
    assert reasons["3"] == "for subscribers only"
    assert site.count("/api/v1/posts/post-3") == 0
    assert "cut off: 5 words" in reasons["5"]
    assert set(reasons) == {"3", "4", "5", "6"}


def test_an_archive_that_repeats_itself_ends(site: Site, visit: Visit) -> None:
    blog = Substack(site, posts=3)
    first = blog._archive("", {"offset": "0", "limit": "50"})
    site.routes["/api/v1/archive"] = first
    assert len(list(substack.read(site.url, visit))) == 3
    assert site.count("/api/v1/archive") == 2
    assert "repeats itself" in visit.notes[0]


def test_an_archive_without_end_is_left_with_a_word(site: Site, visit: Visit) -> None:
    numbers = itertools.count(1)

    def endless(path: str, query: dict[str, str]) -> Answer:
        return Answer(b'[{"slug": "s%d", "audience": "only_paid"}]' % next(numbers), "application/json")

    site.routes["/api/v1/archive"] = endless
    assert not list(substack.read(site.url, visit, most_pages=7))
    assert site.count("/api/v1/archive") == 7
    assert "no end; stopped after 7 pages" in visit.notes[0]


def test_a_duplicate_post_is_one(site: Site, visit: Visit) -> None:
    blog = Substack(site, posts=2)
    blog.publish(1, slug="post-1-again", canonical_url=f"{site.url}/p/post-1?utm_source=feed")
    assert [d.title for d in substack.read(site.url, visit)] == ["Letter 2", "Letter 1"]


def test_one_post_that_fails_is_left_out_with_its_reason(site: Site, visit: Visit) -> None:
    Substack(site, posts=4)
    site.fail("/api/v1/posts/post-2", *[Answer(status=500)] * 2)
    assert len(list(substack.read(site.url, visit))) == 3
    assert visit.left_out[0][1].endswith("/p/post-2") and "500" in visit.left_out[0][0]


def test_a_site_that_goes_down_is_left_in_peace_after_a_few_posts(site: Site, visit: Visit) -> None:
    Substack(site, posts=20)
    site.routes["/api/v1/posts/*"] = Answer(status=503)
    with pytest.raises(FetchError, match="seems to be down"):
        list(substack.read(site.url, visit))
    assert sum("/posts/" in request for request in site.requests) == 6


def test_what_is_no_substack_is_told(site: Site, visit: Visit) -> None:
    site.routes["/api/v1/archive"] = Answer(b'{"error": "no"}', "application/json")
    with pytest.raises(FetchError, match="a Substack blog"):
        list(substack.read(site.url, visit))
    site.put("/api/v1/archive", "<html></html>")
    with pytest.raises(FetchError, match="text/html where JSON"):
        list(substack.read(site.url, visit))


def test_a_blog_is_known_by_its_address_or_its_front_page(site: Site, visit: Visit) -> None:
    assert kind_of("https://jane.substack.com/archive", visit) == "substack"
    assert not site.requests
    site.put(
        "/", '<html><link rel="alternate" type="application/rss+xml" href="/feed"><img src="https://substackcdn.com/x">'
    )
    assert kind_of(f"{site.url}/", visit) == "substack"
