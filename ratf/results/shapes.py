"""The parts of the results that stay plain dictionaries, as whoever reads them relies on them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from raft.errors import describe


class _Part(BaseModel):
    """What must be in a part; it may hold more, which other versions wrote. Nothing is converted."""

    model_config = ConfigDict(extra="allow", strict=True)


ArmWord = Annotated[str, Field(pattern=r"^\w[\w-]{0,99}$")]
"""A name that can stand in a rule, so that none is read as another rule or as none."""


class _Primary(_Part):
    metric: str
    better: ArmWord
    than: ArmWord
    second: str | None = None


class _Named(_Part):
    name: str


class _Answers(_Part):
    samples: Annotated[int, Field(ge=1)] = 1


class _Models(_Part):
    base: str


class _Suite(_Part):
    name: str
    primary: _Primary
    models: _Models
    seed: int
    arms: list[str] = []
    own: list[_Named] = []
    metrics: list[str] = []
    impostors: list[str] = []
    answers: _Answers = _Answers()
    exam: dict[str, Any] = {}
    memories: dict[str, Any] = {}
    people: dict[str, dict[str, Any]] = {}
    rubrics: dict[str, dict[str, Any]] | None = None


class _Person(_Part):
    key: str
    name: str


class _Interview(_Part):
    title: str
    date: str | None
    source: str
    n: int


class _HeldOut(_Part):
    questions: Annotated[int, Field(ge=0)]
    since: str | None = Field(alias="from")
    interviews: list[_Interview]


class _Training(_Part):
    exchanges: int
    earlier_exchanges: int
    documents: int
    left_out: dict[str, int]


class _Metric(_Part):
    family: str
    words: str
    better: Literal["higher", "lower"] | None
    top: float | None
    axis: str | None = None


class _Environment(_Part):
    ratf: str


class _Times(_Part):
    finished: str
    total: float
    seconds: dict[str, float] = {}


def _like(part: type[_Part]) -> AfterValidator:
    def check(given: dict[str, Any]) -> dict[str, Any]:
        try:
            part.model_validate(given)
        except ValidationError as error:
            raise ValueError(describe(error)[0]) from None
        return given

    return AfterValidator(check)


SuiteDict = Annotated[dict[str, Any], _like(_Suite)]
PersonDict = Annotated[dict[str, Any], _like(_Person)]
HeldOutDict = Annotated[dict[str, Any], _like(_HeldOut)]
TrainingDict = Annotated[dict[str, Any], _like(_Training)]
MetricDict = Annotated[dict[str, Any], _like(_Metric)]
EnvironmentDict = Annotated[dict[str, str], _like(_Environment)]
TimesDict = Annotated[dict[str, Any], _like(_Times)]
