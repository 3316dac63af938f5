"""Files are written whole or not at all."""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a temporary file, then rename it: after a kill or on a full disk the old file is still there, unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def set_aside(path: Path, why: str) -> Path:
    """Rename a damaged file or folder, so that it can be made again; a warning in the log names it and the new name."""
    number, aside = 1, path.with_name(f"{path.name}.damaged")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    path.rename(aside)
    _LOG.warning("%s: damaged (%s); it was set aside as %s and is made again", path, why, aside.name)
    return aside


def read_made(path: Path, digest: str) -> Any | None:
    """Return what `write_made` kept with that digest; None where the file is missing or holds another digest.

    A file that is not as it was written is set aside, as if it were missing.
    """
    if not path.is_file():
        return None
    try:
        text = path.read_bytes().decode("utf-8")
        kept = json.loads(text)
        if "sum" in kept and kept["sum"] != _sum(_as_written(text, kept) or _text(kept["made"])):
            raise ValueError("its content is not what was written")
        return kept["made"] if kept["digest"] == digest else None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        set_aside(path, f"{type(error).__name__}: {error}"[:200])
        return None


def write_made(path: Path, digest: str, made: Any) -> None:
    """Write `made`, which JSON can hold, to a file together with the digest of what it was made from, and its own."""
    text = _text(made)
    write_whole(path, _head(digest, _sum(text)) + text + _TAIL)


_TAIL = "\n}\n"


def _head(digest: str, total: str) -> str:
    return f'{{\n "digest": {json.dumps(digest)},\n "sum": "{total}",\n "made": '


def _as_written(text: str, kept: dict[str, Any]) -> str:
    """Return the part of a file's text that holds what was made, where `write_made` wrote the file; else "".

    To write all of it again only to compare it would take most of the time of reading.
    """
    head = _head(kept["digest"], kept["sum"])
    return text[len(head) : -len(_TAIL)] if text.startswith(head) and text.endswith(_TAIL) else ""


def _text(made: Any) -> str:
    return json.dumps(made, ensure_ascii=False, indent=1)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
