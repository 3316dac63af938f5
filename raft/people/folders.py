"""A person is kept in a folder, which is named by its path or, inside `people/`, by its name alone."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from raft.errors import DataError

PEOPLE = Path("people")
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

    Raises DataError where it is a link that leads out of `home`.
    """
    folder = home / key
    if not folder.resolve().is_relative_to(home.resolve()):
        raise DataError([f"{folder}: leads out of {home}; a person's folder lies inside it, so copy the folder there"])
    return folder
