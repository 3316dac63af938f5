"""The `local/…` provider of Inspect: requests that are made at the same time are answered in batches."""

import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

import anyio.lowlevel
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from raft.errors import RaftError
from raft.models.cores import return_freed_memory
from raft.models.local import Generated, LocalModel
from raft.models.names import ANSWERS
from raft.models.sampling import Sampling
from raft.models.weights import adapter_folder, find, model_folder
from raft.types import Message
from ratf.models.chat import EVERY_REQUEST

DEFAULT_MAX_TOKENS = 256


class LocalAPI(ModelAPI):
    """The provider of `local/<model>` and `local/<model>+<adapter digest>`. The first request reads the weights.

    Raises RaftError where the model is no chat model, or where model or adapter do not exist.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        api_key_vars: list[str] | None = None,
        config: GenerateConfig | None = None,
    ) -> None:
        # the address is part of the key of Inspect's cache
        super().__init__(model_name, ANSWERS, api_key, api_key_vars or [], config or GenerateConfig())
        base, _, adapter = model_name.partition("+")
        if "/" in base:
            model_folder(base)  # raises RaftError where there is no such folder
        elif find(base).kind != "chat":
            raise RaftError(f"{base} is an embedder; it cannot answer")
        if adapter:
            adapter_folder(adapter)

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """The next message, with its usage and, where asked for, the log probabilities of its tokens.

        Raises RaftError for a request with tools.
        """
        if tools:
            raise RaftError(f"local/{self.model_name} cannot call tools")
        messages = [Message(role=m.role, content=m.text) for m in input if m.role != "tool"]
        answer = await batcher().ask(self.model_name, messages, _sampling(config))
        choice = ChatCompletionChoice(
            message=ChatMessageAssistant(content=answer.text, model=self.model_name, source="generate"),
            stop_reason="stop" if answer.stopped else "max_tokens",
            logprobs=_logprobs(answer) if config.logprobs else None,
        )
        total = answer.input_tokens + answer.output_tokens
        usage = ModelUsage(input_tokens=answer.input_tokens, output_tokens=answer.output_tokens, total_tokens=total)
        return ModelOutput(model=self.model_name, choices=[choice], usage=usage)

    def max_connections(self) -> int:
        """The number of connections, which holds nothing back: requests are sorted into batches later."""
        return EVERY_REQUEST

    def connection_key(self) -> str:
        """The key of the connections, one for all local models, because they share the device."""
        return "local"


def _sampling(config: GenerateConfig) -> Sampling:
    return Sampling(
        max_tokens=config.max_tokens or DEFAULT_MAX_TOKENS,
        temperature=1.0 if config.temperature is None else config.temperature,
        top_p=1.0 if config.top_p is None else config.top_p,
        frequency_penalty=config.frequency_penalty or 0.0,
        presence_penalty=config.presence_penalty or 0.0,
        seed=config.seed,
        top_logprobs=(config.top_logprobs or 1) if config.logprobs else 0,
    )


def _logprobs(answer: Generated) -> Logprobs:
    return Logprobs(
        content=[
            Logprob(token=t[0][0], logprob=t[0][1], top_logprobs=[TopLogprob(token=x, logprob=p) for x, p in t])
            for t in answer.logprobs
        ]
    )


@dataclass
class _Request:
    model: str
    messages: list[Message]
    sampling: Sampling
    token: object
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Generated | None = None
    error: Exception | None = None


class Batcher:
    """A batcher gathers requests until no more come, then answers them model by model on its own thread.

    Because it waits until no more come, the batches, and with them the answers, are the same from run to run.
    """

    def __init__(self) -> None:
        self._waiting: list[_Request] = []
        self._arrivals = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._models: dict[str, LocalModel] = {}
        self._changing = threading.Lock()
        threading.Thread(target=self._work, name="local models", daemon=True).start()

    async def ask(self, model: str, messages: list[Message], sampling: Sampling) -> Generated:
        """The model's answer, once its batch is done. Raises the error that stopped the batch."""
        request = _Request(model, messages, sampling, anyio.lowlevel.current_token())
        with self._lock:
            self._waiting.append(request)
            self._arrivals += 1
        await self._quiet()
        self._wake.set()
        await request.done.wait()
        if request.error is not None:
            raise request.error
        assert request.answer is not None
        return request.answer

    async def _quiet(self) -> None:
        """Return once no request has come for twenty turns of the event loop, half a second in all."""
        seen = -1
        while seen != self._arrivals:
            seen = self._arrivals
            for _ in range(20):
                await anyio.sleep(0.025)

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                requests, self._waiting = self._waiting, []
            for model, group in groupby(sorted(requests, key=lambda r: r.model), key=lambda r: r.model):
                self._answer(model, list(group))

    def _answer(self, model: str, requests: list[_Request]) -> None:
        try:
            for index, answer in self._stream(model, requests):
                requests[index].answer = answer
                _tell(requests[index])
        except Exception as error:
            for request in requests:
                if request.answer is None:
                    request.error = error
                    _tell(request)

    def _stream(self, model: str, requests: list[_Request]) -> Iterator[tuple[int, Generated]]:
        return self.model(model).stream([r.messages for r in requests], [r.sampling for r in requests])

    def model(self, name: str) -> LocalModel:
        """The model of this name, the only one that is kept: the one that was asked before is let go first.

        The arms take turns, so a second one would lie idle, and a run would need more memory for each arm.
        """
        with self._changing:
            if name not in self._models:
                self._models.clear()
                gc.collect()  # a model refers to itself
                return_freed_memory()
                self._models[name] = LocalModel(name)
            return self._models[name]


def _tell(request: _Request) -> None:
    try:
        anyio.from_thread.run_sync(request.done.set, token=request.token)  # type: ignore[arg-type]
    except RuntimeError:
        return  # its event loop has ended, so nobody waits for the answer


@cache
def batcher() -> Batcher:
    """The only batcher of the process, because there is only one device."""
    return Batcher()
