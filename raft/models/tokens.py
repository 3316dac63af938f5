"""The tokens of a text are counted as a model counts them, without reading the model's weights."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from raft.models.weights import PINNED, fetch
from raft.progress import Progress, silent
from raft.text import estimated_tokens


@cache
def token_counter(model: str, progress: Progress = silent) -> Callable[[str], int]:
    """Return a function that counts a text's tokens as `model` does: an embedded model, or a model's folder.

    For any other model it counts a token for every four characters.
    """
    file = (fetch(model, progress) if model in PINNED else Path(model)) / "tokenizer.json"
    if not file.is_file():
        return estimated_tokens
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
