"""Phase one: what the person would remember at each question, and what the controls answer."""

import asyncio
from dataclasses import asdict, replace
from typing import Any

from raft.chunks import chunk
from raft.embedded import tokenizer_file
from raft.files import read_made, write_made
from raft.memories import Mind, Recalled, kept, outcomes, sync
from raft.progress import Progress, silent
from raft.recall import EXTRACTIVE, rephraser_of
from raft.rephrase import VERSION, Rephraser
from raft.store import ChromaStore, collection_name
from raft.types import Document, Embedder, Exchange, Memory
from ratf.controls import Given, controls
from ratf.models import InspectChat, embedder, heard
from ratf.replay import session
from ratf.study import Study

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
    path, digest = study.folder / "memories.json", f"{study.digest}-{VERSION}"
    made = read_made(path, digest)
    if made is None:
        found = _remember(study, progress)
        memories = {key: [asdict(m) for m in kept(recalled)] for key, recalled in found.items()}
        made = {"passages": outcomes(found), "memories": memories}
        write_made(path, digest, made)
    return made


def given_answers(study: Study, progress: Progress = silent) -> dict[str, dict[str, Given]]:
    """The controls' answers, by control and exchange. Made once a study."""
    path = study.folder / "controls.json"
    made = read_made(path, study.digest)
    if made is None:
        with progress("finding the controls' answers", 1, "steps") as advance:
            found = controls(study, embedder(study.suite.models.embedder, progress))
            advance(1)
        made = {name: {key: asdict(g) for key, g in answers.items()} for name, answers in found.items()}
        write_made(path, study.digest, made)
    return {name: {key: Given(**g) for key, g in answers.items()} for name, answers in made.items()}


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
        considered = asyncio.run(found.consider(_wanted(study), before))
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

        model = InspectChat(get_model(heard(name, "rephraser")))
    return rephraser_of(model, name, encoder, study.person.about, settings.gate, study.folder)
