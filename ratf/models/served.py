"""Models that vLLM answers for, by Inspect's provider `vllm/…`: one server a base, with all of its adapters.

Inspect names these models by folders of this machine. Here they have the names of the suite, `vllm/<base>+<adapter>`,
which stand in logs, results, recordings and the cache's keys.
"""

import atexit
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from inspect_ai._util.registry import RegistryInfo, set_registry_info
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelCall,
    ModelOutput,
    RetryDecision,
    get_model,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tenacity.wait import wait_base

from raft.errors import RaftError
from raft.formats.json_file import read_json
from raft.models.digests import must_be_whole
from raft.models.merging import merged
from raft.models.tokens import commands, without
from raft.models.weights import adapter_folder, model_folder, ready

CONNECTIONS = 256
"""The number of requests at a time, which is how many vLLM takes into a batch by default."""


RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM takes for `max_lora_rank`; a larger one than needed costs speed and memory."""


SERVER = {"host": "127.0.0.1", "generation_config": "vllm", "gpu_memory_utilization": 0.6}
"""The arguments of a server that is started here, unless `VLLM_DEFAULT_SERVER_ARGS` has others.

It is reached from this machine alone, a model's folder sets no sampling of its own, and what is left of the GPU's memory
is for tuning and scores.
"""


ASKED_SECONDS = 5.0
_made: dict[tuple[str, str], "ServedAPI"] = {}


class ServedAPI(ModelAPI):
    """A base, or a base with an adapter, as Inspect's provider of vLLM answers for it."""

    def __init__(self, model_name: str, inner: Any, family: Path) -> None:
        super().__init__(model_name)
        set_registry_info(self, RegistryInfo(type="modelapi", name="ratf/vllm"))
        self.inner, self.family = inner, family
        self._commands = commands(family)

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput | tuple[ModelOutput | Exception, ModelCall]:
        """The next message. No text can end its own message: the marks that would are written with a space in them."""
        for other in _made.values():
            # merged weights are a server of their own, and one GPU has no room for several of a family
            if other.family == self.family and other.inner.base_model != self.inner.base_model:
                other.stop()
        plain = [m.model_copy(update={"content": without(self._commands, m.text)}) for m in input]
        made = await self.inner.generate(plain, tools, tool_choice, config)
        output = made[0] if isinstance(made, tuple) else made
        if isinstance(output, ModelOutput):
            output.model = self.model_name
        return made  # type: ignore[no-any-return]

    def stop(self) -> None:
        """Stop the server if Inspect has started it; the next request starts it again."""
        if self.inner.server_is_running:
            self.inner.close()

    def max_connections(self) -> int:
        """The number of requests at a time."""
        return CONNECTIONS

    def connection_key(self) -> str:
        """The key of the connections: one for each server."""
        return str(self.inner.connection_key())

    def should_retry(self, ex: Exception) -> bool | RetryDecision:
        """Whether a request that failed is made again."""
        return self.inner.should_retry(ex)  # type: ignore[no-any-return]

    def retry_wait(self) -> wait_base | None:
        """How long to wait before a request is made again."""
        return self.inner.retry_wait()  # type: ignore[no-any-return]

    def collapse_user_messages(self) -> bool:
        """Whether user messages in a row are sent as one."""
        return bool(self.inner.collapse_user_messages())

    def collapse_assistant_messages(self) -> bool:
        """Whether assistant messages in a row are sent as one."""
        return bool(self.inner.collapse_assistant_messages())

    async def aclose(self) -> None:
        """Close the connections, and the server if Inspect has started it."""
        await self.inner.aclose()


def served(name: str) -> Model:
    """The model `vllm/<base>` or `vllm/<base>+<adapter>`. Its server is started by the first request.

    Raises RaftError where base or adapter are missing, have changed, or are not what the server of `VLLM_BASE_URL` has.
    """
    url = os.environ.get("VLLM_BASE_URL", "")
    if (name, url) not in _made:
        model = name.partition("/")[2]
        base, _, digest = model.partition("+")
        folder = model_folder(base).absolute()
        inner_name, arguments = _running(url, base, folder, digest) if url else _started(folder, digest)
        inner: Any = get_model(f"vllm/{inner_name}", memoize=False, **arguments).api
        if not any(api.inner.base_model == inner.base_model for (_, at), api in _made.items() if at == url):
            inner.close()  # Inspect knows servers by their base alone, and may hold another one for it
        _made[name, url] = ServedAPI(model, inner, folder)
        if not url:
            _same_arguments(_made[name, url], arguments)
    return Model(_made[name, url], GenerateConfig())


def _started(folder: Path, digest: str) -> tuple[str, dict[str, Any]]:
    """The name by which Inspect has a server started, and the server's arguments."""
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    _end_as_an_exit_does()
    beside = Path(sys.executable).parent
    if shutil.which("vllm") is None and (beside / "vllm").exists():
        os.environ["PATH"] = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    arguments: dict[str, Any] = {k: v for k, v in SERVER.items() if k not in _of_the_user()}
    if not digest:
        return str(folder), arguments
    if (whole := merged(digest)) is not None:
        return str(whole), arguments
    return f"{folder}:{_whole_adapter(digest)}", {**arguments, "enable_lora": True, "max_lora_rank": rank_of(digest)}


def _of_the_user() -> dict[str, Any]:
    try:
        given = json.loads(os.environ.get("VLLM_DEFAULT_SERVER_ARGS") or "{}")
    except ValueError:
        raise RaftError('VLLM_DEFAULT_SERVER_ARGS is no JSON; write for instance {"max_model_len": 4096}') from None
    return given if isinstance(given, dict) else {}


def rank_of(digest: str) -> int:
    """The `max_lora_rank` that an adapter needs: its own rank, or the next one that vLLM takes.

    Raises RaftError where the rank is not known or is greater than vLLM's greatest.
    """
    path = adapter_folder(digest) / "adapter_config.json"
    rank = read_json(path).get("r")
    found = next((r for r in RANKS if isinstance(rank, int) and r >= rank), None)
    if found is None:
        raise RaftError(f"{path}: its rank is {rank!r}; vLLM serves ranks up to {RANKS[-1]}")
    return found


def _whole_adapter(digest: str) -> Path:
    folder = adapter_folder(digest).absolute()
    must_be_whole(folder, "delete the folder, and it is tuned again")
    return folder


def _same_arguments(new: ServedAPI, arguments: dict[str, Any]) -> None:
    """Give all models of one server the arguments that the largest of their adapters needs.

    Whichever of them asks first starts it. One that runs already with less is stopped, and is started again.
    """
    group = [api for (_, url), api in _made.items() if not url and api.inner.base_model == new.inner.base_model]
    most = max(api.inner.server_args.get("max_lora_rank", 0) for api in group)
    for api in group:
        if most and api.inner.server_args.get("max_lora_rank") != most:
            api.stop()
            api.inner.server_args |= {"enable_lora": True, "max_lora_rank": most}


def _running(url: str, base: str, folder: Path, digest: str) -> tuple[str, dict[str, Any]]:
    """The name of a model on the server that runs at `url`: as it lists it, or as the adapter's folder that it loads."""
    listed = models_at(url)
    bases = [m for m in listed if not m.get("parent")]
    names = (base, str(folder), str(folder.resolve()), folder.name)
    mine = [m for m in bases if m.get("id") in names or m.get("root") in names]
    if not mine:
        raise RaftError(
            f"the vLLM server at {url} serves {', '.join(str(m.get('id')) for m in bases) or 'nothing'}, and not {base}; start "
            f"it with vllm serve {folder}"
        )
    name = str(mine[0]["id"])
    if not digest:
        return name, {}
    there = any(m.get("id") == digest and m.get("parent") for m in listed)
    return f"{name}:{digest if there else _whole_adapter(digest)}", {}


def models_at(url: str) -> list[dict[str, Any]]:
    """The models that a running server lists, each with its `id`. Raises RaftError where it cannot be asked."""
    root = url.rstrip("/").removesuffix("/v1")
    headers = {"Authorization": f"Bearer {os.environ.get('VLLM_API_KEY', 'inspectai')}"}
    try:
        reply = httpx.get(f"{root}/v1/models", headers=headers, timeout=ASKED_SECONDS)
        reply.raise_for_status()
        data = reply.json()["data"]
        if not all(isinstance(m, dict) for m in data):
            raise ValueError("it lists no models")
    except httpx.HTTPStatusError as error:
        raise RaftError(
            f"VLLM_BASE_URL: {url} answered {error.response.status_code} when asked for its models"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        raise RaftError(f"VLLM_BASE_URL: no vLLM server replies at {url}; start it, or unset the variable") from None
    except (ValueError, KeyError, TypeError):
        raise RaftError(f"VLLM_BASE_URL: what is at {url} is no vLLM server") from None
    return list(data)


def trouble(name: str) -> str:
    """Why vLLM could not answer as the model: what a running server says; empty where it could. No server is started."""
    url = os.environ.get("VLLM_BASE_URL", "")
    base, _, digest = name.partition("/")[2].partition("+")
    # an embedded model that is not here yet is not fetched for this
    folder = model_folder(base) if "/" in base else ready(base) or Path(base)
    try:
        if url:
            _running(url, base, folder.absolute(), digest)
        elif digest:
            _started(folder, digest)
    except RaftError as error:
        return str(error)
    return ""


@atexit.register
def stop_servers() -> None:
    """Stop the servers that were started here, so that the GPU is free to tune; the next request starts them again."""
    for api in _made.values():
        api.stop()


def _end_as_an_exit_does() -> None:
    """Let SIGTERM, as a scheduler sends it, end this process as an exit does: what must be stopped is stopped."""
    with suppress(ValueError):  # only the main thread may
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
