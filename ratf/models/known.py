"""Whether a suite's models exist, before anything is spent on a run that could not end."""

import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import entry_points
from importlib.util import find_spec

from raft.errors import DataError, RaftError
from raft.models.weights import find
from raft.tuning.tuners import lacking as lacking_tuner
from ratf.suite.study import Study
from ratf.suite.suite import EMBEDDED_ONLY

PROVIDERS = frozenset(
    {
        "anthropic",
        "azureai",
        "bedrock",
        "cloudflare",
        "deepseek",
        "fireworks",
        "google",
        "grok",
        "groq",
        "hf",
        "hf-inference-providers",
        "litellm-proxy",
        "llama-cpp-python",
        "meta",
        "mistral",
        "mockllm",
        "moonshot",
        "nnterp",
        "none",
        "ollama",
        "openai",
        "openai-api",
        "openai-api-completions",
        "openrouter",
        "perplexity",
        "sagemaker",
        "sambanova",
        "sglang",
        "together",
        "transformer_lens",
        "vllm",
        "vllm-completions",
    }
)
"""Inspect's own providers, so that a plan need not load Inspect, which takes seconds."""


def must_be_known(study: Study, to_run: bool) -> None:
    """Raises DataError, with the suite's lines, for models that nobody offers; no model is asked, no weights are read.

    With `to_run`, each must also be ready to be asked: its package is there, and its key is set. A plan needs no key.
    """
    problems = []
    for name in dict.fromkeys(_named(study)):
        if trouble := _trouble(name, to_run):
            problems.append(f"{_place(study, name)}: {trouble}")
    embedder = study.suite.models.embedder
    if embedder.startswith("local/"):
        try:
            find(embedder.removeprefix("local/"))
        except RaftError as error:
            problems.append(f"{_place(study, embedder)}: {error}")
    if to_run and (lacks := lacking(study)):
        problems.append(lacks)
    if to_run and (lacks := lacking_tuner(study.suite.training.model_dump())):
        problems.append(f"{_place(study, 'tuner:')}: {lacks}")
    if problems:
        raise DataError(problems)


LOCAL = ("torch", "transformers", "peft", "safetensors", "gguf", "bert_score")
"""The packages that the extra `local` brings, by the names of their imports."""


def lacking(study: Study) -> str:
    """What the suite asks for that needs packages which are not installed here, in a sentence; empty where nothing does.

    Nothing is imported for it.
    """
    missing = next((name for name in LOCAL if not _installed(name)), None)
    if missing is None:
        return ""
    suite = study.suite
    models = [name for name in dict.fromkeys([*_named(study), suite.models.embedder]) if name.startswith("local/")]
    metrics = [name for name in suite.metrics if name in EMBEDDED_ONLY or suite.facts[name].reads == "inference"]
    needed = {"models": models, "metrics": metrics}
    if suite.memories.hindsight or suite.memories.hindsight_filter:
        needed["memories"] = ["hindsight"]
    told = "; ".join(f"{what} {', '.join(names)}" for what, names in needed.items() if names)
    if not told:
        return ""
    place = _place(study, models[0]) if models else str(study.path or suite.name)
    return (
        f"{place}: {missing} is not installed here, and the suite needs it for {told}. Install it from RATF's folder with "
        "pip install 'FOLDER[local]'; or name hosted models, as openai/<model>, and metrics without these"
    )


def _installed(name: str) -> bool:
    """Whether a package could be imported. One that is there and set to None in `sys.modules` is not."""
    try:
        return find_spec(name) is not None
    except ValueError:
        return False


def _named(study: Study) -> Iterator[str]:
    models, rephraser = study.suite.models, study.suite.memories.rephraser
    yield models.base
    yield from (arm.model for arm in study.suite.own if arm.model)
    yield from study.suite.graders
    if "paraphrase" in study.suite.controls and models.paraphraser:
        yield models.paraphraser
    if "/" in rephraser:
        yield rephraser


def _trouble(name: str, to_run: bool) -> str:
    """Why a model cannot be asked; empty where it can. Without Inspect, the suite has checked what is `local`."""
    if not to_run and "inspect_ai" not in sys.modules:
        provider = name.partition("/")[0]
        others = [e for e in entry_points(group="inspect_ai") if e.name != "ratf"]
        return "" if provider in {"local", *PROVIDERS} or others else _no_provider(name)
    from inspect_ai.model import get_model

    try:
        with redirect_stdout(io.StringIO()):  # Inspect greets on stdout, where only the verdict belongs
            get_model(name)
    except ModuleNotFoundError as error:
        return "" if (error.name or "").partition(".")[0] in LOCAL else f"{name}: {_line(error)}"  # `lacking` says more
    except RaftError as error:
        return str(error)
    except ValueError as error:
        if "not recognized" in str(error):
            return _no_provider(name)
        return f"{name}: {_line(error)}" if to_run else ""
    except Exception as error:  # each provider has errors of its own for a missing package or key
        return f"{name}: {_line(error)}" if to_run else ""
    return ""


def _no_provider(name: str) -> str:
    return (
        f"{name!r}: Inspect has no provider {name.partition('/')[0]!r}; write local/<embedded model>, or another "
        "provider's model, as openai/<model>, anthropic/<model> or openai-api/<service>/<model>"
    )


def _line(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", "") or error).split())[:300]


def _place(study: Study, name: str) -> str:
    """The suite's file, and the line where the model is named in it."""
    if study.path is None:
        return study.suite.name
    lines = study.path.read_text("utf-8").splitlines()
    number = next((n for n, line in enumerate(lines, 1) if name in line), None)
    return f"{study.path}:{number}" if number else str(study.path)
