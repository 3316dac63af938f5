"""The memories of a person's folder need a store, an embedder and a rephraser with a cache, put together here."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from raft.errors import RaftError
from raft.memory.chunks import CHUNK_TOKENS, chunk
from raft.memory.embedded import is_embedded, open_store, tokenizer_file
from raft.memory.mind import Mind, sync
from raft.memory.rephrase import VERSION, Rephraser, by_chat, extractive
from raft.memory.replies import KeptReplies
from raft.memory.store import ChromaStore
from raft.models.names import ANSWERS, EMBEDDER, chat_model, embedder
from raft.models.waiting import result_of
from raft.people.folders import work_of
from raft.people.person import About, Person, load_about, load_documents, person_folder
from raft.progress import Progress, silent
from raft.types import ChatModel, Embedder, Exchange, Memory, MemoryStore

EXTRACTIVE = "extractive"
GATE = 0.3
REPLY_TOKENS = 400


def memories_of(
    folder: Path,
    exchanges: Sequence[Exchange],
    before: Mapping[str, Sequence[Exchange]],
    rephraser: str = EXTRACTIVE,
    k: int = 3,
    gate: float = GATE,
    temporary: bool = False,
    progress: Progress = silent,
) -> dict[str, tuple[Memory, ...]]:
    """Return the memories of each exchange, by its id, from the store that `raft embed` filled, at most `k` for each.

    `before` has the earlier exchanges of each, by its id (`raft.memory.mind.said_before`). `rephraser` is `extractive`
    or a chat model's name, whose replies are kept in `work/rephrased.jsonl`; `gate` is the least cosine of a sentence
    and the question for `extractive`. With `temporary`, writings that are not embedded are embedded into a temporary
    store. Raises RaftError where the writings are not embedded otherwise, and where a rephraser cannot be asked.
    """
    with mind_of(folder, rephraser, k, gate, temporary, progress) as mind:
        return result_of(mind.remember(exchanges, before))


def remember(
    person: Person | str | Path,
    question: str,
    on: date | str | None = None,
    *,
    k: int = 3,
    rephraser: str = EXTRACTIVE,
    gate: float = GATE,
    progress: Progress = silent,
) -> tuple[Memory, ...]:
    """Return the memories that a question brings up from the person's writings, the nearest first, at most `k`.

    `on` is the day of the question, a date or YYYY-MM-DD, by default today: only older writings are remembered.
    `rephraser` is `extractive` (sentences of a passage whose nearest has a cosine of at least `gate` with the
    question), `local/…` or `openai/…`. Writings that are not embedded yet are embedded for this call alone. Raises
    DataError for what is wrong with the person's folder, and RaftError where `on` is no date or a rephraser cannot be
    asked.
    """
    exchange = asked(question, on)
    found = memories_of(person_folder(person), [exchange], {}, rephraser, k, gate, temporary=True, progress=progress)
    return found[exchange.exchange_id]


def asked(question: str, on: date | str | None = None, number: int = 1, answer: str = "") -> Exchange:
    """Return a question as an exchange of today, or of the day `on`. Raises RaftError where `on` is no date."""
    try:
        day = date.fromisoformat(on) if isinstance(on, str) and on else on or date.today()
    except ValueError:
        raise RaftError(f"on: {on!r} is not a date; write it as YYYY-MM-DD") from None
    assert isinstance(day, date)
    return Exchange("asked", number, day, question, answer)


@contextmanager
def mind_of(
    folder: Path,
    rephraser: str = EXTRACTIVE,
    k: int = 3,
    gate: float = GATE,
    temporary: bool = False,
    progress: Progress = silent,
) -> Iterator[Mind]:
    """Open the `Mind` of a person's folder, for as long as the context lasts; the arguments are those of `memories_of`.

    With `temporary`, writings that are not embedded yet are embedded into a store that is deleted at the end. Raises
    DataError for what is wrong with the folder, and RaftError where the store or a model cannot be used.
    """
    about = load_about(folder)
    with tempfile.TemporaryDirectory() as place:
        store: MemoryStore
        if temporary and not is_embedded(folder):
            encoder = embedder(EMBEDDER, progress)
            store = ChromaStore(Path(place), "once")
            documents = load_documents(folder)
            sync(list(chunk(documents, tokenizer_file(progress), CHUNK_TOKENS)), store, encoder, progress)
        else:
            store, encoder = open_store(folder, progress)
        model = None if rephraser == EXTRACTIVE else chat_model(rephraser, REPLY_TOKENS)
        yield Mind(store, encoder, rephraser_of(model, rephraser, encoder, about, gate, work_of(folder)), k)


def rephraser_of(
    model: ChatModel | None, name: str, encoder: Embedder, about: About, gate: float, folder: Path
) -> Rephraser:
    """Return the extractive rephraser without a model; with one, a rephraser that asks it and keeps its replies.

    The replies are kept in `rephrased.jsonl` in `folder`, by the digest of what was asked.
    """
    if model is None:
        return extractive(encoder, gate)
    version = f"{VERSION} {ANSWERS}" if name.startswith("local/") else VERSION
    return by_chat(KeptReplies(model, f"{name} {version}", folder / "rephrased.jsonl"), about)
