import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from raft.errors import DataError
from raft.people.additions import Writings, add_documents, add_interviews
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


@pytest.mark.parametrize("left", [12, 40, 60])
def test_a_line_that_a_kill_cut_short_is_set_aside_and_added_again(tmp_path: Path, left: int) -> None:
    path = tmp_path / "writings.jsonl"
    add_documents(tmp_path, [TWO])
    before = path.read_bytes()
    add_documents(tmp_path, [ONE])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(before) + left])
    assert add_documents(tmp_path, [ONE, TWO]) == 1
    assert path.read_bytes() == whole
    assert (tmp_path / "writings.jsonl.cut-short").read_bytes() == whole[len(before) : len(before) + left]


def test_a_last_line_without_a_line_break_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "writings.jsonl"
    add_documents(tmp_path, [TWO])
    path.write_bytes(path.read_bytes().rstrip())
    assert add_documents(tmp_path, [ONE]) == 1
    assert {d.doc_id for d in load_documents(tmp_path, allow_undated=True)} == {"one", "two"}


@pytest.mark.slow
def test_thirty_thousand_writings_are_written_as_they_come(tmp_path: Path) -> None:
    start = time.monotonic()
    writings = Writings(tmp_path)
    path = tmp_path / "writings.jsonl"
    for number in range(30_000):
        text = f"The river rose for the {number}th time."
        assert writings.add([Document(f"d{number}", "River", date(2020, 1, 2), "somewhere", text)]) == 1
        if number == 0:
            file = path.stat().st_ino
        elif number % 5000 == 0:
            assert path.stat().st_size > number * 50, "each is there before the next comes"
    assert path.stat().st_ino == file, "the file was not written again"
    assert len(load_documents(tmp_path)) == 30_000
    assert time.monotonic() - start < 120


def test_on_a_full_disk_no_half_of_a_line_stays(tmp_path: Path) -> None:
    writings = Writings(tmp_path)
    writings.add([TWO])
    before = (tmp_path / "writings.jsonl").read_bytes()
    program = f"""
import resource, signal
from pathlib import Path
from raft.people.additions import Writings
from raft.types import Document
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writings = Writings(Path({str(tmp_path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 30}, {len(before) + 30}))
try:
    writings.add([Document("one", "One", None, "s", "word " * 100)])
except OSError as error:
    print(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() in ("27", "28"), done.stderr
    assert (tmp_path / "writings.jsonl").read_bytes() == before
