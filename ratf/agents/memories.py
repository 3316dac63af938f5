"""Phase one of a run: the memories that each question recalls, for the person, shuffled, and for the impostors."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
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
from raft.models.weights import cache_folder
from raft.progress import Progress, silent
from raft.types import Document, Embedder, Exchange, Memory
from ratf.models.chat import InspectChat, embedder, recorded_model
from ratf.models.recorded.replay import session
from ratf.suite.arms import Shown
from ratf.suite.study import Study

Memories = dict[str, tuple[Memory, ...]]


def memories(study: Study, progress: Progress = silent) -> Memories:
    """The memories of every exchange that is asked, trained on, or told before one of these, by id.

    Made once a study.
    """
    made = _made(study, progress)["memories"]
    return {key: tuple(Memory(**m) for m in memories) for key, memories in made.items()}


def passages(study: Study) -> dict[str, int]:
    """The number of recalled passages that became memories, and of those that did not, by reason."""
    counts: dict[str, int] = _made(study, silent)["passages"]
    return counts


def _made(study: Study, progress: Progress) -> Any:
    def make() -> Any:
        found = _remember(study, progress)
        memories = {key: [asdict(m) for m in kept(recalled)] for key, recalled in found.items()}
        return {"passages": outcomes(found), "memories": memories}

    return study.made("memories", make, VERSION)


def memory_store(study: Study, impostors: bool = False) -> ChromaStore:
    """The vector store of the person's writings, or of all impostors' together; `mind` fills it."""
    settings, name = study.suite.memories, study.suite.models.embedder
    whose = [p.key for p in study.impostors] if impostors else [study.person.key]
    # data, encoder and size are part of the name: other chunks must not mix with these
    collection = collection_name(*whose, study.data_digest, name, str(settings.chunk_tokens))
    # a server may hold passages already, whose vectors would not be recorded; and a replay needs no server
    server = None if session() else settings.chroma
    return ChromaStore(server or study.folder / "store", collection)


def mind(study: Study, progress: Progress = silent, impostors: bool = False) -> Mind:
    """The mind that recalls from the person's writings, or from the impostors', after embedding them into the store.

    The rephraser is the same for both, so that they differ only in whose writings they are.
    """
    settings = study.suite.memories
    encoder, store = embedder(study.suite.models.embedder, progress), memory_store(study, impostors)
    written = _impostors_documents(study) if impostors else [(study.person.key, d) for d in study.person.documents]
    whose = {d.doc_id: key for key, d in written}
    # a suite on hosted models needs no embedded one, not even to count
    tokens = tokenizer_file(progress) if study.suite.models.embedder.startswith("local/") else None
    chunks = list(chunk((d for _, d in written), tokens, settings.chunk_tokens))
    sync(chunks, store, encoder, progress, lambda c: whose[c.doc_id])
    return Mind(store, encoder, _rephraser(study, encoder), settings.k)


def _impostors_documents(study: Study) -> list[tuple[str, Document]]:
    """Each impostor's key and writings, with the key before each id, because two people may use the same id."""
    return [(p.key, replace(d, doc_id=f"{p.key}/{d.doc_id}")) for p in study.impostors for d in p.documents]


def _remember(study: Study, progress: Progress) -> dict[str, tuple[Recalled, ...]]:
    found = mind(study, progress)
    before = {} if study.suite.answers.history == "none" else study.before
    with progress("remembering", 1, "steps") as advance:
        considered = result_of(found.consider(_wanted(study), before))
        advance(1)
    return considered


def later(study: Study) -> bool:
    """Whether held-out questions recall memories only when they are asked.

    It is so where a chat rephraser reads the agent's own earlier answers.
    """
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
    return rephraser_of(model, name, encoder, study.person.about, settings.gate, _replies(study, name))


def _replies(study: Study, name: str) -> Path:
    """The folder of a rephraser's replies, which all runs of a user share; a recording begins without any."""
    if name == EXTRACTIVE or session():
        return study.folder
    place = cache_folder() / "rephrased" / collection_name(study.person.key, name)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


ITSELF, UNFIT, SAME_INTERVIEW = 1e9, 1e4, 1.0
"""The costs by which memories are assigned to other questions.

They are those of a question's own memories, of each memory that must be left out, and of the same interview.
"""


def memories_shown(study: Study, shown: Shown, progress: Progress = silent) -> Memories:
    """The memories that arms with this kind of memories read, by exchange. They are made when first needed."""
    if shown == "none":
        return {}
    if shown == "own":
        return memories(study, progress)
    if shown == "shuffled":
        return shuffled(study, memories(study, progress))
    return _impostors(study, progress)


def shuffled(study: Study, mine: Memories) -> Memories:
    """For each asked question the memories of another one, and likewise for the exchanges told before it.

    The questions swap their memories, so that over all of them the memories stay the same, and only their content does
    not belong to the question. A memory that a question may not get (see `fits`) is left out.
    """
    told = _told(study)
    found: Memories = {}
    for group in (study.held_out, [e for e in told if e not in study.held_out]):
        for exchange, donor in zip(group, donors(group, mine, study.suite.seed), strict=True):
            given = mine.get(group[donor].exchange_id, ()) if donor is not None else ()
            found[exchange.exchange_id] = tuple(m for m in given if fits(m, exchange, mine))
    return found


def donors(exchanges: Sequence[Exchange], mine: Memories, seed: int) -> list[int | None]:
    """For each exchange the index of the exchange whose memories it gets, each index once; None for a single exchange.

    The indices are drawn by lot from the assignments with the fewest memories left out and, among these, the fewest
    pairs from the same interview.
    """
    from scipy.optimize import linear_sum_assignment

    if len(exchanges) < 2:
        return [None for _ in exchanges]
    lot = np.random.default_rng([seed, 5]).random((len(exchanges), len(exchanges)))
    _, columns = linear_sum_assignment(_unwanted(exchanges, mine) + lot / len(exchanges))
    return [int(donor) for donor in columns]


def _unwanted(exchanges: Sequence[Exchange], mine: Memories) -> NDArray[np.float64]:
    """The costs of assigning memories, of shape (exchanges, exchanges): rows get the memories of columns."""
    interviews = np.array([e.interview_id for e in exchanges])
    cost: NDArray[np.float64] = np.where(interviews[:, None] == interviews, SAME_INTERVIEW, 0.0)
    for column, donor in enumerate(exchanges):
        given = mine.get(donor.exchange_id, ())
        cost[:, column] += [UNFIT * sum(not fits(m, e, mine) for m in given) for e in exchanges]
    np.fill_diagonal(cost, ITSELF)
    return cost


def fits(memory: Memory, exchange: Exchange, mine: Memories) -> bool:
    """Whether a question may get another one's memory.

    The memory must be older than the question's interview, and of no passage that the question recalled itself. An
    undated memory, which the suite has allowed, counts as older.
    """
    day = exchange.date
    older = memory.date == "undated" or (day is not None and memory.date < day.isoformat())
    return older and memory.chunk_id not in {m.chunk_id for m in mine.get(exchange.exchange_id, ())}


def swap_note(study: Study) -> str:
    """A sentence on the shuffle: from where the questions got memories, and how many were left out."""
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
    """The held-out exchanges and, unless the suite has no history, the exchanges told before them in the prompt."""
    before = (
        []
        if study.suite.answers.history == "none"
        else [t for e in study.held_out for t in study.before[e.exchange_id]]
    )
    return list({e.exchange_id: e for e in [*before, *study.held_out]}.values())
