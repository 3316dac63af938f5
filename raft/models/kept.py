"""What models make of texts is kept in the user's cache, by the digest of all that it was made from, and never made twice.

A whole call is kept, not single texts: a text's numbers depend, in their last digits, on what is in its batch. Each file
begins with the SHA-256 of the rest: an archive by itself may lose a member, or a part of one, and still look whole.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raft.lock import locked, waiting
from raft.models.weights import cache_folder

Arrays = Mapping[str, NDArray[Any]]
_HEAD = hashlib.sha256().digest_size
_ANEW = ContextVar("made anew", default=False)


def kept(kind: str, made_from: Any, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays that `make` returns, by name: read from the cache, or made now and kept there.

    `made_from` is everything that they depend on, as JSON holds it; `kind` names the folder. A file that is not as it was
    written is made again. Where nothing can be written, nothing is kept.
    """
    if _ANEW.get():
        return make()
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:40]
    path = made_folder() / kind / digest[:2] / f"{digest}.npz"
    found = _read(path)
    if found is None:
        with (
            waiting(),
            locked(path.parent / ".lock", f"{path.parent}"),
        ):  # whoever makes the same now is waited for: two seeds of a person begin together
            found = _read(path)
            if found is None:
                found = make()
                with suppress(OSError):
                    _write(path, found)
    return found


@contextmanager
def made_anew() -> Iterator[None]:
    """Make everything anew inside the `with` block and keep none of it: what is checked must not come from what was kept."""
    before = _ANEW.set(True)
    try:
        yield
    finally:
        _ANEW.reset(before)


def made_folder() -> Path:
    """Return the folder of everything that is kept."""
    return cache_folder() / "made"


def _read(path: Path) -> Arrays | None:
    try:
        whole = path.read_bytes()
        if hashlib.sha256(memoryview(whole)[_HEAD:]).digest() != whole[:_HEAD]:
            return None
        with np.load(io.BytesIO(whole[_HEAD:]), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = io.BytesIO()
    np.savez(written, **arrays)  # type: ignore[arg-type]  # numpy's stub takes them for its own argument
    # a name of its own: another process may be writing the same
    descriptor, aside = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(written.getbuffer()).digest())
            file.write(written.getbuffer())
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
