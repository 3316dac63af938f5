"""The files of weights and adapters are kept with their digests, and compared with them before they are used."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model, read_bytes

DIGESTS = "digests.json"


def keep_digests(folder: Path) -> None:
    """Write the SHA-256 of each file of a folder into its `digests.json`."""
    found = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != DIGESTS}
    write_whole(folder / DIGESTS, json.dumps(found, indent=1) + "\n")


def damage(folder: Path) -> str:
    """Which files of a folder are not as they were written; empty where all are, or where no digests were kept."""
    path = folder / DIGESTS
    if not path.is_file():
        return ""
    try:
        kept = parse_model(read_bytes(path), dict[str, str], str(path))
    except RaftError:
        return DIGESTS
    return ", ".join(name for name, digest in kept.items() if _sha256(folder / Path(name).name) != digest)


def must_be_whole(folder: Path, remedy: str, adopt: bool = False) -> None:
    """Raise RaftError, which names the files and ends with `remedy`, where some are not as they were written.

    With `adopt`, the digests of files that were written without any are kept from now on.
    """
    if wrong := damage(folder):
        raise RaftError(f"{folder}: {wrong}: not as it was written, so it is not used; {remedy}")
    if adopt and not (folder / DIGESTS).is_file():
        with suppress(OSError):  # another process may do the same, or nobody may write there
            keep_digests(folder)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
