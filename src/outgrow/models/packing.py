"""Linear layers for inference: weights in the order in which the processor's matrix product reads them.

oneDNN brings bfloat16 weights into its own order anew for every product. With few rows, as when a step of generation
reads one token of each answer, that takes longer than the product itself; of 2,048 rows it is 5 to 10 in 100. Here it
is done once, when a model is loaded. The products are the same to the bit. Measured in docs/benchmarks.md, sections 1
and 17.
"""

from __future__ import annotations

from typing import final

import torch
from torch import nn

ROWS = 32
"""Rows for which the order is chosen; products of other sizes work as well."""
READ = ("dt_proj",)
"""Layers whose weights state-space models multiply by themselves."""


@final
class PackedLinear(nn.Module):
    """A linear layer with packed weights, for inference alone."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self.bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(..., K) -> (..., N)"""
        packed: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, self.weight, self.bias, "none", [], "")
        return packed


def pack(net: nn.Module) -> None:
    """Packs all linear layers of a model in bfloat16 on the processor; leaves any other model as it is."""
    if not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return
    for module in list(net.modules()):
        for name, child in module.named_children():
            if (
                type(child) is nn.Linear
                and name not in READ
                and child.weight.dtype == torch.bfloat16
                and child.weight.device.type == "cpu"
            ):
                setattr(module, name, PackedLinear(child))
