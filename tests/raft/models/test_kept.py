"""What was worked out is kept, and made again where it is damaged."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from raft.models.kept import Arrays, kept, made_anew


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr("raft.models.kept.made_folder", lambda: tmp_path / "cache")
    return []


def asked(calls: list[int], *made_from: object) -> list[float]:
    def make() -> Arrays:
        calls.append(1)
        return {"numbers": np.array([0.1, np.nan, len(calls)])}

    return [float(x) for x in kept("things", [*made_from], make)["numbers"]]


def test_the_same_is_made_once_to_the_last_digit(calls: list[int]) -> None:
    first = asked(calls, "a", ["text"])
    assert asked(calls, "a", ["text"])[::2] == first[::2] and len(calls) == 1
    asked(calls, "a", ["other text"])
    assert len(calls) == 2


def test_what_somebody_makes_now_is_waited_for(calls: list[int]) -> None:
    begun = threading.Barrier(2)

    def make() -> Arrays:
        calls.append(1)
        time.sleep(0.2)
        return {"numbers": np.array([1.0])}

    def ask() -> None:
        begun.wait()
        kept("things", ["a"], make)

    both = [threading.Thread(target=ask) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(10)
    assert len(calls) == 1


def test_a_check_takes_nothing_that_was_kept_and_keeps_nothing(calls: list[int], tmp_path: Path) -> None:
    asked(calls, "a")
    with made_anew():
        asked(calls, "a")
        asked(calls, "b")
    assert len(calls) == 3 and len(list(tmp_path.rglob("*.npz"))) == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "turned"])
def test_a_damaged_file_is_made_again(calls: list[int], tmp_path: Path, damage: str) -> None:
    asked(calls, "a")
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    at = whole.index(np.float64(0.1).tobytes())
    turned = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "turned": turned}[damage])
    asked(calls, "a")
    assert len(calls) == 2
    asked(calls, "a")
    assert len(calls) == 2, "and kept again"


def test_no_turned_bit_makes_another_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose header or directory is damaged may still be read, as fewer rows or without a member."""
    monkeypatch.setattr("raft.models.kept.made_folder", lambda: tmp_path)
    made = {"vectors": np.arange(8000, dtype=np.float32).reshape(-1, 4), "n": np.arange(2)}
    kept("things", 1, lambda: made)
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    at = [whole.index(b"(2000, 4)") + 1, *range(len(whole) - 150, len(whole))]  # the shape; the archive's directory
    for place in at:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 3]) + whole[place + 1 :])
        found = kept("things", 1, lambda: {"again": np.zeros(1)})
        assert set(found) == {"again"}, place


def test_where_nothing_can_be_written_nothing_is_kept(
    calls: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setattr("raft.models.kept.made_folder", lambda: tmp_path / "file")
    assert asked(calls, "a")[0] == 0.1 and asked(calls, "a")[2] == 2
