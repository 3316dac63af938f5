"""Memories: finding the nearest of 100,000 passages that are old enough, and embedding beside the bare encoder."""

from itertools import islice
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks.bench.rows import Row, in_turns
from raft.memory.chunks import chunk
from raft.memory.embedded import tokenizer_file
from raft.memory.flat import FlatIndex
from raft.memory.mind import EMBED_AT_ONCE, sync
from raft.memory.store import ChromaStore
from raft.models.embedders import LocalEmbedder
from raft.models.names import EMBEDDER
from raft.people.person import load_documents

SIZE, QUESTIONS = 384, 40


def recall(quick: bool) -> list[Row]:
    """Milliseconds a question among random unit vectors with dates, half of them old enough; both find the same."""
    chunks = 20_000 if quick else 100_000
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((chunks, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{i:06}" for i in range(chunks)]
    dates = rng.integers(0, 1000, chunks)
    index = FlatIndex(ids, dates.tolist(), ids, vectors)
    questions = vectors[rng.integers(0, chunks, QUESTIONS)]
    old = vectors[dates < 500]
    peer = NearestNeighbors(n_neighbors=3, algorithm="brute", metric="cosine").fit(old)

    took = in_turns(
        {
            "ours": lambda: [index.nearest(q[None], [500], 3, 0.95) for q in questions],
            "sklearn": lambda: [peer.kneighbors(q[None]) for q in questions],
        },
        3 if quick else 5,
    )
    per = {name: 1000 * seconds / QUESTIONS for name, seconds in took.items()}
    said = "ours also leaves out near-duplicates; its date is chosen by the question, the peer's beforehand"
    what = f"recall among {chunks:,} passages, half of them old enough"
    return [
        Row(
            "Memories",
            what,
            "ms a question",
            "less",
            per["ours"],
            "scikit-learn's exact neighbours",
            per["sklearn"],
            said,
        )
    ]


def embedding(folder: Path, quick: bool) -> list[Row]:
    """Passages a second, read into the store, beside the bare encoder on the same passages."""
    chunks = sorted(
        chunk(load_documents(Path(__file__).parent.parent / "marrack"), tokenizer_file()),
        key=lambda c: (len(c.text), c.chunk_id),
    )
    chunks = chunks[: 64 if quick else None]
    encoder = LocalEmbedder(EMBEDDER.removeprefix("local/"), keep=False)  # what is kept would take no time
    encoder.embed([c.text for c in chunks[:16]])
    made = 0

    def stored() -> None:
        nonlocal made
        made += 1
        store, rest, done = ChromaStore(folder / f"store-{made}", "bench"), iter(chunks), []
        while part := list(islice(rest, EMBED_AT_ONCE)):
            done += part
            sync(done, store, encoder)

    took = in_turns({"bare": lambda: encoder.embed([c.text for c in chunks]), "ours": stored}, 1 if quick else 3)
    rates = {name: len(chunks) / seconds for name, seconds in took.items()}
    said = f"{len(chunks)} passages of an invented person"
    return [Row("Memories", "embed passages into the store", "passages/s", "more", rates["ours"], "the bare encoder", rates["bare"], said)]  # fmt: skip
