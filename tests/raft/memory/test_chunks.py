import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import raft.memory.chunks
from raft.memory.chunks import chunk, read_chunks, write_chunks
from raft.people.person import load_documents
from raft.types import Document

POSTS = [
    Document("one", "One", date(2020, 1, 1), "s", "First line.\r\nSecond line. " * 20),
    Document("two", "Two", date(2020, 1, 2), "s", "Ünïcode \U0001f41d bees\u2028and more. " * 20),
]


@pytest.fixture(scope="module")
def tokenizer(models: Path) -> Path:
    return next(models.glob("all-minilm*")) / "tokenizer.json"


def test_chunks_are_exact_and_small(tokenizer: Path, tiny: Path) -> None:
    documents = [*load_documents(tiny.parent / "marrack"), *POSTS]
    chunks = list(chunk(documents, tokenizer, 48))
    texts = {d.doc_id: d.text for d in documents}
    assert all(c.text == texts[c.doc_id][c.start : c.end] for c in chunks)
    assert len({c.chunk_id for c in chunks}) == len(chunks) > len(texts)
    counter = Tokenizer.from_file(str(tokenizer))
    counter.no_truncation()
    counter.no_padding()
    assert max(len(counter.encode(c.text).ids) for c in chunks) <= 50


def test_only_new_and_changed_documents_are_cut(
    tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    def spy(documents, *rest):  # type: ignore[no-untyped-def]
        cut.extend(d.doc_id for d in documents)
        return chunk(documents, *rest)

    monkeypatch.setattr(raft.memory.chunks, "chunk", spy)
    path = tmp_path / "chunks.jsonl"
    assert write_chunks(path, POSTS, tokenizer, 32).cut == 2
    before = path.stat().st_mtime_ns
    assert write_chunks(path, POSTS, tokenizer, 32).cut == 0 and path.stat().st_mtime_ns == before
    assert read_chunks(path) == dataclasses.replace(write_chunks(path, POSTS, tokenizer, 32), cut=0)
    new = Document("three", "Three", date(2020, 1, 3), "s", "Geese.")
    changed = dataclasses.replace(POSTS[0], date=date(2019, 1, 1))
    cut.clear()
    found = write_chunks(path, [changed, new], tokenizer, 32)
    assert cut == ["one", "three"] and {c.doc_id for c in found.chunks} == {"one", "three"}
    assert write_chunks(path, [changed, new], tokenizer, 48).cut == 2, "another size is another cut"


def test_the_file_says_which_document_and_where(tokenizer: Path, tmp_path: Path) -> None:
    write_chunks(tmp_path / "chunks.jsonl", POSTS, tokenizer, 32)
    with (tmp_path / "chunks.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    texts = {d.doc_id: d.text for d in POSTS}
    assert all(r["text"] == texts[r["doc_id"]][r["start"] : r["end"]] for r in records)
    assert {r["date"] for r in records} == {"2020-01-01", "2020-01-02"}
    assert read_chunks(tmp_path / "none.jsonl") is None


def test_a_damaged_file_is_set_aside_and_cut_again(tmp_path: Path, tokenizer: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    documents = POSTS
    whole = write_chunks(path, documents, tokenizer, 32)
    text = path.read_bytes()
    for number, damage in enumerate((text[: len(text) // 2], b"\xff", b"[]\n", b'{"document": 1}\n')):
        path.write_bytes(damage)
        assert write_chunks(path, documents, tokenizer, 32).chunks == whole.chunks
        assert path.read_bytes() == text and len(list(tmp_path.glob("*.damaged*"))) == number + 1
