"""The tuner of a model is chosen by the model's provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.progress import Progress
from raft.types import Tuner


@dataclass(frozen=True)
class TunerKind:
    """A kind of tuner: how a tuner is made, and how the models that it tunes are named."""

    make: Callable[[Mapping[str, Any], Path, Progress], Tuner]
    """A function that makes a tuner from settings by name, the file that records jobs under way, and a progress.

    Settings that this tuner does not have are ignored.
    """
    tuned_name: Callable[[str], str]
    """A function that returns the start of a tuned model's name, as known before tuning, from its base's name.

    Both names are without the provider.
    """


def lacking(settings: Mapping[str, Any]) -> str:
    """Return what the tuner that the settings name needs and is not installed here, in a sentence; else nothing."""
    missing = [name for name in ("trl", "datasets") if settings.get("tuner") == "trl" and find_spec(name) is None]
    return f"the tuner trl needs {' and '.join(missing)}: pip install 'ratf-eval[local,trl]'" if missing else ""


def _lora(settings: Mapping[str, Any], jobs: Path, progress: Progress) -> Tuner:
    """Return the own tuner or, where the setting `tuner` is `trl`, TRL's. Raises RaftError where that is missing."""
    from raft.tuning.lora import LoraSettings, LoraTuner

    own = LoraSettings(**{name: value for name, value in settings.items() if name in LoraSettings.model_fields})
    if settings.get("tuner") != "trl":
        return LoraTuner(own, progress)
    if lacks := lacking(settings):
        raise RaftError(lacks)
    from raft.tuning.trl_tuner import TrlTuner

    return TrlTuner(own, progress)


def _openai(settings: Mapping[str, Any], jobs: Path, progress: Progress) -> Tuner:
    """Return a tuner by a job of OpenAI. Learning rate and batch are left out: they mean something else there."""
    from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner

    return OpenAITuner(OpenAISettings(epochs=settings.get("epochs"), seed=settings.get("seed", 0)), jobs)


TUNERS = {
    "local": TunerKind(_lora, lambda base: f"{base}+tuned"),
    "openai": TunerKind(_openai, lambda base: f"ft:{base.removeprefix('ft:')}"),
}
"""The kind of tuner of each provider; suites and commands name a model as `provider/model`."""


def tuner_kind(model: str) -> TunerKind:
    """Return the kind of tuner of a model's provider. Raises RaftError, which lists the valid ones, for another."""
    provider, _, name = model.partition("/")
    if provider not in TUNERS or not name:
        valid = " or ".join(f"{p}/…" for p in TUNERS)
        raise RaftError(f"nothing here tunes {model!r}; name a model as {valid}")
    return TUNERS[provider]


def tuned_name(model: str) -> str:
    """Return the start of the name of a model tuned from `model`, as far as it is known before tuning.

    Raises RaftError where nothing tunes the model.
    """
    provider, _, base = model.partition("/")
    return f"{provider}/{tuner_kind(model).tuned_name(base)}"
