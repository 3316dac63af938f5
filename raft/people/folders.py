"""Where people are kept: a person is a folder, named by its path or, inside `people/`, by its name alone."""

from pathlib import Path

PEOPLE = Path("people")
WORK = "work"
"""The part of a person's folder that is made from the rest: chunks, the store, fine-tuning files, the state."""


def folder_of(name: str | Path) -> Path:
    """The folder that `name` means: a path as it is, a bare name `people/<name>`. It need not be there yet."""
    path = Path(name)
    return path if path.is_dir() or "/" in str(name) or len(path.parts) > 1 else PEOPLE / name


def work_of(folder: Path) -> Path:
    """Where what is made from a person's data is kept."""
    return folder / WORK
