"""Files that are whole or not there."""

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: str | bytes) -> None:
    """Write aside, then rename: after a kill or on a full disk the old file is still there, untouched."""
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
    """What `write_made` kept under that digest; None when there is nothing, or something older."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text("utf-8"))
    return kept["made"] if kept["digest"] == digest else None


def write_made(path: Path, digest: str, made: Any) -> None:
    """Keep `made` with the digest of what it was made from."""
    write_whole(path, json.dumps({"digest": digest, "made": made}, ensure_ascii=False, indent=1) + "\n")
