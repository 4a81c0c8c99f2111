"""Attention of a generated token: grouped heads give what every head by itself gives."""

from __future__ import annotations

import pytest
import torch

from outgrow.generation.attention import NAME, grouped
from outgrow.generation.local import Local
from outgrow.models import resolve


@pytest.mark.parametrize("heads", [(6, 2), (4, 4), (3, 1)])
@pytest.mark.parametrize("masked", [False, True])
def test_heads_that_share_keys_attend_as_if_each_had_a_copy(heads, masked):
    many, few = heads
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(5, many, 1, 8, generator=generator)
    key, value = torch.randn(2, 5, few, 9, 8, generator=generator)
    mask = torch.arange(9) >= torch.tensor([0, 3, 1, 8, 2])[:, None, None, None] if masked else None
    found, _ = grouped(torch.nn.Module(), query, key, value, mask, scaling=0.3)
    for row in range(5):
        for head in range(many):
            own = head // (many // few)
            scores = 0.3 * key[row, own] @ query[row, head, 0]
            if mask is not None:
                scores = scores.masked_fill(~mask[row, 0, 0], -torch.inf)
            torch.testing.assert_close(found[row, 0, head], scores.softmax(0) @ value[row, own], rtol=1e-4, atol=1e-5)


def test_a_model_that_generates_uses_it(causal, store):
    local = Local(resolve(str(causal), store))
    local.begin([[1, 2]])
    assert local._net.config._attn_implementation == NAME
