"""The results of a finished run as one object, from which the page, the file and the exit code are made."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model, read_bytes
from ratf.results.exams import Contamination, Exam, Judging, Made, Repeats, StyleFacts, VoiceFacts
from ratf.results.record import Record
from ratf.results.shapes import (
    EnvironmentDict,
    HeldOutDict,
    MemoryDict,
    MetricDict,
    PersonDict,
    SuiteDict,
    TimesDict,
    TrainingDict,
    VoteDict,
)

if TYPE_CHECKING:
    from pandas import DataFrame

Verdict = Literal["PASS", "REGRESSION", "INCONCLUSIVE", "NOT MEASURED"]
EXIT_CODES: dict[Verdict, int] = {"PASS": 0, "REGRESSION": 1, "INCONCLUSIVE": 2, "NOT MEASURED": 2}
State = Literal["answered", "cut", "refused", "empty", "error"]
"""What became of a question. Only what was answered, also where it was cut at the greatest length, is scored."""


FORMAT = 1
STOPPED = "stopped.txt"
"""The file beside the results that says why a start of the run stopped before its end; the next start removes it."""


MOST_BYTES, MOST_VALUES = 512 * 2**20, 16_000_000
"""The greatest size of a file of results, in bytes and in values of JSON; it may be the size of many bundles."""
OTHER_VERSION = "not the results of a run of this version"


class Cell(Record):
    """The mean of one arm on one metric, over `n` questions of `interviews` interviews, with its 95 % interval.

    `low` and `high` are None where a single interview gives no interval. `unscored` counts what could not be scored.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    interviews: int
    unscored: int
    variance: dict[str, float | None] = {}
    """Of a single score: its `question`, `sample` and `rating` parts, where questions were answered more than once."""
    answers: int = 1
    """How many answers each question's score is the mean of; the fewest, where that differs."""


class ArmResult(Record):
    """The results of one arm or control, with a `Cell` for each metric."""

    kind: Literal["arm", "control"]
    words: str
    model: str
    errors: int
    metrics: dict[str, Cell]
    states: dict[str, int] = {}
    """The number of questions by what became of them, see `State`; empty where it is not known."""
    kinds_of_errors: dict[str, int] = {}
    """The first error of each kind, and how many questions ended in one of that kind."""
    about: dict[str, str] = {}
    """What is known of an agent of the user's own, and what is not; empty for recipes and controls."""
    match: dict[str, float] | None = None
    """The `median` and `lowest` cosine and the number of `poor` matches of a control by nearest question; else None."""


class Contrast(Record):
    """The mean paired difference a - b on one metric, over the questions for which both have a score."""

    metric: str
    family: str
    a: str
    b: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    smallest_detectable: float | None
    n_questions: int
    n_interviews: int
    standardised: float | None = None
    """The difference divided by the standard deviation of the questions' differences (Cohen's d_z)."""
    exact: str = ""
    """The name of the exact test behind `p_exact`, which assumes no distribution; empty where none was made."""
    p_exact: float | None = None
    p_exact_smallest: float | None = None


class Effect(Record):
    """The effect of training or memories on one metric: the mean over questions of Σ weight · score over the arms.

    `mixed` says that the arms do not separate it from the form of training. The rest is as in `Contrast`.
    """

    metric: str
    family: str
    name: str
    kind: Literal["training", "memories", "interaction"]
    words: str
    weights: dict[str, float]
    mixed: bool
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    smallest_detectable: float | None
    n_questions: int
    n_interviews: int
    standardised: float | None = None


class Attribution(Record):
    """The effects of training and of memories on every metric. `words` says what the arms can and cannot separate."""

    words: str
    effects: list[Effect]


class Skill(Record):
    """The skill score of an arm on an admitted metric: (arm - floor) / (ceiling - floor).

    `skill`, `low` and `high` are None where it cannot be given; `reason` then says why.
    """

    metric: str
    arm: str
    skill: float | None
    low: float | None
    high: float | None
    floor: float
    ceiling: float
    n: int
    interviews: int
    reason: str = ""
    above_ceiling: bool = False
    """Whether the arm scores more than the person's own answers do, which makes it no better a replica: skill over 1."""


class AxisVerdict(Record):
    """The verdict on one axis: on the primary comparison's metric of it."""

    metric: str
    axis: str
    verdict: Verdict
    sentence: str


class SecondLook(Record):
    """A second reading of the primary comparison, which a PASS has to stand, too. Numbers are natural: first arm - other."""

    name: Literal["at the floor", "best rival", "above nothing"]
    metric: str = ""
    """The metric that it is about; results from before had one."""
    holds: bool
    """Whether a PASS stands it."""
    words: str
    arm: str = ""
    """The rival."""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n_questions: int = 0
    n_interviews: int = 0
    unscored: dict[str, int] = {}
    """arm → how many of its answers were put at the floor"""


class Scored(Record):
    """One score of one answer. `value` is None where the answer could not be scored; `why` then says why."""

    value: float | None
    why: str = ""
    votes: list[VoteDict] = []
    """The replies of a judge's graders, each with grader, order, value and reason; empty for other metrics."""
    against: dict[str, float] = {}
    """The share won against each other arm, for a pairwise judge; empty for other metrics."""


class Answer(Record):
    """The answer of one arm or control to one question, with the memories that it read and its scores."""

    text: str
    memories: list[MemoryDict]
    source: str
    """Whose answer to which question this is, for a control; empty for an arm."""
    state: State | None = None
    """None where it is not known."""
    scores: dict[str, Scored]


class Question(Record):
    """One held-out question with the real answer and the answers of all arms and controls."""

    id: str
    interview_id: str
    interview: str
    date: str | None
    topic: str = ""
    """What the question asks about; empty where the data do not say it."""
    question: str
    real: str
    answers: dict[str, Answer]


class Example(Record):
    """One training sample as an example: what the model read, then the answer that it learnt.

    Each message is cut to its first words.
    """

    exchange_id: str
    date: str
    turns: list[tuple[str, str]]
    """The messages, each as role and text; the role of the last is `answer`."""


class Tuned(Record):
    """How one arm's model was tuned."""

    arm: str
    digest: str
    """The digest of everything that the adapter was made from."""
    weights: str = ""
    """The digest of the adapter's weights, which may differ on another machine; empty where it is not known."""
    samples: int
    losses: list[float]
    validation: list[tuple[int, float]] = []
    """The loss on the validation interviews, each as (training steps, loss)."""
    example: Example | None = None


class Leak(Record):
    """One leak: something of the held-out interviews that also stands where agents can learn it, or may for all we know."""

    kind: Literal["answer", "interview", "question", "same meaning", "not read"]
    held_out: str
    """The id of the held-out exchange or interview."""
    found_in: str
    amount: float
    """The share of it that was found; a cosine where the kind is `same meaning`; 0 where it is `not read`."""
    words: str


class Leaks(Record):
    """The check for leaks: what was checked, and what was found. A run with leaks goes on only by --allow-leaks."""

    checked: str
    found: list[Leak]


class Filtered(Record):
    """The number of memories that the hindsight filter took out of the training samples, of how many."""

    dropped: int
    of: int


class Retrieval(Record):
    """The worth of the memories of the held-out questions: gains in the real answer's log probability, in nats a token.

    `own` is over the memories that the gate let through, `refused` over those that it did not, `shuffled` over other
    questions' memories in their place, and `difference` is own - shuffled, paired by question. The AUCs say how well
    the gate and the similarity tell passages with a gain above 0 from the others.
    """

    reader: str
    questions: int
    passages: int
    kept: int
    useful: int
    own: Cell
    refused: Cell
    shuffled: Cell
    difference: Cell
    gate_auc: Cell
    similarity_auc: Cell
    filtered: Filtered | None = None


class RoleSpent(Record):
    """The cost of one role of a run, as the answers, the judges' exam or grading.

    `usd` is None where it is not known.
    """

    calls: int
    tokens: int
    usd: float | None


class Spent(Record):
    """The cost of a run over all its starts; a number is None where it is not known.

    `over` says which limit stopped the run, and is empty where none did. Replies from the cache cost nothing, and are
    not counted.
    """

    usd: float | None = None
    tokens: int | None = None
    minutes: float | None = None
    over: str = ""
    limits: dict[str, float] = {}
    """The limits that were set, by the names `usd`, `tokens` and `minutes`."""
    roles: dict[str, RoleSpent] = {}
    estimated: int = 0
    """The number of replies whose tokens are an estimate, because the service did not tell them."""


class Rights(Record):
    """The licence and the consent by which somebody's words may be used; each is empty where it is not stated."""

    licence: str
    consent: str


class Results(Record):
    """Everything that the page of a run says.

    Only `times`, `budget` and `environment` may differ between runs of the same inputs.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    format: int = FORMAT
    """The number of the file's format."""
    suite: SuiteDict
    """The suite with every setting, also those at their default."""
    digest: str
    """The digest of the suite and the data: the same for runs that measure the same."""
    data_digest: str
    """The digest of the people's data."""
    person: PersonDict
    """The person's key, name and introduction."""
    impostors: dict[str, str]
    """The impostors' names, by key."""
    strangers: dict[str, str] = {}
    """The strangers' names, by key."""
    fictional: bool
    """Whether the person is invented."""
    held_out: HeldOutDict
    """The interviews that were held out, and since which day."""
    training: TrainingDict
    """How much there was to learn from."""
    metrics: dict[str, MetricDict]
    """The meaning of each metric of the suite, by name."""
    arms: dict[str, ArmResult]
    """Each arm and control, by name, with its mean on every metric."""
    comparisons: list[Contrast] = Field(alias="contrasts")
    """The contrasts of pairs of arms on every metric.

    Files call them `contrasts`, which is here the method that returns them as a table.
    """
    verdict: Verdict
    """The verdict on the suite's primary comparison."""
    sentence: str
    """The reason for the verdict, in a sentence."""
    tuned: list[Tuned]
    """The trainings, with their losses."""
    notes: list[str]
    """What a reader should know of the run, one sentence each."""
    leaks: Leaks | None = None
    """Held-out texts that also stand in what was learnt or remembered."""
    contamination: Contamination | None = None
    """What the base model seems to know of the held-out answers already."""
    retrieval: Retrieval | None = None
    """How good the recalled passages are."""
    questions: list[Question]
    """Each held-out question, with every answer, its scores and its memories."""
    environment: EnvironmentDict
    """The versions of Python, of the packages and of the models."""
    times: TimesDict
    """When the run began and ended, and the seconds of each phase."""
    exam: list[Exam] = []
    """Each metric's exam on the axis that it is for."""
    more_exams: list[Exam] = []
    """Those on further axes, of metrics that have some."""
    made: Made | None = None
    """The answers that were made from the real ones for the exams."""
    repeats: Repeats | None = None
    """The questions that were asked in two interviews."""
    prompts_digest: str = ""
    """The digest of all prompts."""
    budget: Spent | None = None
    """The cost of the run, and the limits that were set."""
    skill: list[Skill] = []
    """Each arm's place between floor and ceiling, on the metrics that have both."""
    style: StyleFacts | None = None
    """How the style classifier was made and how well it works."""
    voice: VoiceFacts | None = None
    """What the checks of voice refused, and whom strangers are taken for."""
    judging: Judging | None = None
    """The judges: their exams, their agreement and their cost."""
    attribution: Attribution | None = None
    """What made the difference: the effects of trainings and memories."""
    axes: list[AxisVerdict] = []
    """What the verdict is made of: one on the primary comparison's metric, or two where it is about two axes."""
    second_looks: list[SecondLook] = []
    """What the verdict had to stand besides the primary comparison."""
    replayed: str = ""
    """The recording that the models' replies are from; empty where models were asked."""

    rights: dict[str, Rights] = {}
    """The rights to the words of the person and of each impostor, by key."""
    redacted: str = ""
    """A sentence that says which words were left out of the results; empty where none were."""

    @model_validator(mode="after")
    def _hang_together(self) -> "Results":
        if wrong := next(misfits(self), ""):
            raise ValueError(wrong)
        return self

    @property
    def primary_metrics(self) -> list[str]:
        """The metrics that the verdict is about: one, or one on each of two axes."""
        primary = self.suite["primary"]
        return [m for m in (primary["metric"], primary.get("second")) if m]

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict: 0 for PASS, 1 for REGRESSION, 2 for INCONCLUSIVE and NOT MEASURED."""
        return EXIT_CODES[self.verdict]

    def scores(self) -> "DataFrame":
        """All scores as a tidy table, one row a score.

        Columns: person, arm, control (whether the arm is a control), question, interview, metric, value (NaN where the
        answer could not be scored) and admitted (whether the metric passed its exam; missing where it sits none).
        """
        import pandas as pd

        person, admitted = self.person.get("key", ""), {e.metric: e.admitted for e in self.exam}
        controls = {arm for arm, result in self.arms.items() if result.kind == "control"}
        rows = (
            (person, arm, arm in controls, q.id, q.interview_id, metric, score.value, admitted.get(metric))
            for q in self.questions
            for arm, answer in q.answers.items()
            for metric, score in answer.scores.items()
        )
        columns = ["person", "arm", "control", "question", "interview", "metric", "value", "admitted"]
        kinds = {"control": "bool", "value": "float64", "admitted": "boolean"}
        return pd.DataFrame(rows, columns=columns).astype(kinds)

    def contrasts(self) -> "DataFrame":
        """The paired differences a - b between arms as a tidy table, one row for each pair and metric.

        Columns: person, the fields of `Contrast` (among them metric, a, b, difference, its interval from low to high at
        95 %, p and p_holm, NaN where there is none) and admitted, as in `scores`.
        """
        import pandas as pd

        person, admitted = self.person.get("key", ""), {e.metric: e.admitted for e in self.exam}
        rows = [{"person": person, **c.model_dump(), "admitted": admitted.get(c.metric)} for c in self.comparisons]
        table = pd.DataFrame(rows, columns=["person", *Contrast.model_fields, "admitted"])
        numbers = [name for name, field in Contrast.model_fields.items() if field.annotation == float | None]
        return table.astype({**dict.fromkeys(numbers, "float64"), "admitted": "boolean"})

    def __repr__(self) -> str:
        """The results in one line, because the whole would be every text of the run."""
        about = f"{self.suite.get('name')}, {self.person.get('key')}, {len(self.questions)} questions"
        return f"<Results of {about}: {self.verdict}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """The HTML that Jupyter shows: the verdict, and every arm's mean and interval on the primary metric."""
        from ratf.results.notebook import Row, html

        primary = self.suite.get("primary", {}).get("metric", "")
        words = self.metrics.get(primary, {}).get("words", "")
        rows = [
            Row(arm, result.kind == "control", cell.mean, cell.low, cell.high)
            for arm, result in self.arms.items()
            if (cell := result.metrics.get(primary)) is not None and cell.mean is not None
        ]
        refused = next((e.reason for e in self.exam if e.metric == primary and not e.admitted), "")
        about = f"{self.suite.get('name')}, {self.person.get('name') or self.person.get('key')}: {len(self.questions)} questions"
        said = [
            f"{primary}: {words}. Means with 95 % intervals over interviews." if rows else "",
            f"Not admitted: {refused}." if refused else "",
            f"Replayed: no model was asked; the replies are from {self.replayed}." if self.replayed else "",
            about,
        ]
        return html(self.verdict, self.sentence, rows, [sentence for sentence in said if sentence])


MOST_ARMS, MOST_METRICS = 100, 40
"""The greatest number of arms and controls of a run, and of metrics: pages and boards have a cell for each pair of them."""


def misfits(results: Results) -> Iterator[str]:
    """What of the results names something that is not in them, is there twice, or is counted otherwise than it is."""
    arms, metrics = results.arms.keys(), results.metrics.keys()
    if len(arms) > MOST_ARMS or len(metrics) > MOST_METRICS:
        yield f"{len(arms):,} arms and {len(metrics):,} metrics; at most {MOST_ARMS} arms and {MOST_METRICS} metrics are read"
    for what, of, known in (
        ("suite.primary", results.primary_metrics, metrics),
        ("contrasts", (c.metric for c in results.comparisons), metrics),
        ("contrasts", (arm for c in results.comparisons for arm in (c.a, c.b)), arms),
        ("exam", (e.metric for e in (*results.exam, *results.more_exams)), metrics),
        ("skill", (s.metric for s in results.skill), metrics),
        ("skill", (s.arm for s in results.skill), arms),
        ("axes", (a.metric for a in results.axes), metrics),
        ("arms", (m for arm in results.arms.values() for m in arm.metrics), metrics),
    ):
        strange = sorted({name for name in of if name not in known})
        if strange:
            kind = "metric" if known is metrics else "arm"
            yield f"{what} is about {_quoted(strange)}, which is no {kind} of the run"
    for what, keys in (
        ("questions", (q.id for q in results.questions)),
        ("contrasts", ((c.metric, c.a, c.b) for c in results.comparisons)),
        ("exam", (e.metric for e in results.exam)),
        ("more_exams", ((e.metric, e.axis) for e in results.more_exams)),
        ("skill", ((s.metric, s.arm) for s in results.skill)),
        ("axes", (a.metric for a in results.axes)),
        ("second_looks", ((x.metric, x.name) for x in results.second_looks)),
        ("attribution", ((e.metric, e.name) for e in (results.attribution.effects if results.attribution else ()))),
    ):
        if twice := _twice(keys):
            yield f"{what} has {_quoted(twice)} twice"
    ended: dict[str, int] = {}
    for question in results.questions:
        yield from foreign(results, question)
        for arm, answer in question.answers.items():
            ended[arm] = ended.get(arm, 0) + (answer.state == "error")
    for arm, count in ended.items():
        if arm in arms and results.arms[arm].errors < count:
            yield f"arms.{arm}.errors is {results.arms[arm].errors}, and {count} of its answers ended in an error"


def foreign(results: Results, question: Question) -> Iterator[str]:
    """What a question's answers name that is not in the results."""
    for arm, answer in question.answers.items():
        if arm not in results.arms:
            yield f"question {_quoted([question.id])} has an answer of {_quoted([arm])}, which is no arm of the run"
        elif strange := sorted(answer.scores.keys() - results.metrics.keys()):
            yield f"question {_quoted([question.id])} has a score on {_quoted(strange)}, which is no metric of the run"


def _quoted(names: Iterable[object]) -> str:
    several = [ascii(name)[:80] for name in names]
    return ", ".join(several[:3]) + (f" and {len(several) - 3} more" if len(several) > 3 else "")


def _twice(keys: Iterable[object]) -> list[object]:
    seen: set[object] = set()
    return [key for key in keys if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def save(results: Results, path: Path) -> None:
    """Write the results to a file, whole or not at all. A missing number is null."""
    write_whole(path, dumped(results))


def dumps(results: Results) -> str:
    """The text of `results.json`."""
    return dumped(results).decode()


def dumped(results: Results) -> bytes:
    """The text of `results.json` in UTF-8: as a string, one letter outside of the basic plane makes it four times as large."""
    return TypeAdapter(Results).dump_json(results, indent=1) + b"\n"


DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
"""What every JSON Schema that is written says of itself."""


def schema() -> str:
    """The JSON Schema of `results.json`."""
    return json.dumps({**DIALECT, **Results.model_json_schema()}, indent=1) + "\n"


def load(path: Path) -> Results:
    """Read a `results.json`. Raises RaftError where there is none, or where it is not one of this version."""
    if not path.is_file():
        raise RaftError(f"{path}: no such file; `ratf run` writes it")
    data = read_bytes(path, MOST_BYTES)
    return parse_model(data, Results, f"{path}: {OTHER_VERSION}", MOST_BYTES, MOST_VALUES)
