"""How fast are embedding and recall? `python benchmarks/recall.py [PERSON'S FOLDER]` (`make bench`).

Embedding: `raft embed`'s passages a second on up to 100,000 words, beside the bare encoder on the same passages. They
are measured in turns, a part of the passages each, because a machine's load changes. Recall: milliseconds a question
among 100,000 random unit vectors with dates, half of them old enough or all.
"""

import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

from raft.memory.chunks import chunk
from raft.memory.embedded import tokenizer_file
from raft.memory.flat import FlatIndex
from raft.memory.mind import EMBED_AT_ONCE, sync
from raft.memory.store import ChromaStore
from raft.models.embedders import LocalEmbedder
from raft.models.names import EMBEDDER
from raft.people.person import load_documents
from raft.types import Chunk

WORDS = 100_000
CHUNKS, SIZE, QUESTIONS = 100_000, 384, 40


def main() -> None:
    """Print both measurements."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "marrack"
    recall()
    embedding(passages(folder))


def passages(folder: Path) -> list[Chunk]:
    """The passages of the folder's writings, up to 100,000 words."""
    words, kept = 0, []
    for document in load_documents(folder):
        kept.append(document)
        words += len(document.text.split())
        if words >= WORDS:
            break
    found = sorted(chunk(kept, tokenizer_file()), key=lambda c: (len(c.text), c.chunk_id))
    print(f"{folder.name}: {words} words, {len(found)} passages")
    return found


def embedding(chunks: list[Chunk]) -> None:
    """The bare encoder against the store with everything around it, on the same passages."""
    encoder = LocalEmbedder(EMBEDDER.removeprefix("local/"), keep=False)  # what is kept would take no time
    encoder.embed([c.text for c in chunks[:64]])
    bare = stored = 0.0
    with tempfile.TemporaryDirectory() as place:
        store = ChromaStore(Path(place), "bench")
        rest = iter(chunks)
        done: list[Chunk] = []
        while part := list(islice(rest, EMBED_AT_ONCE)):
            start = time.perf_counter()
            encoder.embed([c.text for c in part])
            bare += time.perf_counter() - start
            done += part
            start = time.perf_counter()
            sync(done, store, encoder)
            stored += time.perf_counter() - start
    rates = len(chunks) / bare, len(chunks) / stored
    print(f"embedding: encoder alone {rates[0]:.1f} passages/s, raft embed {rates[1]:.1f}: {rates[1] / rates[0]:.3f}")


def recall() -> None:
    """The exact index, with and without the collapse of near-duplicates."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((CHUNKS, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{i:06}" for i in range(CHUNKS)]
    index = FlatIndex(ids, rng.integers(0, 1000, CHUNKS).tolist(), ids, vectors)
    questions = vectors[rng.integers(0, CHUNKS, QUESTIONS)]
    for before in (500, 1000):
        times = []
        for vector in questions:
            start = time.perf_counter()
            index.nearest(vector[None], [before], 3, 0.95)
            times.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        index.nearest(questions, [before] * QUESTIONS, 3, 0.95)
        together = 1000 * (time.perf_counter() - start) / QUESTIONS
        print(
            f"recall: {before / 10:.0f} % of {CHUNKS} old enough: one question median {np.median(times):.1f} ms, "
            f"worst {np.max(times):.1f} ms; {QUESTIONS} together {together:.1f} ms each"
        )


if __name__ == "__main__":
    main()
