"""Models by name: Inspect's for chat, the method's for vectors."""

from collections.abc import Sequence
from functools import cache, partial

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, Model

from raft.models import names
from raft.progress import Progress, silent
from raft.types import Embedder, Message
from ratf.models.metered import MeteredEmbedder
from ratf.models.replay import session

EVERY_REQUEST = 10_000
"""The local provider batches what is asked at the same time, so nothing is held back."""


_MESSAGES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def chat_messages(messages: Sequence[Message]) -> list[ChatMessage]:
    """The method's messages as Inspect's."""
    return [_MESSAGES[m["role"]](content=m["content"]) for m in messages]


class InspectChat:
    """Any Inspect model as the method's `ChatModel`."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def generate(self, messages: Sequence[Message]) -> str:
        """The model's next message, as text."""
        output = await self.model.generate(chat_messages(messages))
        return output.completion


_loaded = cache(names.embedder)


def embedder(name: str, progress: Progress = silent) -> Embedder:
    """The embedder of that name, loaded once a process; a hosted one is counted."""
    listening = session()
    if name.startswith("local/"):
        return _loaded(name, progress)
    made = partial(_metered, name, progress)
    if listening is None:
        return made()
    from ratf.models.listening import HostedEmbedder

    return HostedEmbedder(listening, name, made)


@cache
def _metered(name: str, progress: Progress) -> Embedder:
    return MeteredEmbedder(name, _loaded(name, progress))


def recorded_model(name: str, who: str) -> str | Model:
    """A model's name, or while a run is recorded or replayed, what stands in for the model. `who` asks it."""
    listening = session()
    if listening is None or name == "none/none":
        return name
    from ratf.models.listening import Listener

    return Listener(listening, name, who)
