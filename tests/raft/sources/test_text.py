import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raft.sources.text import decode, decode_html, text_of_html

ODD = "Façade, “naïve” – and €5"


@pytest.mark.parametrize(
    ("data", "declared", "encoding"),
    [
        (ODD.encode(), None, "utf-8"),
        (ODD.encode("utf-8-sig"), "iso-8859-1", "utf-8"),
        (ODD.encode("utf-16"), None, "utf-16-le"),
        (b"\xfe\xff" + ODD.encode("utf-16-be"), "utf-8", "utf-16-be"),
        (ODD.encode("cp1252"), None, "cp1252"),
        (ODD.encode("cp1252"), "utf-8", "cp1252"),
        (ODD.encode("cp1252"), "iso-8859-1", "cp1252"),
        (ODD.encode(), "iso-8859-1", "utf-8"),
        (ODD.encode(), "us-ascii", "utf-8"),
        (ODD.encode(), "no-such-charset", "utf-8"),
        (ODD.encode(), "base64", "utf-8"),
    ],
)
def test_a_wrong_charset_is_seen_through(data: bytes, declared: str | None, encoding: str) -> None:
    assert decode(data, declared) == (ODD, encoding)


def test_a_declared_charset_is_believed_where_it_is_right() -> None:
    assert decode("Привет".encode("koi8-r"), "koi8-r") == ("Привет", "koi8-r")
    page = '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r"><p>Привет'.encode("koi8-r")
    assert decode_html(page).endswith("Привет")
    assert decode_html(page, "koi8-r").endswith("Привет")


@given(st.binary(max_size=60), st.sampled_from([None, "utf-8", "utf-16", "shift_jis", "utf-7", "punycode", "x", "\0"]))
def test_no_bytes_crash_the_decoder(data: bytes, declared: str | None) -> None:
    decode(data, declared)
    text_of_html(decode_html(data, declared))


def test_paragraphs_breaks_and_cells() -> None:
    html = "<h2>One</h2>two <b>th</b>ree<br>four<p>five<p>six<table><tr><td>seven<td>eight</table><pre>a\n  b</pre>"
    assert text_of_html(html) == "One\n\ntwo three\nfour\n\nfive\n\nsix\n\nseven\n\neight\n\na\nb"


def test_what_is_not_the_authors_is_left_out() -> None:
    html = """<style>p {}</style><nav>Home</nav><p>Kept<a href="#fn1"><sup>1</sup></a>.<!-- hidden --></p>
        <script>steal()</script><div class="subscription-widget-wrap"><form>Type your email</form></div>
        <p class="button-wrapper"><a href="/s">Subscribe</a></p><p>And <a href="#top">this link</a> too</p>"""
    assert text_of_html(html) == "Kept.\n\nAnd this link too"


WORDS = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=6)
TAGS = st.sampled_from(
    [
        "p",
        "div",
        "b",
        "i",
        "br",
        "li",
        "ul",
        "table",
        "tr",
        "td",
        "a",
        "span",
        "h1",
        "pre",
        "center",
        "font",
        "blockquote",
        "unknown",
    ]
)
PIECES = st.one_of(
    WORDS.map(lambda w: ("word", w)), TAGS.map(lambda t: ("open", t)), TAGS.map(lambda t: ("close", t)),
    st.sampled_from(["<", ">", "&", "&amp;", "<!--", "<a href=", "\x00", "<![CDATA[", "&#xD800;", "</", "\ufeff"]).map(lambda j: ("junk", j)),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_broken_html_never_crashes_and_never_gives_a_word_that_is_not_there(pieces: list[tuple[str, str]]) -> None:
    html = "".join({"open": f"<{p}>", "close": f"</{p}>"}.get(kind, f" {p} ") for kind, p in pieces)
    left = iter(re.findall(r"\w+", html))
    assert all(word in left for word in re.findall(r"\w+", text_of_html(html)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12))
def test_text_in_paragraphs_comes_out_whole_and_in_order(paragraphs: list[str]) -> None:
    found = text_of_html("".join(f"<p>{escape(p)}</p>" for p in paragraphs))
    assert re.findall("[a-zA-Z]+", found) == re.findall("[a-zA-Z]+", " ".join(paragraphs))


def test_ten_thousand_open_tags_are_no_problem() -> None:
    assert "deep" in text_of_html("<div>" * 200 + "deep" + "<b>" * 10_000)
    text_of_html("<div>" * 10_000 + "too deep")
