"""Models by name: Inspect's for chat, the method's for vectors."""

from collections.abc import Sequence
from functools import cache

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, Model

import raft.models
from raft.progress import Progress, silent
from raft.types import Embedder, Message
from ratf.metered import MeteredEmbedder

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


@cache
def embedder(name: str, progress: Progress = silent) -> Embedder:
    """The embedder of that name, loaded once a process; a hosted one is counted."""
    made = raft.models.embedder(name, progress)
    return made if name.startswith("local/") else MeteredEmbedder(name, made)
