"""Recall, rephrase, gate: what a person would have in mind when asked."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from raft.chunks import chunk
from raft.person import Person
from raft.rephrase import Cue, Rephraser
from raft.types import Chunk, Embedder, Exchange, Memory, MemoryStore


def store_writings(
    person: Person, store: MemoryStore, embedder: Embedder, tokenizer_file: Path, max_tokens: int
) -> int:
    """Chunk, embed and keep the person's writings; the number of chunks that were not there yet."""
    there = store.ids()
    new = [c for c in chunk(person.documents, tokenizer_file, max_tokens) if c.chunk_id not in there]
    if new:
        store.add(new, embedder.embed([c.text for c in new]))
    return len(new)


async def remember(
    exchanges: Sequence[Exchange],
    before: Mapping[str, Sequence[Exchange]],
    store: MemoryStore,
    embedder: Embedder,
    rephrase: Rephraser,
    k: int,
) -> dict[str, tuple[Memory, ...]]:
    """The memories of each exchange, by its id: the `k` nearest older passages that pass the gate, rephrased.

    Only the question, its date and what was said `before` it are used; the exchange's own answer never is.
    """
    if not exchanges:
        return {}
    vectors = embedder.embed([e.question for e in exchanges])
    recalled = [
        (exchange, passage, similarity)
        for exchange, vector in zip(exchanges, vectors, strict=True)
        for passage, similarity in store.recall(vector, exchange.date, k)
    ]
    cues = [Cue(e.question, tuple(before.get(e.exchange_id, ())), passage.text) for e, passage, _ in recalled]
    texts = await rephrase(cues)
    memories: dict[str, tuple[Memory, ...]] = {e.exchange_id: () for e in exchanges}
    for (exchange, passage, similarity), text in zip(recalled, texts, strict=True):
        if text is not None and text not in {m.text for m in memories[exchange.exchange_id]}:
            memories[exchange.exchange_id] += (_memory(passage, text, similarity),)
    return memories


def said_before(exchanges: Sequence[Exchange]) -> dict[str, tuple[Exchange, ...]]:
    """What was said before each exchange in its own interview, by the exchange's id, oldest first."""
    so_far: dict[str, tuple[Exchange, ...]] = {}
    before = {}
    for exchange in exchanges:
        before[exchange.exchange_id] = so_far.get(exchange.interview_id, ())
        so_far[exchange.interview_id] = (*before[exchange.exchange_id], exchange)
    return before


def _memory(passage: Chunk, text: str, similarity: float) -> Memory:
    when: date | None = passage.date
    return Memory(
        text=text,
        chunk_id=passage.chunk_id,
        doc_id=passage.doc_id,
        title=passage.title,
        source=passage.source,
        date=when.isoformat() if when else "undated",
        similarity=similarity,
    )
