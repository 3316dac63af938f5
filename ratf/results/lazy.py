"""Results that are too large for memory: their questions stay in the file and are read one at a time, when needed."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, overload

from raft.errors import RaftError
from raft.formats.json_file import parse_model
from ratf.results.results import OTHER_VERSION, Question, Results, foreign, load

LARGE = 20_000_000
"""The size in bytes from which a file's questions are not read into memory, where they would take six times as much."""


_BEGIN, _FIRST, _LAST, _END = b' "questions": [', b"  {", b"  }", b" ]"
"""The lines around the questions, and around each one, in a file written by `ratf.results.results.save`.

They cannot stand inside a text, because a string of JSON has no line break.
"""


class Stored(Sequence[Question]):
    """The questions of a file, read when they are needed.

    The file stays open, so that a new file of the same name does not change what is read. Raises RaftError, when it
    is read, for a question of another version.
    """

    def __init__(self, file: IO[bytes], spans: Sequence[tuple[int, int]], of: Results | None = None) -> None:
        """`of` are the results that each question must fit, where that is not known yet."""
        self._file, self._spans, self._of = file, spans, of
        self._checked: set[tuple[int, int]] = set() if of else set(spans)

    def __len__(self) -> int:
        """The number of questions."""
        return len(self._spans)

    @overload
    def __getitem__(self, at: int) -> Question: ...
    @overload
    def __getitem__(self, at: slice) -> list[Question]: ...
    def __getitem__(self, at: int | slice) -> Question | list[Question]:
        """One question, or a slice of them as a list, read now."""
        if isinstance(at, slice):
            return [self._read(span) for span in self._spans[at]]
        return self._read(self._spans[at])

    def __iter__(self) -> Iterator[Question]:
        """Each question in turn; none is kept in memory."""
        return map(self._read, self._spans)

    def digest(self) -> str:
        """The SHA-256 of the whole file, which is that of the results' text."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()  # type: ignore[arg-type]

    def _read(self, span: tuple[int, int]) -> Question:
        text = os.pread(self._file.fileno(), span[1] - span[0], span[0])
        if span in self._checked:  # a page reads each question a dozen times
            return Question.model_validate_json(text)
        question = parse_model(text, Question, f"{self._file.name}: {OTHER_VERSION}: in one of its questions")
        if self._of and (strange := next(foreign(self._of, question), "")):
            raise RaftError(f"{self._file.name}: {OTHER_VERSION}: {strange}")
        self._checked.add(span)
        return question


def load_lazily(path: Path) -> Results:
    """The results in a file, as `load` gives them; but the questions of a large file are read only when needed.

    Such results can be read, not saved. Raises RaftError as `load` does.
    """
    if not path.is_file() or path.stat().st_size < LARGE:
        return load(path)
    file = path.open("rb")
    rest, spans = _split(file)
    if not spans:  # not written by `save`
        file.close()
        return load(path)
    results = parse_model(rest, Results, f"{path}: {OTHER_VERSION}")
    questions: Any = Stored(file, spans, results)
    return results.model_copy(update={"questions": questions})


def spooled(questions: Iterable[Question]) -> Stored:
    """The questions, kept in a temporary file that has no name and is gone when the program ends."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as they are read
    spans: list[tuple[int, int]] = []
    for question in questions:
        start = file.tell()
        spans.append((start, start + file.write(question.model_dump_json().encode())))
    file.flush()
    return Stored(file, spans)


def _split(file: IO[bytes]) -> tuple[bytes, list[tuple[int, int]]]:
    """The file without its questions, and the first byte and the end of each question in it."""
    rest: list[bytes] = []
    spans: list[tuple[int, int]] = []
    within, start, at = False, 0, 0
    for line in file:
        bare = line.rstrip(b"\r\n")
        if not within:
            rest.append(line)
            within = bare == _BEGIN
        elif bare == _FIRST:
            start = at
        elif bare.rstrip(b",") == _LAST:
            spans.append((start, at + len(_LAST)))
        elif bare.startswith(_END):
            rest.append(line)
            within = False
        at += len(line)
    return b"".join(rest), spans
