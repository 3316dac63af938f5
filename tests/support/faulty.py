"""A chat service on loopback that misbehaves as a test wants: `openai-api/faulty/…` leads to it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

KEY = "sk-canary-0123456789-faulty"
Reply = tuple[int, dict[str, Any], dict[str, str]]
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


@dataclass
class Faulty:
    """`act` answers the whole prompt of a request, as text."""

    act: Callable[[str], Reply] = fine
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["Faulty"]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = json.dumps(body["messages"], ensure_ascii=False)
                service.asked.append(prompt)
                status, reply, headers = service.act(prompt)
                content = json.dumps(reply).encode()
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

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
