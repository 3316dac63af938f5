"""A person's writings are cut into passages (`work/chunks.jsonl`), which are embedded into a Chroma collection."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from raft.errors import DataError, RaftError
from raft.files import set_aside, write_whole
from raft.formats.json_file import read_json
from raft.memory.chunks import CHUNK_TOKENS, Chunked, read_chunks, write_chunks
from raft.memory.mind import Synced, sync
from raft.memory.store import ChromaStore, collection_name
from raft.models.names import EMBEDDER, embedder
from raft.people.folders import work_of
from raft.people.person import load_documents
from raft.progress import Progress, silent
from raft.types import Embedder


@dataclass(frozen=True)
class Embedded:
    """The record that `raft embed` leaves: where the passages are, how many, and the digest of the writings."""

    embedder: str
    max_tokens: int
    chroma: str | None
    passages: int
    writings: str


def chunk_writings(
    folder: Path, max_tokens: int | None = None, allow_undated: bool | None = None, progress: Progress = silent
) -> tuple[Chunked, int]:
    """Bring `work/chunks.jsonl` up to date; return its content and how many undated documents were left out.

    A setting that is None stays as it was the last time. Raises DataError where the writings are broken.
    """
    path = work_of(folder) / "chunks.jsonl"
    earlier = read_chunks(path)
    if max_tokens is None:
        max_tokens = earlier.max_tokens if earlier else CHUNK_TOKENS
    if allow_undated is None:
        allow_undated = any(c.date is None for c in earlier.chunks) if earlier else False
    if not (folder / "writings.jsonl").is_file():
        raise DataError(
            [f"{folder}/writings.jsonl: missing, so nothing can be remembered; add writings with raft fetch"]
        )
    documents = load_documents(folder, allow_undated=True)
    wanted = [d for d in documents if d.date or allow_undated]
    return write_chunks(path, wanted, tokenizer_file(progress), max_tokens), len(documents) - len(wanted)


def embed_writings(
    folder: Path, name: str = EMBEDDER, chroma: str | None = None, progress: Progress = silent
) -> tuple[Chunked, int, Synced]:
    """Make the person's collection hold exactly the passages of their writings, which are cut first where needed.

    Returns the chunks, how many undated documents were left out, and what changed in the collection. Only new or
    changed passages are embedded. Raises DataError where the writings are broken, and RaftError where the embedder
    `name` or the Chroma server at the URL `chroma` cannot be used.
    """
    encoder, writings = embedder(name, progress), _digest(folder)
    chunked, undated = chunk_writings(folder, progress=progress)
    store = _store(folder, name, chunked.max_tokens, chroma)
    synced = sync(chunked.chunks, store, encoder, progress)
    left = Embedded(name, chunked.max_tokens, chroma, synced.there, writings)
    write_whole(_state(folder), json.dumps(asdict(left), indent=1) + "\n")
    return chunked, undated, synced


def is_embedded(folder: Path) -> bool:
    """Return whether `raft embed` has finished on this person."""
    return _state(folder).is_file()


def open_store(folder: Path, progress: Progress = silent) -> tuple[ChromaStore, Embedder]:
    """Return the store that `raft embed` filled, and its embedder.

    Raises RaftError where there is none, or where it does not hold the passages of the present writings.
    """
    if not is_embedded(folder):
        raise RaftError(f"{folder}: the writings are not embedded yet; run: raft embed {folder}")
    left = _left(folder)
    server = f" --chroma {left.chroma}" if left.chroma else ""
    again = f"run: raft embed {folder} --embedder {left.embedder}{server}"
    if left.writings != _digest(folder):
        raise RaftError(f"{folder}/writings.jsonl has changed since it was embedded; {again}")
    store = _store(folder, left.embedder, left.max_tokens, left.chroma)
    if len(store) != left.passages:
        raise RaftError(f"{folder}: the store holds {len(store)} passages, not the {left.passages} embedded; {again}")
    return store, embedder(left.embedder, progress)


def tokenizer_file(progress: Progress = silent) -> Path:
    """Return the `tokenizer.json` by which the size of passages is counted, whichever embedder is used."""
    from raft.models.weights import fetch

    return fetch(EMBEDDER.removeprefix("local/"), progress) / "tokenizer.json"


def _store(folder: Path, name: str, max_tokens: int, chroma: str | None) -> ChromaStore:
    place = chroma or work_of(folder) / "store"
    return ChromaStore(place, collection_name(folder.resolve().name, name, str(max_tokens)))


def _left(folder: Path) -> Embedded:
    try:
        return Embedded(**read_json(_state(folder)))
    except (DataError, TypeError) as error:
        set_aside(_state(folder), str(error))
        raise RaftError(f"{folder}: what `raft embed` left is damaged; run: raft embed {folder}") from None


def _state(folder: Path) -> Path:
    return work_of(folder) / "embedded.json"


def _digest(folder: Path) -> str:
    path = folder / "writings.jsonl"
    return hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
