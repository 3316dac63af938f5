"""A model's replies are kept in a file by the digest of what was asked, so that nothing is asked twice."""

import errno
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from raft.types import ChatModel, Message


class KeptReplies:
    """A `ChatModel` that asks another one only where its file has no reply yet.

    The file has one JSON object a line: the digest of the request (`key`) and the `reply`. `name` names the model and
    its version, and is part of the digest. A line that a kill or a full disk cut short is skipped.
    """

    def __init__(self, model: ChatModel, name: str, path: Path) -> None:
        self._model, self._name, self._path = model, name, path
        self._kept: dict[str, str] = {}
        text = path.read_bytes() if path.is_file() else b""
        for line in text.split(b"\n"):
            try:
                record = json.loads(line)
                self._kept[record["key"]] = record["reply"]
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        self._whole = text.endswith(b"\n") or not text

    async def generate(self, messages: Sequence[Message]) -> str:
        """Return the reply that is kept, or else the model's, which is kept first. Raises OSError where that fails."""
        key = hashlib.sha256(json.dumps([self._name, list(messages)]).encode()).hexdigest()
        if key not in self._kept:
            reply = await self._model.generate(messages)
            self._keep(key, reply)
        return self._kept[key]

    def _keep(self, key: str, reply: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = (json.dumps({"key": key, "reply": reply}) + "\n").encode()
        glue, self._whole = b"" if self._whole else b"\n", False
        with self._path.open("ab", buffering=0) as file:  # a single write, so that the lines of two programs never mix
            if file.write(glue + line) < len(glue + line):
                raise OSError(errno.ENOSPC, "only a part of a reply could be written", str(self._path))
        self._whole = True
        self._kept[key] = reply
