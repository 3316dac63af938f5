import gzip
import hashlib
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from website import Answer, Site, packed, redirect

from raft.sources import http
from raft.sources.http import FetchError, Web, is_near


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(pause=0, backoff=0.01, timeout=0.4, tries=3, longest_wait=30)
    yield web
    web.close()


PASSING = [
    Answer(status=429, headers={"Retry-After": "0"}),
    Answer(status=500),
    Answer(status=503),
    Answer(fault="hang"),
    Answer(fault="drop"),
    Answer(b"half of it is missing", fault="cut"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda a: a.fault or str(a.status))
def test_what_passes_is_tried_again(site: Site, web: Web, fault: Answer) -> None:
    site.put("/a", "here")
    site.fail("/a", fault, fault)
    assert web.get(f"{site.url}/a").content == b"here"
    assert site.count("/a") == 3


def test_what_does_not_pass_in_time_is_an_error_that_says_so(site: Site, web: Web) -> None:
    site.put("/a", "here")
    site.fail("/a", *[Answer(status=500)] * 9)
    with pytest.raises(FetchError, match=r"/a: 500") as caught:
        web.get(f"{site.url}/a")
    assert caught.value.passes
    assert site.count("/a") == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_asked_again(site: Site, web: Web, status: int) -> None:
    site.routes["/a"] = Answer(status=status)
    with pytest.raises(FetchError, match=str(status)) as caught:
        web.get(f"{site.url}/a")
    assert not caught.value.passes
    assert site.count("/a") == 1


@pytest.mark.parametrize("as_a_date", [False, True])
def test_retry_after_is_waited_for(site: Site, web: Web, as_a_date: bool) -> None:
    site.put("/a", "here")
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    site.fail("/a", Answer(status=429, headers={"Retry-After": until if as_a_date else "1"}))
    began = time.monotonic()
    web.get(f"{site.url}/a")
    assert 0.9 < time.monotonic() - began < 5


def test_a_retry_after_of_hours_ends_it_at_once(site: Site, web: Web) -> None:
    site.routes["/a"] = Answer(status=429, headers={"Retry-After": "7200"})
    with pytest.raises(FetchError, match="come back in 7200 s"):
        web.get(f"{site.url}/a")
    assert site.count("/a") == 1


def test_redirects_are_followed_so_far_and_no_further(site: Site, web: Web) -> None:
    site.put("/here", "found")
    site.routes["/old"] = redirect("/older")
    site.routes["/older"] = redirect("/here")
    assert web.get(f"{site.url}/old").url == f"{site.url}/here"
    site.routes["/loop"] = redirect("/loop")
    with pytest.raises(FetchError, match="in a circle"):
        web.get(f"{site.url}/loop")
    assert site.count("/loop") < 15
    site.routes["/away"] = redirect("ftp://127.0.0.1/x")
    with pytest.raises(FetchError, match="http"):
        web.get(f"{site.url}/away")


def test_gzip_is_unpacked_and_a_broken_one_is_told(site: Site, web: Web) -> None:
    site.routes["/a"] = packed(b"a page " * 1000)
    assert web.get(f"{site.url}/a").content == b"a page " * 1000
    site.routes["/b"] = Answer(b"not packed at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="compression"):
        web.get(f"{site.url}/b")


@pytest.mark.parametrize("names", ["gzip, gzip", "zstd", "br", "gzip, identity, x-gzip", "no-such"])
def test_what_is_packed_twice_or_in_another_way_is_refused(site: Site, web: Web, names: str) -> None:
    twice = gzip.compress(gzip.compress(b"a page " * 1000))
    site.routes["/twice"] = Answer(twice, headers={"Content-Encoding": names})
    with pytest.raises(FetchError, match="only gzip, and that once, is unpacked"):
        web.get(f"{site.url}/twice")


def test_no_more_than_the_limit_is_unpacked(site: Site) -> None:
    site.routes["/bomb"] = packed(bytes(200_000_000))
    web = Web(pause=0, most_bytes=1_000_000)
    tracemalloc.start()
    with pytest.raises(FetchError, match="over 1 MB"):
        web.get(f"{site.url}/bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    web.close()
    assert peak < 8_000_000


def test_a_cut_gzip_is_told(site: Site, web: Web) -> None:
    whole = gzip.compress(b"".join(hashlib.sha256(bytes([i])).digest() for i in range(200)))
    site.routes["/cut"] = Answer(whole[: len(whole) // 2], headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="compression"):
        web.get(f"{site.url}/cut")


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True), ("localhost", True), ("127.1", True), ("2130706433", True), ("0.0.0.0", True),
        ("10.1.2.3", True), ("192.168.0.1", True), ("172.16.0.1", True), ("169.254.169.254", True), ("100.64.0.1", True),
        ("::1", True), ("fe80::1", True), ("fd00::1", True), ("::ffff:127.0.0.1", True), ("64:ff9b::7f00:1", True),
        ("2002:7f00:1::", True), ("224.0.0.1", True), ("0x7f000001", True), ("0177.0.0.1", True), ("0", True),
        ("240.0.0.1", True), ("198.18.0.1", True), ("::", True), ("::127.0.0.1", True), ("::ffff:0:10.0.0.1", True),
        ("64:ff9b:1::a00:1", True), ("fec0::1", True), ("ff02::1", True), ("2001::1", True), ("fe80::1%lo", True),
        ("93.184.216.34", False), ("2606:2800:220:1::1", False), ("no.such.host.invalid", False),
    ],
)  # fmt: skip
def test_addresses_of_this_machine_and_its_network_are_known(host: str, near: bool) -> None:
    assert is_near(host) is near


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site whose address passes for a public one."""
    monkeypatch.setattr(http, "is_near", lambda host: host == "127.0.0.1")
    with Site("127.0.0.2").running() as site:
        yield site


def test_a_public_address_leads_nowhere_inside(site: Site, public: Site, web: Web) -> None:
    site.put("/secret", "of the network")
    public.put("/page", "of all")
    public.routes["/away"] = redirect(f"{site.url}/secret")
    web.begin()
    for address in (f"{public.url}/away", f"{public.url}/page", f"{site.url}/secret", f"{public.url}/away"):
        if address.endswith("page"):
            assert web.get(address).content == b"of all"
        else:
            with pytest.raises(FetchError, match="leads from a public address into this machine") as caught:
                web.get(address)
            assert not caught.value.passes
    assert site.count("/secret") == 0
    web.begin()
    assert web.get(f"{site.url}/secret").content == b"of the network", "the user named it"
    assert web.get(f"{public.url}/page").content == b"of all"
    assert web.get(f"{public.url}/away").content == b"of the network", "the source is inside itself"


def test_a_name_that_leads_inside_a_moment_later_is_not_read(site: Site, public: Site, web: Web) -> None:
    public.routes["/away"] = redirect(f"{site.url.replace('127.0.0.1', 'localhost')}/secret")
    site.put("/secret", "of the network")
    web.begin()
    with pytest.raises(FetchError, match="/secret: leads from a public address into this machine"):
        web.get(f"{public.url}/away")


@pytest.mark.parametrize("how", ["announced", "streamed", "packed"])
def test_a_page_of_50_mb_is_refused_before_it_is_read(site: Site, how: str) -> None:
    if how == "packed":
        site.routes["/big"] = packed(bytes(30_000_000))
    else:
        megabytes = (b"x" * 1_000_000 for _ in range(50))
        headers = {"Content-Length": "50000000"} if how == "announced" else {}
        site.routes["/big"] = Answer(megabytes, headers=headers)
    web = Web(pause=0, most_bytes=2_000_000)
    with pytest.raises(FetchError, match="over 2 MB") as caught:
        web.get(f"{site.url}/big")
    web.close()
    assert not caught.value.passes
    assert site.count("/big") == 1
    assert site.sent < 20_000_000


def test_a_site_has_its_pause_redirects_included(site: Site) -> None:
    site.put("/here", "found")
    site.routes["/old"] = redirect("/here")
    web = Web(pause=0.2)
    began = time.monotonic()
    web.get(f"{site.url}/old")
    web.get(f"{site.url}/here")
    web.close()
    assert time.monotonic() - began >= 0.4
    assert all(agent.startswith("ratf/") for agent in site.agents)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "http://", "http://[broken", "nothing at all"])
def test_an_address_that_is_none_is_told(web: Web, url: str) -> None:
    with pytest.raises(FetchError):
        web.get(url)


def test_nobody_there_is_told(web: Web) -> None:
    with pytest.raises(FetchError, match="cannot be reached"):
        web.get("http://127.0.0.1:1/")


def test_a_password_in_an_address_is_refused_and_not_repeated(site: Site, web: Web) -> None:
    with pytest.raises(FetchError, match="user name") as caught:
        web.get(site.url.replace("//", "//me:hunter2@") + "/a")
    assert "hunter2" not in str(caught.value)
    assert not site.requests


def test_json_that_is_none_is_told(site: Site, web: Web) -> None:
    site.put("/api", "<html>log in first</html>")
    with pytest.raises(FetchError, match="text/html where JSON"):
        web.get(f"{site.url}/api").json()
