import difflib
import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from website import as_html, prose

from raft.errors import RaftError
from raft.sources.pages import read_page

URL = "https://river.example/eels"
BODY = prose(1, 5)


def page(head: str = "", body: str = as_html(BODY), before: str = "", after: str = "") -> bytes:
    menu = '<nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>'
    foot = "<footer><p>Printed by nobody in particular, all rights kept in a drawer.</p></footer>"
    return f"<!doctype html><html><head>{head}</head><body>{menu}{before}{body}{after}{foot}</body></html>".encode()


def test_the_main_text_and_nothing_else() -> None:
    comments = '<div class="comments"><p>First!</p><p>I disagree with every word of this and say so daily.</p></div>'
    found = read_page(page("<title>On eels</title>", f"<article>{as_html(BODY)}</article>", after=comments), URL)
    assert found.text == "\n\n".join(BODY)
    assert (found.title, found.source) == ("On eels", URL)
    assert found.doc_id == read_page(page(), "http://www.river.example/eels/?utm_source=x#top").doc_id


def test_an_old_page_of_tables_keeps_its_paragraphs() -> None:
    unclosed = "".join(f"<P>\r\n{p}\r\n" for p in BODY)
    old = f"""<HTML><HEAD><TITLE>Remarks on Eels--March 5, 2004</TITLE></HEAD><BODY BGCOLOR="#FFFFFF">
        <TABLE WIDTH="600"><TR><TD><HR><B>Remarks by the Lock Keeper</B><br><b>At the Eel Society, Wetham<br>March 5, 2004
        </TD></TR></TABLE><p><TABLE WIDTH="600"><TR><TD>{unclosed}</TD></TR></TABLE>
        <TABLE><TR><TD><P><A HREF="#top">Return to top</A><p><a href="../default.htm">2004 Remarks</a></TD></TR></TABLE>
        <div class="footer">Home | <b>Last update: March 9, 2004</b></div></BODY></HTML>"""
    found = read_page(old.encode(), URL)
    assert found.text == "\n\n".join(BODY)
    assert found.date == date(2004, 3, 5)


def test_footnotes_references_and_the_speakers_head_are_left_out() -> None:
    marked = as_html(BODY).replace("the almanac", 'the<a href="#fn1"><sup>1</sup></a> almanac')
    head = "<p class='article__time'>March 5, 2024</p><h3 class='title'>On Eels</h3><p class='speaker'>Keeper Moss</p>"
    notes = "<h4>References</h4><p>Moss (1999), A life in locks and what came of it, Wetham Press, pages 3 to 9.</p>"
    foot = (
        "<p><a name='fn1'></a>1. See the almanac of that year, if it was printed. <a href='#f1'>Return to text</a></p>"
    )
    found = read_page(page("<title>Speech - Locks</title>", head + marked + notes + foot), URL)
    assert found.text == "\n\n".join(BODY)
    assert (found.title, found.date) == ("On Eels", date(2024, 3, 5))


GIVEN = [
    '<meta property="article:published_time" content="2024-03-05T22:00:00-05:00">',
    '<meta name="DC.date" content="5 March 2024">',
    '<meta itemprop="datePublished" content="2024-03-05">',
    '<script type="application/ld+json">{"@graph": [{"@type": "Article", "datePublished": "2024-03-05"}]}</script>',
]


@pytest.mark.parametrize("head", GIVEN)
def test_the_date_that_the_page_gives_itself(head: str) -> None:
    assert read_page(page(head), URL).date == date(2024, 3, 5)


def test_other_places_where_a_date_is_given() -> None:
    day = date(2024, 3, 5)
    time = '<article><time datetime="2024-03-05T10:00">Tuesday</time>' + as_html(BODY) + "</article>"
    other = '<p>Another: <time datetime="2020-01-01">then</time></p>'
    assert read_page(page(body=time + other), URL).date == day
    assert read_page(page(), "https://river.example/2024/03/05/eels").date == day
    assert read_page(page(before="<p>Published: March 5, 2024</p>"), URL).date == day


def test_scripts_at_the_top_do_not_hide_the_date_line() -> None:
    script = "<script>" + "var a = 1; " * 40 + "</script>"
    assert read_page(page(before=f"{script}<p>March 5, 2024</p>"), URL).date == date(2024, 3, 5)


def test_a_box_around_everything_is_no_furniture_whatever_it_is_called() -> None:
    for box in ('<form action="/x.aspx">{}</form>', '<div class="comments-open">{}</div>'):
        assert read_page(page(body=box.format(as_html(BODY))), URL).text == "\n\n".join(BODY)


NOT_GIVEN = [
    page(),
    page('<meta property="article:modified_time" content="2024-03-05">'),
    page('<meta name="date" content="03/04/2024">'),
    page('<meta name="date" content="March 2024">'),
    page('<script type="application/ld+json">{"datePublished": </script>'),
    page(before="<p>© 2024 The Eel Society</p>"),
    page(before="<p>March 5, 2024</p><p>March 6, 2024</p>"),
    page(body=as_html([*BODY, "It rained on March 5, 2024."])),
    page(body=as_html(BODY) + '<time datetime="2024-03-05">a</time><time datetime="2024-03-06">b</time>'),
]


@pytest.mark.parametrize("html", NOT_GIVEN, ids=range(len(NOT_GIVEN)))
def test_no_date_is_invented(html: bytes) -> None:
    assert read_page(html, URL).date is None


def test_the_free_beginning_of_a_paid_page_is_not_taken_for_the_whole() -> None:
    paid = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    with pytest.raises(RaftError, match="subscribers only"):
        read_page(page(paid), URL)


@pytest.mark.parametrize("html", [b"", b"   ", b"<html></html>", page(body="<script>app()</script>")])
def test_a_page_without_text_is_told(html: bytes) -> None:
    with pytest.raises(RaftError, match=re.escape(URL)):
        read_page(html, URL)


JUNK = st.sampled_from(["<div>", "</p>", "<", "<!--", "<td>", "<script>", "&", "<h1>x</h1>"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), JUNK), min_size=1, max_size=6))
def test_a_broken_page_never_crashes_and_never_gives_what_is_not_there(breaks: list[tuple[float, int, str]]) -> None:
    html = page("<title>T</title>").decode()
    for where, lost, junk in breaks:
        at = int(where * len(html))
        html = html[:at] + junk + html[at + lost :]
    try:
        text = read_page(html.encode(), URL).text
    except RaftError:
        return
    # By letters: a tag that swallowed the rest of a word joins its beginning to what follows, as in a browser.
    left = iter(html)
    assert all(letter in left for letter in re.sub(r"[^a-zA-Z0-9]", "", text))


@pytest.mark.parametrize(
    ("name", "person", "day"),
    [
        ("fed-powell-speech-2022-08-26.modern.html", "powell", "2022-08-26"),
        ("fed-bernanke-speech-2003-10-24.old-tables.html", "bernanke", "2003-10-24"),
    ],
)
def test_real_pages_give_the_speech_and_its_date(shared: Path, name: str, person: str, day: str) -> None:
    lines = (shared / person / "writings.jsonl").read_text("utf-8").splitlines()
    known = next(record for record in map(json.loads, lines) if record["date"] == day)
    found = read_page((shared / "raw" / name).read_bytes(), "https://x.example/speech.htm")
    assert str(found.date) == day
    ours, theirs = (re.findall(r"\w+", text.lower()) for text in (found.text, known["text"]))
    same = sum(m.size for m in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks())
    assert min(same / len(ours), same / len(theirs)) > 0.99
