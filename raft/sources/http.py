"""Pages from the web, politely.

One request at a time; a pause between two requests to the same host, redirects included; what passes (429, 5xx, a
timeout, a dropped connection) is tried again, later and later, or when the site's Retry-After says. The User-Agent
names the program. `robots.txt` is not read: nothing is crawled; every address fetched is one that the user named, or
that its own archive or feed lists.
"""

import ipaddress
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from raft.errors import DataError, RaftError
from raft.formats.json_file import parse
from raft.release import release
from raft.sources.links import is_link

_PASSES = {408, 425, 429, 500, 502, 503, 504, 520, 522, 524}
MOST_REDIRECTS = 10
_PACKED = {"gzip", "x-gzip"}
_TRANSLATED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")]
"""IPv6 addresses whose last 32 bits are an IPv4 address (RFC 6052, 4291 and 2765)."""
_INSIDE = [ipaddress.ip_network(net) for net in ("64:ff9b:1::/48", "fec0::/10")]
"""IPv6 addresses of a network's own that Python takes for public ones (RFC 8215 and 3879)."""


class FetchError(RaftError):
    """A page that could not be had. `passes`: it is worth another try; `asks_to_stop`: the whole site is not, for now."""

    def __init__(self, message: str, passes: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.passes = passes
        self.wait = wait
        self.asks_to_stop = wait is not None and not passes


@dataclass(frozen=True)
class Page:
    """What a site answered. `url` is where the redirects ended; the type is lower-case, without parameters."""

    url: str
    content: bytes
    content_type: str
    charset: str | None

    @property
    def header(self) -> str:
        """The type with its charset, as the site gave it."""
        return f"{self.content_type}; charset={self.charset}" if self.charset else self.content_type

    @property
    def is_html(self) -> bool:
        """Whether it is a page to read, whatever it is called."""
        head = self.content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return "html" in self.content_type or head.startswith((b"<!doctype html", b"<html"))

    def json(self) -> Any:
        """The answer as JSON. Raises FetchError when it is not."""
        try:
            return parse(self.content, self.url)
        except DataError as error:
            kind = self.content_type or "no content type"
            raise FetchError(f"{error}; it answered with {kind} where JSON was expected") from None


class Web:
    """Gets pages, one at a time. Times in seconds."""

    def __init__(
        self,
        pause: float = 1.0,
        backoff: float = 1.0,
        timeout: float = 30.0,
        tries: int = 5,
        longest_wait: float = 120.0,
        most_bytes: int = 20_000_000,
    ) -> None:
        self._pause, self._timeout, self._most_bytes = pause, timeout, most_bytes
        self._longest_wait = longest_wait
        self._backoff = wait_exponential(multiplier=backoff, max=longest_wait)
        self._tries = stop_after_attempt(tries)
        self._last: dict[str, float] = {}
        self._client = httpx.Client(
            headers={
                "User-Agent": f"ratf/{release()} (raft fetch; copies what its user names)",
                "Accept-Encoding": "gzip",
            },
            timeout=timeout,
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
            event_hooks={
                "request": [self._stay_outside, self._wait_for_turn],
                "response": [self._came_from_outside],
            },
        )
        self._near: bool | None = None

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def begin(self) -> None:
        """The address fetched next is one that the user named; links and redirects from there are not."""
        self._near = None

    def get(self, url: str) -> Page:
        """The page at `url`. Raises FetchError: what is wrong with which address, and what to do.

        Where the address that the user named is a public one, what it leads to inside this machine or its network is
        refused: whoever writes a public page must not choose what is fetched there.
        """
        if not is_link(url):
            raise FetchError(f"{url}: no address that can be fetched; it starts with http:// or https://")
        if urlsplit(url).username is not None:
            raise FetchError(f"{_bare(url)}: an address with a user name is refused: it would be kept as the source")
        again = retry_if_exception(lambda error: isinstance(error, FetchError) and error.passes)
        for attempt in Retrying(retry=again, wait=self._wait, stop=self._tries, reraise=True):
            with attempt:
                page = self._get_once(url)
        return page

    def _get_once(self, url: str) -> Page:
        with _explained(url), self._client.stream("GET", url) as response:
            if response.status_code >= 400:
                raise self._refused(url, response)
            content = self._read(url, response)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Page(str(response.url), content, kind, response.charset_encoding)

    def _read(self, url: str, response: httpx.Response) -> bytes:
        """The body, while it is small enough and comes fast enough."""
        too_big = FetchError(f"{url}: over {self._most_bytes / 1e6:g} MB, too big for a page of text")
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most_bytes:
            raise too_big
        named = response.headers.get("content-encoding", "").lower().split(",")
        packed = [name.strip() for name in named if name.strip() not in ("", "identity")]
        if packed and (len(packed) > 1 or packed[0] not in _PACKED):
            raise FetchError(f"{url}: packed with {', '.join(packed)[:80]}; only gzip, and that once, is unpacked")
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        content = bytearray()
        until = time.monotonic() + 10 * self._timeout
        for part in response.iter_raw():
            # at most one byte over the limit is unpacked, however much is packed in a part
            content += unpack.decompress(part, self._most_bytes + 1 - len(content)) if unpack else part
            if len(content) > self._most_bytes:
                raise too_big
            if time.monotonic() > until:
                raise FetchError(f"{url}: not through after {10 * self._timeout:g} s")
        if unpack and not unpack.eof:
            raise FetchError(f"{url}: the answer's compression is broken")
        return bytes(content)

    def _refused(self, url: str, response: httpx.Response) -> FetchError:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        wait = _seconds(response.headers.get("retry-after", ""))
        if wait is not None and wait > self._longest_wait:
            what = f"{status}; the site asks to come back in {wait:.0f} s: run it again then"
            return FetchError(f"{url}: {what}", passes=False, wait=wait)
        passes = response.status_code in _PASSES
        return FetchError(f"{url}: {status}", passes, wait if passes else None)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wait = self._backoff(state)
        return max(wait, error.wait) if isinstance(error, FetchError) and error.wait is not None else wait

    def _stay_outside(self, request: httpx.Request) -> None:
        near = is_near(request.url.host)
        if self._near is None:
            self._near = near
        elif near and not self._near:
            raise _leads_inside(request.url)

    def _came_from_outside(self, response: httpx.Response) -> None:
        """Read nothing of this machine or its network under a name that was a public one when it was looked up."""
        if self._near or getproxies():  # behind a proxy it is the proxy that looks names up
            return
        address = response.extensions["network_stream"].get_extra_info("server_addr")
        if is_near(address[0]):
            raise _leads_inside(response.url)

    def _wait_for_turn(self, request: httpx.Request) -> None:
        host = request.url.netloc.decode("ascii", "replace")
        left = self._last.get(host, float("-inf")) + self._pause - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._last[host] = time.monotonic()


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TooManyRedirects:
        raise FetchError(f"{url}: redirected more than {MOST_REDIRECTS} times, perhaps in a circle") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
        raise FetchError(
            f"{url}: no address that can be fetched ({error}); it starts with http:// or https://"
        ) from None
    except zlib.error:
        raise FetchError(f"{url}: the answer's compression is broken") from None
    except httpx.TimeoutException:
        raise FetchError(f"{url}: no answer in time", passes=True) from None
    except httpx.ConnectError as error:
        raise FetchError(f"{url}: cannot be reached ({error}); is it right, and is there a network?", True) from None
    except httpx.TransportError as error:
        raise FetchError(f"{url}: the connection broke ({error})", passes=True) from None


def _leads_inside(url: httpx.URL) -> FetchError:
    return FetchError(
        f"{url}: leads from a public address into this machine or its network, so it is not fetched; "
        "if it is meant, give this address itself"
    )


def is_near(host: str) -> bool:
    """Whether a host has an address that is not a public one: of this machine, its network, or a link.

    A name that cannot be looked up here has none.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return any(not _is_public(ipaddress.ip_address(one.partition("%")[0])) for one in found)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if any(address in network for network in _INSIDE):
            return False
    return address.is_global and not address.is_multicast


def _seconds(retry_after: str) -> float | None:
    """Retry-After, which is a number of seconds or a date."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
