"""Phase one: what the person would remember at each question, and what the controls answer."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raft.memory.chunks import chunk
from raft.memory.embedded import tokenizer_file
from raft.memory.mind import Mind, Recalled, kept, outcomes, sync
from raft.memory.recall import EXTRACTIVE, rephraser_of
from raft.memory.rephrase import VERSION, Rephraser
from raft.memory.store import ChromaStore, collection_name
from raft.models.waiting import result_of
from raft.progress import Progress, silent
from raft.types import Document, Embedder, Exchange, Memory
from ratf.models.chat import InspectChat, embedder, recorded_model
from ratf.models.replay import session
from ratf.suite.arms import Shown
from ratf.suite.study import Study

Memories = dict[str, tuple[Memory, ...]]


def memories(study: Study, progress: Progress = silent) -> Memories:
    """The memories of every exchange that is asked, learnt from, or told before one that is. Made once a study."""
    made = _made(study, progress)["memories"]
    return {key: tuple(Memory(**m) for m in memories) for key, memories in made.items()}


def passages(study: Study) -> dict[str, int]:
    """How many recalled passages became memories, and how many did not, by reason."""
    counts: dict[str, int] = _made(study, silent)["passages"]
    return counts


def _made(study: Study, progress: Progress) -> Any:
    def make() -> Any:
        found = _remember(study, progress)
        memories = {key: [asdict(m) for m in kept(recalled)] for key, recalled in found.items()}
        return {"passages": outcomes(found), "memories": memories}

    return study.made("memories", make, VERSION)


def memory_store(study: Study, impostors: bool = False) -> ChromaStore:
    """The store of the person's writings, or of all impostors' together; `mind` fills it."""
    settings, name = study.suite.memories, study.suite.models.embedder
    whose = [p.key for p in study.impostors] if impostors else [study.person.key]
    # data, encoder and size are part of the name: other chunks must not mix with these
    collection = collection_name(*whose, study.data_digest, name, str(settings.chunk_tokens))
    # a server's store may know passages already, whose vectors would not be recorded, and a replay needs no server
    server = None if session() else settings.chroma
    return ChromaStore(server or study.folder / "store", collection)


def mind(study: Study, progress: Progress = silent, impostors: bool = False) -> Mind:
    """The person's writings, or the impostors', embedded in the run's folder or on a Chroma server, and the rephraser.

    The rephraser is the same for both, so that whose writings they are is all that differs.
    """
    settings = study.suite.memories
    encoder, store = embedder(study.suite.models.embedder, progress), memory_store(study, impostors)
    documents = _impostors_documents(study) if impostors else study.person.documents
    chunks = list(chunk(documents, tokenizer_file(progress), settings.chunk_tokens))
    sync(chunks, store, encoder, progress)
    return Mind(store, encoder, _rephraser(study, encoder), settings.k)


def _impostors_documents(study: Study) -> list[Document]:
    """All impostors' writings; their ids say whose they are, because two people may use the same."""
    return [replace(d, doc_id=f"{p.key}/{d.doc_id}") for p in study.impostors for d in p.documents]


def _remember(study: Study, progress: Progress) -> dict[str, tuple[Recalled, ...]]:
    found = mind(study, progress)
    before = {} if study.suite.answers.history == "none" else study.before
    with progress("remembering", 1, "steps") as advance:
        considered = result_of(found.consider(_wanted(study), before))
        advance(1)
    return considered


def later(study: Study) -> bool:
    """Whether held-out questions remember only when they are asked: a chat rephraser reads what the agent has answered."""
    return study.suite.answers.history == "free_running" and study.suite.memories.rephraser != EXTRACTIVE


def _wanted(study: Study) -> list[Exchange]:
    history = study.suite.answers.history
    asked = study.training if later(study) else [*study.training, *study.held_out]
    told = [] if history == "none" else [e for exchange in asked for e in study.before[exchange.exchange_id]]
    return list({e.exchange_id: e for e in [*told, *asked]}.values())


def _rephraser(study: Study, encoder: Embedder) -> Rephraser:
    settings, name = study.suite.memories, study.suite.memories.rephraser
    model = None
    if name != EXTRACTIVE:
        from inspect_ai.model import get_model

        model = InspectChat(get_model(recorded_model(name, "rephraser")))
    return rephraser_of(model, name, encoder, study.person.about, settings.gate, study.folder)


ITSELF, UNFIT, SAME_INTERVIEW = 1e9, 1e4, 1.0
"""What a shuffle would rather not: a question's own memories, a memory that has to be left out, the same interview."""


def memories_shown(study: Study, shown: Shown, progress: Progress = silent) -> Memories:
    """The memories that arms of that kind read, by exchange. Only these are made, and once a study."""
    if shown == "none":
        return {}
    if shown == "own":
        return memories(study, progress)
    if shown == "shuffled":
        return shuffled(study, memories(study, progress))
    return _impostors(study, progress)


def shuffled(study: Study, mine: Memories) -> Memories:
    """Each asked question with the memories of another one, and likewise what was told before it.

    The questions swap among themselves, so that over all of them the memories stay the same, and only what they are
    about does not fit. What does not fit (see `fits`) is left out.
    """
    told = _told(study)
    found: Memories = {}
    for group in (study.held_out, [e for e in told if e not in study.held_out]):
        for exchange, donor in zip(group, donors(group, mine, study.suite.seed), strict=True):
            given = mine.get(group[donor].exchange_id, ()) if donor is not None else ()
            found[exchange.exchange_id] = tuple(m for m in given if fits(m, exchange, mine))
    return found


def donors(exchanges: Sequence[Exchange], mine: Memories, seed: int) -> list[int | None]:
    """For each exchange the place of another one, each once: by lot, but with as few memories left out, and then
    as few of the same interview, as can be. None for an exchange that is alone.
    """
    from scipy.optimize import linear_sum_assignment

    if len(exchanges) < 2:
        return [None for _ in exchanges]
    lot = np.random.default_rng([seed, 5]).random((len(exchanges), len(exchanges)))
    _, columns = linear_sum_assignment(_unwanted(exchanges, mine) + lot / len(exchanges))
    return [int(donor) for donor in columns]


def _unwanted(exchanges: Sequence[Exchange], mine: Memories) -> NDArray[np.float64]:
    """Row: who asks; column: whose memories they would be."""
    interviews = np.array([e.interview_id for e in exchanges])
    cost: NDArray[np.float64] = np.where(interviews[:, None] == interviews, SAME_INTERVIEW, 0.0)
    for column, donor in enumerate(exchanges):
        given = mine.get(donor.exchange_id, ())
        cost[:, column] += [UNFIT * sum(not fits(m, e, mine) for m in given) for e in exchanges]
    np.fill_diagonal(cost, ITSELF)
    return cost


def fits(memory: Memory, exchange: Exchange, mine: Memories) -> bool:
    """Whether a question may get another one's memory: older than its interview, and of no passage that it recalled itself.

    An undated memory, which the suite has allowed, counts as older.
    """
    day = exchange.date
    older = memory.date == "undated" or (day is not None and memory.date < day.isoformat())
    return older and memory.chunk_id not in {m.chunk_id for m in mine.get(exchange.exchange_id, ())}


def swap_note(study: Study) -> str:
    """What the shuffle could do, in a sentence."""
    mine = memories(study)
    chosen = [
        (e, study.held_out[d])
        for e, d in zip(study.held_out, donors(study.held_out, mine, study.suite.seed), strict=True)
        if d is not None
    ]
    elsewhere = sum(e.interview_id != d.interview_id for e, d in chosen)
    unfit = sum(not fits(m, e, mine) for e, d in chosen for m in mine.get(d.exchange_id, ()))
    return (
        f"Shuffled memories: {elsewhere} of {len(study.held_out)} questions have those of another interview's question; "
        f"{unfit} memories were left out, because they are not older than the question or its own as well."
    )


def _impostors(study: Study, progress: Progress) -> Memories:
    def make() -> dict[str, list[dict[str, Any]]]:
        found = mind(study, progress, impostors=True)
        before = {} if study.suite.answers.history == "none" else study.before
        with progress("remembering as the impostors", 1, "steps") as advance:
            considered = result_of(found.consider([] if later(study) else _told(study), before))
            advance(1)
        return {key: [asdict(m) for m in kept(recalled)] for key, recalled in considered.items()}

    made = study.made("memories-impostor", make, VERSION)
    return {key: tuple(Memory(**m) for m in found) for key, found in made.items()}


def _told(study: Study) -> list[Exchange]:
    """What is asked and, unless nothing is told before it, what stands in the prompt as said before."""
    before = (
        []
        if study.suite.answers.history == "none"
        else [t for e in study.held_out for t in study.before[e.exchange_id]]
    )
    return list({e.exchange_id: e for e in [*before, *study.held_out]}.values())
