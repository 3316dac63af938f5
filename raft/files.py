"""Files are written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any


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


def read_made(path: Path, digest: str) -> Any | None:
    """Return what `write_made` kept with that digest; None where the file is missing or holds another digest."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text("utf-8"))
    return kept["made"] if kept["digest"] == digest else None


def write_made(path: Path, digest: str, made: Any) -> None:
    """Write `made`, which JSON can hold, to a file together with the digest of what it was made from."""
    write_whole(path, json.dumps({"digest": digest, "made": made}, ensure_ascii=False, indent=1) + "\n")
