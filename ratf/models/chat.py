"""Models by name: chat models are Inspect's, embedders are raft's.

Inspect is imported when a chat model is asked for: it takes a second, and a run with nothing to do needs none.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from raft.models import names
from raft.progress import Progress, silent
from raft.types import Embedder, Message
from ratf.models.metered import MeteredEmbedder
from ratf.models.recorded.replay import session

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, Model

EVERY_REQUEST = 10_000
"""The number of connections that holds no request back: the local provider batches what is asked at the same time."""


def chat_messages(messages: Sequence[Message]) -> "list[ChatMessage]":
    """Messages of raft as messages of Inspect."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    of = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [of[m["role"]](content=m["content"]) for m in messages]


class InspectChat:
    """An Inspect model as raft's `ChatModel`."""

    def __init__(self, model: "Model") -> None:
        self.model = model

    async def generate(self, messages: Sequence[Message]) -> str:
        """The model's next message, as text."""
        output = await self.model.generate(chat_messages(messages))
        return output.completion


_hosted = cache(names.embedder)
_local: dict[str, Embedder] = {}


def _loaded(name: str, progress: Progress) -> Embedder:
    """The embedded encoder of this name, one a process whoever shows its progress; each copy has all of its weights."""
    if name not in _local:
        _local[name] = names.embedder(name, progress)
    return _local[name]


def embedder(name: str, progress: Progress = silent) -> Embedder:
    """The embedder of this name, loaded once a process. The texts of a hosted one are counted by the run's meter.

    While a run is recorded or replayed, a hosted one is recorded or replayed as well.
    """
    listening = session()
    if name.startswith("local/"):
        return _loaded(name, progress)
    made = partial(_metered, name, progress)
    if listening is None:
        return made()
    from ratf.models.recorded.listening import HostedEmbedder

    return HostedEmbedder(listening, name, made)


@cache
def _metered(name: str, progress: Progress) -> Embedder:
    return MeteredEmbedder(name, _hosted(name, progress))


def recorded_model(name: str, who: str) -> "str | Model":
    """A model, ready to be asked, or the `Listener` in its place while a run is recorded or replayed.

    `who` says who asks it. The name of no model stays one.
    """
    listening = session()
    if name == "none/none":
        return name
    if listening is None:
        from ratf.models.service import ready

        return ready(name)
    from ratf.models.recorded.listening import Listener

    return Listener(listening, name, who)
