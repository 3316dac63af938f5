"""The memories of a question are made in three steps: passages are recalled, rephrased, and kept if they are useful."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from raft.errors import RaftError
from raft.memory.rephrase import Cue, Outcome, Rephraser, Usefulness
from raft.progress import Progress, silent
from raft.types import ALIKE, Chunk, Embedder, Exchange, Memory, MemoryStore

EMBED_AT_ONCE = 512
"""The number of chunks that are embedded and stored together; a kill loses the work of at most so many."""


@dataclass(frozen=True)
class Synced:
    """The numbers of chunks that were embedded, that were removed, and that are in the store, after it was updated."""

    embedded: int
    removed: int
    there: int


def sync(
    chunks: Sequence[Chunk],
    store: MemoryStore,
    embedder: Embedder,
    progress: Progress = silent,
    whose: Callable[[Chunk], str] = lambda chunk: "",
) -> Synced:
    """Make `store` hold exactly `chunks`: embed only new and changed ones, remove those that are gone or changed.

    Chunks are embedded apart by what `whose` returns, so that vectors kept of one person serve every store that has them.
    """
    there = store.ids()
    wanted = {c.chunk_id: c.digest for c in chunks}
    stale = [i for i, digest in there.items() if wanted.get(i) != digest]
    if stale:
        store.remove(stale)
    new = [c for c in chunks if there.get(c.chunk_id) != wanted[c.chunk_id]]
    # texts of similar length make batches with little padding
    new.sort(key=lambda c: (whose(c), len(c.text), c.chunk_id))
    if new:
        with progress("embedding", len(new), "passages") as advance:
            for together in (list(group) for _, group in groupby(new, whose)):
                for start in range(0, len(together), EMBED_AT_ONCE):
                    part = together[start : start + EMBED_AT_ONCE]
                    store.add(part, embedder.embed([c.text for c in part]))
                    advance(len(part))
    return Synced(len(new), len(stale), len(chunks))


@dataclass(frozen=True)
class Recalled:
    """A passage that a question recalled, the cosine of the two (`similarity`), and the rephraser's verdict on it."""

    passage: Chunk
    similarity: float
    verdict: Usefulness


@dataclass(frozen=True)
class Mind:
    """A store of passages with the embedder and the rephraser that make memories of it, at most `k` for each question.

    Passages with a cosine of `alike` or more between them count as one; None keeps them apart.
    """

    store: MemoryStore
    embedder: Embedder
    rephrase: Rephraser
    k: int = 3
    alike: float | None = ALIKE

    async def consider(
        self, exchanges: Sequence[Exchange], before: Mapping[str, Sequence[Exchange]]
    ) -> dict[str, tuple[Recalled, ...]]:
        """Return, by the exchange's id, the nearest older passages and the rephraser's verdict on each, nearest first.

        Only the question, its date and the exchanges `before` it (by id) are used; the exchange's own answer never is.
        Raises RaftError where the rephraser failed on a passage; what it did answer is kept by its cache.
        """
        if not exchanges:
            return {}
        vectors = self.embedder.embed([e.question for e in exchanges])
        near = self.store.recall(vectors, [e.date for e in exchanges], self.k, self.alike)
        recalled = [
            (exchange, passage, similarity)
            for exchange, passages in zip(exchanges, near, strict=True)
            for passage, similarity in passages
        ]
        cues = [Cue(e.question, tuple(before.get(e.exchange_id, ())), passage.text) for e, passage, _ in recalled]
        found: dict[str, tuple[Recalled, ...]] = {e.exchange_id: () for e in exchanges}
        for (exchange, passage, similarity), verdict in zip(recalled, _asked(await self.rephrase(cues)), strict=True):
            found[exchange.exchange_id] += (Recalled(passage, round(similarity, 5), verdict),)
        return found

    async def remember(
        self, exchanges: Sequence[Exchange], before: Mapping[str, Sequence[Exchange]]
    ) -> dict[str, tuple[Memory, ...]]:
        """Return each exchange's memories, by its id: those that `consider` finds useful. Raises what it raises."""
        return {key: kept(recalled) for key, recalled in (await self.consider(exchanges, before)).items()}


def _asked(verdicts: list[Usefulness]) -> list[Usefulness]:
    failed = [v.why for v in verdicts if v.outcome is Outcome.FAILED]
    if failed:
        raise RaftError(
            f"{len(failed)} of {len(verdicts)} passages could not be rephrased; the others are kept, so running it "
            f"again asks only for these. The first: {failed[0]}"
        )
    return verdicts


def kept(recalled: Sequence[Recalled]) -> tuple[Memory, ...]:
    """Return the memories of the useful passages; of two with the same text, the first, whose passage is nearer."""
    memories: dict[str, Memory] = {}
    for r in recalled:
        if r.verdict.outcome is Outcome.USEFUL:
            memories.setdefault(r.verdict.text, _memory(r))
    return tuple(memories.values())


def outcomes(considered: Mapping[str, Sequence[Recalled]]) -> dict[str, int]:
    """Return the number of passages of each verdict, by the verdict's reason, in alphabetical order."""
    counts: dict[str, int] = {}
    for recalled in considered.values():
        for r in recalled:
            counts[r.verdict.reason] = counts.get(r.verdict.reason, 0) + 1
    return dict(sorted(counts.items()))


def said_before(exchanges: Sequence[Exchange]) -> dict[str, tuple[Exchange, ...]]:
    """Return the earlier exchanges of the same interview for each exchange, by its id, oldest first."""
    so_far: dict[str, tuple[Exchange, ...]] = {}
    before = {}
    for exchange in exchanges:
        before[exchange.exchange_id] = so_far.get(exchange.interview_id, ())
        so_far[exchange.interview_id] = (*before[exchange.exchange_id], exchange)
    return before


def _memory(recalled: Recalled) -> Memory:
    passage = recalled.passage
    when: date | None = passage.date
    return Memory(
        text=recalled.verdict.text,
        chunk_id=passage.chunk_id,
        doc_id=passage.doc_id,
        title=passage.title,
        source=passage.source,
        date=when.isoformat() if when else "undated",
        similarity=recalled.similarity,
        start=passage.start,
        end=passage.end,
    )
