"""Attention for one new token at a time on a CPU, where torch's fused kernel takes ten times as long as two products."""

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
    """Grouped-query attention without repeating keys and values (Ainslie et al. 2023, arXiv 2305.13245).

    query: (batch, heads, 1, d); key, value: (batch, key heads, length, d). More than one query token goes to torch's
    own kernel. Returns (batch, 1, heads, d).
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
    """Let `model` attend this way."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
