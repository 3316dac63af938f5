import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from raft.errors import RaftError
from raft.memory.chunks import chunk
from raft.memory.mind import Mind, Recalled, Synced, kept, outcomes, said_before, sync
from raft.memory.rephrase import Cue, Outcome, Usefulness, extractive
from raft.memory.store import ChromaStore
from raft.people.person import About, Person, load_person
from raft.prompts import EarlierExchange, conversation
from raft.text import shorten
from raft.tuning.samples import training_samples
from raft.types import Chunk, Exchange, Memory, Vectors

ABOUT = About(name="Ada", introduction="You keep bees.")


class WordEmbedder:
    """Hashes words into 64 places: near texts share words."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        rows = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().replace("?", "").replace(".", "").split():
                row[sum(word.encode()) % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


@pytest.fixture
def marrack(tiny: Path) -> Person:
    return load_person(tiny.parent / "marrack")


def pieces(person: Person, models: Path) -> list[Chunk]:
    return list(chunk(person.documents, next(models.glob("all-minilm*")) / "tokenizer.json", 64))


def test_a_store_is_made_to_hold_just_what_it_should(models: Path, tmp_path: Path, marrack: Person) -> None:
    store, embedder, chunks = ChromaStore(tmp_path / "s", "person"), WordEmbedder(), pieces(marrack, models)
    assert sync(chunks, store, embedder) == Synced(len(chunks), 0, len(chunks))
    embedder.embedded.clear()
    assert sync(chunks, store, embedder) == Synced(0, 0, len(chunks)) and not embedder.embedded
    new = dataclasses.replace(chunks[0], chunk_id="new@0", doc_id="new", text="A short new post about geese.")
    changed = dataclasses.replace(chunks[1], text="Changed.")
    assert sync([new, changed, *chunks[3:]], store, embedder) == Synced(2, 3, len(chunks) - 1)
    assert sorted(embedder.embedded) == [new.text, changed.text]
    assert store.ids() == {c.chunk_id: c.digest for c in [new, changed, *chunks[3:]]}


def test_memories_do_not_depend_on_the_answer(models: Path, tmp_path: Path, marrack: Person) -> None:
    """The mutation test: another answer, the very same memories; and none is as new as its question."""
    store, embedder = ChromaStore(tmp_path / "s", "person"), WordEmbedder()
    sync(pieces(marrack, models), store, embedder)
    asked = marrack.exchanges[-14:]
    changed = [dataclasses.replace(e, answer="Something else altogether.") for e in asked]
    mind = Mind(store, embedder, extractive(embedder, 0.1))

    def found(exchanges: list[Exchange]) -> dict[str, tuple[Memory, ...]]:
        return asyncio.run(mind.remember(exchanges, said_before(exchanges)))

    assert repr(found(asked)) == repr(found(changed))
    memories = found(asked)
    assert any(memories.values())
    assert all(m.date < str(e.date) for e in asked for m in memories[e.exchange_id])
    assert not any(e.question in m.text for e in asked for m in memories[e.exchange_id])


def test_a_memory_says_where_it_is_from(models: Path, tmp_path: Path, marrack: Person) -> None:
    store, embedder = ChromaStore(tmp_path / "s", "person"), WordEmbedder()
    sync(pieces(marrack, models), store, embedder)
    found = asyncio.run(Mind(store, embedder, extractive(embedder, 0.1)).remember(marrack.exchanges[-3:], {}))
    texts = {d.doc_id: d.text for d in marrack.documents}
    memories = [m for ms in found.values() for m in ms]
    assert memories and all(" ".join(m.text.split()[:3]) in texts[m.doc_id][m.start : m.end] for m in memories)


def test_extractive_keeps_sentences_and_gates() -> None:
    rephrase = extractive(WordEmbedder(), gate=0.3, sentences=2)
    passage = "Where you keep bees they swarm. Taxes rose. I do keep bees in the orchard."
    useful, useless = asyncio.run(
        rephrase([Cue("Where do you keep bees?", (), passage), Cue("Quantum chromodynamics?", (), passage)])
    )
    assert useful.text == "Where you keep bees they swarm. I do keep bees in the orchard."
    assert useless.outcome is Outcome.USELESS and "the gate is 0.3" in useless.why


def test_what_could_not_be_asked_is_told_and_never_a_missing_memory(tmp_path: Path) -> None:
    async def rephrase(cues: Sequence[Cue]) -> list[Usefulness]:
        return [Usefulness(Outcome.FAILED, reason="failed", why="connection lost") for _ in cues]

    store, embedder = ChromaStore(tmp_path, "person"), WordEmbedder()
    piece = Chunk("d@0", "d", "t", "s", date(2020, 1, 1), 0, 5, "bees.")
    store.add([piece], embedder.embed([piece.text]))
    with pytest.raises(RaftError, match=r"1 of 1 passages could not be rephrased.*connection lost"):
        asyncio.run(Mind(store, embedder, rephrase).remember([Exchange("i", 1, date(2021, 1, 1), "bees?", "")], {}))


def test_outcomes_are_counted_by_reason() -> None:
    piece = Chunk("d@0", "d", "t", "s", date(2020, 1, 1), 0, 5, "bees.")
    verdicts = [
        Usefulness(Outcome.USEFUL, "m"),
        Usefulness(Outcome.USEFUL, "m"),
        Usefulness(Outcome.REFUSED, reason="refused: x"),
    ]
    recalled = tuple(Recalled(piece, 0.5, v) for v in verdicts)
    assert outcomes({"a": recalled, "b": recalled[:1]}) == {"refused: x": 1, "useful": 3}
    assert [m.text for m in kept(recalled)] == ["m"]


def words(text: str) -> int:
    return len(text.split())


def told(n: int) -> EarlierExchange:
    return EarlierExchange(f"question {n}", (), f"answer {n} " + "word " * 20)


def memory(text: str) -> Memory:
    return Memory(text, "c", "d", "T", "s", "2020-01-01", 0.5)


def test_the_prompt_holds_the_latest_tuples_whole() -> None:
    prompt = conversation(ABOUT, "now?", [], [told(1), told(2), told(3)], 120, words)
    assert [m["content"].split()[1] for m in prompt if m["role"] == "assistant"] == ["2", "3"]
    assert all(m["content"] == told(int(m["content"].split()[1])).answer for m in prompt if m["role"] == "assistant")
    assert sum(words(m["content"]) + 6 for m in prompt) <= 120


def test_the_least_similar_memory_goes_first() -> None:
    memories = [memory("near " * 10), memory("far " * 60)]
    prompt = conversation(ABOUT, "now?", memories, [], 90, words)
    assert "near" in prompt[-1]["content"] and "far" not in prompt[-1]["content"]


def test_training_and_answering_share_the_prompt(marrack: Person) -> None:
    exchange = marrack.exchanges[3]
    before = said_before(marrack.exchanges)
    mine = {exchange.exchange_id: (memory("I remember."),)}
    (sample,) = training_samples(ABOUT, [exchange], before, mine, 300, 50, words)
    assert sample.prompt[-1]["content"].startswith(exchange.question) and "I remember." in sample.prompt[-1]["content"]
    assert sample.answer == shorten(exchange.answer, 50) and sample.answer[-1] in ".!?'\""
    (plain,) = training_samples(ABOUT, [exchange], before, {}, 300, 50, words)
    assert plain.prompt[-1]["content"] == exchange.question
