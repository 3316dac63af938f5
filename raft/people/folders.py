"""A person is kept in a folder, which is named by its path or, inside `people/`, by its name alone."""

import re
import unicodedata
from filecmp import cmp
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from raft.errors import DataError

PEOPLE = Path("people")
FILES = ("person.yaml", "interviews.jsonl", "writings.jsonl")
WORK = "work"
"""The name of the folder, inside a person's folder, of what is made from their data, such as chunks and the store."""


def folder_of(name: str | Path) -> Path:
    """Return the folder that `name` means: a path itself, a bare name `people/<name>`. It need not be there yet."""
    path = Path(name)
    return path if path.is_dir() or "/" in str(name) or len(path.parts) > 1 else PEOPLE / name


def work_of(folder: Path) -> Path:
    """Return the folder inside a person's folder that holds what is made from their data."""
    return folder / WORK


def _plain_name(name: str) -> str:
    if len(name) > 100 or not re.fullmatch(r"[^\W_](?:[\w .'’-]*\w)?", name):
        raise ValueError(
            f"{name[:100]!r} is not the name of a person's folder; write its name alone, in letters, digits, - and _, "
            "without the way to it"
        )
    return name


PersonKey = Annotated[str, AfterValidator(_plain_name)]
"""The plain name of a person's folder inside the folder of the data; a path is refused."""


def inside(home: Path, key: str) -> Path:
    """Return the folder of the person `key` in `home`, which need not be there yet.

    Raises DataError where it, or a file of the person's in it, is a link that leads out of `home`.
    """
    folder = home / key
    for path in (folder, *(folder / name for name in FILES)):
        if not _target(path).is_relative_to(_target(home)):
            raise DataError([f"{path}: leads out of {home}; a person's folder lies inside it, so copy it there"])
    return folder


def _target(path: Path) -> Path:
    try:
        return path.resolve(strict=False)
    except (OSError, RuntimeError) as error:
        raise DataError([f"{path}: its links lead in a circle"]) from error


def same_person(one: Path, other: Path) -> bool:
    """Whether two folders are one person's: a link to the other, the same name in other letters, or the same interviews."""
    if _folded(one.name) == _folded(other.name) or (one.exists() and other.exists() and one.samefile(other)):
        return True
    one, other = (folder / "interviews.jsonl" for folder in (one, other))
    return all(talks.is_file() and talks.stat().st_size for talks in (one, other)) and cmp(one, other, shallow=False)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
