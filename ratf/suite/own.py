"""An arm of the user's own beside the recipes: a model, an Inspect solver or agent, a file of answers, or an earlier log."""

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationInfo, model_validator

from raft.errors import DataError
from raft.formats.json_file import parse
from raft.text import MOST_CHARACTERS
from ratf.suite.arms import ARMS, CONTROLS, EXAM_ONLY
from ratf.suite.parts import ChatName, SuitePart

MOST_BYTES, MOST_LOG_BYTES = 64 * 2**20, 256 * 2**20
"""Of a file of answers or of a solver, and of a log: what is longer is refused."""


WAYS = ("model", "solver", "answers", "log")
"""The ways in which an arm of one's own answers; each has one."""


GIVEN_WAYS = ("answers", "log")
"""Those whose answers are there already."""


_QUESTIONS = '`ratf questions SUITE` prints the questions to answer; an answer is a line {"id": "…", "answer": "…"}'


def solver_file(spec: str) -> str:
    """The file in a solver's spec, as `agents/clone.py` of `agents/clone.py@clone`; empty for a name in a registry."""
    path = spec.rpartition("@")[0] or spec
    return path if path.endswith(".py") else ""


class OwnArm(SuitePart):
    """An arm's name, and the one way in which it answers. What it learnt and how it is prompted is not known."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
    """The arm's name, as tables and rules call it."""
    model: ChatName | None = Field(None, exclude_if=lambda name: name is None)
    """Any Inspect model, which reads the interview so far and the question, and no persona prompt."""
    solver: str | None = Field(None, min_length=1, max_length=300, exclude_if=lambda name: name is None)
    """Any Inspect solver or agent: `FILE.py@name`, from the suite's folder, or a registered name as `package/name`."""
    answers: str | None = Field(None, min_length=1, exclude_if=lambda name: name is None)
    """A file from the suite's folder: a JSON line a question, with `id` and `answer`."""
    log: str | None = Field(None, min_length=1, exclude_if=lambda name: name is None)
    """A log of Inspect's from the suite's folder."""
    args: dict[str, JsonValue] = Field({}, exclude_if=lambda args: not args)
    """The arguments of the solver."""
    memories: Literal["none", "own"] = Field("none", exclude_if=lambda shown: shown == "none")
    """Whether it is shown the memories that the recipes recall."""
    seconds: float = Field(600, gt=0, exclude_if=lambda seconds: seconds == 600)
    """How long a solver may take for one answer."""
    provenance: str = Field("", max_length=300, exclude_if=lambda text: not text)
    """In the user's words, where the answers are from. It is told as such, and not checked."""
    sha256: str = Field("", exclude_if=lambda digest: not digest)
    """Of the file, filled in when the suite is read, so that other answers or other code make another suite."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, raw: Any, info: ValidationInfo) -> Any:
        """One way, and its file. One that is not there is refused, unless the suite is one of a finished run."""
        if not isinstance(raw, dict):
            return raw
        ways = [way for way in WAYS if raw.get(way) is not None]
        if len(ways) != 1:
            there = " and ".join(ways) or "none of them"
            raise ValueError(f"arm {raw.get('name')!r} has {there}; write one of {', '.join(WAYS)}")
        way, given = ways[0], raw[ways[0]]
        for key, fits in (("args", ("solver",)), ("seconds", ("solver",)), ("memories", ("model", "solver"))):
            if key in raw and way not in fits:
                raise ValueError(f"{key} of arm {raw.get('name')!r} is for {' or '.join(fits)}, and it has {way}")
        context = info.context or {}
        if raw.get("sha256") or context.get("finished") or way == "model" or not isinstance(given, str):
            return raw
        file = solver_file(given) if way == "solver" else given
        return {**raw, "sha256": _digest(Path(context.get("folder") or ".") / file, way)} if file else raw

    @model_validator(mode="after")
    def _free(self) -> "OwnArm":
        if self.name in (*ARMS, *CONTROLS, *EXAM_ONLY):
            raise ValueError(
                f"{self.name!r} is the name of a recipe or a control; choose another for an agent of your own"
            )
        if self.log and Path(self.log).suffix not in (".eval", ".json"):
            raise ValueError(f"log: {self.log} is no log of Inspect's, whose names end in .eval or .json")
        return self

    @property
    def way(self) -> str:
        """The way in which it answers, one of WAYS."""
        return next(way for way in WAYS if getattr(self, way) is not None)

    @property
    def given(self) -> bool:
        """Whether its answers are there already, so that it is not asked."""
        return self.way in GIVEN_WAYS

    @property
    def file(self) -> str:
        """The file that it is read from, from the suite's folder; empty where there is none."""
        return self.answers or self.log or solver_file(self.solver or "")

    @property
    def words(self) -> str:
        """What a table says of it."""
        said = {
            "model": f"{self.model}, asked without a persona prompt",
            "solver": f"the solver {self.solver}",
            "answers": f"answers from {Path(self.answers or '').name}",
            "log": f"answers of the log {Path(self.log or '').name}",
        }[self.way]
        return f"{said}, with the person's memories" if self.memories == "own" else said

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it, and that the rest is not."""
        prompts = "none but the question and what was said before it" if self.model else "not known"
        found = {"training": "not known", "prompts": prompts}
        if self.memories == "own":
            found["memories"] = "the person's, as recalled here; others are not known"
        if self.sha256:
            found["sha256"] = self.sha256
        return {**found, "provenance, as told": self.provenance} if self.provenance else found


def _digest(path: Path, way: str) -> str:
    """The SHA-256 of a plain file. Raises ValueError where there is none, or one that is too large."""
    most = MOST_LOG_BYTES if way == "log" else MOST_BYTES
    if not path.is_file():
        raise ValueError(f"{way}: {path} is no file" + (f"; {_QUESTIONS}" if way == "answers" else ""))
    if path.stat().st_size > most:
        raise ValueError(f"{way}: {path} has more than {most:,} bytes")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_answers(path: Path, arm: OwnArm, asked: Collection[str], digest: str) -> dict[str, str]:
    """Held-out question → the arm's answer, of a file of JSON lines.

    Raises DataError with every problem and its line: no JSON object with `id` and `answer`, an id that is not among the
    `asked` or is there twice, a `digest` other than that of the questions, an answer that is too long; or that the file
    is another one than when the suite was read.
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
        elif row.get("digest") not in (None, digest):
            raise DataError([
                f"{path}:{number}: {arm.name} answers other questions, those with the digest {_short(str(row['digest']))}; "
                f"this suite's have {digest!r}. {_QUESTIONS}"
            ])  # fmt: skip
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
