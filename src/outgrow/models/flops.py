"""FLOPs of a forward pass, for real tokens only.

    FLOPs = 2 * weights * tokens + 4 * heads * head_size * blocks * pairs
    pairs = sum over texts of T^2 (encoder) or T (T + 1) / 2 (causal)      positions that attend to one another

A common prefix of texts of a causal model is read, and counted, once.

`weights` are the numbers in the blocks' matrices that every token meets: no embeddings, no head, and of a mixture only
the experts that a token is sent to. A multiplication and its addition are two operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.models.checkpoints import setting

if TYPE_CHECKING:
    import torch

    from outgrow.models.bundles import Batch


@final
class Counter:
    """Counts the FLOPs of a loaded model.

    Args:
        net: the model, with its configuration.
        blocks: the blocks that are run.
        causal: whether a position attends only to those before it.
    """

    def __init__(self, net: Any, blocks: torch.nn.ModuleList, causal: bool):
        config = net.config.get_text_config()
        experts = setting(config, "num_local_experts") or setting(config, "num_experts")
        share = setting(config, "num_experts_per_tok", 1) / experts if experts else 1
        # Biases and norms have one dimension; the experts of a mixture are stacked in three.
        self._weights = sum(p.numel() * (share if p.ndim == 3 else 1) for p in blocks.parameters() if p.ndim >= 2)
        heads = config.num_attention_heads
        self._attended = heads * (setting(config, "head_dim") or config.hidden_size // heads) * len(blocks)
        self._causal = causal

    def __call__(self, batch: Batch) -> np.ndarray:
        """(m,) FLOPs of each text of a batch; those of a common prefix count for the first that has it."""
        pairs = batch.pairs if self._causal else batch.tokens.astype(np.float64) ** 2
        return 2 * self._weights * batch.tokens + 4 * self._attended * pairs
