"""The nouns of the method, and the four things that it needs from outside."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

Role = Literal["interviewer", "target", "other"]
Vectors = NDArray[np.float32]
ALIKE = 0.95
"""Two passages whose vectors have this cosine say the same thing."""


@dataclass(frozen=True)
class Document:
    """One dated writing. `date` is None only where undated text was allowed."""

    doc_id: str
    title: str
    date: date | None
    source: str
    text: str


@dataclass(frozen=True)
class Turn:
    """What one speaker said before the next one spoke."""

    speaker: str
    role: Role
    text: str
    topic: str = ""
    """What an interviewer's turn asks about, where the data say it: for parts of a report, never shown to an agent."""


@dataclass(frozen=True)
class Interview:
    """One conversation with the person."""

    interview_id: str
    title: str
    date: date | None
    source: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Exchange:
    """One question and the real answer; `number` counts the exchanges of its interview from 1."""

    interview_id: str
    number: int
    date: date | None
    question: str
    answer: str
    topic: str = ""

    @property
    def exchange_id(self) -> str:
        """A name that stays the same when other exchanges come or go after it."""
        return f"{self.interview_id}-q{self.number:03d}"


@dataclass(frozen=True)
class Chunk:
    """A passage of one document: `text == document.text[start:end]`."""

    chunk_id: str
    doc_id: str
    title: str
    source: str
    date: date | None
    start: int
    end: int
    text: str

    @property
    def digest(self) -> str:
        """Of all that the passage says: another text, date or place is another digest."""
        parts = [self.doc_id, self.title, self.source, str(self.date), self.start, self.end, self.text]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Memory:
    """A recalled passage as rephrased for one question, with where and when it is from.

    `start` and `end` are the passage's offsets in characters into the document's text.
    """

    text: str
    chunk_id: str
    doc_id: str
    title: str
    source: str
    date: str
    similarity: float
    start: int = 0
    end: int = 0


class Message(TypedDict):
    """One chat message, in the shape that chat APIs take."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class TrainingSample:
    """What a tuner learns from: the model reads `prompt` and learns to write `answer`."""

    exchange_id: str
    prompt: tuple[Message, ...]
    answer: str


class ChatModel(Protocol):
    """Anything that continues a conversation."""

    async def generate(self, messages: Sequence[Message]) -> str:
        """The assistant's next message, as text."""
        ...


class Embedder(Protocol):
    """Anything that turns texts into vectors whose dot product is a similarity."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 of shape (len(texts), d), rows of unit length, in the order of `texts`."""
        ...


class Tuner(Protocol):
    """Anything that fine-tunes a chat model."""

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        """Tune `base` on `samples`; the name of the tuned model. The same input is never tuned twice.

        `validation` is never learnt: its loss tells when learning turns into learning by heart.
        """
        ...


class MemoryStore(Protocol):
    """Where the person's passages are kept. Only writings go in: never a question, never an answer."""

    def ids(self) -> Mapping[str, str]:
        """The chunks that are already there: each one's `Chunk.digest`, by its id."""
        ...

    def add(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Keep `chunks`; row i of `vectors` belongs to chunk i. Once this returns, a kill loses none of them."""
        ...

    def remove(self, chunk_ids: Sequence[str]) -> None:
        """Forget these chunks."""
        ...

    def recall(
        self, vectors: Vectors, before: Sequence[date | None], k: int, alike: float | None = ALIKE
    ) -> list[list[tuple[Chunk, float]]]:
        """For each question, the `k` nearest chunks dated strictly before its date, best first, with their cosines.

        `vectors` has a row for each question. Ties go to the earlier id. Of passages with the same text, or a cosine of
        `alike` or more between them, only the earliest is recalled; None recalls them all.
        """
        ...
