"""Which tuner tunes a model, by the model's provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.progress import Progress
from raft.types import Tuner


@dataclass(frozen=True)
class TunerKind:
    """One kind of tuner."""

    make: Callable[[Mapping[str, Any], Path, Progress], Tuner]
    """(settings by name, the file where jobs under way are written down, progress) to a tuner. A setting that is not
    this tuner's own is passed over."""
    tuned_name: Callable[[str], str]
    """The name, without the provider, that a model tuned from this base has as far as it is known before the job."""


def _lora(settings: Mapping[str, Any], jobs: Path, progress: Progress) -> Tuner:
    from raft.tuning.lora import LoraSettings, LoraTuner

    own = {name: value for name, value in settings.items() if name in LoraSettings.model_fields}
    return LoraTuner(LoraSettings(**own), progress)


def _openai(settings: Mapping[str, Any], jobs: Path, progress: Progress) -> Tuner:
    """A job of OpenAI's. Learning rate and batch are left to the service, because its own mean something else."""
    from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner

    return OpenAITuner(OpenAISettings(epochs=settings.get("epochs"), seed=settings.get("seed", 0)), jobs)


TUNERS = {
    "local": TunerKind(_lora, lambda base: f"{base}+tuned"),
    "openai": TunerKind(_openai, lambda base: f"ft:{base.removeprefix('ft:')}"),
}
"""Provider to tuner. `provider/model` names a model in suites and commands."""


def tuner_kind(model: str) -> TunerKind:
    """The kind of tuner of a model's provider. Raises RaftError with the providers that have one."""
    provider, _, name = model.partition("/")
    if provider not in TUNERS or not name:
        valid = " or ".join(f"{p}/…" for p in TUNERS)
        raise RaftError(f"nothing here tunes {model!r}; name a model as {valid}")
    return TUNERS[provider]


def tuned_name(model: str) -> str:
    """How a model that is tuned from `model` is called, up to what only the job tells."""
    provider, _, base = model.partition("/")
    return f"{provider}/{tuner_kind(model).tuned_name(base)}"
