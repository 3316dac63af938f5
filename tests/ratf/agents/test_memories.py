import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import ratf.agents.memories
from raft.errors import RaftError
from raft.types import Message, Vectors
from ratf.agents.memories import memories, passages
from ratf.agents.questions import questions
from ratf.agents.training import samples
from ratf.suite.arms import NAMED
from ratf.suite.study import Study, open_study


class Words:
    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().split():
                row[sum(word.encode()) % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


class Scripted:
    """Quotes the passage's first words; refuses to go on after `patience` calls."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.patience = 10**6

    async def generate(self, messages: Sequence[Message]) -> str:
        if len(self.asked) >= self.patience:
            raise RaftError("the service is down")
        self.asked.append("\n".join(m["content"] for m in messages))
        found = re.search(r"⟦passage⟧\n(.*?)\n⟦end of passage⟧", messages[-1]["content"], re.DOTALL)
        words = " ".join(found[1].split()[:6]) if found else ""
        return json.dumps({"useful": "river" not in words, "memory": words, "evidence": words})


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Scripted:
    scripted = Scripted()
    monkeypatch.setattr(ratf.agents.memories, "InspectChat", lambda _: scripted)
    monkeypatch.setattr(ratf.agents.memories, "embedder", lambda *_: Words())
    return scripted


def study(tiny: Path, out: Path, history: str = "teacher_forced") -> Study:
    text = tiny.read_text().replace("{k: 2}", "{k: 2, rephraser: mockllm/model}")
    tiny.write_text(re.sub(r"answers: \{(history: \w+, )?", f"answers: {{history: {history}, ", text))
    return open_study(str(tiny), out=str(out))


def four_arms(study: Study) -> None:
    for arm in NAMED:
        questions(study, arm)
    for training in ("ft", "ft+mem"):
        samples(study, training)


def test_each_passage_of_each_question_is_rephrased_once_for_four_arms(
    model: Scripted, tiny: Path, tmp_path: Path
) -> None:
    first = study(tiny, tmp_path / "run")
    four_arms(first)
    counts = passages(first)
    assert len(model.asked) == len(set(model.asked)) == sum(counts.values()) > 8
    assert counts["useful"] > 0
    for arm in ("rag_only", "raft"):
        assert any(s.metadata and s.metadata["memories"] for s in questions(first, arm))
    (tmp_path / "run" / "memories.json").unlink()
    four_arms(first)
    assert len(model.asked) == sum(counts.values()), "what had been rephrased was asked for again"
    tiny.write_text(tiny.read_text("utf-8").replace("seed: 3", "seed: 4"), "utf-8")
    other = open_study(str(tiny), out=str(tmp_path / "another seed"))
    assert other.digest != first.digest and memories(other) == memories(first)
    assert len(model.asked) == sum(counts.values()), "another seed has the same memories"


def test_a_run_that_broke_off_goes_on_with_what_it_has(model: Scripted, tiny: Path, tmp_path: Path) -> None:
    model.patience = 7
    with pytest.raises(RaftError, match=r"could not be rephrased.*the service is down"):
        memories(study(tiny, tmp_path / "run"))
    assert len(model.asked) == 7 and not (tmp_path / "run" / "memories.json").exists()
    model.patience = 10**6
    resumed = study(tiny, tmp_path / "run")
    four_arms(resumed)
    assert len(model.asked) == len(set(model.asked)) == sum(passages(resumed).values())


def test_no_answer_gets_into_its_own_memories(model: Scripted, tiny: Path, tmp_path: Path) -> None:
    """The mutation test: every answer is another one, and without a history not one byte of the memories differs."""
    found = []
    for name, answer in (("as-it-is", None), ("changed", "Something else altogether, at some length.")):
        opened = study(tiny, tmp_path / name, "none")
        if answer:
            opened.held_out = [dataclasses.replace(e, answer=answer) for e in opened.held_out]
            opened.training = [dataclasses.replace(e, answer=answer) for e in opened.training]
            opened.before = {
                key: tuple(dataclasses.replace(e, answer=answer) for e in before)
                for key, before in opened.before.items()
            }
        memories(opened)
        found.append((tmp_path / name / "memories.json").read_bytes())
    assert found[0] == found[1] and b'"text"' in found[0]
    assert not any(e.answer in prompt for e in opened.person.exchanges for prompt in model.asked)


def test_teacher_forced_the_previous_real_answer_is_context(model: Scripted, tiny: Path, tmp_path: Path) -> None:
    opened = study(tiny, tmp_path / "run")
    memories(opened)
    for exchange in opened.held_out:
        asked = [p for p in model.asked if exchange.question[:60] in p.split("⟦question⟧")[1]]
        before = opened.before[exchange.exchange_id]
        assert asked and not any(exchange.answer[:60] in p for p in asked)
        assert all((before[-1].answer if before else "⟦passage⟧") in p for p in asked)
