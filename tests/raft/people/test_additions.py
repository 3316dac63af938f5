from datetime import date
from pathlib import Path

import pytest

from raft.errors import DataError
from raft.people.additions import add_documents, add_interviews
from raft.people.person import load_documents, load_interviews
from raft.types import Document, Interview, Turn

ONE = Document("one", "One", date(2020, 1, 2), "somewhere", "A text — with a dash.")
TWO = Document("two", "Two", None, "elsewhere", "Another.")
TALK = Interview(
    "talk", "Talk", date(2021, 3, 4), "radio", (Turn("Q", "interviewer", "Why?", "reasons"), Turn("A", "target", "So."))
)


def test_what_was_added_is_read_back_and_added_once(tmp_path: Path) -> None:
    assert add_documents(tmp_path, [ONE]) == 1
    before = (tmp_path / "writings.jsonl").read_bytes()
    assert add_documents(tmp_path, [ONE, TWO, TWO]) == 1
    assert (tmp_path / "writings.jsonl").read_bytes().startswith(before)
    assert sorted(load_documents(tmp_path, allow_undated=True), key=lambda d: d.doc_id) == [ONE, TWO]
    assert add_interviews(tmp_path, [TALK]) == 1 and add_interviews(tmp_path, [TALK]) == 0
    assert load_interviews(tmp_path) == [TALK]
    assert (tmp_path / "interviews.jsonl").read_text("utf-8").count('"topic"') == 1, "no field for what has none"


def test_a_broken_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "writings.jsonl").write_text("{broken")
    with pytest.raises(DataError):
        add_documents(tmp_path, [ONE])
    assert (tmp_path / "writings.jsonl").read_text() == "{broken"
