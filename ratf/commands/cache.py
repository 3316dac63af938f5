"""`ratf cache`: what the user's cache holds, and removing it."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError

KINDS = {
    "models": "embedded models",
    "pages": "pages that `ratf data` fetched",
    "adapters": "tuned adapters",
    "merged": "adapters merged into their base models",
    "made": "vectors and other numbers that models made of texts",
    "replies": "replies of models",
    "rephrased": "replies of chat models that rephrased memories",
    "stores": "runs in a store: those that were fetched, and those that are not put there yet",
}
"""The folders of the cache and what is in them."""


BY_FILE = ("pages", "made", "replies")
"""The kinds in which each file stands alone; in the others it is each folder."""


OF_NOBODY = ("models",)
"""The kinds that hold nothing made of a person's words."""

Kind = StrEnum("Kind", [(name, name) for name in ("all", *KINDS)])  # type: ignore[misc]
DAY = 86_400


def cache(
    remove: Annotated[
        list[Kind] | None,
        typer.Option(help="Remove this kind. `all` means every kind but the embedded models. Can be repeated."),
    ] = None,
    unused_for: Annotated[
        float, typer.Option(metavar="DAYS", min=0, help="Remove only what was neither read nor written for so long.")
    ] = 0,
) -> None:
    """Show how large each kind of the user's cache is. With --remove, remove it.

    RATF makes again what it needs: adapters take time, replies of hosted models cost money. Most files are named by
    digests, so nobody can find one person's part: to erase a person, use `--remove all`. Remove nothing while a run goes
    on. Many file systems note a reading only once a day, some never; then the time of writing counts.

    Example: ratf cache --remove made --unused-for 30
    """
    with reported_errors():
        from raft.models.weights import cache_folder

        chosen = [str(kind) for kind in remove or ()]
        if unused_for and not chosen:
            raise RaftError(f"--unused-for says how old; say what with --remove: {', '.join(Kind)}")
        if Kind("all") in chosen:
            chosen = [*chosen, *(kind for kind in KINDS if kind not in OF_NOBODY)]
        home, before = cache_folder(), time.time() - unused_for * DAY
        for kind, words in KINDS.items():
            found = list(_entries(home / kind, kind))
            if kind in chosen:
                old = [entry for entry in found if not unused_for or _last_used(entry) < before]
                typer.echo(f"{kind:<10} {_told(old)} removed of {_told(found)}")
                _remove(old)
            elif not chosen:
                typer.echo(f"{kind:<10} {_told(found):<24} {words}")
        typer.echo(f"in {home} (RATF_CACHE names another folder)", err=True)


def _entries(folder: Path, kind: str) -> Iterator[Path]:
    """What is removed whole. Locks and files that are being written have names with a dot, and stay."""
    inside = folder.rglob("*") if kind in BY_FILE else folder.iterdir() if folder.is_dir() else ()
    yield from (p for p in inside if not p.name.startswith(".") and (p.is_file() or kind not in BY_FILE))


def _stats(entry: Path) -> list[os.stat_result]:
    """Of the files of an entry, because looking into a folder counts as reading it. Another process may remove some meanwhile."""
    found = []
    for path in entry.rglob("*") if _is_folder(entry) else (entry,):
        with suppress(FileNotFoundError):
            if not _is_folder(path):
                found.append(path.lstat())
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _last_used(entry: Path) -> float:
    return max((max(s.st_atime, s.st_mtime) for s in _stats(entry)), default=0.0)


def _told(entries: Sequence[Path]) -> str:
    size = sum(s.st_size for entry in entries for s in _stats(entry))
    return f"{size / 1e6:,.1f} MB in {len(entries):,}"


def _remove(entries: Sequence[Path]) -> None:
    """Raises RaftError for what may not be removed."""
    for entry in entries:
        try:
            shutil.rmtree(entry) if _is_folder(entry) else entry.unlink(missing_ok=True)
        except OSError as error:
            raise RaftError(f"{entry} was not removed: {error.strerror}") from None
