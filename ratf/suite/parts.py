"""The parts of a suite and the names that may stand in it; `ratf/suite/suite.py` puts them together."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from raft.errors import RaftError
from ratf.suite.arms import ARMS, CONTROLS
from ratf.suite.metrics import METRICS, is_judged, is_own
from ratf.suite.rubric import Rubric, metric_names, of_metric, rubrics
from ratf.suite.serving import as_local, by_vllm


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

    So must one that vLLM serves from this machine. An adapter after `+` must exist. The names of other providers pass.
    Otherwise the check raises ValueError.
    """

    def check(name: str) -> str:
        from raft.models.weights import PINNED, adapter_folder, model_folder

        provider, _, model = as_local(name).partition("/")
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
    """The judges that a suite may name, by name: those shipped with RATF, those beside the suite's file, and those whose
    files are among its metrics."""
    return rubrics((info.context or {}).get("folder"), info.data.get("rubric_files") or ())


def _metric_name(name: str, info: ValidationInfo) -> str:
    short = metric_names(_judges(info))
    valid = [*METRICS, *short]
    if is_own(name):  # the suite as a whole checks that it has such a metric
        return name
    if name not in valid and not any(name in metrics for metrics in short.values()):
        raise ValueError(
            f"no metric is called {name!r}; there are: {', '.join(valid)}; one of your own is FILE.py@function, and a "
            "judge of your own FILE.yaml"
        )
    return name


def _declared_name(name: str, info: ValidationInfo) -> str:
    """A primary metric's name; whether the suite has a judge of this name, it checks as a whole."""
    return name if is_judged(name) else _metric_name(name, info)


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
DeclaredName = Annotated[str, AfterValidator(_declared_name)]
AllCriteria = AfterValidator(_all_criteria)
Needed = BeforeValidator(_needed)


class SuitePart(BaseModel):
    """The base of every part of a suite.

    An unknown key is refused: a misspelt setting would silently have no effect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class SplitSettings(SuitePart):
    """How the interviews are split into those that are learnt from and those that are held out."""

    held_out_interviews: int = Field(6, ge=1)
    """The number of the newest interviews that are held out, whole."""
    questions: int | None = Field(None, ge=1)
    """The number of held-out questions that are asked, evenly spaced; without it, all of them."""
    training_exchanges: int | None = Field(None, ge=1)
    """The greatest number of training exchanges, the newest before the first held-out interview; without it, all."""


class MemorySettings(SuitePart):
    """How passages of the writings become memories."""

    k: int = Field(3, ge=1)
    """The number of passages that a question recalls."""
    chunk_tokens: int = Field(96, ge=16)
    """The length of a passage, in tokens, about."""
    rephraser: RephraserName = "extractive"
    """What turns a passage into a memory: `extractive` takes sentences of it; a chat model, as provider/model, rewords it."""
    gate: float = Field(0.3, ge=-1, le=1)
    """The least cosine with the question that one sentence of a passage must have; otherwise it becomes no memory."""
    hindsight: bool = False
    """Whether to measure what each memory of a held-out question was worth to the real answer. It changes no memory."""
    hindsight_filter: bool = False
    """Whether memories that were worth nothing to the real answer are left out of the training samples."""
    chroma: str | None = None
    """The URL of a Chroma server; by default the store is in the run's folder."""


class TrainingSettings(SuitePart):
    """How the tuned arms are tuned."""

    tuner: Literal["lora", "trl"] = Field("lora", exclude_if=lambda name: name == "lora")
    """What tunes a model on this machine: RATF's own loop, or TRL's `SFTTrainer` (`pip install 'ratf-eval[trl]'`).

    The value `lora` is left out when a suite is written, so that suites from before this setting keep their digest.
    """
    rank: int = Field(16, ge=1)
    """The rank of the low-rank adapter (LoRA)."""
    alpha: int = Field(32, ge=1)
    """The scale of the adapter, divided by its rank."""
    layers: int | None = Field(None, ge=1)
    """The number of top layers that are tuned; without it, all layers."""
    learning_rate: float = Field(3e-4, gt=0)
    """The learning rate of tuning."""
    epochs: int = Field(1, ge=1)
    """How often tuning goes through all training samples."""
    batch: int = Field(4, ge=1)
    """The number of training samples in one step."""
    validation_interviews: int = Field(0, ge=0)
    """The number of newest training interviews that are not learnt. Their loss is measured, to stop in time."""
    evaluations: int = Field(4, ge=1)
    """How often in an epoch the loss of the validation interviews is measured."""
    patience: int = Field(3, ge=1)
    """Tuning stops when that loss was not the lowest so far as many times in a row."""


class AnswerSettings(SuitePart):
    """How every arm answers."""

    context_tokens: int = Field(512, ge=64)
    """The greatest length of the prompt, in tokens; earlier exchanges fill what is left."""
    history: Literal["teacher_forced", "free_running", "none"] = "teacher_forced"
    """The earlier answers in the prompt: the person's real ones, the agent's own, or none.

    Tuning reads the real ones.
    """
    max_words: int = Field(120, ge=20)
    """The greatest number of words of a training answer, which is cut at a sentence's end."""
    max_tokens: int = Field(160, ge=8)
    """The greatest length of an answer, in tokens; a longer one is cut, and reported as cut."""
    temperature: float = Field(0.7, ge=0)
    """The randomness of answers: 0 always takes the likeliest token."""
    top_p: float = Field(0.9, gt=0, le=1)
    """Only the likeliest tokens with this total probability are sampled from."""
    frequency_penalty: float = Field(0.3, ge=-2, le=2)
    """How much a token is held back for each time that the answer has it already."""
    samples: int = Field(1, ge=1, exclude_if=lambda n: n == 1)
    """The number of times that an arm answers each question, each time with another seed; controls answer once.

    The value 1 is left out when a suite is written, so that suites from before this setting keep their digest.
    """


class ModelSettings(SuitePart):
    """Which model does what. The suite must name the grader: it is never the model under test by default."""

    base: ChatName = "local/smollm2-135m-instruct"
    """The model that answers and is tuned, as provider/model."""
    serve: Literal["here", "vllm"] = Field("here", exclude=True)
    """Who answers with a base model whose weights are on this machine: the run's own process, or a vLLM server.

    It is not part of the digest, because `base` then begins with `vllm/`.
    """
    embedder: EmbedderName = "local/all-minilm-l6-v2"
    """The model that turns texts into vectors, as local/NAME or openai/NAME."""
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

    @model_validator(mode="before")
    @classmethod
    def _served(cls, raw: Any) -> Any:
        """Writes the provider `vllm` into the base of a suite with `serve: vllm`."""
        if not isinstance(raw, dict) or raw.get("serve") != "vllm":
            return raw
        base = raw.get("base", cls.model_fields["base"].default)
        return {**raw, "base": by_vllm(base) if isinstance(base, str) else base}

    @property
    def weights(self) -> str:
        """The name of the base model by which it is tuned and its tokens are counted, as `local/…` on this machine."""
        return as_local(self.base)


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

    metric: DeclaredName = BOTH[0]
    """The metric that decides; `both` stands for `sentence_coverage` and `style_identity`, one for each axis."""
    second: DeclaredName | None = Field(BOTH[1], exclude_if=lambda name: name is None)
    """The metric of the other axis, for a verdict on two axes."""
    better: str = "raft"
    """The arm that should be ahead."""
    than: str = "baseline"
    """The arm that it is compared with."""

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
