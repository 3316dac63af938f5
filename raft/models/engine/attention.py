"""Attention for one new token at a time on a CPU is two matrix products; torch's fused kernel is ten times slower."""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "grouped_decode"


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Compute grouped-query attention (Ainslie et al. 2023, arXiv 2305.13245) without repeating keys and values.

    `query` has shape (batch, heads, 1, d), `key` and `value` have (batch, key heads, length, d). Returns the attended
    values, of shape (batch, 1, heads, d), and None in place of the weights. With more than one query token torch's own
    kernel is used.
    """
    batch, heads, tokens, width = query.shape
    if tokens > 1:
        attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
        return attended
    grouped = query.view(batch, key.shape[1], heads // key.shape[1], width)
    scores = torch.matmul(grouped, key.transpose(2, 3)).float() * (scaling or width**-0.5)
    if attention_mask is not None:
        hidden = attention_mask.logical_not() if attention_mask.dtype == torch.bool else attention_mask < -1
        scores = scores.masked_fill(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1).to(value.dtype)
    return torch.matmul(weights, value).view(batch, 1, heads, width), None


def use_for(model: Any) -> None:
    """Make `model` compute its attention with `attend`."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
