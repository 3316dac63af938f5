"""The memory store: one Chroma collection a person, passages with their dates as numbers."""

import os
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np

from raft.types import Chunk, Vectors

UNDATED = 0
"""The number of an undated passage: before every date. It gets in only where undated text was allowed."""


class ChromaStore:
    """A `MemoryStore` in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        # a wide search: the index is to be fast, not to decide which memories a person has
        space = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}
        self._collection: Any = client.get_or_create_collection(
            name, embedding_function=None, configuration=cast(Any, {"hnsw": space})
        )

    def ids(self) -> Collection[str]:
        """The chunks that are already there."""
        return set(self._collection.get(include=[])["ids"])

    def add(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Keep `chunks` with their vectors, a few hundred at a time."""
        for start in range(0, len(chunks), 500):
            part = chunks[start : start + 500]
            self._collection.upsert(
                ids=[c.chunk_id for c in part],
                embeddings=vectors[start : start + 500],
                documents=[c.text for c in part],
                metadatas=[_metadata(c) for c in part],
            )

    def chunks(self) -> list[Chunk]:
        """Everything that is kept, by its id."""
        found = self._collection.get(include=["documents", "metadatas"])
        parts = zip(*(found[key] for key in ("ids", "documents", "metadatas")), strict=True)
        return sorted((_chunk(i, t, m) for i, t, m in parts), key=lambda c: c.chunk_id)

    def recall(self, vector: Vectors, before: date | None, k: int) -> list[tuple[Chunk, float]]:
        """The `k` nearest chunks dated strictly before `before`; ties go to the earlier id.

        More than `k` are asked for and ranked again by their exact cosine, because the index is approximate.
        An interview without a date recalls only undated text: nothing dated is known to be older.
        """
        found = self._collection.query(
            query_embeddings=vector[None],
            n_results=4 * k,
            where={"day": {"$lt": before.toordinal() if before else UNDATED + 1}},
            include=["documents", "metadatas", "embeddings"],
        )
        vectors = np.asarray(found["embeddings"][0], dtype=np.float32).reshape(-1, len(vector))
        chunks = [
            _chunk(i, t, m)
            for i, t, m in zip(*(found[key][0] for key in ("ids", "documents", "metadatas")), strict=True)
        ]
        ranked = zip(chunks, (round(float(s), 5) for s in vectors @ vector), strict=True)
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0].chunk_id))[:k]


def _metadata(chunk: Chunk) -> dict[str, str | int]:
    return {
        "doc_id": chunk.doc_id,
        "title": chunk.title,
        "source": chunk.source,
        "start": chunk.start,
        "end": chunk.end,
        "day": chunk.date.toordinal() if chunk.date else UNDATED,
    }


def _chunk(chunk_id: str, text: str, meta: dict[str, Any]) -> Chunk:
    day = int(meta["day"])
    return Chunk(
        chunk_id=chunk_id,
        doc_id=str(meta["doc_id"]),
        title=str(meta["title"]),
        source=str(meta["source"]),
        date=date.fromordinal(day) if day != UNDATED else None,
        start=int(meta["start"]),
        end=int(meta["end"]),
        text=text,
    )
