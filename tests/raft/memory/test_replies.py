import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raft.memory.replies import KeptReplies
from raft.types import Message


class Counting:
    def __init__(self, reply: str = "yes") -> None:
        self.asked = 0
        self.reply = reply

    async def generate(self, messages: Sequence[Message]) -> str:
        self.asked += 1
        return self.reply


def ask(model: KeptReplies, *questions: str) -> list[str]:
    async def all_of_them() -> list[str]:
        return [await model.generate([{"role": "user", "content": q}]) for q in questions]

    return asyncio.run(all_of_them())


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    model, path = Counting("a\u2028b\n\ud800"), tmp_path / "made" / "replies.jsonl"
    assert ask(KeptReplies(model, "m", path), "a", "b", "a") == [model.reply] * 3
    assert ask(KeptReplies(model, "m", path), "b", "c") == [model.reply] * 2
    assert model.asked == 3
    ask(KeptReplies(model, "another model", path), "a")
    assert model.asked == 4


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400))
def test_a_line_cut_short_by_a_kill_costs_only_itself(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path, model = tmp_path_factory.mktemp("replies") / "replies.jsonl", Counting()
    ask(KeptReplies(model, "m", path), "a", "b", "c")
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    left = whole[:cut].count(b"\n")
    model.asked = 0
    ask(KeptReplies(model, "m", path), "a", "b", "c")
    assert model.asked <= 3 - left
    model.asked = 0
    assert ask(KeptReplies(model, "m", path), "a", "b", "c") == ["yes"] * 3 and model.asked == 0


def test_a_full_disk_loses_no_earlier_reply(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OSError, match="No space left"):
        ask(KeptReplies(Counting(), "m", full), "a")


def test_a_failed_request_keeps_nothing(tmp_path: Path) -> None:
    class Broken:
        async def generate(self, messages: Sequence[Message]) -> str:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        ask(KeptReplies(Broken(), "m", tmp_path / "r.jsonl"), "a")
    assert not (tmp_path / "r.jsonl").exists()
