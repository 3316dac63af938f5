"""The parts of the results that stay plain dictionaries, as whoever reads them relies on them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from raft.errors import describe
from ratf.results.record import FirstProblem


class _Part(FirstProblem):
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
    embedder: str | None = None
    grader: str | list[str] | None = None
    paraphraser: str | None = None


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


class _Memory(_Part):
    text: str


class _Vote(_Part):
    grader: str
    order: str = ""
    value: float | None
    why: str = ""
    answer: Annotated[int, Field(ge=1)] = 1
    prompt: str = ""
    tokens: int = 0


class Given(_Part):
    """An answer that stands in for an agent's. `similarity` is the cosine of the two questions.

    What nobody said has no person, no exchange and no similarity; what is said to every question alike has no similarity.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    person: str = ""
    exchange_id: str = ""
    interview_id: str = ""
    question: str = ""
    similarity: float | None = None

    @property
    def as_answer(self) -> bool:
        """Whether somebody really answered a question with it, this one or one chosen for it; else it was made up."""
        return self.similarity is not None

    @property
    def interview(self) -> str | None:
        """The person and the interview in which it was said."""
        return f"{self.person}/{self.interview_id}" if self.interview_id else None


class _About(_Part):
    votes: list[_Vote] = []


class _Environment(_Part):
    ratf: str


class _Times(_Part):
    finished: str
    total: float
    seconds: dict[str, float] = {}


MOST_SETTINGS, MOST_LETTERS = 10_000, 2**20
"""The greatest number of a suite's settings in results, and of the characters of all of them."""


def _no_longer_than_a_suite(given: dict[str, Any]) -> dict[str, Any]:
    count = letters = 0
    left: list[Any] = [given]
    while left:
        value = left.pop()
        count += 1
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
        else:
            letters += len(str(value))
        if count > 2 * MOST_SETTINGS or letters > MOST_LETTERS:
            raise ValueError(
                f"more than {MOST_SETTINGS:,} settings, or {MOST_LETTERS:,} characters in them, the most that is read of a suite"
            )
    return given


def _like(part: type[_Part]) -> AfterValidator:
    def check(given: dict[str, Any]) -> dict[str, Any]:
        try:
            part.model_validate(given)
        except ValidationError as error:
            raise ValueError(describe(error)[0]) from None
        return given

    return AfterValidator(check)


SuiteDict = Annotated[dict[str, Any], AfterValidator(_no_longer_than_a_suite), _like(_Suite)]
PersonDict = Annotated[dict[str, Any], _like(_Person)]
HeldOutDict = Annotated[dict[str, Any], _like(_HeldOut)]
TrainingDict = Annotated[dict[str, Any], _like(_Training)]
MetricDict = Annotated[dict[str, Any], _like(_Metric)]
MemoryDict = Annotated[dict[str, Any], _like(_Memory)]
VoteDict = Annotated[dict[str, Any], _like(_Vote)]
GivenDict = Annotated[dict[str, Any], _like(Given)]
AboutDict = Annotated[dict[str, Any], _like(_About)]
EnvironmentDict = Annotated[dict[str, str], _like(_Environment)]
TimesDict = Annotated[dict[str, Any], _like(_Times)]
