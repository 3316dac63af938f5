"""Chat models and embedders have names: `local/…` runs on this machine, `openai/…` is asked over the network."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from raft.errors import RaftError
from raft.masking import masked
from raft.progress import Progress, silent
from raft.types import ChatModel, Embedder, Message, Vectors

CHAT = "local/smollm2-135m-instruct"
EMBEDDER = "local/all-minilm-l6-v2"
ANSWERS = "local answers, version 3"
"""The version of what models on this machine say. Raise it when they say something else to the same request and seed,
so that no reply that was kept before is taken."""
EMBEDDING_ROWS = 256
TIMEOUT_SECONDS = 120.0


def chat_model(name: str, max_tokens: int = 160, seed: int | None = 0) -> ChatModel:
    """Return the chat model of that name. Raises RaftError, with the valid forms of a name, where it is none."""
    provider, model = _parts(name)
    if provider == "openai":
        return OpenAIChat(model, max_tokens, seed)
    return LocalChat(model, max_tokens, seed)


def embedder(name: str, progress: Progress = silent) -> Embedder:
    """Return the embedder of that name. Raises RaftError, with the valid forms of a name, where it is none."""
    provider, model = _parts(name)
    if provider == "openai":
        return OpenAIEmbedder(model)
    from raft.models.embedders import LocalEmbedder

    return LocalEmbedder(model, progress)


def _parts(name: str) -> tuple[str, str]:
    provider, _, model = name.partition("/")
    if provider not in ("local", "openai") or not model:
        raise RaftError(f"{name!r} is not a model; write local/<embedded model>[+<adapter>] or openai/<model>")
    return provider, model


class LocalChat:
    """A `ChatModel` on this machine, with or without an adapter; an answer has at most `max_tokens` tokens."""

    def __init__(self, name: str, max_tokens: int, seed: int | None) -> None:
        from raft.models.local import LocalModel
        from raft.models.sampling import Sampling

        self._model = LocalModel(name)
        self._sampling = Sampling(max_tokens, temperature=0.7, top_p=0.9, frequency_penalty=0.3, seed=seed)
        self._turn = threading.Lock()

    async def generate(self, messages: Sequence[Message]) -> str:
        """Return the model's next message; messages are generated one at a time, because there is one device."""
        return await asyncio.to_thread(self._one, messages)

    def _one(self, messages: Sequence[Message]) -> str:
        with self._turn:
            return self._model.generate([messages], [self._sampling])[0].text


class OpenAIChat:
    """A `ChatModel` behind the OpenAI protocol; the environment sets `OPENAI_API_KEY` and `OPENAI_BASE_URL`."""

    def __init__(self, name: str, max_tokens: int, seed: int | None) -> None:
        self._name, self._max_tokens, self._seed = name, max_tokens, seed

    async def generate(self, messages: Sequence[Message]) -> str:
        """Return the model's next message. Raises RaftError where the service refuses or cannot be reached."""
        import openai

        with refusals(self._name):
            async with openai.AsyncOpenAI(timeout=TIMEOUT_SECONDS) as client:
                reply = await client.chat.completions.create(
                    model=self._name,
                    messages=[_openai(m) for m in messages],
                    max_completion_tokens=self._max_tokens,
                    seed=self._seed,
                )
        if not getattr(reply, "choices", None):
            raise RaftError(f"openai/{self._name}: the service's reply holds no message")
        return reply.choices[0].message.content or ""


class OpenAIEmbedder:
    """An `Embedder` behind the OpenAI protocol; the environment sets `OPENAI_API_KEY` and `OPENAI_BASE_URL`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors: float32 of shape (len(texts), d), rows of unit length, in the order of `texts`.

        Raises RaftError where the service refuses or cannot be reached.
        """
        import openai

        rows: list[list[float]] = []
        with refusals(self._name), openai.OpenAI(timeout=TIMEOUT_SECONDS) as client:
            for start in range(0, len(texts), EMBEDDING_ROWS):
                asked = list(texts[start : start + EMBEDDING_ROWS])
                try:
                    part = client.embeddings.create(model=self._name, input=asked)
                    found = sorted(part.data, key=lambda e: e.index)
                    if len(found) != len(asked):
                        raise ValueError(f"it has {len(found)} vectors for {len(asked)} texts")
                except (ValueError, AttributeError) as error:  # no JSON, JSON of another kind, or no vectors in it
                    raise RaftError(
                        f"openai/{self._name}: the service's reply cannot be read: {masked(str(error))}"
                    ) from None
                rows += [e.embedding for e in found]
        vectors = np.asarray(rows, dtype=np.float32)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if rows else vectors.reshape(0, 0)
        return unit


@contextmanager
def refusals(model: str) -> Iterator[None]:
    """Raise RaftError for what the OpenAI client raises; its message never holds the key, even if a reply did."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        status = error.status_code
        said = masked(error.message).removeprefix(f"Error code: {status} - ")
        raise RaftError(f"openai/{model}: the service answered {status}: {said}") from None
    except openai.APITimeoutError:
        raise RaftError(f"openai/{model}: the service took the request and did not reply in time") from None
    except openai.APIConnectionError:
        raise RaftError(
            f"openai/{model}: no connection, or it was cut; check the network and OPENAI_BASE_URL"
        ) from None
    except json.JSONDecodeError as error:
        raise RaftError(f"openai/{model}: the service's reply is no JSON: {masked(str(error))}") from None
    except openai.OpenAIError as error:
        raise RaftError(
            f"openai/{model}: {masked(str(error))}; OPENAI_API_KEY must be set in the environment"
        ) from None


def _openai(message: Message) -> Any:
    return {"role": message["role"], "content": message["content"]}
