import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from a_pdf import a_pdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from website import prose

from raft.errors import DataError
from raft.sources.files import read_writings

FIFTH = date(2024, 3, 5)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Write = Callable[[str, str | bytes], Path]


def lines_of(text: str, width: int = 60) -> list[str]:
    return re.findall(rf".{{1,{width}}}(?: |$)", text)


def test_our_own_lines_come_back_as_they_are(write: Write) -> None:
    record = {
        "doc_id": "a",
        "title": "On eels",
        "date": "2024-03-05",
        "source": "https://x.example/a",
        "text": "One.\nTwo.",
    }
    (found,) = read_writings(write("w.jsonl", json.dumps(record) + "\n\n"))
    assert (found.doc_id, found.title, found.date, found.source, found.text) == (
        "a",
        "On eels",
        FIFTH,
        record["source"],
        record["text"],
    )


def test_the_lines_of_the_first_raft_go_in_unchanged(write: Write) -> None:
    lines = [
        {"title": "On eels", "link": "https://x.example/p/eels", "date": "Mar 5, 2024", "content": "Eels, at length."},
        {"title": "On moss", "link": "https://x.example/p/moss", "date": "03/04/2024", "content": "Moss, in brief."},
        {"title": "No link", "date": None, "content": "Words."},
    ]
    path = write("seed.jsonl", "\n".join(map(json.dumps, lines)))
    told: list[str] = []
    eels, moss, bare = read_writings(path, told.append)
    assert (eels.date, eels.source, eels.text) == (FIFTH, "https://x.example/p/eels", "Eels, at length.")
    assert moss.date is None and bare.date is None
    assert told == [f"{path}:2: date '03/04/2024' can be understood in no way, or in two; write it as YYYY-MM-DD"]
    assert [d.doc_id for d in read_writings(path)] == [eels.doc_id, moss.doc_id, bare.doc_id]
    assert len({eels.doc_id, moss.doc_id, bare.doc_id}) == 3


def test_a_line_twice_is_one_and_a_doc_id_twice_is_refused(write: Write) -> None:
    line = json.dumps({"title": "T", "link": "https://x.example/p/t", "content": "Words."})
    told: list[str] = []
    path = write("w.jsonl", f"{line}\n{line}\n")
    assert len(read_writings(path, told.append)) == 1
    assert told == [f"{path}:2: the same writing as line 1, by its link or text; left out"]
    same = [json.dumps({"doc_id": "a", "title": "T", "text": text}) for text in ("One.", "Two.")]
    with pytest.raises(DataError, match=r"w\.jsonl:2: doc_id 'a' is taken by line 1"):
        read_writings(write("w.jsonl", "\n".join(same)))


def test_every_bad_line_is_named(write: Write) -> None:
    good = json.dumps({"title": "T", "text": "Words."})
    path = write(
        "w.jsonl", "\n".join([good, "{broken", '{"title": "T"}', '{"title": "T", "text": "  "}', "[]", "[" * 9999, "7"])
    )
    with pytest.raises(DataError) as caught:
        read_writings(path)
    assert [int(re.search(r"jsonl:(\d+): ", p)[1]) for p in caught.value.problems] == [2, 3, 4, 5, 6, 7]


def test_markdown_with_front_matter(write: Write) -> None:
    text = "---\ntitle: On eels\ndate: 2024-03-05 10:00:00\nlink: https://x.example/eels\n---\n# On eels\n\n![a](b.png)\nSee [the weir](http://w) — twice.\n\n<!-- draft -->\n## Why\n\nBecause *so*."
    (found,) = read_writings(write("a.md", text))
    assert (found.title, found.date, found.source) == ("On eels", FIFTH, "https://x.example/eels")
    assert found.text == "On eels\n\nSee the weir — twice.\n\nWhy\n\nBecause *so*."


def test_markdown_without_front_matter_has_its_heading_and_its_names_date(write: Write) -> None:
    path = write("2024-03-05-eels.md", "# On eels\n\nWords.")
    (found,) = read_writings(path)
    assert (found.title, found.date, found.source) == ("On eels", FIFTH, str(path))


@pytest.mark.parametrize(
    ("date_line", "expected"),
    [
        ("date: 2024-03-05", FIFTH),
        ("date: 5 March 2024", FIFTH),
        ("date: 03/04/2024", None),
        ("date: soon", None),
        ("", None),
    ],
)
def test_dates_in_front_matter(write: Write, date_line: str, expected: date | None) -> None:
    told: list[str] = []
    (found,) = read_writings(write("a.md", f"---\ntitle: T\n{date_line}\n---\nWords."), told.append)
    assert found.date == expected
    assert bool(told) == (bool(date_line) and expected is None)


def test_broken_front_matter_is_told_with_its_line(write: Write) -> None:
    with pytest.raises(DataError, match=r"a\.md:3: the front matter is no YAML"):
        read_writings(write("a.md", "---\ntitle: T\ndate: [2024\n---\nWords."))
    with pytest.raises(DataError, match="no text under"):
        read_writings(write("b.md", "---\ntitle: T\n---\n"))


ODD = "Façade, “naïve” – and €5"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_plain_text_in_any_of_its_encodings(write: Write, encoding: str) -> None:
    told: list[str] = []
    (found,) = read_writings(write("20240305 façade.txt", ODD.replace(" – ", "\r\n").encode(encoding)), told.append)
    assert (found.text, found.title, found.date) == (ODD.replace(" – ", "\n"), "20240305 façade", FIFTH)
    assert any("Windows-1252" in note for note in told) == (encoding == "cp1252")


def test_pdf_paragraphs_without_running_heads(write: Write) -> None:
    texts = [" ".join(prose(n, 2)) for n in (1, 2, 3, 4)]
    pages = [["The Eel Society, Proceedings", *lines_of(text), f"Page {n} of 4"] for n, text in enumerate(texts, 1)]
    told: list[str] = []
    data = a_pdf(*pages, about="/Title (On Eels) /CreationDate (D:20240305120000Z)")
    (found,) = read_writings(write("eels.pdf", data), told.append)
    assert (found.title, found.date) == ("On Eels", FIFTH)
    assert found.text.split() == " ".join(texts).split()
    assert "the file was made" in told[0]
    (dated,) = read_writings(write("2023-01-02-eels.pdf", data))
    assert dated.date == date(2023, 1, 2)


def test_pdf_paragraphs_end_at_short_lines_and_broken_words_are_joined(write: Write) -> None:
    first = [
        "A paragraph that is long enough to fill the whole of a line,",
        "and then continues with a hyphen-",
        "ated word, and ends.",
    ]
    (found,) = read_writings(
        write("a.pdf", a_pdf([*first, "Another one begins here and fills its line to the very end,", "and stops."]))
    )
    assert found.text.split("\n\n")[0].endswith("a hyphenated word, and ends.")
    assert found.text.count("\n\n") == 1


def test_pdfs_that_cannot_be_read(write: Write) -> None:
    whole = a_pdf(["Words."])
    for name, data, why in (
        ("none.pdf", b"not a PDF", "broken PDF"),
        ("cut.pdf", whole[:200], "broken PDF"),
        ("picture.pdf", a_pdf([]), "only pictures"),
    ):
        with pytest.raises(DataError, match=f"{name}: .*{why}"):
            read_writings(write(name, data))


def test_a_folder_gives_all_its_files_or_every_problem(write: Write, tmp_path: Path) -> None:
    write("in/a.md", "# A\n\nWords.")
    write("in/deep/b.txt", "More words.")
    write("in/.hidden/c.txt", "Not these.")
    write("in/picture.png", b"\x89PNG")
    assert [d.title for d in read_writings(tmp_path / "in")] == ["A", "b"]
    write("in/d.jsonl", "{")
    write("in/e.txt", "  ")
    with pytest.raises(DataError) as caught:
        read_writings(tmp_path / "in")
    assert len(caught.value.problems) == 2
    with pytest.raises(DataError, match="no file in it"):
        read_writings(write("void/x.png", b"").parent)


def test_other_files_are_told_what_is_valid(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.pdf, \.md"):
        read_writings(write("a.docx", b"PK"))
    with pytest.raises(DataError, match="not text"):
        read_writings(write("a.txt", b"\x00\x01\x02"))
    with pytest.raises(DataError, match=r"gone\.txt: cannot be read"):
        read_writings(tmp_path / "gone.txt")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([".md", ".txt", ".jsonl", ".html", ".pdf"]),
    st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)),
)
def test_no_file_crashes_a_reader(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes((b"%PDF-1.4\n" if suffix == ".pdf" else b"") + data)
    try:
        read_writings(path)
    except Exception as error:
        assert type(error).__name__ in ("DataError", "RaftError")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=120))
def test_markdown_never_gives_a_character_that_is_not_there(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(text.encode())
    try:
        (found,) = read_writings(path)
    except DataError:
        return
    left = iter(text)
    assert all(character in left for character in found.text if not character.isspace())


def test_every_real_pdf_gives_text(shared: Path) -> None:
    for path in sorted((shared / "raw").glob("*.pdf")):
        (found,) = read_writings(path)
        assert len(found.text.split()) > 5000
        assert found.date is not None and found.date.isoformat() in path.name
