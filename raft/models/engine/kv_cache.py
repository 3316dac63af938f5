"""A cache holds the keys and values of a batch in buffers of their final size.

The cache of transformers grows by a copy for every token, which leaves unused gaps of gigabytes in the C heap.
"""

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer


class Room(DynamicLayer):  # type: ignore[misc]  # transformers has no types
    """The keys and values of one layer, each in a buffer of shape (batch, key heads, tokens, d)."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self._tokens = tokens
        self._buffers: list[torch.Tensor] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values, of shape (batch, key heads, new tokens, d), and return all so far.

        What is returned are views of the buffers. Raises RuntimeError where the buffers have too little room.
        """
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if not self._buffers:
            self.lazy_initialization(key_states, value_states)
            self._buffers = [self._empty(key_states), self._empty(value_states)]
        if end > self._tokens:
            raise RuntimeError(f"a cache with room for {self._tokens} tokens got {end}")
        rows = key_states.shape[0]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:rows, :, start:end] = new
        self._show(rows, end)
        assert self.keys is not None and self.values is not None
        return self.keys, self.values

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat the one row, a beginning that all share, so that there are `repeats` rows."""
        if self._buffers:
            length = self.get_seq_length()
            shared = [buffer[:, :, :length] for buffer in self._buffers]
            self._buffers = [self._empty(part.repeat_interleave(repeats, dim=0)) for part in shared]
            for buffer, part in zip(self._buffers, shared, strict=True):
                buffer[:, :, :length] = part
            self._show(repeats, length)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only the rows of `indices`, which must ascend; they move within the buffers, so nothing is allocated."""
        if self._buffers:
            length = self.get_seq_length()
            for buffer in self._buffers:
                for row, kept in enumerate(indices.tolist()):
                    if row != kept:
                        buffer[row, :, :length] = buffer[kept, :, :length]
            self._show(len(indices), length)

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        batch, heads, _, width = like.shape
        return like.new_empty(batch, heads, self._tokens, width)

    def _show(self, rows: int, length: int) -> None:
        self.keys, self.values = (buffer[:rows, :, :length] for buffer in self._buffers)


def cache_for(config: Any, tokens: int) -> Cache:
    """Return a cache with room for `tokens` tokens for the model of `config`.

    Models with layers that do not attend to all tokens get the cache of transformers.
    """
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or getattr(config, "sliding_window", None):
        return DynamicCache(config=config)
    return Cache(layers=[Room(tokens) for _ in range(config.num_hidden_layers)])
