"""What the first RAFT did wrong in retrieval: each test fails on the old behaviour."""

import asyncio
import dataclasses
import json
import re
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from raft.memory.embedded import chunk_writings
from raft.memory.mind import Mind, said_before, sync
from raft.memory.rephrase import by_chat, extractive
from raft.memory.store import ChromaStore
from raft.people.person import About
from raft.types import Chunk, Exchange, Memory, Message, Vectors

ABOUT = About(name="Ada", introduction="You keep bees.")
QUESTION = "Where do you keep the bees in the winter"  # the first 20 characters are those of the next one
ALIKE = "Where do you keep the cider in the winter"


class Words:
    """A text's vector is near those of texts with the same words."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), 256), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[zlib.crc32(word.encode()) % 256] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


class Listening:
    """Finds everything useful, and remembers all that it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def generate(self, messages: Sequence[Message]) -> str:
        self.shown.append(str(messages))
        passage = messages[-1]["content"].split("⟦passage⟧\n")[1].split("\n⟦end")[0]
        return json.dumps({"useful": True, "memory": f"I wrote: {passage}", "evidence": passage})


def chunk(name: str, day: date | None, text: str) -> Chunk:
    return Chunk(name, name, "t", "s", day, 0, len(text), text)


CHUNKS = [
    chunk("orchard", date(2019, 1, 1), "In the winter you find the bees where we keep them: in the orchard hut."),
    chunk("cellar", date(2019, 2, 1), "The cider we keep in the cellar, in the winter."),
    chunk("later", date(2023, 1, 1), "I moved the bees in the winter of the great storm."),
]
ASKED = [
    Exchange("i", 1, date(2020, 5, 1), QUESTION, "They stay with my sister Clara."),
    Exchange("i", 2, date(2020, 5, 1), ALIKE, "Nowhere, we drink it all."),
]


@pytest.fixture
def store(tmp_path: Path) -> ChromaStore:
    store = ChromaStore(tmp_path / "store", "ada")
    sync(CHUNKS, store, Words())
    return store


def remember(
    store: ChromaStore, asked: Sequence[Exchange], model: Listening | None = None
) -> dict[str, tuple[Memory, ...]]:
    rephrase = by_chat(model, ABOUT) if model else extractive(Words(), -1)
    return asyncio.run(Mind(store, Words(), rephrase).remember(asked, said_before(asked)))


def test_questions_are_never_stored_nor_their_own_best_memory(store: ChromaStore) -> None:
    for _ in range(2):
        found = remember(store, ASKED)
    assert set(store.ids()) == {c.chunk_id for c in CHUNKS}
    assert all(QUESTION not in m.text and ALIKE not in m.text for ms in found.values() for m in ms)


def test_undated_text_does_not_pass_the_date_filter(tmp_path: Path, models: Path) -> None:
    records = [
        {"doc_id": "dated", "title": "", "date": "2019-01-01", "source": "", "text": "The bees stay in the orchard."},
        {"doc_id": "undated", "title": "", "source": "", "text": "The bees stay with Clara."},
    ]
    (tmp_path / "writings.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    chunked, left_out = chunk_writings(tmp_path)
    assert [c.doc_id for c in chunked.chunks] == ["dated"] and left_out == 1


def test_an_undated_question_recalls_nothing_dated(store: ChromaStore) -> None:
    assert remember(store, [dataclasses.replace(ASKED[0], date=None)]) == {"i-q001": ()}


def test_questions_that_begin_alike_do_not_overwrite_each_other(store: ChromaStore) -> None:
    assert QUESTION[:20] == ALIKE[:20]
    found = remember(store, ASKED)
    assert len(found) == 2 and all(found.values())
    assert found["i-q001"][0].doc_id == "orchard" and found["i-q002"][0].doc_id == "cellar"


def test_passages_of_one_document_do_not_overwrite_each_other(tmp_path: Path) -> None:
    store = ChromaStore(tmp_path / "store", "ada")
    twice = "The bees stay in the orchard. " * 40
    pieces = [Chunk(f"d@{s}", "d", "t", "s", date(2019, 1, 1), s, s + 300, twice[s : s + 300]) for s in (0, 300, 600)]
    sync(pieces, store, Words())
    assert len(store) == 3


def test_questions_of_the_test_have_the_same_date_filter(store: ChromaStore) -> None:
    """As those of training: the day of the interview itself is too late already."""
    on_the_day = dataclasses.replace(ASKED[0], date=CHUNKS[2].date)
    for asked in (ASKED[0], on_the_day):
        found = remember(store, [asked])[asked.exchange_id]
        assert found and "later" not in {m.doc_id for m in found}


def test_the_gate_never_sees_the_answer_that_it_helps_to_give(store: ChromaStore) -> None:
    model = Listening()
    found = remember(store, ASKED, model)
    about_first = [s for s in model.shown if QUESTION in s.split("⟦question⟧")[1]]
    assert about_first and not any("Clara" in s for s in about_first)
    assert not any("drink it all" in s for s in model.shown), "the last answer is nobody's context"
    for exchange in ASKED:
        changed = [dataclasses.replace(e, answer="Otherwise.") if e == exchange else e for e in ASKED]
        again = remember(store, changed, Listening())
        assert repr(again[exchange.exchange_id]).encode() == repr(found[exchange.exchange_id]).encode()


def test_what_is_not_understood_is_no_memory(store: ChromaStore) -> None:
    """The first RAFT kept whatever the model said, a refusal too."""

    class Chatty(Listening):
        async def generate(self, messages: Sequence[Message]) -> str:
            return "Sure! As an AI model I would say that bees are lovely."

    assert remember(store, ASKED, Chatty()) == {"i-q001": (), "i-q002": ()}
