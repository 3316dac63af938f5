"""A judge's rubric: one YAML file, read and checked here, with the names of its metrics. No model is asked."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from raft.errors import DataError
from raft.formats.yaml_file import read_model
from ratf.suite.metrics import AXES_BEFORE, RESERVED, AxisBefore, RubricAxis, judge_metric

RUBRICS = Path(__file__).parent.parent / "judges"
Form = Literal["grade", "claims", "identity", "forced_choice", "pairwise"]
CRITERIA: dict[Form, tuple[str, ...]] = {
    "grade": ("",),
    "claims": ("recall", "contradiction"),
    "identity": ("top1", "brier"),
    "forced_choice": ("chosen",),
    "pairwise": ("won",),
}
"""The criteria of each form of judge. Each is one scalar, and a judge's criteria are always measured together."""


FIELDS: dict[Form, tuple[set[str], set[str]]] = {
    "grade": ({"answer"}, {"question", "real", "examples"}),
    "claims": ({"real", "answer"}, {"question"}),
    "identity": ({"answer", "candidates"}, {"question"}),
    "forced_choice": ({"first", "second"}, {"question", "examples"}),
    "pairwise": ({"real", "first", "second"}, {"question"}),
}
"""The texts that a prompt of each form must name, and those that it may name."""


class Rubric(BaseModel):
    """One judge. `form` says what is asked and how the reply becomes numbers; `choices` are a grade's replies."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """The judge's name, which is also the file's. Its metric is called `judge_<name>`."""
    version: int
    """The number of the rubric's version. Grades of different versions are never compared."""
    form: Form
    """What the judge is asked, and how its reply becomes numbers."""
    axis: RubricAxis | AxisBefore
    """What the grades speak about. The judge is examined on it. `content`, `style` and `identity` are older names."""
    words: str
    """The question that the judge answers, as the page shows it."""
    system: str
    """The system prompt."""
    prompt: str
    """The prompt. Each form has its own texts, such as `{real}` and `{answer}`."""
    choices: dict[str, float] = {}
    """The replies of the form `grade`, each with its score from 0 to 1."""
    max_words: int = Field(200, ge=10)
    """The greatest number of words of a text that the judge reads; a longer one is cut at a sentence's end."""
    examples: int = Field(2, ge=0)
    """The number of a speaker's earlier answers that are shown where the prompt has `{examples}` or `{candidates}`."""
    max_tokens: int = Field(1500, ge=1)
    """The greatest number of tokens of a reply in JSON; a choice by next-token probabilities takes one token."""
    min_mass: float = Field(0.05, gt=0, le=1)
    """The least total probability of the choices; below it the reply counts as none of them."""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Rubric":
        needed, allowed = FIELDS[self.form]
        fields = [parsed[1:] for parsed in Formatter().parse(self.prompt) if parsed[1] is not None]
        used = {str(field) for field, _, _ in fields}
        if any(layout or conversion for _, layout, conversion in fields):
            raise ValueError("the prompt names its texts as {name} alone, without a format or conversion after it")
        if not needed <= used:
            raise ValueError(f"the prompt of the form {self.form} must have {_braced(needed - used)}")
        if not used <= needed | allowed:
            raise ValueError(
                f"the prompt has {_braced(used - needed - allowed)}; the form {self.form} fills {_braced(needed | allowed)}"
            )
        if self.form == "grade" and not {0, 1} <= set(self.choices.values()) <= {
            v for v in self.choices.values() if 0 <= v <= 1
        }:
            raise ValueError(
                "choices of the form grade go from 0 to 1, and both ends are there, as {'Yes': 1, 'No': 0}"
            )
        if self.form != "grade" and self.choices:
            raise ValueError(f"the form {self.form} has its own replies; choices belong to the form grade")
        if self.name.endswith(RESERVED):
            raise ValueError(f"the name {self.name!r} ends like the name of a criterion; choose another")
        return self

    @property
    def digest(self) -> str:
        """The start of the SHA-256 of the rubric, which changes with anything that could change a grade."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @property
    def meant(self) -> RubricAxis:
        """What the grades speak about, also where the axis is called as it was before."""
        return cast(RubricAxis, AXES_BEFORE.get(self.axis, self.axis))

    @property
    def reads_real(self) -> bool:
        """Whether the judge reads the real answer; then grading the real answer itself proves nothing in its exam."""
        return "{real}" in self.prompt

    @property
    def in_pairs(self) -> bool:
        """Whether the judge compares two texts; then both orders are always asked."""
        return self.form in ("forced_choice", "pairwise")

    def metrics(self, masked: bool = False) -> list[str]:
        """The names of the judge's metrics, as `judge_content_recall`."""
        return [judge_metric(self.name, criterion, masked) for criterion in CRITERIA[self.form]]


def _braced(fields: set[str]) -> str:
    return ", ".join(f"{{{f}}}" for f in sorted(fields))


def read_rubric(path: Path) -> Rubric:
    """Read the rubric in a file. Raises DataError with everything that is wrong with it."""
    rubric = read_model(path, Rubric)
    if rubric.name != path.stem:
        raise DataError([f"{path}: its name is {rubric.name!r}, but the file's {path.stem!r}"])
    return rubric


@cache
def shipped() -> Mapping[str, Rubric]:
    """The rubrics of the judges shipped with RATF, by name."""
    return {path.stem: read_rubric(path) for path in sorted(RUBRICS.glob("*.yaml"))}


def rubrics(beside: Path | None = None, files: Sequence[str] = ()) -> dict[str, Rubric]:
    """The rubrics shipped with RATF, those in the folder `judges/` of `beside`, and those in `files` from there, by name.

    A suite's own judge replaces a shipped one of the same name. Raises DataError where a file is no rubric.
    """
    own = sorted((beside / "judges").glob("*.yaml")) if beside else []
    named = [(beside or Path()) / file for file in files]
    return {**shipped(), **{path.stem: read_rubric(path) for path in (*own, *named)}}


def is_rubric_file(text: str) -> bool:
    """Whether a text among a suite's metrics is the file of a judge's rubric."""
    return text.endswith((".yaml", ".yml"))


def metric_names(known: Mapping[str, Rubric]) -> dict[str, list[str]]:
    """The metrics that each short name in a suite stands for: `judge_content` stands for all criteria of that judge."""
    names: dict[str, list[str]] = {}
    for rubric in known.values():
        for masked in (False, True):
            names[judge_metric(rubric.name, masked=masked)] = rubric.metrics(masked)
    return names


def of_metric(name: str, known: Mapping[str, Rubric]) -> tuple[Rubric, str, bool]:
    """A judge metric's rubric, its criterion, and whether people's names are masked.

    Raises KeyError for another name.
    """
    for rubric in known.values():
        for masked in (False, True):
            for criterion, metric in zip(CRITERIA[rubric.form], rubric.metrics(masked), strict=True):
                if metric == name:
                    return rubric, criterion, masked
    raise KeyError(name)
