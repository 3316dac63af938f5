"""A stand-in for `vllm serve`, with vLLM's own addresses: what is asked of it, and by which name of a model, is kept.

Run as a program it takes vLLM's arguments, as Inspect gives them, and writes what it was told into VLLM_STAND_IN.
"""

import json
import os
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32


@dataclass
class VLLMServer:
    """`base` is the model that it serves, `adapters` those that it has, by name; `asked` are the chats."""

    base: str
    adapters: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    loads: bool = True
    """Whether adapters can be loaded while it runs (VLLM_ALLOW_RUNTIME_LORA_UPDATING)."""

    def __enter__(self) -> "VLLMServer":
        self._http = self.on("127.0.0.1", 0)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def on(self, host: str, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer((host, port), _handler(self))
        server.daemon_threads = True
        return server

    def reply(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path == "/v1/models":
            cards = [{"id": self.base, "root": self.base, "parent": None, "max_model_len": 8192}]
            cards += [{"id": name, "root": where, "parent": self.base} for name, where in self.adapters.items()]
            return 200, {"object": "list", "data": [{"object": "model", **card} for card in cards]}
        if path == "/v1/load_lora_adapter" and self.loads:
            self.adapters[body["lora_name"]] = body["lora_path"]
            return 200, "Success"
        if path == "/v1/chat/completions" and body["model"] in (self.base, *self.adapters):
            self.asked.append(body)
            read = "".join(m["content"] for m in body["messages"])
            text = f"{Path(body['model']).name} said number {crc32(read.encode())}."
            usage = {"prompt_tokens": len(read) // 4, "completion_tokens": 6, "total_tokens": len(read) // 4 + 6}
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            about = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
            return 200, {**about, "choices": [choice], "usage": usage}
        return 404, {
            "error": {"message": f"nothing at {path} for {body.get('model')}", "type": "NotFound", "code": 404}
        }


def _handler(server: VLLMServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, reply = server.reply(self.path, json.loads(self.rfile.read(length) or "{}"))
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main(arguments: list[str]) -> None:
    """Serve as `vllm serve MODEL --host HOST --port PORT …` would."""
    given = dict(pairwise(arguments))
    with Path(os.environ["VLLM_STAND_IN"]).open("a", encoding="utf-8") as file:
        told = {
            "arguments": arguments,
            "process": os.getpid(),
            "statistics": os.environ.get("VLLM_NO_USAGE_STATS") != "1",
        }
        file.write(json.dumps(told) + "\n")
    VLLMServer(arguments[1]).on(given["--host"], int(given["--port"])).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
