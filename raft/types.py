"""The data types of the method, and the four interfaces that it needs from outside: model, embedder, tuner, store."""

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
"""Two passages count as the same where the cosine of their vectors is at least this."""


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
    """A turn is what one speaker said before the next one spoke."""

    speaker: str
    role: Role
    text: str
    topic: str = ""
    """The topic of an interviewer's question, where the data name it; reports group by it, and no agent sees it."""


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
        """The exchange's id, which stays the same when later exchanges of its interview are added or removed."""
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
        """The SHA-256 of everything that the passage holds, in hex: another text, date or place has another digest."""
        parts = [self.doc_id, self.title, self.source, str(self.date), self.start, self.end, self.text]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Memory:
    """A memory is a recalled passage, rephrased for one question, with its source and its date.

    `date` is YYYY-MM-DD or `undated`. `similarity` is the cosine of the passage and the question. `start` and `end` are
    the passage's offsets in characters into the document's text.
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
    """One example of fine-tuning: the model reads `prompt` and learns to write `answer`."""

    exchange_id: str
    prompt: tuple[Message, ...]
    answer: str


class ChatModel(Protocol):
    """A chat model is anything that continues a conversation."""

    async def generate(self, messages: Sequence[Message]) -> str:
        """Return the text of the assistant's next message."""
        ...


class Embedder(Protocol):
    """An embedder is anything that turns texts into vectors whose dot product is a similarity."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors: float32 of shape (len(texts), d), rows of unit length, in the order of `texts`."""
        ...


class Tuner(Protocol):
    """A tuner is anything that fine-tunes a chat model."""

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        """Fine-tune `base` on `samples` and return the tuned model's name. The same input is never tuned twice.

        The model never learns `validation`: the loss on it shows when training begins to overfit.
        """
        ...


class MemoryStore(Protocol):
    """A memory store keeps the passages of a person's writings. It never holds a question or an answer."""

    def ids(self) -> Mapping[str, str]:
        """Return the `Chunk.digest` of each chunk that is kept, by its id."""
        ...

    def add(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Keep `chunks`; row i of `vectors` is the vector of chunk i. Once this returns, a kill loses none of them."""
        ...

    def remove(self, chunk_ids: Sequence[str]) -> None:
        """Remove the chunks of these ids."""
        ...

    def recall(
        self, vectors: Vectors, before: Sequence[date | None], k: int, alike: float | None = ALIKE
    ) -> list[list[tuple[Chunk, float]]]:
        """Return, for each question, the `k` nearest chunks dated before it, nearest first, with their cosines.

        `vectors` has shape (questions, d), a row for each question, and `before` has each question's date, which a
        recalled chunk's date must precede. Ties go to the earlier id. Of passages with the same text, or with a cosine
        of `alike` or more between them, only the earliest is recalled; where `alike` is None, all are.
        """
        ...
