"""The memories of a person's folder: its store, a rephraser and its cache, put together in one place."""

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
from raft.models.names import EMBEDDER, chat_model, embedder
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
    """The memories of each exchange, by its id, from the store that `raft embed` filled (`temporary`: see `mind_of`).

    `before` is what was said before each, by id (`raft.memory.mind.said_before`). `rephraser` is `extractive` or a
    chat model's name, whose replies are kept in `work/rephrased.jsonl`; `gate` is extractive's.
    Raises RaftError when the writings are not embedded, and when a rephraser cannot be asked.
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
    """What a question brings to the person's mind: memories from their writings, the nearest first, at most `k`.

    `on` is the day of the question, a date or YYYY-MM-DD, by default today: only older writings are remembered.
    `rephraser` is `extractive` (sentences whose cosine with the question is at least `gate`), `local/…` or `openai/…`.
    Writings that are not embedded yet are, for this once. Raises DataError for what is wrong with the person's folder
    and RaftError for a day that is none, and where a rephraser cannot be asked.
    """
    exchange = asked(question, on)
    found = memories_of(person_folder(person), [exchange], {}, rephraser, k, gate, temporary=True, progress=progress)
    return found[exchange.exchange_id]


def asked(question: str, on: date | str | None = None, number: int = 1, answer: str = "") -> Exchange:
    """A question that is asked now, or on the day that `on` names. Raises RaftError where that is no date."""
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
    """What the person remembers from. With `temporary`, writings that are not embedded yet are, for this once."""
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
    """Extractive without a model; with one, its replies are kept in `folder` by their content."""
    if model is None:
        return extractive(encoder, gate)
    return by_chat(KeptReplies(model, f"{name} {VERSION}", folder / "rephrased.jsonl"), about)
