"""Phase one: what the person would remember at each question, and what the controls answer."""

import asyncio
from dataclasses import asdict

from raft.files import read_made, write_made
from raft.memories import remember, store_writings
from raft.progress import Progress, silent
from raft.rephrase import Rephraser, by_chat, extractive
from raft.store import ChromaStore
from raft.types import Embedder, Exchange, Memory
from raft.weights import fetch
from ratf.controls import Given, controls
from ratf.models import InspectChat, embedder
from ratf.study import Study

Memories = dict[str, tuple[Memory, ...]]


def memories(study: Study, progress: Progress = silent) -> Memories:
    """The memories of every exchange that is asked, learnt from, or told before one that is. Made once a study."""
    path = study.folder / "memories.json"
    made = read_made(path, study.digest)
    if made is None:
        found = _remember(study, progress)
        made = {key: [asdict(m) for m in memories] for key, memories in found.items()}
        write_made(path, study.digest, made)
    return {key: tuple(Memory(**m) for m in memories) for key, memories in made.items()}


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


def memory_store(study: Study) -> ChromaStore:
    """The store of the study's writings; `memories` fills it."""
    # the chunks' size is part of the name: other chunks must not mix with these
    collection = f"{study.person.key}-{study.data_digest}-{study.suite.memories.chunk_tokens}"
    return ChromaStore(study.folder / "store", collection)


def _remember(study: Study, progress: Progress) -> Memories:
    settings = study.suite.memories
    encoder = embedder(study.suite.models.embedder, progress)
    name = study.suite.models.embedder.removeprefix("local/")
    store = memory_store(study)
    with progress("storing the writings", 1, "steps") as advance:
        store_writings(study.person, store, encoder, fetch(name, progress) / "tokenizer.json", settings.chunk_tokens)
        advance(1)
    wanted = _wanted(study)
    with progress("remembering", 1, "steps") as advance:
        found = asyncio.run(remember(wanted, study.before, store, encoder, _rephraser(study, encoder), settings.k))
        advance(1)
    return found


def _wanted(study: Study) -> list[Exchange]:
    asked = [*study.training, *study.held_out]
    told = [e for exchange in asked for e in study.before[exchange.exchange_id]]
    return list({e.exchange_id: e for e in [*told, *asked]}.values())


def _rephraser(study: Study, encoder: Embedder) -> Rephraser:
    name = study.suite.memories.rephraser
    if name == "extractive":
        return extractive(encoder, study.suite.memories.gate)
    from inspect_ai.model import get_model

    return by_chat(InspectChat(get_model(name)), study.person.about)
