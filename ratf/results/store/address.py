"""The address of a shared store, as `s3://bucket/folder`, and what goes wrong with one, in a sentence."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from raft.errors import RaftError
from raft.masking import MASK, masked
from raft.models.weights import cache_folder
from raft.text import one_line

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HERE = ("file", "local")
"""The schemes of this machine's own files, which need no store."""
_PACKAGES = {
    "s3": "pip install 'FOLDER[s3]', from RATF's folder",
    "s3a": "pip install 'FOLDER[s3]', from RATF's folder",
}
_MOST = 300
"""The greatest length of what a store said that is repeated."""
_SHORTEST = 4
"""A shorter part of an address is left in what a store said: it would stand in many a word by chance."""


def is_address(place: object) -> bool:
    """Whether a place is an address of a store, and not a path or a `file://` address of this machine."""
    said = _SCHEME.match(str(place))
    return said is not None and said[1].lower() not in _HERE


def local_path(place: str | Path) -> Path:
    """The path that a place on this machine names; `file://` before it is taken off."""
    said = _SCHEME.match(str(place))
    return Path(re.sub(r"^localhost(?=/)", "", str(place)[said.end() :])) if said else Path(place)


def told(address: str) -> str:
    """An address as messages name it: without a user, a password and parameters."""
    scheme, _, rest = address.partition("://")
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return one_line(f"{scheme}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/"))


def _secrets(address: str) -> Iterator[str]:
    """What of an address no message may repeat: its user with the password, the password, and its parameters."""
    place, _, parameters = address.partition("://")[2].partition("?")
    user = place.partition("/")[0].rpartition("@")[0]
    yield from (user, user.partition(":")[2], parameters)
    yield from (value for _, value in parse_qsl(parameters))


def scratch(address: str) -> Path:
    """The folder on this machine that stands for an address: what is worked on, and what was fetched. It is in the user's cache."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", told(address)).strip("-")[-60:]
    return cache_folder() / "stores" / f"{name}-{hashlib.sha256(told(address).encode()).hexdigest()[:12]}"


def file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it. Raises RaftError where there is none for it."""
    import fsspec

    with reached(address):
        found, path = fsspec.core.url_to_fs(address)
        return found, str(path).rstrip("/")


@contextmanager
def reached(address: str) -> Iterator[None]:
    """Raises RaftError, which says what to do, where the store of an address cannot be used."""
    try:
        yield
    except (RaftError, KeyboardInterrupt):
        raise
    except Exception as error:  # each store's library raises errors of its own
        said = masked(str(error) or type(error).__name__)
        for secret in sorted(_secrets(address), key=len, reverse=True):
            for written in (secret, unquote(secret)) if len(secret) >= _SHORTEST else ():
                said = said.replace(written, MASK)
        said = one_line(" ".join(said.split()))[:_MOST]
        raise RaftError(f"{told(address)}: {said.rstrip('.')}; {_to_do(address, error)}") from None


def _to_do(address: str, error: Exception) -> str:
    scheme, kind = address.partition("://")[0].lower(), type(error).__name__
    if isinstance(error, ImportError):
        return f"install what reads {scheme}:// addresses: {_PACKAGES.get(scheme, 'its fsspec package')}"
    if isinstance(error, PermissionError) or "Credentials" in kind or "Token" in kind:
        return "check that the credentials are right and may read, write and list there" + (
            " (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)" if scheme.startswith("s3") else ""
        )
    if isinstance(error, FileNotFoundError):
        return "make the bucket or folder first, or name another with --out"
    if isinstance(error, ValueError):
        return "write an address such as s3://BUCKET/FOLDER"
    return "check the address and the network" + (
        ", and AWS_ENDPOINT_URL where the service is not Amazon's" if scheme.startswith("s3") else ""
    )
