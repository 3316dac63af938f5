"""A model's tokens are counted, and its commands are taken out of texts, without reading the model's weights."""

from collections.abc import Callable, Iterable
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


@cache
def commands(folder: Path) -> tuple[str, ...]:
    """Return the marks, such as `<|im_end|>`, that are commands to the model of a folder; none without a tokenizer."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        return ()
    return tuple(str(token.content) for token in Tokenizer.from_file(str(file)).get_added_tokens_decoder().values())


def without(marks: Iterable[str], text: str) -> str:
    """Return `text` with a space inside each of the marks, so that none of them commands the model."""
    for mark in marks:
        text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
    return text
