"""New records are appended to the files of a person's folder; what is there stays as it is, byte for byte."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raft.files import write_whole
from raft.people.person import load_documents, load_interviews
from raft.types import Document, Interview


def add_documents(folder: Path, documents: Iterable[Document]) -> int:
    """Append the documents whose `doc_id` is not in `writings.jsonl` yet, and return how many those were.

    Raises DataError, and writes nothing, when the file that is there is broken.
    """
    path = folder / "writings.jsonl"
    known = {d.doc_id for d in load_documents(folder, allow_undated=True)} if path.is_file() else set()
    return _append(path, known, ((d.doc_id, asdict(d)) for d in documents))


def add_interviews(folder: Path, interviews: Iterable[Interview]) -> int:
    """Append the interviews whose `interview_id` is not in `interviews.jsonl` yet, and return how many those were.

    Raises DataError, and writes nothing, when the file that is there is broken.
    """
    path = folder / "interviews.jsonl"
    known = {i.interview_id for i in load_interviews(folder, allow_undated=True)} if path.is_file() else set()
    return _append(path, known, ((i.interview_id, asdict(i, dict_factory=_without_topics)) for i in interviews))


def _without_topics(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if name != "topic" or value}


def _append(path: Path, known: set[str], records: Iterable[tuple[str, dict[str, Any]]]) -> int:
    new = {name: record for name, record in records if name not in known}
    if new:
        before = path.read_text("utf-8") if path.is_file() else ""
        glue = "" if not before or before.endswith("\n") else "\n"
        lines = "".join(json.dumps(r, ensure_ascii=False, default=_iso) + "\n" for r in new.values())
        write_whole(path, before + glue + lines)
    return len(new)


def _iso(value: Any) -> str:
    return str(value.isoformat())
