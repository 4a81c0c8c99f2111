"""Attention of short texts in bfloat16 on a processor, as two products and a softmax: there faster than fused kernels.

    softmax(q k' scale + mask) v        scores and weights in bfloat16, the softmax in float32

Heads that share keys are rows of one product, so that keys and values are not repeated.
"""

from __future__ import annotations

from typing import Any

SHORT = 64
"""Tokens of a row up to which products are faster; beyond it the fused kernel, which keeps no scores, is."""
NAME = "outgrow_short"


def quicken(net: Any) -> None:
    """Lets a loaded model read short rows this way, where its device and numbers make that faster."""
    import torch
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if net.device.type == "cpu" and net.dtype == torch.bfloat16 and net.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, attend)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        net.set_attn_implementation(NAME)


def attend(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> tuple[Any, None]:
    """An attention function of `transformers`.

    Args:
        module: the attention layer.
        query: (n, H, T, D).
        key: (n, H', T', D), H' a divisor of H.
        value: likewise.
        attention_mask: (n, 1, T, T'), bool or added to the scores; None is all, or all before in a causal layer.
        more: `scaling` and further options of `transformers`.

    Returns:
        (n, T, H, D), and no weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    rows, heads, length, width = query.shape
    asked = {name for name, value in more.items() if value is not None}
    if length > SHORT or key.shape[2] != length or asked & {"position_bias", "softcap", "cache"}:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **more)
    own, causal = key.shape[1], more.get("is_causal")
    scale = width**-0.5 if more.get("scaling") is None else more["scaling"]
    scores = (query.reshape(rows, own, -1, width) @ key.transpose(2, 3)).view(rows, heads, length, length)
    scores = scores.float().mul_(scale)
    if attention_mask is not None and attention_mask.dtype.is_floating_point:
        scores.add_(attention_mask)
    elif attention_mask is not None:
        scores.masked_fill_(~attention_mask, float("-inf"))
    elif module.is_causal if causal is None else causal:
        seen = scores.new_ones(length, length, dtype=bool).tril()
        scores.masked_fill_(~seen, float("-inf"))
    weights = scores.softmax(-1).to(query.dtype)
    out = weights.view(rows, own, -1, length) @ value
    return out.view(rows, heads, length, -1).transpose(1, 2).contiguous(), None
