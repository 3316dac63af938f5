"""How long a text is for a model of a suite, told without fetching it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raft.openai_format import estimated_tokens
from raft.prompts import MESSAGE_OVERHEAD
from raft.tokens import token_counter
from raft.types import Message
from raft.weights import PINNED, ready


@dataclass(frozen=True)
class Counted:
    """`exact` says whether the tokens are the model's own."""

    tokens: Callable[[str], int]
    exact: bool

    def messages(self, messages: Sequence[Message]) -> int:
        """Of a prompt, with what a chat template adds."""
        return sum(self.tokens(m["content"]) + MESSAGE_OVERHEAD for m in messages)


def counter(model: str) -> Counted:
    """The tokenizer of an embedded model that is here; for any other, four characters are a token."""
    name = model.removeprefix("local/").partition("+")[0]
    if model.startswith("local/") and name in PINNED and ready(name):
        return Counted(token_counter(name), exact=True)
    return Counted(estimated_tokens, exact=False)
