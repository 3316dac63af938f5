"""Fine-tuned adapters, each in a folder named by the digest of everything that made it."""

import hashlib
from pathlib import Path

from raft.errors import RaftError
from raft.weights import cache_folder


def adapters_folder() -> Path:
    """Where all adapters are."""
    return cache_folder() / "adapters"


def adapter_folder(digest: str) -> Path:
    """The folder of a finished adapter. Raises RaftError when there is none of that digest."""
    folder = adapters_folder() / digest
    if not folder.is_dir():
        there = sorted(f.name for f in adapters_folder().glob("[!.]*")) or ["none yet"]
        raise RaftError(
            f"no adapter {digest!r} in {adapters_folder()}; there are: {', '.join(there)}. `ratf run` tunes it."
        )
    return folder


def adapter_weights(digest: str) -> str:
    """A digest of an adapter's weights as they lie there now; empty where there are none.

    The adapter's own digest names what made it, so it does not change when the file does.
    """
    path = adapters_folder() / digest / "adapter_model.safetensors"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
