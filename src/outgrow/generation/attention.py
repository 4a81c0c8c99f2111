"""Attention of one token that is generated to those before it.

Heads that share keys and values are rows of one query: nothing is copied for them, and one product serves them all.
Attention of `transformers` copies keys and values for every head, and on a processor takes 40 to 70 times as long for
32 rows of 60 to 300 tokens (docs/benchmarks.md, section 17). Longer queries go its way.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "outgrow_steps"


def grouped(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as `transformers` calls it.

    Args:
        module: the layer.
        query: (B, heads, Q, D).
        key: (B, heads of keys, T, D).
        value: the same.
        attention_mask: (B, 1, Q, T), or None.
        scaling: of products; 1 / sqrt(D) where not given.
        more: what else a layer says.

    Returns:
        (B, Q, heads, D), and no weights.
    """
    batch, heads, length, size = query.shape
    if length > 1:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)
    shared = heads // key.shape[1]
    if attention_mask is not None:
        attention_mask = attention_mask.expand(-1, -1, shared, -1)
    found = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(batch, key.shape[1], shared, size), key, value, attention_mask, scale=scaling
    )
    return found.reshape(batch, 1, heads, -1), None


AttentionInterface.register(NAME, grouped)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use(net: Any) -> None:
    """Lets a model generate with `grouped`, unless it has an attention of its own."""
    if net.config._attn_implementation == "sdpa":
        net.set_attn_implementation(NAME)
