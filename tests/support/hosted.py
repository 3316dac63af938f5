"""A service with the OpenAI protocol that replies what a test wants."""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from raft.types import Message


@dataclass
class Hosted:
    """A service with the OpenAI protocol, on loopback. `replies` answers a chat; None is a broken service."""

    replies: Callable[[list[Message]], str | None] = lambda messages: "Yes."
    embedded: list[list[str]] = field(default_factory=list)
    asked: list[list[Message]] = field(default_factory=list)
    on_embedding: Callable[[], None] = lambda: None

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if path.endswith("/embeddings"):
            self.embedded.append(body["input"])
            self.on_embedding()
            data = [
                {"object": "embedding", "index": i, "embedding": words(text)} for i, text in enumerate(body["input"])
            ]
            return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        self.asked.append(body["messages"])
        text = self.replies(body["messages"])
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return reply if text is not None else None


def words(text: str) -> list[float]:
    """A vector that is near the vectors of texts with the same words."""
    row = [0.01] * 64
    for word in re.findall(r"\w+", text.casefold()):
        row[zlib.crc32(word.encode()) % 64] += 1
    return row
