"""The parts of a suite and the names that may stand in it; `ratf/suite/suite.py` puts them together."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from raft.errors import RaftError
from ratf.suite.arms import ARMS, CONTROLS
from ratf.suite.metrics import METRICS, is_judged
from ratf.suite.rubric import Rubric, metric_names, of_metric, rubrics


def _one_of(kind: str, valid: Sequence[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in valid:
            raise ValueError(f"no {kind} is called {name!r}; there are: {', '.join(valid)}")
        return name

    return AfterValidator(check)


ArmName = Annotated[str, _one_of("arm", list(ARMS))]
ControlName = Annotated[
    str, BeforeValidator(lambda name: "yes" if name is True else name), _one_of("control", list(CONTROLS))
]
"""YAML reads a bare `yes` as true; among controls it is the yes-sayer."""


def _model_name(name: str) -> str:
    provider, _, model = name.partition("/")
    if not provider or not model:
        raise ValueError(f"{name!r} is not a model; write provider/model, for instance local/smollm2-135m-instruct")
    return name


def _embedded(kind: str) -> AfterValidator:
    """A validator of models' names: a `local/` one must be an embedded model of this kind, or a chat model's folder.

    An adapter after `+` must exist. The names of other providers pass. Otherwise the check raises ValueError.
    """

    def check(name: str) -> str:
        from raft.models.weights import PINNED, adapter_folder, model_folder

        provider, _, model = name.partition("/")
        base, _, adapter = model.partition("+")
        if provider == "local":
            valid = [n for n, pinned in PINNED.items() if pinned.kind == kind]
            folder = kind == "chat" and "/" in base
            if base not in valid and not folder:
                raise ValueError(f"no embedded {kind} model is called {base!r}; there are: {', '.join(valid)}")
            try:
                model_folder(base) if folder else None
                adapter_folder(adapter) if adapter else None
            except RaftError as error:
                raise ValueError(str(error)) from None
        return name

    return AfterValidator(check)


def _embeds(name: str) -> str:
    if name.partition("/")[0] not in ("local", "openai"):
        raise ValueError(f"{name!r} is no embedder; write local/<embedded model> or openai/<model>")
    return name


def _once(names: list[str]) -> list[str]:
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is there twice; name each once")
    return names


ChatName = Annotated[str, AfterValidator(_model_name), _embedded("chat")]
EmbedderName = Annotated[str, AfterValidator(_model_name), AfterValidator(_embeds), _embedded("embedder")]
Once = AfterValidator(_once)


def _rephraser(name: str) -> str:
    if name == "extractive":
        return name
    if "/" not in name:
        raise ValueError(f"no rephraser is called {name!r}; write extractive, or a chat model as provider/model")
    return name


def _inference(name: str, info: ValidationInfo) -> str:
    """The suite of a finished run is also read where the model is not."""
    if not (info.context or {}).get("finished"):
        from ratf.suite.inference import read_inference

        try:
            read_inference(name)
        except RaftError as error:
            raise ValueError(str(error)) from None
    return name


RephraserName = Annotated[str, AfterValidator(_rephraser), _embedded("chat")]


def _judges(info: ValidationInfo) -> dict[str, Rubric]:
    """The judges that a suite may name, by name: those shipped with RATF and those beside the suite's file."""
    return rubrics((info.context or {}).get("folder"))


def _metric_name(name: str, info: ValidationInfo) -> str:
    short = metric_names(_judges(info))
    valid = [*METRICS, *short]
    if name not in valid and not any(name in metrics for metrics in short.values()):
        raise ValueError(f"no metric is called {name!r}; there are: {', '.join(valid)}")
    return name


def _all_criteria(names: list[str], info: ValidationInfo) -> list[str]:
    """The metrics, with every criterion of each judge that is named: recall is never reported without contradiction."""
    short = metric_names(_judges(info))
    whole = {metric: metrics for metrics in short.values() for metric in metrics} | short
    return list(dict.fromkeys(m for name in names for m in whole.get(name, [name])))


def _needed(given: Any, info: ValidationInfo) -> dict[str, Rubric]:
    if given:
        raise ValueError("rubrics are not written here; put each into a file in the folder judges/ beside the suite")
    known = _judges(info)
    wanted = (of_metric(m, known)[0] for m in info.data.get("metrics", []) if is_judged(m))
    return {rubric.name: rubric for rubric in wanted}


MetricName = Annotated[str, AfterValidator(_metric_name)]
AllCriteria = AfterValidator(_all_criteria)
Needed = BeforeValidator(_needed)


class SuitePart(BaseModel):
    """The base of every part of a suite.

    An unknown key is refused: a misspelt setting would silently have no effect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SplitSettings(SuitePart):
    """How the interviews are split: the newest `held_out_interviews` are held out, whole.

    `questions` is the number of their questions that are asked, evenly spaced; None asks all of them.
    """

    held_out_interviews: int = Field(6, ge=1)
    questions: int | None = Field(None, ge=1)
    training_exchanges: int | None = Field(None, ge=1)
    """The greatest number of training exchanges, the newest before the first held-out interview; None takes all."""


class MemorySettings(SuitePart):
    """How passages of the writings become memories.

    A passage has about `chunk_tokens` tokens, a question recalls `k` of them, and one becomes a memory if one of its
    sentences has at least the cosine `gate` with the question.
    """

    k: int = Field(3, ge=1)
    chunk_tokens: int = Field(96, ge=16)
    rephraser: RephraserName = "extractive"
    """What turns a passage into a memory: `extractive` takes sentences of it; else a chat model, as provider/model."""
    gate: float = Field(0.3, ge=-1, le=1)
    hindsight: bool = False
    """Whether to measure what each memory of a held-out question was worth to the real answer. It changes no memory."""
    hindsight_filter: bool = False
    """Whether memories that were worth nothing to the real answer are left out of the training samples."""
    chroma: str | None = None
    """The URL of a Chroma server; by default the store is in the run's folder."""


class TrainingSettings(SuitePart):
    """How the tuned arms are tuned (see raft.tuning.lora.LoraSettings)."""

    tuner: Literal["lora", "trl"] = Field("lora", exclude_if=lambda name: name == "lora")
    """What tunes a model on this machine: RATF's own loop, or TRL's `SFTTrainer` (`pip install 'ratf-eval[trl]'`).

    The value `lora` is left out when a suite is written, so that suites from before this setting keep their digest.
    """
    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    layers: int | None = Field(None, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    epochs: int = Field(1, ge=1)
    batch: int = Field(4, ge=1)
    validation_interviews: int = Field(0, ge=0)
    """The number of newest training interviews that are not learnt; their loss is taken `evaluations` times an epoch.

    Training stops once that loss was not the lowest yet `patience` times in a row.
    """
    evaluations: int = Field(4, ge=1)
    patience: int = Field(3, ge=1)


class AnswerSettings(SuitePart):
    """How every arm answers.

    `context_tokens` is the greatest length of the prompt; earlier exchanges fill what is left.
    """

    context_tokens: int = Field(512, ge=64)
    history: Literal["teacher_forced", "free_running", "none"] = "teacher_forced"
    """The earlier answers in the prompt: the person's real ones, the agent's own, or none.

    Tuning reads the real ones.
    """
    max_words: int = Field(120, ge=20)
    """The greatest number of words of a training answer, which is cut at a sentence's end."""
    max_tokens: int = Field(160, ge=8)
    temperature: float = Field(0.7, ge=0)
    top_p: float = Field(0.9, gt=0, le=1)
    frequency_penalty: float = Field(0.3, ge=-2, le=2)
    samples: int = Field(1, ge=1, exclude_if=lambda n: n == 1)
    """The number of times that an arm answers each question, each time with another seed; controls answer once.

    The value 1 is left out when a suite is written, so that suites from before this setting keep their digest.
    """


class ModelSettings(SuitePart):
    """Which model does what. The suite must name the grader: it is never the model under test by default."""

    base: ChatName = "local/smollm2-135m-instruct"
    embedder: EmbedderName = "local/all-minilm-l6-v2"
    grader: ChatName | Annotated[list[ChatName], Field(min_length=1), Once] | None = None
    """The model that grades, or a panel of models, whose votes are all kept and whose agreement is reported."""
    replies: Literal["auto", "word", "json"] = "auto"
    """How graders reply: with one word, by next-token probabilities, or with JSON; `auto` goes by the provider."""
    paraphraser: ChatName | None = None
    """The chat model that rewords real answers for the control `paraphrase`."""
    nli: Annotated[str, AfterValidator(_inference)] | None = Field(None, exclude_if=lambda name: name is None)
    """The model of inference that the metric `nli` reads with, as local/FOLDER: a sequence classifier of transformers."""
    knowledge_cutoff: datetime.date | None = None
    """The last day that the base model can have read about; None where it is not known."""


class ExamSettings(SuitePart):
    """What a metric or judge must show in its exam before its scores count."""

    comparisons: int = Field(120, ge=8)
    """How many comparisons a judge is examined on, before it may grade: as many as its questions and controls allow.

    120 admit a judge that is right in 85 % of its replies in at least 9 of 10 exams (see docs/statistics.md).
    """
    margin: float = Field(0.2, gt=0, lt=0.5)
    """The margin of a forced choice: an arm that is taken for the person in 50 % ± margin of choices is equivalent."""
    bar: float = Field(0.6, ge=0.5, lt=1)
    """The bar that the lower end of the interval of a metric's AUC must lie above."""
    poor_match: float = Field(0.3, ge=-1, le=1)
    """The cosine below which a nearest question counts as a poor match."""
    leave_out_poor: bool = False
    """Whether questions with a poor match are left out of the exam."""


BOTH = ("sentence_coverage", "style_identity")
"""What `both` stands for: what is said, and how it sounds."""


class Primary(SuitePart):
    """The one comparison that the verdict is about, declared before the run: arm `better` against arm `than`.

    `metric` is a metric, or `both` for a verdict on two axes: what is said and how it sounds. A PASS on both needs one
    to be better and neither to be worse.
    """

    metric: MetricName = BOTH[0]
    second: MetricName | None = Field(BOTH[1], exclude_if=lambda name: name is None)
    """The metric of the other axis; None where the verdict is about one."""
    better: str = "raft"
    than: str = "baseline"

    @model_validator(mode="before")
    @classmethod
    def _both(cls, raw: Any) -> Any:
        """Writes the two metrics for `both`; one metric that is named alone is the only one."""
        if not isinstance(raw, dict) or "metric" not in raw:
            return raw
        if raw["metric"] != "both":
            return {"second": None, **raw}
        if raw.get("second"):
            raise ValueError("metric: both names two metrics; leave second out, or write metric: with the other one")
        return {**raw, "metric": BOTH[0], "second": BOTH[1]}

    @property
    def metrics(self) -> list[str]:
        """The metrics that the verdict is about, one an axis."""
        return [self.metric, *([self.second] if self.second else [])]
