"""Inspect's cache of replies holds pickles, and whoever can write one there could have it run. Only sealed ones are read.

This is the only module that knows how Inspect keeps them: its cache calls `dump` and `load` of a module `pickle`, in whose
place `Sealed` stands while a run goes on. A seal is an HMAC-SHA-256 of a file's content and place, by a secret of the user.
"""

import hashlib
import hmac
import os
import pickle
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from platformdirs import user_config_path

SECRET = "RATF_CACHE_KEY"
"""The environment variable that gives the secret, where several machines share a cache."""


_BYTES = hashlib.sha256().digest_size


class Sealed:
    """A stand-in for the module `pickle`, with the two functions that Inspect's cache calls."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.ignored = 0
        """How many files had no seal, or that of another secret or place."""

    def dump(self, thing: Any, file: BinaryIO) -> None:
        """Write the seal, then the pickle."""
        content = pickle.dumps(thing)
        file.write(self._seal(content, file.name) + content)

    def load(self, file: BinaryIO) -> Any:
        """What `dump` wrote to this very file. Raises ValueError, with nothing of it unpickled, for anything else."""
        seal, content = file.read(_BYTES), file.read()
        if not hmac.compare_digest(seal, self._seal(content, file.name)):
            self.ignored += 1
            raise ValueError(f"{file.name}: not sealed by this user")
        return pickle.loads(content)

    def _seal(self, content: bytes, name: str) -> bytes:
        path = Path(name)
        place = f"{path.parent.parent.name}/{path.parent.name}/{path.name}\0".encode()
        return hmac.digest(self._key, place + content, "sha256")


@contextmanager
def sealed_replies(tell: Callable[[str], None] = lambda line: None) -> Iterator[Sealed]:
    """Read and write only sealed replies inside the `with` block, and tell how many others were ignored."""
    from inspect_ai.model import _cache

    before, sealed = vars(_cache)["pickle"], Sealed(_key())
    vars(_cache)["pickle"] = sealed
    try:
        yield sealed
    finally:
        vars(_cache)["pickle"] = before
        if sealed.ignored:
            tell(
                f"ignored {sealed.ignored} replies in {os.environ.get('INSPECT_CACHE_DIR', 'the cache')}: this user's run "
                "of this version has not written them; their questions were asked again"
            )


def _key() -> bytes:
    """The user's secret, made on first use; where it cannot be kept, one that lasts as long as the process."""
    if given := os.environ.get(SECRET):
        return hashlib.sha256(given.encode()).digest()
    path = user_config_path("ratf") / "cache.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        if not path.exists():
            with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
            try:
                os.link(aside, path)  # the first of several processes wins
            except FileExistsError:
                pass
            finally:
                aside.unlink()
        key = path.read_bytes()
    except OSError:
        return secrets.token_bytes(_BYTES)
    return key if len(key) == _BYTES else secrets.token_bytes(_BYTES)
