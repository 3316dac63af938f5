"""Serves a run or a site on loopback for `ratf view`, to read it in a browser while it is made."""

import json
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from raft.errors import RaftError
from raft.progress import to_go
from raft.text import plain
from ratf.pages.templates import environment
from ratf.results.folder import RunProgress, finished, is_run, look
from ratf.suite.arms import CONTROLS, EXAM_ONLY

INSPECT = "http://127.0.0.1:7575"
"""The address where `inspect view` listens unless it is told otherwise."""


KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".csv": "text/csv; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
    ".xml": "application/xml", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Inspect:
    """Whether `inspect view` is `up`; `base` begins the links to this run's logs, empty where it shows others."""

    up: bool
    base: str = ""


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the folder on 127.0.0.1; port 0 takes a free one.

    Raises RaftError where the folder is neither a run nor a site, and where the port cannot be had.
    """
    root = folder.resolve()
    follows = is_run(root)
    if not follows and not (root / "index.html").is_file():
        raise RaftError(
            f"{folder}: neither a run (`ratf run`) nor a site (`ratf leaderboard`); name one of their folders"
        )

    class Handler(_Handler):
        pass

    try:
        made = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise RaftError(f"port {port} cannot be had ({error.strerror}); without --port a free one is taken") from None
    Handler.root, Handler.follows, Handler.port = root, follows, made.server_port
    return made


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of files under `root`; all other methods are refused by the base class."""

    root: Path
    follows: bool
    port: int
    timeout = 30
    server_version, sys_version = "ratf", ""

    def do_GET(self) -> None:
        """Send a page that is made here, or a file under the root."""
        host = self.headers.get("Host", "")
        if host not in (f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")):
            # a name that a stranger's site has pointed here (DNS rebinding)
            return self.send_error(403, "not the address of this server")
        path = unquote(urlsplit(self.path).path)
        if self.follows and path == "/":
            if finished(self.root):
                return self._send(302, b"", KINDS[".html"], Location="/report.html")
            return self._send(200, _page(self.root), KINDS[".html"])
        if self.follows and path == "/run":
            return self._send(200, _page(self.root), KINDS[".html"])
        if path == "/favicon.ico":  # browsers ask by themselves
            return self._send(204, b"", "image/x-icon")
        file = _file(self.root, path)
        if file is None:
            return self.send_error(404, "no such file here")
        content = file.read_bytes()
        if self.follows and file == self.root / "report.html":
            content = content.replace(
                b"<body>", b'<body>\n<nav style="padding: .5rem 1rem"><a href="/run">The run and its logs</a></nav>', 1
            )
        return self._send(200, content, KINDS.get(file.suffix, "application/octet-stream"))

    do_HEAD = do_GET

    def _send(self, code: int, content: bytes, kind: str, **more: str) -> None:
        self.send_response(code)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(content))} | HEADERS | more).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the terminal is for the address alone."""


def _file(root: Path, path: str) -> Path | None:
    """The file at a path under the root, or a folder's index; None for hidden files and what lies outside."""
    parts = [part for part in path.split("/") if part]
    if "\0" in path or "\\" in path or any(part.startswith(".") for part in parts):
        return None
    file = root.joinpath(*parts).resolve()
    file = file / "index.html" if file.is_dir() else file
    return file if file.is_relative_to(root) and file.is_file() else None


def _page(folder: Path) -> bytes:
    """The page that shows how far the run is, and its logs."""
    run = look(folder)
    pages = environment()
    pages.filters |= {"plain": plain, "quoted": lambda text: quote(text, safe="")}
    made = pages.get_template("pages/view.html.j2").render(
        run=run,
        arms={log.arm for log in run.logs} - {*CONTROLS, *EXAM_ONLY},
        name=folder.name,
        says=says(run),
        inspect=inspect_view(folder / "logs"),
        folder=folder,
        home=INSPECT,
    )
    return made.encode("utf-8", "replace")


def says(run: RunProgress, now: float | None = None) -> str:
    """A sentence that says how far the run is."""
    note = run.note
    if run.finished:
        return "the run is finished"
    if note is None:
        return "nothing is known of what it is at: it was started by another version, or has only begun"
    ago = max(0, round((time.time() if now is None else now) - note.at))
    amount = f", {note.done} of {note.total} {note.unit}" if note.total > 1 else ""
    if note.state == "stopped":
        return f"stopped at {note.what}{amount}, {ago} s ago; `ratf run` goes on with it"
    if note.state == "done":
        return f"{note.what}: done {ago} s ago; the next step is on its way"
    left = to_go(note.at - note.began, note.done, note.total) or 0
    return f"{note.what}{amount}" + (f", about {left:.0f} s to go" if left >= 1 else "") + f" (news of {ago} s ago)"


def inspect_view(logs: Path) -> Inspect:
    """Whether `inspect view` is up, and shows these logs."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{INSPECT}/api/log-dir", timeout=0.5) as reply:
            shown = json.loads(reply.read(100_000))["log_dir"]
    except (OSError, ValueError, KeyError, TypeError):
        return Inspect(False)
    there = Path(unquote(urlsplit(str(shown)).path)).resolve()
    if not logs.resolve().is_relative_to(there):
        return Inspect(True)
    under = logs.resolve().relative_to(there).as_posix()
    return Inspect(True, f"{INSPECT}/#/logs/{'' if under == '.' else quote(under) + '/'}")
