import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from raft.files import read_made, write_made, write_whole


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 kB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        run = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if run.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {run.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_file_is_written_with_its_folders_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "text.txt", "é\n")
    assert (tmp_path / "a" / "b" / "text.txt").read_bytes() == "é\n".encode()
    assert names(tmp_path / "a" / "b") == ["text.txt"]


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "text.txt", "a long old text")
    write_whole(tmp_path / "text.txt", "new")
    assert (tmp_path / "text.txt").read_text("utf-8") == "new"


def test_on_a_full_disk_the_old_file_stays_and_no_part_is_left(full: Path) -> None:
    write_whole(full / "results.json", "old")
    with pytest.raises(OSError, match="No space left"):
        write_whole(full / "results.json", "x" * 200_000)
    assert (full / "results.json").read_text("utf-8") == "old"
    assert names(full) == ["results.json"]


def test_when_writing_fails_half_way_the_old_file_stays_and_no_part_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "text.txt", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "text.txt", "x" * 100_000 + "\ud800")
    assert (tmp_path / "text.txt").read_text("utf-8") == "old"
    assert names(tmp_path) == ["text.txt"]


def test_what_was_made_is_read_again_under_its_digest_only(tmp_path: Path) -> None:
    made = {"é": [1, 2.5, None, {"text": "a\nb"}]}
    write_made(tmp_path / "made.json", "abc", made)
    assert read_made(tmp_path / "made.json", "abc") == made
    assert read_made(tmp_path / "made.json", "abd") is None


def test_where_nothing_was_made_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_made(tmp_path / "made.json", "abc") is None


def test_what_is_made_for_another_digest_takes_the_place_of_the_old(tmp_path: Path) -> None:
    write_made(tmp_path / "made.json", "one", 1)
    write_made(tmp_path / "made.json", "two", 2)
    assert (read_made(tmp_path / "made.json", "one"), read_made(tmp_path / "made.json", "two")) == (None, 2)


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"[]", b"null", b"7", b"\xff\xfe", b"{", b"{}", b'{"digest": "abc"}', b"[" * 100_000,
        b'{"digest": "abc", "sum": "0123456789abcdef", "made": 1}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_set_aside_and_made_again(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "made.json"
    for number in range(2):
        path.write_bytes(damage)
        assert read_made(path, "abc") is None
        aside = f"made.json.damaged{'-2' if number else ''}"
        assert names(tmp_path)[-1] == aside and (tmp_path / aside).read_bytes() == damage and not path.exists()
        assert f"{path}: damaged (" in caplog.text and f"set aside as {aside}" in caplog.text
    write_made(path, "abc", [1])
    assert read_made(path, "abc") == [1]


def test_a_single_flipped_byte_is_noticed_and_what_older_versions_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    write_made(path, "abc", {"text": "the river", "score": 0.25})
    content = path.read_bytes()
    for at in range(content.index(b"made") - 4, len(content) - 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        found = read_made(path, "abc")
        assert found is None or found == {"text": "the river", "score": 0.25}, "white space may differ"
    path.write_text('{"digest": "abc", "made": {"a": NaN}}')
    assert str(read_made(path, "abc")) == "{'a': nan}"
