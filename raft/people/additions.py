"""New records are appended to the files of a person's folder; what is there stays as it is, but for a date that was missing."""

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raft.files import write_whole
from raft.people.mending import INTERVIEWS, WRITINGS, moved
from raft.people.person import load_documents, load_interviews
from raft.types import Document, Interview

_BEGIN = b'{"doc_id": "'
"""The beginning of each line that is appended here."""


class Writings:
    """The writings in a person's folder, to which documents are appended as they come; what is there is not written again.

    A last line that a kill cut short is set aside first. Raises DataError when the file that is there is broken.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "writings.jsonl"
        _mend(self._path)
        there = self._path.is_file()
        self.known = {d.doc_id for d in load_documents(folder, allow_undated=True)} if there else set[str]()
        self.known |= moved(folder, WRITINGS)
        """The `doc_id` of each document that is there, or was moved out because it leaks."""

    def add(self, documents: Iterable[Document]) -> int:
        """Append the documents that are not there yet, and return how many those were.

        Raises OSError where that fails; then none of them is there.
        """
        new = {d.doc_id: asdict(d) for d in documents if d.doc_id not in self.known}
        if new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _at_the_end(self._path, _lines(new.values()))
            self.known |= new.keys()
        return len(new)


def add_documents(folder: Path, documents: Iterable[Document]) -> int:
    """Append the documents whose `doc_id` is not in `writings.jsonl` yet, and return how many those were.

    Raises DataError, and writes nothing, when the file that is there is broken.
    """
    return Writings(folder).add(documents)


def _mend(path: Path) -> None:
    """Take the end of a line that a kill cut short out of the file, into one of its own beside it."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size or (file.seek(size - 1) and file.read(1) == b"\n"):
            return
        file.seek(0)
        start = file.read().rfind(b"\n") + 1
        file.seek(start)
        rest = file.read()
        if not rest.startswith(_BEGIN):
            return  # a line of somebody else's
        try:
            json.loads(rest)
        except ValueError:
            write_whole(path.with_name(f"{path.name}.cut-short"), rest)
            file.truncate(start)


def _at_the_end(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, all of them or none."""
    with path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        try:
            if file.write(lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        except OSError:
            file.truncate(size)
            raise


def add_interviews(folder: Path, interviews: Iterable[Interview]) -> int:
    """Append the interviews whose `interview_id` is not in `interviews.jsonl` yet, and return how many those were.

    One that was moved out because it leaks is not added again.

    Raises DataError, and writes nothing, when the file that is there is broken.
    """
    path = folder / "interviews.jsonl"
    known = {i.interview_id for i in load_interviews(folder, allow_undated=True)} if path.is_file() else set[str]()
    known |= moved(folder, INTERVIEWS)
    return _append(path, known, ((i.interview_id, asdict(i, dict_factory=_without_topics)) for i in interviews))


def add_dates(folder: Path, interviews: Iterable[Interview]) -> dict[str, str]:
    """Give dates to the interviews that are in `interviews.jsonl` without one, where the same turns come with one now.

    Returns the `interview_id` that each of those comes with now, and the one that it has in the file: the file's name
    may be another one. Nothing else is changed. Raises DataError when the file that is there is broken.
    """
    path = folder / "interviews.jsonl"
    dated = {i.turns: i for i in interviews if i.date}
    if not path.is_file() or not dated:
        return {}
    found = {
        old.interview_id: dated[old.turns]
        for old in load_interviews(folder, allow_undated=True)
        if old.date is None and old.turns in dated
    }
    if found:
        lines = path.read_bytes().splitlines(keepends=True)
        write_whole(path, b"".join(_dated(line, found) for line in lines))
    return {new.interview_id: old for old, new in found.items()}


def _dated(line: bytes, found: dict[str, Interview]) -> bytes:
    record = json.loads(line) if line.strip() else {}
    new = found.get(record.get("interview_id", ""))
    return line if new is None else _lines([{**record, "date": new.date}])


def _without_topics(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if name != "topic" or value}


def _append(path: Path, known: set[str], records: Iterable[tuple[str, dict[str, Any]]]) -> int:
    new = {name: record for name, record in records if name not in known}
    if new:
        before = path.read_bytes() if path.is_file() else b""
        glue = b"" if not before or before.endswith(b"\n") else b"\n"
        write_whole(path, before + glue + _lines(new.values()))
    return len(new)


def _lines(records: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False, default=_iso) + "\n" for r in records).encode()


def _iso(value: Any) -> str:
    return str(value.isoformat())
