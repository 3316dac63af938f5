"""Replies of a model, kept by the content of what was asked: nothing is asked twice, not even after a kill."""

import errno
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from raft.types import ChatModel, Message


class KeptReplies:
    """A `ChatModel` that asks another one only what it has no reply to in its file, one JSON object a line.

    `name` says which model it is, and in which version. A line that a kill or a full disk cut short is skipped.
    """

    def __init__(self, model: ChatModel, name: str, path: Path) -> None:
        self._model, self._name, self._path = model, name, path
        self._kept: dict[str, str] = {}
        text = path.read_bytes() if path.is_file() else b""
        for line in text.split(b"\n"):
            try:
                record = json.loads(line)
                self._kept[record["key"]] = record["reply"]
            except (ValueError, TypeError, KeyError):
                continue
        self._whole = text.endswith(b"\n") or not text

    async def generate(self, messages: Sequence[Message]) -> str:
        """The reply that is kept, or the model's, which is kept before it is returned."""
        key = hashlib.sha256(json.dumps([self._name, list(messages)]).encode()).hexdigest()
        if key not in self._kept:
            reply = await self._model.generate(messages)
            self._keep(key, reply)
        return self._kept[key]

    def _keep(self, key: str, reply: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = (json.dumps({"key": key, "reply": reply}) + "\n").encode()
        glue, self._whole = b"" if self._whole else b"\n", False
        with self._path.open("ab", buffering=0) as file:  # one write, so that two programs never mix their lines
            if file.write(glue + line) < len(glue + line):
                raise OSError(errno.ENOSPC, "only a part of a reply could be written", str(self._path))
        self._whole = True
        self._kept[key] = reply
