"""A small site on loopback, with faults on command: what a reader of writings meets on the web."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

SUBJECTS = ("The mill", "A heron", "The old weir", "Our landlord", "The ferry", "A wet spring", "My aunt", "The lock")
DEEDS = (
    "keeps the river honest for another season, whatever the almanac has to say about it",
    "was never asked what it thought of the new bridge, and would have had plenty to say",
    "stands where the water turns, because somebody put it there before there were maps",
    "costs less than the committee feared and more than the committee could afford to admit",
    "teaches patience to those who arrive with a plan, a stopwatch and very dry shoes",
)


def prose(seed: int, paragraphs: int = 4) -> list[str]:
    """Paragraphs about a river, of some fifty words each; another seed gives others."""
    return [
        " ".join(
            f"{SUBJECTS[(seed + p + s) % 8]} {DEEDS[(seed * 3 + p + s) % 5]} in year {1700 + seed * 31 + p * 5 + s}."
            for s in range(3)
        )
        for p in range(paragraphs)
    ]


def as_html(paragraphs: list[str]) -> str:
    return "".join(f"<p>{p}</p>\n" for p in paragraphs)


@dataclass
class Answer:
    body: bytes | Iterator[bytes] = b""
    kind: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    """`drop` closes without a word, `cut` in the middle of the body, `hang` says nothing for two seconds."""


def redirect(to: str) -> Answer:
    return Answer(status=302, headers={"Location": to})


def packed(body: bytes, kind: str = "text/html; charset=utf-8") -> Answer:
    return Answer(gzip.compress(body, 1), kind, headers={"Content-Encoding": "gzip"})


Route = Answer | Callable[[str, dict[str, str]], Answer]


class Site:
    """Answers by path; `/posts/*` stands for all paths that begin so. Each `fail` is used up by one request."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[str] = []
        self.agents: set[str] = set()
        self.sent = 0
        self.closing = threading.Event()
        self._faults: dict[str, list[Answer]] = {}
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"

    def put(self, path: str, body: str | bytes, kind: str | None = "text/html; charset=utf-8") -> str:
        self.routes[path] = Answer(body.encode() if isinstance(body, str) else body, kind)
        return self.url + path

    def fail(self, path: str, *answers: Answer) -> None:
        self._faults.setdefault(path, []).extend(answers)

    def count(self, path: str) -> int:
        return sum(urlsplit(request).path == path for request in self.requests)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if self._faults.get(path):
            return self._faults[path].pop(0)
        stars = (r for p, r in self.routes.items() if p.endswith("*") and path.startswith(p[:-1]))
        route = self.routes.get(path) or next(stars, Answer(b"nothing here", status=404))
        return route if isinstance(route, Answer) else route(path, query)

    def _handler(site) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append(self.path)
                site.agents.add(self.headers["User-Agent"])
                parts = urlsplit(self.path)
                answer = site.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
                if answer.fault == "hang":
                    site.closing.wait(2)
                self.close_connection = bool(answer.fault) or not isinstance(answer.body, bytes)
                if answer.fault in ("drop", "hang"):
                    return
                self.send_response(answer.status)
                if answer.kind:
                    self.send_header("Content-Type", answer.kind)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if isinstance(answer.body, bytes):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True

            def _send(self, answer: Answer) -> None:
                body = [answer.body] if isinstance(answer.body, bytes) else answer.body
                for part in body:
                    self.wfile.write(part[: len(part) // 2] if answer.fault == "cut" else part)
                    site.sent += len(part)

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    @contextmanager
    def running(self) -> Iterator["Site"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()


class Substack:
    """The two calls of Substack's API that matter, over posts that a test may change at any time."""

    def __init__(self, site: Site, posts: int = 0, a_page: int = 12) -> None:
        self.site, self.a_page = site, a_page
        self.posts: dict[str, dict[str, object]] = {}
        for number in range(1, posts + 1):
            self.publish(number)
        site.routes["/api/v1/archive"] = self._archive
        site.routes["/api/v1/posts/*"] = self._post

    def publish(self, number: int, **changes: object) -> None:
        """Post number n is of the n-th day of March or, after the 28th, of a later month."""
        slug = f"post-{number}"
        paragraphs = prose(number)
        post = {
            "slug": slug,
            "title": f"Letter {number}",
            "post_date": f"2024-{3 + (number - 1) // 28:02}-{1 + (number - 1) % 28:02}T23:30:00.000Z",
            "audience": "everyone",
            "canonical_url": f"{self.site.url}/p/{slug}",
            "wordcount": sum(len(p.split()) for p in paragraphs),
            "body_html": as_html(paragraphs),
        } | changes
        self.posts[str(post["slug"])] = post

    def _archive(self, path: str, query: dict[str, str]) -> Answer:
        newest = sorted(self.posts.values(), key=lambda p: str(p["post_date"]), reverse=True)
        start, size = int(query["offset"]), min(int(query["limit"]), self.a_page)
        listed = [{k: v for k, v in post.items() if k != "body_html"} for post in newest[start : start + size]]
        return Answer(json.dumps(listed).encode(), "application/json")

    def _post(self, path: str, query: dict[str, str]) -> Answer:
        post = self.posts.get(unquote(path.rpartition("/")[2]))
        return Answer(json.dumps(post).encode(), "application/json") if post else Answer(b"{}", status=404)
