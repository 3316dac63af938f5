"""A suite: one YAML file that says whose answers are tested, how, and what counts."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from raft.errors import DataError, Location
from raft.formats.yaml_file import read_model
from raft.people.folders import PersonKey
from raft.people.person import About
from ratf.content import content
from ratf.suite.arms import ARMS, CONTROLS, NAMED, STRANGER, WRITTEN, Shown
from ratf.suite.metrics import USUAL, Metric, is_own, judge_metric, metric
from ratf.suite.own import WAYS, OwnArm
from ratf.suite.own_metrics import OwnMetric, is_spec, read_metric, unread
from ratf.suite.parts import (
    BOTH,
    AllCriteria,
    AnswerSettings,
    ArmName,
    ControlName,
    ExamSettings,
    MemorySettings,
    MetricName,
    ModelSettings,
    Needed,
    Once,
    Primary,
    SplitSettings,
    SuitePart,
    TrainingSettings,
)
from ratf.suite.rubric import Rubric, is_rubric_file, of_metric

EMBEDDED_ONLY = ("bertscore", "surprise")
"""The usual metrics that read with an embedded model whatever the suite's embedder is: its tokens, their likelihood."""


class Suite(SuitePart):
    """A suite: everything that defines a run, except the data."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """The suite's name. A run is kept in `runs/<name>`."""
    person: PersonKey
    """The person whose answers are tested: the name of a folder of people."""
    impostors: Annotated[list[PersonKey], Once] = Field(min_length=1)
    """Other people, whose real answers give the floor. A score must tell the person from them."""
    strangers: Annotated[list[PersonKey], Once] = Field([], exclude_if=lambda keys: not keys)
    """People who are no impostors: nothing is learnt from them, so that they show what voice makes of somebody new."""
    people: dict[PersonKey, About] = Field({})
    """Who the people are, by key, for people's folders without a `person.yaml`. A list makes the suite one about many people."""
    split: SplitSettings = SplitSettings()
    memories: MemorySettings = MemorySettings()
    training: TrainingSettings = TrainingSettings()
    answers: AnswerSettings = AnswerSettings()
    models: ModelSettings = ModelSettings()
    arms: Annotated[list[ArmName], Once] = NAMED
    """The arms: names of recipes, and agents of one's own."""
    own: list[OwnArm] = Field([], exclude_if=lambda arms: not arms)
    """Arms of the user's own. Written among `arms`, as `{name: mine, answers: FILE}`."""
    grid: Literal["named", "full"] = Field("named", exclude=True)
    """Which arms there are: `full` stands for all twelve.

    It is not part of the digest, because `arms` then lists them.
    """
    controls: Annotated[list[ControlName], Once] = Field(
        [name for name in CONTROLS if name not in (*WRITTEN, STRANGER)]
    )
    """The answers of known quality that every metric must put in order before it counts."""
    own_metrics: list[OwnMetric] = Field([], exclude_if=lambda own: not own)
    """Metrics of the user's own. Written among `metrics`, as `FILE.py@function` or `package/name`, and read from the code."""
    rubric_files: list[str] = Field([], exclude=True)
    """The files of judges. Written among `metrics`, as `FILE.yaml`; `rubrics` then holds what they say."""
    metrics: Annotated[list[MetricName], Once, AllCriteria] = Field([*USUAL, judge_metric("stance")], min_length=1)
    """The metrics.

    A judge's name stands for all its criteria; with `_masked` after it, for a pass without people's names. A metric of
    one's own is `FILE.py@function` from the suite's folder, or `package/name`; a judge of one's own is `FILE.yaml`.
    """
    rubrics: Annotated[dict[str, Rubric], Needed] = Field({}, validate_default=True)
    """The rubrics of the judges that the metrics need.

    They are read from their files, not written by hand, and are part of the digest.
    """
    primary: Primary = Primary()
    exam: ExamSettings = ExamSettings()
    contamination: bool = True
    """Whether the base model is asked what it knows of the held-out answers."""
    allow_undated: bool = False
    """Whether texts without a date are accepted. Nobody can show that such a text is older than a question."""
    seed: int = 0
    """The seed of tuning, sampling and of every draw."""

    @model_validator(mode="before")
    @classmethod
    def _of_one(cls, raw: Any) -> Any:
        """A list of people or a matrix makes another kind of file. Raises ValueError, with what takes it."""
        if isinstance(raw, dict) and (isinstance(raw.get("people"), list) or "matrix" in raw):
            raise ValueError(
                "a list of people or a matrix makes it many runs: `ratf run`, `plan` and `questions` take it, and in "
                "Python ratf.run_sweep"
            )
        return raw

    @model_validator(mode="before")
    @classmethod
    def _reworded(cls, raw: Any) -> Any:
        """Adds the controls `stranger_near` and `paraphrase` to a suite without controls that names what they need."""
        if not isinstance(raw, dict) or "controls" in raw:
            return raw
        bound = isinstance(raw.get("models"), dict) and raw["models"].get("paraphraser")
        more = [STRANGER] * bool(raw.get("strangers")) + ["paraphrase"] * bool(bound)
        return {**raw, "controls": [*cls.model_fields["controls"].default, *more]} if more else raw

    @model_validator(mode="before")
    @classmethod
    def _without_tokens(cls, raw: Any) -> Any:
        """A suite with a hosted embedder that names no metrics has none that needs an embedded model."""
        models = raw.get("models") if isinstance(raw, dict) else None
        embedder = models.get("embedder") if isinstance(models, dict) else None
        if not isinstance(embedder, str) or embedder.startswith("local/") or "metrics" in raw:
            return raw
        return {**raw, "metrics": [name for name in cls.model_fields["metrics"].default if name not in EMBEDDED_ONLY]}

    @model_validator(mode="before")
    @classmethod
    def _of_one_axis(cls, raw: Any) -> Any:
        """A suite that names no primary metric, and one of the usual two among its metrics, is about that one alone."""
        primary = raw.get("primary", {}) if isinstance(raw, dict) else None
        if not isinstance(primary, dict) or "metric" in primary or not isinstance(raw.get("metrics"), list):
            return raw
        usual = [name for name in BOTH if name in raw["metrics"]]
        return {**raw, "primary": {**primary, "metric": usual[0]}} if len(usual) == 1 else raw

    @model_validator(mode="before")
    @classmethod
    def _crossed(cls, raw: Any) -> Any:
        """Writes all arms into a suite with `grid: full`. Raises ValueError where it also names arms."""
        if not isinstance(raw, dict) or raw.get("grid") != "full":
            return raw
        if "arms" in raw:
            raise ValueError(f"grid: full is all {len(ARMS)} arms; leave arms out, or leave grid out")
        return {**raw, "arms": list(ARMS)}

    @model_validator(mode="before")
    @classmethod
    def _of_ones_own(cls, raw: Any) -> Any:
        """Arms of the user's own stand among the others, and are kept apart from the recipes."""
        if not isinstance(raw, dict) or not isinstance(raw.get("arms"), list):
            return raw
        own = [arm for arm in raw["arms"] if isinstance(arm, dict)]
        if not own:
            return raw
        arms = [arm for arm in raw["arms"] if not isinstance(arm, dict)]
        return {**raw, "arms": arms, "own": [*(raw.get("own") or []), *own]}

    @model_validator(mode="before")
    @classmethod
    def _of_own_code(cls, raw: Any, info: ValidationInfo) -> Any:
        """Metrics of the user's own and files of judges stand among the metrics by name, and are read apart.

        The code of a finished run's suite is not run.
        """
        if not isinstance(raw, dict):
            return raw
        context = info.context or {}
        folder, finished = Path(context.get("folder") or "."), bool(context.get("finished"))
        if not finished and (raw.get("own_metrics") or raw.get("rubric_files")):
            raise ValueError(
                "own_metrics and rubric_files are not written here; name FILE.py@function or FILE.yaml among the metrics"
            )
        if not isinstance(raw.get("metrics"), list):
            return raw
        own, files, named = list(raw.get("own_metrics") or []), [], {}
        for spec in dict.fromkeys(m for m in raw["metrics"] if isinstance(m, str)):
            if is_rubric_file(spec):
                if finished and (Path(spec).is_absolute() or ".." in Path(spec).parts):
                    raise ValueError(f"{spec}: a finished run's judge is in the suite's folder")
                files.append(spec)
                named[spec] = judge_metric(Path(spec).stem)
            elif is_spec(spec):
                own.append(unread(spec) if finished else read_metric(spec, folder))
                named[spec] = own[-1].name
        if not named:
            return raw
        primary = raw.get("primary")
        if isinstance(primary, dict):
            primary = {key: named.get(v, v) if isinstance(v, str) else v for key, v in primary.items()}
        metrics = [named.get(m, m) if isinstance(m, str) else m for m in raw["metrics"]]
        more = {"primary": primary} if isinstance(primary, dict) else {}
        return {**raw, **more, "metrics": metrics, "own_metrics": own, "rubric_files": files}

    @property
    def everybody(self) -> list[str]:
        """The keys of the person, the impostors and the strangers."""
        return [self.person, *self.impostors, *self.strangers]

    @property
    def all_arms(self) -> list[str]:
        """The recipes, and the arms of the user's own."""
        return [*self.arms, *(arm.name for arm in self.own)]

    def own_arm(self, name: str) -> OwnArm | None:
        """The arm of that name, where it is one of the user's own."""
        return next((arm for arm in self.own if arm.name == name), None)

    def shown(self, arm: str) -> Shown:
        """The memories that stand in an arm's prompt."""
        own = self.own_arm(arm)
        return own.memories if own else ARMS[arm].memories

    @property
    def recalls(self) -> bool:
        """Whether any arm needs the person's own memories."""
        return any(ARMS[arm].recalls for arm in self.arms) or any(arm.memories == "own" for arm in self.own)

    def times(self, arm: str) -> int:
        """How often an arm or control answers each question; one whose answers are there already has one."""
        own = self.own_arm(arm)
        return self.answers.samples if arm in ARMS or (own and not own.given) else 1

    def digest_with(self, data_digest: str) -> str:
        """The digest that identifies a study: it covers all settings, the judges' rubrics among them, and the data."""
        return hashlib.sha256(f"{self.model_dump_json()}\0{data_digest}".encode()).hexdigest()[:16]

    @property
    def facts(self) -> dict[str, Metric]:
        """What each of the suite's metrics means, in their order; a judge's axis and words are those of its rubric."""
        return {name: self._facts(name) for name in self.metrics}

    def own_metric(self, name: str) -> OwnMetric | None:
        """The metric of that name, where it is one of the user's own."""
        return next((own for own in self.own_metrics if own.name == name), None)

    def _facts(self, name: str) -> Metric:
        if own := self.own_metric(name):
            return own.facts
        facts = metric(name)
        if not facts.judged:
            return facts
        rubric, _, _ = of_metric(name, self.rubrics)
        return replace(facts, axis=rubric.meant, words=rubric.words, reads_real=rubric.reads_real, rubric=rubric.digest)

    @property
    def graders(self) -> list[str]:
        """The names of the models that grade; empty where there are none."""
        grader = self.models.grader
        return [grader] if isinstance(grader, str) else list(grader or [])

    @model_validator(mode="after")
    def _hangs_together(self) -> "Suite":
        if self.person in self.impostors:
            raise ValueError(f"{self.person!r} is the person and cannot be an impostor as well")
        if known := [key for key in self.strangers if key in (self.person, *self.impostors)]:
            raise ValueError(f"{known[0]!r} is the person or an impostor and cannot be a stranger as well")
        unknown = [name for name in self.metrics if is_own(name) and not self.own_metric(name)]
        if unknown:
            raise ValueError(
                f"no metric is called {unknown[0]!r}; one of your own stands among the metrics as FILE.py@function or "
                "package/name"
            )
        if STRANGER in self.controls and not self.strangers:
            raise ValueError(f"{STRANGER} is among the controls, so strangers must name whose answers they are")
        if any(metric(name).judged for name in self.metrics) and not self.models.grader:
            raise ValueError("a judge is among the metrics, so models.grader must name the model that grades")
        if (
            any(not facts.judged and facts.reads == "inference" for facts in map(metric, self.metrics))
            and not self.models.nli
        ):
            raise ValueError("nli is among the metrics, so models.nli must name a model of inference, as local/FOLDER")
        memories = self.memories
        late = self.answers.history == "free_running" and memories.rephraser != "extractive"
        if late and (memories.hindsight or memories.hindsight_filter):
            raise ValueError(
                "hindsight measures memories that are there before the agent answers; free_running with a chat "
                "rephraser has none: use memories.rephraser extractive or answers.history teacher_forced"
            )
        if late and (mine := [arm.name for arm in self.own if arm.memories == "own"]):
            raise ValueError(
                f"memories: own of {', '.join(mine)} are made before anybody answers; free_running with a chat rephraser has "
                "none: use memories.rephraser extractive or answers.history teacher_forced"
            )
        if late and any(ARMS[arm].memories == "shuffled" for arm in self.arms):
            raise ValueError(
                "shuffled memories are those of another question, made before anybody answers; free_running with a chat "
                "rephraser has none: use memories.rephraser extractive or answers.history teacher_forced"
            )
        if self.answers.samples > 1 and self.answers.temperature == 0 and self.models.weights.startswith("local/"):
            raise ValueError(
                f"answers.samples is {self.answers.samples}, but at temperature 0 {self.models.base} gives the same answer "
                "every time: set answers.temperature above 0, or leave answers.samples out"
            )
        if unknown := sorted(self.people.keys() - set(self.everybody)):
            there = ", ".join(self.everybody)
            raise ValueError(f"people describes {', '.join(unknown)}, who is not in the suite; in it: {there}")
        if not self.all_arms:
            raise ValueError(
                f"arms: name one or more: {', '.join(ARMS)}, or one of your own as {{name: mine, answers: FILE}} (or "
                f"with {', '.join(way for way in WAYS if way != 'answers')})"
            )
        twice = sorted({n for n in self.all_arms if self.all_arms.count(n) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is there twice among the arms; name each once")
        if self.primary.better == self.primary.than:
            raise ValueError(f"primary compares {self.primary.better!r} with itself")
        if "paraphrase" in self.controls and not self.models.paraphraser:
            raise ValueError("paraphrase is among the controls, so models.paraphraser must name a chat model")
        for arm in (self.primary.better, self.primary.than):
            if arm not in self.all_arms:
                raise ValueError(f"primary compares {arm!r}, which is not among the arms: {', '.join(self.all_arms)}")
        for name in self.primary.metrics:
            if name not in self.metrics:
                raise ValueError(
                    f"primary compares the arms on {name!r}, which is not among the metrics of the suite; name one of "
                    f"{', '.join(self.metrics)} as primary.metric, or add it"
                )
        axes = [axis for name in self.primary.metrics if (axis := self.facts[name].axis)]
        if len(set(axes)) < len(axes):
            raise ValueError(f"primary.metric and primary.second are both of {axes[0]}; name metrics of two axes")
        return self


def find_suite(name: str | Path) -> Path:
    """The file of a suite, given by its path or by the name of one that comes with the program."""
    shipped = content("benchmarks", f"{name}.yaml")
    path = Path(name)
    if path.is_file():
        return path
    if shipped.is_file():
        return shipped
    there = ", ".join(sorted(p.stem for p in content("benchmarks").glob("*.yaml")))
    raise DataError([f"{name}: no such suite file; the included suites are: {there}"])


def load_suite(path: Path, finished: bool = False) -> Suite:
    """Read and check a suite. Raises DataError with every problem, each with its line.

    `finished`: it is the suite of a run that is over, whose model of inference may be elsewhere.
    """
    return read_model(path, Suite, context={"folder": path.parent, "finished": finished}, place=in_file)


def in_file(raw: Mapping[str, Any], location: Location) -> Location:
    """The location in a suite's file of a value of the suite: `arms` of the file holds recipes and arms of one's own."""
    if location[:1] not in (("arms",), ("own",)) or len(location) < 2 or not isinstance(raw.get("arms"), list):
        return location
    own = location[0] == "own"
    at: list[Location] = [("own", i) for i in range(len(raw.get("own") or []))] if own else []
    at += [("arms", i) for i, arm in enumerate(raw["arms"]) if isinstance(arm, dict) == own]
    return (*at[int(location[1])], *location[2:])
