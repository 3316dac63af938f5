"""A run's folder in a store: all of its files are put there, and at the end one mark says that they are whole.

The files lie under a name that is a digest of them. So two machines that did the same never mix their files: the mark, which
is put only where there is none, names the one of them that counts, and the other's are removed. What a kill leaves has no
mark, and nobody reads it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model
from raft.text import plain
from ratf.results.record import Record
from ratf.results.store.address import told
from ratf.results.store.objects import Store

MARK = "whole.json"
RESULTS, PAGE = "results.json", "report.html"
_NOTE = ".store"
"""In the folder on this machine: the mark of what was fetched into it, or put from it."""
_LEADS = ".leads.html"
_UNITS = "units"
_OWN = ("progress.json", MARK)
"""What tells of one machine's start alone, or of the store."""
_HEAVY = ("logs/", "scores/")
"""What is needed to go on with a run, or to read its scores elsewhere, and not to show it."""
_PUT = re.compile(r"[0-9a-f]{12}/")
_TRIES = 3


def _inside(name: str) -> str:
    """A name of a file that stays in its folder. Whoever can write to the store can write the mark."""
    parts = name.split("/")
    if (
        "\\" in name
        or plain(name) != name
        or any(part in ("", ".", "..") for part in parts)
        or parts[0].startswith(".")
    ):
        raise ValueError(f"{name!r} is no name of a file in the run's folder")
    return name


class Mark(Record):
    """What says that a run's folder is whole in a store: where its files lie, and what each of them is."""

    format: Literal[1] = 1
    digest: str
    """The digest of what it is the run of."""
    again: bool = False
    """Whether questions ended in an error, which the next start asks again."""
    under: Annotated[str, AfterValidator(lambda name: name and _inside(name))] = ""
    """The name under which the files lie; empty where they lie beside the mark."""
    files: dict[Annotated[str, AfterValidator(_inside)], str]
    """Each file with its SHA-256."""

    def text(self) -> str:
        """The mark as it is put."""
        return self.model_dump_json(indent=1) + "\n"


def kept(store: Store, name: str) -> Mark | None:
    """The mark of a run's folder; None where none is whole there. Raises DataError for one of another version."""
    found = store.read(_under(name, MARK))
    return None if found is None else _parsed(store, name, found[0])


def put(store: Store, name: str, folder: Path) -> bool:
    """Put a finished run's folder into the store under a name; False where another machine's was put meanwhile.

    Results that are there already are not put again. Older files under the name, and those of puts that did not end, are
    removed once the mark is there.
    """
    before = store.read(_under(name, MARK))
    if before and _parsed(store, name, before[0]).files.get(RESULTS) == _digest(folder / RESULTS):
        return True
    mark = _mark_of(folder)
    for file in mark.files:
        store.put(_under(name, mark.under, file), folder / file)
    won = _marked(store, name, mark, before)
    counts = mark if won else kept(store, name)
    if won:
        write_whole(folder / _NOTE, mark.text())
    if counts and store.conditional:  # elsewhere another's mark may still take this one's place
        others = (n for n in store.names(name) if _PUT.match(n[len(name) :].lstrip("/")))
        store.remove(n for n in others if not n.startswith(f"{_under(name, counts.under)}/"))
    if won:
        _lead(store, name, mark, folder)
    return won


def take(store: Store, name: str, folder: Path, wanted: str = "") -> Mark | None:
    """Fetch a run's folder from the store, as far as this machine's is not the same; None where none is whole there.

    Of a finished run, its logs and its table of scores stay there. All is fetched where the run
    is to go on: where questions are to be asked again, or where it is not that of the digest `wanted`.
    """
    for again in range(_TRIES):
        mark = kept(store, name)
        if mark is None:
            return None
        everything = mark.again or (wanted != "" and mark.digest != wanted)
        files = [f for f in mark.files if everything or not f.startswith(_HEAVY)]
        try:
            _fetch(store, name, mark, files, folder)
        except RaftError:
            # another machine may have put a newer one meanwhile, and removed what this mark names
            if again == _TRIES - 1 or kept(store, name) == mark:
                raise
            continue
        return mark
    return None


@contextmanager
def held_in(store: Store, folder: Path, wanted: str = "") -> Iterator[None]:
    """Fetch what is in the store of a run's folder, and put what was made in it there, where it came to results."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    take(store, "", folder, wanted)
    yield
    put(store, "", folder)


def put_beside(store: Store, folder: Path, files: Sequence[str], digest: str) -> None:
    """Put files into the store under their own names, and the mark last; what else lay in their folders is removed.

    That is for what every machine makes alike from the same runs. Where two do so at once, what is read may be of both, and
    is refused; a further start puts it right.
    """
    mark = Mark(digest=digest, files={file: _digest(folder / file) for file in sorted(files)})
    before = store.read(MARK)
    for file in mark.files:
        store.put(file, folder / file)
    old = set(_parsed(store, "", before[0]).files) if before else set()
    for inner in sorted({file.partition("/")[0] for file in mark.files if "/" in file}):
        old |= set(store.names(inner))
    store.remove(sorted(old - set(mark.files)))
    _marked(store, "", mark, before)
    write_whole(folder / _NOTE, mark.text())


def _marked(store: Store, name: str, mark: Mark, before: tuple[bytes, str] | None) -> bool:
    place, text = _under(name, MARK), mark.text().encode()
    return store.create(place, text) if before is None else store.replace(place, text, before[1])


def _fetch(store: Store, name: str, mark: Mark, files: Sequence[str], folder: Path) -> None:
    for file in files:
        path, digest = folder / file, mark.files[file]
        aside = path.with_name(f".{path.name}.part")
        try:
            if path.is_file() and _digest(path) == digest:
                continue
            store.fetch(_under(name, mark.under, file), aside)
            if _digest(aside) != digest:
                raise RaftError(
                    f"{told(store.address)}/{_under(name, file)} is not what was put there; if no other machine is putting "
                    "it now, `ratf run` with this address puts it right"
                )
            aside.replace(path)
        except OSError as error:
            raise RaftError(
                f"{told(store.address)}/{_under(name, file)} cannot be kept as {path}: {error.strerror}"
            ) from None
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
    for gone in (RESULTS, PAGE):  # one of an earlier start here says nothing of this run
        if gone not in mark.files:
            (folder / gone).unlink(missing_ok=True)
    write_whole(folder / _NOTE, mark.text())


def _lead(store: Store, name: str, mark: Mark, folder: Path) -> None:
    """Have a page, where a reader looks for it, lead to the report."""
    if PAGE in mark.files:
        to = f"{mark.under}/{PAGE}"
        page = f'<!doctype html><meta charset="utf-8"><title>Report</title><meta http-equiv="refresh" content="0; url={to}"><a href="{to}">Report</a>\n'
        write_whole(folder / _LEADS, page)
        store.put(_under(name, PAGE), folder / _LEADS)


def _mark_of(folder: Path) -> Mark:
    files = {
        path.relative_to(folder).as_posix(): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _OWN and not _aside(path.relative_to(folder))
    }
    results = json.loads((folder / RESULTS).read_bytes())
    again = any(arm.get("errors") for arm in results["arms"].values())
    under = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    return Mark(digest=results["digest"], again=again, under=under, files=files)


def _aside(path: Path) -> bool:
    """Whether a file is a lock, is being written, was set aside, or tells of one machine's start alone."""
    return (
        path.parts[0].startswith(".")
        or path.parts[0] == _UNITS
        or path.name.endswith((".part", ".lock"))
        or ".damaged" in path.name
    )


def _parsed(store: Store, name: str, content: bytes) -> Mark:
    return parse_model(content, Mark, f"{told(store.address)}/{_under(name, MARK)}: not a mark of this version")


def _under(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
