"""Stand-ins for models while a run is recorded or replayed: an Inspect model, and an embedder."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from inspect_ai._util.registry import RegistryInfo, set_registry_info
from inspect_ai.model import (
    CachePolicy,
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    ContentText,
    GenerateConfig,
    Logprob,
    Logprobs,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
)

from raft.errors import RaftError
from raft.types import Embedder, Vectors
from ratf.models.recorded.recordings import Request
from ratf.models.recorded.replay import Session
from ratf.models.service import ready
from ratf.models.states import marked_refused
from ratf.suite.study import Study

OPERATIONAL = {
    "adaptive_connections", "attempt_timeout", "batch", "cache", "extra_headers", "max_connections", "max_retries",
    "response_schema", "stream_idle_timeout", "timeout",
}  # fmt: skip
"""The settings that are left out of a recorded request: they do not change a reply, may be secret, or are long."""


class Absent(ModelAPI):
    """A provider in a replay: it has a name, but no weights, no key and no connection."""

    async def generate(self, *_: Any, **__: Any) -> ModelOutput:
        """Raises RaftError. It is never called, because the `Listener` in front of it replies or refuses."""
        raise RaftError(f"a replay asked {self.model_name}")


class Listener(Model):
    """A model whose every reply is recorded, or comes from the recording. `who` says who asks it."""

    def __init__(self, session: Session, name: str, who: str) -> None:
        if session.replaying:
            provider, _, model = name.partition("/")
            api: ModelAPI = Absent(model)
            set_registry_info(api, RegistryInfo(type="modelapi", name=f"ratf/{provider}"))
            super().__init__(api, GenerateConfig())
        else:
            inner = ready(name)
            super().__init__(inner.api, inner.config, inner.model_args)
        self.session, self.asked_name, self.who = session, name, who

    async def generate(
        self,
        input: str | list[ChatMessage],
        tools: Any = (),
        tool_choice: Any = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - as in Inspect
        cache: Any = None,
        on_stream: Any = None,
    ) -> ModelOutput:
        """The reply in the recording, or else that of the model or its cache, which is recorded before it is returned.

        Raises RaftError for a request with tools, and in a replay for one that is not in the recording.
        """
        if tools:
            raise RaftError("requests with tools cannot be recorded")
        messages: list[ChatMessage] = [ChatMessageUser(content=input)] if isinstance(input, str) else list(input)
        resolved = self._resolve_config(config)
        request = _request(self.asked_name, messages, resolved, cache or resolved.cache)
        who = named(self.session.study, self.who, messages)
        number, reply = self.session.take(request, who)
        if reply is None:
            more = {} if cache is None else {"cache": cache}
            output = await super().generate(messages, config=config, **more)
            reply = self.session.keep(request, number, recordable(output), who)
        return as_output(reply)


class HostedEmbedder:
    """A hosted embedder whose vectors are recorded text by text, or come from the recording."""

    def __init__(self, session: Session, name: str, make: Callable[[], Embedder]) -> None:
        self._session, self._name, self._make = session, name, make

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of the texts: float32 of shape (len(texts), d), rows of unit length.

        Raises RaftError in a replay where the vector of a text is not in the recording.
        """
        found: dict[str, Any] = {}
        trouble: RaftError | None = None
        for text in dict.fromkeys(texts):
            try:
                found[text] = self._session.take(self._request(text), "embedding", again=True)[1]
            except RaftError as error:  # go on, so that every text that is not recorded is named
                trouble = error
        if trouble:
            raise trouble
        if missing := [text for text, reply in found.items() if reply is None]:
            for text, vector in zip(missing, self._make().embed(missing), strict=True):
                found[text] = base64.b64encode(vector.astype("<f4").tobytes()).decode()
                self._session.keep(self._request(text), 0, found[text], "embedding")
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        try:
            rows = [np.frombuffer(base64.b64decode(found[text], validate=True), dtype="<f4") for text in texts]
            vectors: Vectors = np.stack(rows).astype(np.float32)
            if not vectors.size or not np.isfinite(vectors).all():
                raise ValueError
        except (ValueError, TypeError):
            raise RaftError(
                f"the recorded vectors of {self._name} are not numbers of one count; record the run again"
            ) from None
        return vectors

    def _request(self, text: str) -> Request:
        return {"kind": "vector", "model": self._name, "messages": [{"role": "text", "content": text.split("\n")}]}


def _request(name: str, messages: Sequence[ChatMessage], config: GenerateConfig, cache: Any) -> Request:
    """A request as it is recorded: all that decides the reply.

    The cache's scopes hold a judge's rubric and the number of the repeat in its exam.
    """
    settings = config.model_dump(mode="json", exclude_none=True, exclude=OPERATIONAL)
    if config.response_schema:
        schema = config.response_schema.json_schema.model_dump_json(exclude_none=True)
        settings["response_schema"] = (
            f"{config.response_schema.name} {hashlib.sha256(schema.encode()).hexdigest()[:12]}"
        )
    scopes = dict(sorted(cache.scopes.items())) if isinstance(cache, CachePolicy) else {}
    said = [{"role": m.role, "content": m.text.split("\n")} for m in messages]
    return {"kind": "chat", "model": name, "config": settings, "scopes": scopes, "messages": said}


def named(study: Study, who: str, messages: Sequence[ChatMessage]) -> str:
    """Who asks, with the id of the held-out question where the last message shows which one it is about."""
    text = messages[-1].text
    about = [e.exchange_id for e in study.held_out if e.question in text or e.answer in text]
    return f"{who}, question {about[0]}" if len(about) == 1 else who


def recordable(output: ModelOutput) -> dict[str, Any]:
    """A reply as it is recorded: without ids and times, which differ from call to call."""
    choice = output.choices[0] if output.choices else None
    found: dict[str, Any] = {"text": output.completion.split("\n")}
    if choice:
        found["stop_reason"] = choice.stop_reason
    if output.usage:
        found["usage"] = output.usage.model_dump(mode="json", exclude_none=True)
    if output.error:
        found["error"] = output.error
    if marked_refused(output):
        found["refused"] = True
    if choice and choice.logprobs:
        # a judge's choice is the first token; the alternatives of later tokens are not kept
        found["tokens"] = [
            {"token": [t.token, t.logprob], "top": [] if i else [[p.token, p.logprob] for p in t.top_logprobs or []]}
            for i, t in enumerate(choice.logprobs.content)
        ]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def as_output(reply: dict[str, Any]) -> ModelOutput:
    """A recorded reply as Inspect's output of a model."""
    tokens = reply.get("tokens")
    text = "\n".join(reply["text"])
    content = [ContentText(text=text, refusal=True)] if reply.get("refused") and text else text
    choice = ChatCompletionChoice(
        message=ChatMessageAssistant(content=content, source="generate"),
        stop_reason=reply.get("stop_reason", "unknown"),
        logprobs=Logprobs(content=[_token(t["token"], t["top"]) for t in tokens]) if tokens is not None else None,
    )
    usage = ModelUsage(**reply["usage"]) if "usage" in reply else None
    choices = [choice] if "stop_reason" in reply else []
    return ModelOutput(choices=choices, usage=usage, error=reply.get("error"))


def _token(said: tuple[str, float], top: list[tuple[str, float]]) -> Logprob:
    return Logprob(token=said[0], logprob=said[1], top_logprobs=[TopLogprob(token=t, logprob=p) for t, p in top])
