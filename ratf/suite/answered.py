"""An arm whose answers are in a file: any agent, asked elsewhere, beside the recipes."""

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from raft.errors import DataError
from raft.formats.json_file import parse
from raft.text import MOST_CHARACTERS
from ratf.suite.arms import ARMS, CONTROLS, EXAM_ONLY

MOST_BYTES = 64 * 2**20
"""Of a file of answers: what is longer is refused."""


class AnsweredArm(BaseModel):
    """An arm's name and the file with its answers: a JSON line a question, with `id` and `answer`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    answers: Annotated[str, Field(min_length=1)]
    """The file, from the suite's folder."""
    sha256: str = ""
    """Of the file, filled in when the suite is read, so that other answers make another suite."""

    @model_validator(mode="after")
    def _free(self) -> "AnsweredArm":
        if self.name in (*ARMS, *CONTROLS, *EXAM_ONLY):
            raise ValueError(
                f"{self.name!r} is the name of a recipe or a control; choose another for the answers of a file"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _read(cls, raw: Any, info: ValidationInfo) -> Any:
        """A file that is not there is refused, unless the suite is one of a finished run, which says what was in it."""
        if not isinstance(raw, dict) or raw.get("sha256") or not isinstance(raw.get("answers"), str):
            return raw
        path = Path((info.context or {}).get("folder") or ".") / raw["answers"]
        if not path.is_file():
            raise ValueError(f"answers: {path} is no file; `ratf questions SUITE` prints the questions to answer")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"answers: {path} has more than {MOST_BYTES:,} bytes")
        return {**raw, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

    @property
    def words(self) -> str:
        """What a table says of it. What it learnt and remembers is not known."""
        return f"answers from {Path(self.answers).name}"


def read_answers(path: Path, arm: AnsweredArm, asked: Collection[str]) -> dict[str, str]:
    """Held-out question → the arm's answer, of a file of JSON lines.

    Raises DataError with every problem and its line: no JSON object with `id` and `answer`, an id that is not among the
    `asked` or is there twice, an answer that is too long; or that the file is another one than when the suite was read.
    """
    found: dict[str, str] = {}
    problems: list[str] = []
    unknown: list[str] = []
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != arm.sha256:
            raise DataError([f"{path}: not the answers of {arm.name} that this suite was read with"])
        lines = content.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError([f"{path}: the answers of {arm.name} can't be read: {error}"]) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = None
        with suppress(DataError):
            row = parse(line, f"{path}:{number}")
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("id", "answer")):
            problems.append(f'{path}:{number}: write {{"id": "…", "answer": "…"}} on one line, both of them texts')
        elif row["id"] not in asked:
            unknown.append(f"line {number}: {_short(row['id'])}")
        elif row["id"] in found:
            problems.append(f"{path}:{number}: {_short(row['id'])} is answered twice")
        elif len(row["answer"]) > MOST_CHARACTERS:
            problems.append(f"{path}:{number}: the answer has more than {MOST_CHARACTERS:,} characters")
        else:
            # half of a surrogate pair can be written in JSON, and nowhere else
            found[row["id"]] = re.sub(r"[\ud800-\udfff]", "\ufffd", row["answer"])
    if unknown:
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        problems.append(
            f"{path}: {arm.name} answers questions that are not asked: {'; '.join(unknown[:10])}{more}; "
            f"`ratf questions SUITE` prints those that are: {', '.join(list(asked)[:10])}{', …' if len(asked) > 10 else ''}"
        )
    if problems:
        raise DataError(problems)
    return found


def _short(name: str) -> str:
    return ascii(name[:60])
