"""Writings are cut into passages of a limited number of tokens, which are kept in a chunks file."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from semantic_text_splitter import TextSplitter
from tokenizers import Tokenizer

from raft.files import set_aside, write_whole
from raft.text import count_words, estimated_tokens, is_unspaced
from raft.types import Chunk, Document

CHUNK_TOKENS = 96


def chunk(
    documents: Iterable[Document], tokenizer_file: Path | None, max_tokens: int = CHUNK_TOKENS
) -> Iterator[Chunk]:
    """Yield passages of at most `max_tokens`, cut at the end of a paragraph, else of a sentence, else of a word.

    Where the text has no spaces, a passage has at most as many words as well, two characters being one.

    No passage spans two documents. `chunk.start` and `chunk.end` are offsets in characters into the document's text.
    `tokenizer_file` is a `tokenizer.json`, whose tokens are counted; where it is None, a token is taken for every four
    characters.
    """
    spaced, unspaced = _splitters(tokenizer_file, max_tokens)
    for document in documents:
        for start, text in (unspaced if is_unspaced(document.text) else spaced).chunk_indices(document.text):
            yield Chunk(
                chunk_id=f"{document.doc_id}@{start}",
                doc_id=document.doc_id,
                title=document.title,
                source=document.source,
                date=document.date,
                start=start,
                end=start + len(text),
                text=text,
            )


def _splitters(tokenizer_file: Path | None, max_tokens: int) -> tuple[TextSplitter, TextSplitter]:
    """A splitter for texts with spaces, and one for texts without.

    Without spaces words are counted as well: a tokenizer that does not know a script makes one token of a whole line.
    """
    if tokenizer_file is None:
        spaced = TextSplitter.from_callback(estimated_tokens, max_tokens)
        return spaced, TextSplitter.from_callback(
            lambda text: max(count_words(text), estimated_tokens(text)), max_tokens
        )
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    by_words = TextSplitter.from_callback(lambda text: max(count_words(text), _tokens(tokenizer, text)), max_tokens)
    return TextSplitter.from_huggingface_tokenizer(tokenizer, max_tokens), by_words


def _tokens(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


@dataclass(frozen=True)
class Chunked:
    """The content of a chunks file: the chunks, their greatest size in tokens, and how many documents were cut anew."""

    chunks: tuple[Chunk, ...]
    max_tokens: int
    cut: int = 0


def write_chunks(path: Path, documents: Sequence[Document], tokenizer_file: Path, max_tokens: int) -> Chunked:
    """Bring the file up to date with `documents`, and return its content.

    Only new and changed documents are cut; the chunks of documents that are gone are dropped. The file has one chunk a
    line, with the digest of its document and of the settings (`document`) and the greatest size (`max_tokens`).
    """
    kept: dict[str, list[Chunk]] = {}
    for digest, _, piece in _lines(path):
        kept.setdefault(digest, []).append(piece)
    digests = {d.doc_id: _digest(d, max_tokens) for d in documents}
    new = [d for d in documents if digests[d.doc_id] not in kept]
    for piece in chunk(new, tokenizer_file, max_tokens):
        kept.setdefault(digests[piece.doc_id], []).append(piece)
    chunks = [(digests[d.doc_id], piece) for d in documents for piece in kept.get(digests[d.doc_id], ())]
    text = "".join(_line(digest, max_tokens, piece) for digest, piece in chunks)
    if not path.is_file() or path.read_text("utf-8") != text:
        write_whole(path, text)
    return Chunked(tuple(piece for _, piece in chunks), max_tokens, len(new))


def read_chunks(path: Path) -> Chunked | None:
    """Return the content of the file; None where it is missing or empty."""
    lines = list(_lines(path))
    return Chunked(tuple(piece for _, _, piece in lines), lines[0][1]) if lines else None


def _digest(document: Document, max_tokens: int) -> str:
    content = json.dumps([asdict(document), max_tokens], default=str, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _line(digest: str, max_tokens: int, piece: Chunk) -> str:
    record = {**asdict(piece), "document": digest, "max_tokens": max_tokens}
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"


def _lines(path: Path) -> Iterator[tuple[str, int, Chunk]]:
    if not path.is_file():
        return
    found = []
    try:
        for line in path.read_bytes().decode().split("\n"):  # a text may hold other line ends
            if line:
                record: dict[str, Any] = json.loads(line)
                digest, max_tokens = record.pop("document"), int(record.pop("max_tokens"))
                day = record.pop("date")
                found.append((digest, max_tokens, Chunk(**record, date=date.fromisoformat(day) if day else None)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        set_aside(path, f"{type(error).__name__}: {error}"[:200])
        return
    yield from found
