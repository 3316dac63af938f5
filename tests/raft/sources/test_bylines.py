"""Never other people's words in the person's mouth: guests, embedded posts, quotations pulled out, footers of feeds."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import pytest
from places import REPOSITORY
from typer.testing import CliRunner, Result
from website import Site, Substack, as_html, prose

from raft.cli import app
from raft.errors import RaftError
from raft.sources.bylines import Owner, SomebodyElse, is_same, names_in
from raft.sources.text import text_of_html

CASES = Path(os.environ.get("RATF_TEST_DATA", REPOSITORY.parent / "shared" / "data")).parent / "cases"
OWN = as_html(prose(1))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fetch(*arguments: str, called: str = "Ilse Brandt") -> Result:
    return CliRunner().invoke(
        app, ["fetch", "ilse", *arguments, "--pause", "0", *(["--called", called] * bool(called))]
    )


def kept(folder: str = "people/ilse") -> list[dict[str, str]]:
    path = Path(folder, "writings.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Ilse Brandt", "ilse brandt", True), ("Ilse Brandt", "Brandt, Ilse", True), ("Ilse Brandt", "Dr. Ilse M. Brandt", True),
        ("Ilse Brandt", "I. Brandt", True), ("Ilse Brandt", "ibrandt", True), ("Ilse Brandt", "ilse", True),
        ("Ilse Brandt", "ilse-brandt", True), ("Zoë Brânză", "Zoe Branza", True), ("林玛拉", "林玛拉", True),
        ("Ilse Brandt", "Ilse Kern", False), ("Ilse Brandt", "Otto Brandt", False), ("Ilse Brandt", "O. Brandt", False),
        ("林玛拉", "林康拉", False), ("Ilse Brandt", "", False), ("Ilse Brandt", "PhD", False),
    ],
)  # fmt: skip
def test_when_two_names_may_be_one_persons(name: str, other: str, same: bool) -> None:
    assert is_same(name, other) is same is is_same(other, name)


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("by Ilse Brandt and Otto Kern", ["Ilse Brandt", "Otto Kern"]), ("Brandt, Ilse", ["Brandt, Ilse"]),
        ("Ilse Brandt, PhD & Otto Kern", ["Ilse Brandt", "Otto Kern"]), ("admin", []), ("otto@x.example (Otto Kern)", ["Otto Kern"]),
        ("Otto Kern (as told to Ilse Brandt)", ["Otto Kern", "Ilse Brandt"]), ("Otto Kern · Ilse Brandt", ["Otto Kern", "Ilse Brandt"]),
        ("<b>Otto\u200b Kern</b>", ["Otto Kern"]), ("康拉德·普尔", ["康拉德·普尔"]), ("Von Otto Kern", ["Otto Kern"]), ("作者：林康拉", ["林康拉"]), ("", []), (None, []), ("Editor", []),
    ],
)  # fmt: skip
def test_the_names_in_a_byline(byline: object, names: list[str]) -> None:
    assert names_in([byline]) == names


@pytest.mark.parametrize("said", [
    "This is a guest post by Otto Kern, miller.", "Guest post: Otto Kern", "Today’s guest essay is by Otto Kern.",
    "A guest post from my brother Otto Kern.", "By Otto Kern", "Gastbeitrag von Otto Kern", "客座文章：奥托",
])  # fmt: skip
def test_a_guest_whom_the_text_introduces(said: str) -> None:
    with pytest.raises(SomebodyElse):
        Owner(("Ilse Brandt",)).check_text([said, "I would blow it up."], "x")
    Owner(("Otto Kern", "奥托")).check_text([said], "x")
    Owner().check_text([said], "x")


@pytest.mark.parametrize("said", [
    "Last week’s guest post by Otto Kern made you angry.", "By Sunday the water was gone.", "My guest, by the way, left early.",
    "I was a guest at the mill of Otto Kern.", "Written by hand, as ever.",
])  # fmt: skip
def test_one_who_only_speaks_of_a_guest_is_no_guest(said: str) -> None:
    Owner(("Ilse Brandt",)).check_text([said], "x")


def test_substack_guests_are_left_out_by_name_and_address(site: Site) -> None:
    blog = Substack(site, posts=3)
    for number, names in ((4, ["Otto Kern"]), (5, ["Ilse Brandt", "Otto Kern"]), (6, ["Ilse B. Brandt"]), (7, [])):
        blog.publish(number, publishedBylines=[{"id": number, "name": name} for name in names])
    result = fetch("--from", site.url, "--kind", "substack")
    assert "6 new, 0 already there, 1 left out" in result.output, result.output
    assert f"by somebody else: 1 ({site.url}/p/post-4; Otto Kern)" in result.output
    assert f"signed as well by Otto Kern: 1 ({site.url}/p/post-5)" in result.output
    assert site.count("/api/v1/posts/post-4") == 0
    again = fetch("--by", "Otto Kern", called="")
    assert "1 new, 6 already there, 0 left out" in again.output
    blog.publish(8, publishedBylines=[{"name": "Otto Kern"}])
    assert "1 new, 7 already there, 0 left out" in fetch(called="").output, "the name is remembered"


def test_without_a_name_the_person_is_who_signed_most(site: Site) -> None:
    blog = Substack(site)
    for number in range(1, 6):
        blog.publish(
            number,
            publishedBylines=[{"name": "Ilse Brandt" if number < 4 else "Otto Kern" if number == 4 else "Una Pell"}],
        )
    assert "3 new, 0 already there, 2 left out" in fetch("--from", site.url, "--kind", "substack", called="").output
    assert "name: Ilse Brandt" in Path("people/ilse/person.yaml").read_text("utf-8")
    blog.publish(6, publishedBylines=[{"name": "Una Pell"}])
    again = CliRunner().invoke(app, ["fetch", "other", "--from", site.url, "--kind", "substack", "--pause", "0"])
    assert again.exit_code == 2 and "whose writings are wanted?" in again.output and not Path("people/other").exists()


def feed(site: Site, *entries: tuple[str, str, str]) -> str:
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    items = "".join(
        f"<item><title>{name}</title><link>{site.url}/{name}</link><pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate>{by}"
        f"<content:encoded><![CDATA[{body}]]></content:encoded></item>"
        for name, by, body in entries
    )
    rss = f'<?xml version="1.0"?><rss version="2.0" {space}><channel><title>Lock</title>{items}</channel></rss>'
    return site.put("/feed", rss, "application/rss+xml")


def creator(*names: str) -> str:
    return "".join(f"<dc:creator><![CDATA[{name}]]></dc:creator>" for name in names)


def test_feed_entries_of_others_are_left_out(site: Site) -> None:
    source = feed(
        site,
        ("own", creator("ilse"), OWN),
        ("admin", creator("admin"), OWN),
        ("guest", creator("Otto Kern"), OWN),
        ("mail", "<author>otto@x.example (Otto Kern)</author>", OWN),
        ("inside", creator("Ilse Brandt"), f"<p><em>This is a guest post by Otto Kern.</em></p>{OWN}"),
        ("board", creator("The Lock Letter"), OWN),
    )
    result = fetch("--from", source)
    assert [d["title"] for d in kept()] == ["own", "admin", "board"], result.output
    assert "by somebody else: 3" in result.output and result.output.count("; Otto Kern") == 3
    assert f"signed by The Lock Letter: 1 ({site.url}/board)" in result.output


def page(head: str, body: str = OWN) -> str:
    return f"<html><head><title>T</title>{head}</head><body><article>{body}</article></body></html>"


@pytest.mark.parametrize("head", [
    '<meta name="author" content="Otto Kern">', '<meta property="article:author" content="Otto Kern">',
    '<script type="application/ld+json">{"@type": "Article", "author": {"@type": "Person", "name": "Otto Kern"}}</script>',
    '<script type="application/ld+json">{"@graph": [{"author": [{"name": "Otto Kern"}]}]}</script>',
])  # fmt: skip
def test_pages_of_others_are_left_out(site: Site, head: str) -> None:
    link = site.put("/p", page(head))
    result = fetch("--from", link)
    assert f"by somebody else: 1 ({link}; Otto Kern)" in result.output and kept() == []
    assert "1 new" in fetch("--from", link, "--by", "Otto Kern").output


@pytest.mark.parametrize("head", [
    '<meta name="author" content="Ilse Brandt">', '<meta property="article:author" content="https://x.example/ilse">',
    '<script type="application/ld+json">{"author": {"@type": "Organization", "name": "Otto Kern"}}</script>', "",
])  # fmt: skip
def test_pages_that_may_be_theirs_are_taken(site: Site, head: str) -> None:
    assert "1 new" in fetch("--from", site.put("/p", page(head))).output


def test_a_teaser_leads_to_a_page_of_somebody_else(site: Site) -> None:
    site.put("/t", page('<meta name="author" content="Otto Kern">'))
    source = feed(site, ("t", "", "<p>It begins. Read more…</p>"))
    assert "by somebody else: 1" in fetch("--from", source).output and kept() == []


def test_files_of_others_are_left_out(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "own.md").write_text("---\nauthor: Ilse Brandt\n---\nMine.", "utf-8")
    (notes / "guest.md").write_text("---\nauthors: [Otto Kern]\n---\nHis.", "utf-8")
    (notes / "named.md").write_text("---\nauthor: {name: Otto Kern}\n---\nHis.", "utf-8")
    (notes / "text.txt").write_text("A guest post by Otto Kern\n\nHis.", "utf-8")
    (notes / "page.html").write_text(page('<meta name="author" content="Otto Kern">'), "utf-8")
    lines = [
        {"title": "a", "text": "Hers.", "author": "Ilse Brandt"},
        {"title": "b", "text": "His.", "author": "Otto Kern"},
    ]
    (notes / "all.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    result = fetch("--from", "notes")
    assert sorted(d["text"] for d in kept()) == ["Hers.", "Mine."], result.output
    assert "by somebody else: 5" in result.output and "guest.md; Otto Kern" in result.output


EMBEDDED = [
    '<div class="embedded-post-wrap"><a class="embedded-post" href="https://o.example/p">{}</a></div>',
    '<blockquote class="twitter-tweet"><p>{}</p>&mdash; Otto</blockquote>',
    '<div class="tweet"><div class="tweet-text">{}</div></div>',
    '<figure class="wp-block-embed is-type-wp-embed"><blockquote class="wp-embedded-content">{}</blockquote></figure>',
    '<figure class="kg-card kg-bookmark-card"><a href="https://o.example">{}</a></figure>',
    '<div class="bluesky-wrap outer"><p>{}</p></div>',
    '<div class="graf graf--mixtapeEmbed"><a href="https://o.example">{}</a></div>',
]  # fmt: skip


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_what_is_embedded_is_left_out_and_told(embedded: str) -> None:
    told: list[str] = []
    theirs = "Every miller would blow it up tomorrow. " * 8
    html = f"<p>Mine before.</p>{embedded.format(theirs)}<p>Mine after.</p>"
    assert text_of_html(html, lambda what, whence: told.append(what)) == "Mine before.\n\nMine after."
    assert len(told) == 1


@pytest.mark.parametrize("pulled", [
    '<div class="pullquote"><p>The lock holds the river.</p></div>', "<blockquote>The lock holds the river</blockquote>",
    '<figure class="wp-block-pullquote"><blockquote><p>“the lock holds the river”</p></blockquote></figure>',
])  # fmt: skip
def test_a_quotation_pulled_out_of_the_text_stands_once(pulled: str) -> None:
    told: list[str] = []
    html = f"<p>The lock holds the river, and I hold the lock.</p>{pulled}<p>So it was.</p>"
    text = text_of_html(html, lambda what, whence: told.append(what))
    assert text == "The lock holds the river, and I hold the lock.\n\nSo it was." and len(told) == 1
    other = html.replace("<p>The lock holds the river, and I", "<p>I alone")
    assert "lock holds the river" in text_of_html(other).lower(), "a quotation that stands nowhere else stays"


FOOTERS = [
    "The post On locks first appeared on The Lock.", "The post On locks appeared first on The Lock.",
    "On locks was originally published in The River on Medium, where people are continuing the conversation by responding.",
    "Originally published at https://lock.example on May 4, 2021.", "This essay was first published in The Lock Letter.",
    "Cross-posted from The Lock.", "Der Beitrag Schleusen erschien zuerst auf Die Schleuse.",
    "L’article Écluses est apparu en premier sur L’Écluse.", "La entrada Esclusas se publicó primero en La Esclusa.",
    "Запись Шлюзы впервые появилась Шлюз.", "投稿 水門 は 水 に最初に表示されました。", "《水闸》最先出现在水边。",
]  # fmt: skip


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_is_left_out_and_told(footer: str) -> None:
    told: list[str] = []
    text = text_of_html(f"{OWN}<p>{escape(footer)}</p>", lambda what, whence: told.append(what))
    assert text == "\n\n".join(prose(1)) and told == ["where it appeared"]


@pytest.mark.parametrize("said", [
    "The post stood in the water, and on it sat a heron.", "The first eels appeared on the ramp in May.",
    "I was first published in a parish letter, and my mother kept it.", "Originally a mill, it is a school today.",
    "水獭最先出现在上游。", "The article on locks made nobody happy.",
])  # fmt: skip
def test_what_the_person_says_at_the_end_stays(said: str) -> None:
    assert text_of_html(f"{OWN}<p>{said}</p>").endswith(said)


def test_a_box_around_the_whole_post_is_no_embedding() -> None:
    assert text_of_html(f'<div class="tweet-wrapper post-body">{OWN}</div>') == "\n\n".join(prose(1))
    assert text_of_html(f'<div class="tweet">{OWN}</div>') == "", "a post that is a tweet alone has no words of its own"


def test_nothing_else_is_taken_from_a_post_than_what_is_told() -> None:
    told: list[str] = []
    mine = [*prose(2), "A tweet is a bird’s word.", "I pull quotes out of nobody."]
    assert text_of_html(as_html(mine), lambda what, whence: told.append(what)) == "\n\n".join(mine) and told == []


def test_an_owner_without_a_name_needs_a_majority() -> None:
    owner = Owner()
    owner.settle([["A Mill"], ["B Lock"], ["A Mill"], []], "x")
    assert owner.names == ("A Mill",)
    with pytest.raises(RaftError, match="whose writings"):
        Owner().settle([["A Mill"], ["B Lock"]], "x")
    Owner().settle([[], ["admin"]], "x")


@pytest.fixture
def server() -> Iterator[str]:
    """The server of a case that once went wrong, where it is at hand."""
    script = next(CASES.glob("50-*/server.py"), None) if CASES.is_dir() else None
    if script is None:
        pytest.skip(f"no case 50 in {CASES}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(script), str(port)])
    try:
        for _ in range(200):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def case(server: str, *arguments: str) -> tuple[str, Sequence[dict[str, str]]]:
    ran = CliRunner().invoke(app, ["fetch", *arguments, "--called", "Mara Linden", "--pause", "0"])
    return ran.output, kept(f"people/{arguments[0]}")


def test_case_of_a_blog_with_guests(server: str) -> None:
    said, posts = case(server, "sub", "--from", server, "--kind", "substack")
    assert len(posts) == 61 and f"by somebody else: 1 ({server}/p/guest-post; Conrad Poole)" in said
    (own,) = [d["text"] for d in posts if d["title"] == "Own Post"]
    assert own.split("\n\n") == [
        "The weir holds the pool, and the pool holds the town.",
        "Somebody else has said it better:",
        "I keep it as I was taught to, and I am not sorry for it.",
        "Or so my father said.",
    ]
    said, posts = case(server, "wp", "--from", f"{server}/wp/feed")
    assert len(posts) == 1 and "appeared" not in posts[0]["text"] and "by somebody else: 1" in said
    said, posts = case(server, "med", "--from", f"{server}/medium")
    assert len(posts) == 1 and "originally published" not in posts[0]["text"]
