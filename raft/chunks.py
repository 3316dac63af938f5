"""Writings cut into passages that a model can read at a glance."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from semantic_text_splitter import TextSplitter
from tokenizers import Tokenizer

from raft.types import Chunk, Document


def chunk(documents: Iterable[Document], tokenizer_file: Path, max_tokens: int = 96) -> Iterator[Chunk]:
    """Passages of at most `max_tokens`, cut at the best paragraph, sentence or word end, never across documents.

    `chunk.start` and `chunk.end` are offsets in characters into the document's text.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    splitter = TextSplitter.from_huggingface_tokenizer(tokenizer, max_tokens)
    for document in documents:
        for start, text in splitter.chunk_indices(document.text):
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
