"""A chat service on loopback that misbehaves as a test wants: `openai-api/faulty/…` leads to it."""

import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zlib import crc32

KEY = "sk-canary-0123456789-faulty"
Reply = tuple[int, dict[str, Any] | bytes, dict[str, str]]
"""Status, body and headers. Bytes are sent as they are."""
USAGE = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}


def said(text: str | None, stop: str = "stop", usage: dict[str, int] | None = USAGE, **message: Any) -> Reply:
    """A reply as it should be, but for `stop` and further fields of its `message`."""
    choice = {"index": 0, "finish_reason": stop, "message": {"role": "assistant", "content": text, **message}}
    reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return 200, reply | ({"usage": usage} if usage else {}), {}


def failed(status: int, message: str, **more: str) -> Reply:
    """A reply that is an error."""
    return status, {"error": {"message": message, "type": "error", "param": None, "code": None, **more}}, {}


def fine(prompt: str) -> Reply:
    """An answer of its own to every prompt, long enough to be scored."""
    return said(
        f"I looked at number {crc32(prompt.encode())} again, and it is what I always said about it in those years."
    )


_MEMBER = b"PK\x03\x04"


def holds(path: Path, secret: bytes) -> bool:
    """Whether a secret stands in a file, packed or not.

    Every part of an archive is unpacked by itself as far as it goes: also in a damaged one, and where an archive that was
    written on does not list a part any more.
    """
    content = path.read_bytes()
    found, at = secret in content, content.find(_MEMBER)
    while at >= 0 and not found:
        found, at = secret in _unpacked(content[at:]), content.find(_MEMBER, at + 1)
    return found


def _unpacked(member: bytes) -> bytes:
    import zstandard

    if len(member) < 30:
        return b""
    method, name, extra = (*struct.unpack_from("<H", member, 8), *struct.unpack_from("<2H", member, 26))
    rest, whole = member[30 + name + extra :], b""
    while method in (8, 93) and rest:  # deflated, or Inspect's frames of Zstandard, one after the other
        reader: Any = zlib.decompressobj(-15) if method == 8 else zstandard.ZstdDecompressor().decompressobj()
        try:
            for start in range(0, len(rest), 512):
                whole += reader.decompress(rest[start : start + 512])
                if reader.unused_data:
                    break
        except (zlib.error, zstandard.ZstdError):  # the next part begins, or is damaged
            break
        rest = b"" if method == 8 or not reader.unused_data else rest[start + 512 - len(reader.unused_data) :]
    return whole


@dataclass
class Faulty:
    """`act` answers the whole prompt of a request, as text."""

    act: Callable[[str], Reply] = fine
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        prompt = json.dumps(body["messages"], ensure_ascii=False)
        self.asked.append(prompt)
        return self.act(prompt)

    @contextmanager
    def running(self) -> Iterator["Faulty"]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(size := int(self.headers["Content-Length"]))
                if len(sent) < size:  # the client waited no longer
                    return
                status, reply, headers = service.answer(self.path, json.loads(sent))
                content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(content)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def handle(self) -> None:
                try:
                    super().handle()
                except (BrokenPipeError, ConnectionResetError):  # the client waited no longer
                    return

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            request_queue_size = 100  # a run connects for many requests at once

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
