"""The memory store keeps each person's passages in a Chroma collection, with their dates as day numbers."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np

from raft.errors import RaftError
from raft.memory.flat import FlatIndex
from raft.types import ALIKE, Chunk, Vectors

UNDATED = 0
"""The day number of an undated passage, before that of every date; such passages are stored only where allowed."""


PAGE = 2000


def collection_name(*parts: str) -> str:
    """Return a collection name that Chroma accepts and that, by a digest at its end, no other `parts` have."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9]+', '-', '-'.join(parts).casefold()).strip('-')[:100]}-{digest}".lstrip("-")


class ChromaStore:
    """A `MemoryStore` in a folder or on a Chroma server; the first recall reads all of it into memory."""

    def __init__(self, place: Path | str, name: str) -> None:
        """Open the collection `name` in `place`, a folder or a server's URL; it is made where it is missing.

        Raises RaftError where the URL is not one of a Chroma server, holds a password, or no server answers there.
        """
        client = _server(place) if isinstance(place, str) else _folder(place)
        self._collection: Any = client.get_or_create_collection(
            name, embedding_function=None, configuration=cast(Any, {"hnsw": {"space": "cosine"}})
        )
        self._recallable: tuple[FlatIndex, list[Chunk]] | None = None

    def __len__(self) -> int:
        """Return the number of chunks that are kept."""
        return int(self._collection.count())

    def ids(self) -> Mapping[str, str]:
        """Return the digest of each chunk that is kept, by its id."""
        return {
            chunk_id: str(meta["digest"])
            for page in self._pages("metadatas")
            for chunk_id, meta in zip(page["ids"], page["metadatas"], strict=True)
        }

    def chunks(self) -> list[Chunk]:
        """Return all chunks that are kept, in the order of their ids."""
        return sorted(self._read()[1], key=lambda c: c.chunk_id)

    def add(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Keep `chunks` with their vectors, of shape (len(chunks), d), in parts of 500."""
        self._recallable = None
        for start in range(0, len(chunks), 500):
            part = chunks[start : start + 500]
            self._collection.upsert(
                ids=[c.chunk_id for c in part],
                embeddings=vectors[start : start + 500],
                documents=[c.text for c in part],
                metadatas=[_metadata(c) for c in part],
            )

    def remove(self, chunk_ids: Sequence[str]) -> None:
        """Remove the chunks of these ids."""
        self._recallable = None
        for start in range(0, len(chunk_ids), 500):
            self._collection.delete(ids=list(chunk_ids[start : start + 500]))

    def recall(
        self, vectors: Vectors, before: Sequence[date | None], k: int, alike: float | None = ALIKE
    ) -> list[list[tuple[Chunk, float]]]:
        """Return, for each question, its `k` nearest older chunks by an exact search, as `MemoryStore.recall` says.

        A question without a date recalls only undated text, because nothing dated is known to be older.
        """
        index, chunks = self._read()
        if not chunks:
            return [[] for _ in before]
        days = [day.toordinal() if day else UNDATED + 1 for day in before]
        return [[(chunks[row], cosine) for row, cosine in near] for near in index.nearest(vectors, days, k, alike)]

    def _read(self) -> tuple[FlatIndex, list[Chunk]]:
        if self._recallable is None:
            chunks: list[Chunk] = []
            vectors = []
            for page in self._pages("documents", "metadatas", "embeddings"):
                parts = zip(page["ids"], page["documents"], page["metadatas"], strict=True)
                chunks += [_chunk(*part) for part in parts]
                vectors.append(np.asarray(page["embeddings"], dtype=np.float32))
            days = [c.date.toordinal() if c.date else UNDATED for c in chunks]
            matrix = np.concatenate(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)
            index = FlatIndex([c.chunk_id for c in chunks], days, [c.text for c in chunks], matrix)
            self._recallable = index, chunks
        return self._recallable

    def _pages(self, *include: str) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self), PAGE):
            yield self._collection.get(include=list(include), limit=PAGE, offset=start)


def _folder(place: Path) -> Any:
    chromadb, settings = _chroma()
    place.mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(str(place), settings=settings)


def _server(url: str) -> Any:
    from urllib.parse import urlsplit

    chromadb, settings = _chroma()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RaftError(f"{url!r} is not the address of a Chroma server; write it as http://host:8000")
    if parts.password:
        raise RaftError("the address of a Chroma server must hold no password: it is written into files")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    try:
        return chromadb.HttpClient(host=parts.hostname, port=port, ssl=secure, settings=settings)
    except Exception as error:  # Chroma raises ValueError, or whatever its HTTP client does
        raise RaftError(f"no Chroma server answers at {url} ({error}); start one with: chroma run") from None


def _chroma() -> tuple[Any, Any]:
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    from chromadb.config import Settings

    return chromadb, Settings(anonymized_telemetry=False)


def _metadata(chunk: Chunk) -> dict[str, str | int]:
    return {
        "doc_id": chunk.doc_id,
        "title": chunk.title,
        "source": chunk.source,
        "start": chunk.start,
        "end": chunk.end,
        "day": chunk.date.toordinal() if chunk.date else UNDATED,
        "digest": chunk.digest,
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
