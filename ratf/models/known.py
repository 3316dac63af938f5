"""Whether a suite's models exist, before anything is spent on a run that could not end."""

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from raft.errors import DataError, RaftError
from raft.models.weights import find
from raft.tuning.tuners import lacking as lacking_tuner
from ratf.suite.arms import ARMS
from ratf.suite.hosted import PACKAGES
from ratf.suite.serving import VLLM, as_local, is_served
from ratf.suite.study import Study
from ratf.suite.suite import EMBEDDED_ONLY, Suite

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


@dataclass(frozen=True)
class Named:
    """A suite and its file, where nobody's words have been read yet."""

    suite: Suite
    path: Path | None


def must_be_known(study: Study | Named, to_run: bool) -> None:
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
    elif to_run and embedder.startswith("openai/") and not os.environ.get("OPENAI_API_KEY"):
        problems.append(f"{_place(study, embedder)}: {embedder}: OPENAI_API_KEY must be set in the environment")
    if to_run and (lacks := lacking(study)):
        problems.append(lacks)
    if to_run and (lacks := lacking_tuner(study.suite.training.model_dump())):
        problems.append(f"{_place(study, 'tuner:')}: {lacks}")
    if problems:
        raise DataError(problems)


LOCAL = ("torch", "transformers", "peft", "safetensors", "gguf", "bert_score")
"""The packages that the extra `local` brings, by the names of their imports."""


def lacking(study: Study | Named) -> str:
    """What the suite asks for that needs packages which are not installed here, in a sentence; empty where nothing does.

    Nothing is imported for it.
    """
    return "\n".join(filter(None, (_without_packages(study), _without_vllm(study))))


def _without_vllm(study: Study | Named) -> str:
    """What the suite would have vLLM answer, where it is neither installed nor served; empty where all is well."""
    names = [name for name in dict.fromkeys(_named(study)) if name.startswith(VLLM)]
    command = shutil.which("vllm") or (Path(sys.executable).parent / "vllm").exists()
    if not names or os.environ.get("VLLM_BASE_URL") or (_installed("vllm") and command):
        return ""
    return (
        f"{_place(study, names[0])}: vLLM is neither installed here nor served, and the suite needs it for "
        f"{', '.join(names)}. Install it on a machine with a GPU (pip install vllm), or name a running server with "
        "VLLM_BASE_URL, or leave `serve: vllm` out and name the base as local/…"
    )


def _without_packages(study: Study | Named) -> str:
    missing = next((name for name in LOCAL if not _installed(name)), None)
    if missing is None:
        return ""
    suite = study.suite
    tuned = [as_local(suite.models.base)] if any(ARMS[arm].training != "none" for arm in suite.arms) else []
    models = [n for n in dict.fromkeys([*_named(study), suite.models.embedder, *tuned]) if n.startswith("local/")]
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


def without_package(study: Study | Named) -> str:
    """The models whose provider's package is not installed here, in a sentence; empty where there are none."""
    told = []
    for name in dict.fromkeys(_named(study)):
        package, module = PACKAGES.get(name.partition("/")[0], ("", ""))
        if package and not _installed(module):
            told.append(f"{_place(study, name)}: {name} needs the package {package}: pip install {package}")
    return "; ".join(told)


def _installed(name: str) -> bool:
    """Whether a package could be imported. One that is there and set to None in `sys.modules` is not."""
    try:
        return find_spec(name) is not None
    except (ValueError, ModuleNotFoundError):  # the latter for a package around it that is not there
        return False


def _named(study: Study | Named) -> Iterator[str]:
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
    if is_served(name):
        from ratf.models.served import trouble

        return trouble(name) if to_run else ""
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
    """The error on one line, without the marks for colours that Inspect puts into it."""
    told = " ".join(str(getattr(error, "message", "") or error).split())
    return re.sub(r"\[/?(?:bold|blue|red|cyan)\]|^ERROR: ", "", told)[:300]


def _place(study: Study | Named, name: str) -> str:
    """The suite's file, and the line where the model is named in it."""
    if study.path is None:
        return study.suite.name
    lines = [line.partition("#")[0] for line in study.path.read_text("utf-8").splitlines()]
    # where vLLM serves a base, the file may name it as local/…, or only say who serves it
    words = [name, as_local(name), *(["serve:"] if name.startswith(VLLM) else [])]
    number = next((n for word in words for n, line in enumerate(lines, 1) if word in line), None)
    return f"{study.path}:{number}" if number else str(study.path)
