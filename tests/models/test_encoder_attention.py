"""Attention of short texts against the fused kernel, in all forms in which models ask for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from outgrow.models import attention


def given(length: int, heads: int = 6, own: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    shapes = ((3, heads, length, 8), (3, own, length, 8), (3, own, length, 8))
    query, key, value = (torch.randn(shape, generator=generator).bfloat16() for shape in shapes)
    return query, key, value


def masks(length: int) -> dict[str, torch.Tensor | None]:
    generator = torch.Generator().manual_seed(1)
    seen = torch.rand(3, 1, length, length, generator=generator) < 0.6
    seen |= torch.eye(length, dtype=torch.bool)
    added = torch.zeros(seen.shape).masked_fill_(~seen, torch.finfo(torch.bfloat16).min).bfloat16()
    return {"none": None, "bool": seen, "added": added}


@pytest.mark.parametrize("mask", ["none", "bool", "added"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("length", [1, 5, 64])
def test_short_rows_come_out_as_from_the_fused_kernel(length, causal, mask):
    layer = SimpleNamespace(is_causal=causal, num_key_value_groups=3)
    query, key, value = given(length)
    ours, _ = attention.attend(layer, query, key, value, masks(length)[mask], scaling=0.3)
    exact, _ = sdpa_attention_forward(
        layer, query.float(), key.float(), value.float(), mask_of(masks(length)[mask]), scaling=0.3
    )
    assert ours.shape == exact.shape == (3, length, 6, 8) and ours.dtype == torch.bfloat16
    # Scores of size 8 in bfloat16 have steps of 1/32: weights are off by some hundredths of themselves.
    assert (ours.float() - exact).abs().max() < 0.06
    assert (ours.float() - exact).abs().mean() < 0.006


def mask_of(mask: torch.Tensor | None) -> torch.Tensor | None:
    return mask if mask is None or mask.dtype == torch.bool else mask.float()


def test_long_rows_and_other_forms_of_attention_go_the_fused_way():
    layer = SimpleNamespace(is_causal=True, num_key_value_groups=3)
    query, key, value = given(65)
    ours, _ = attention.attend(layer, query, key, value, None, scaling=0.3)
    assert torch.equal(ours, sdpa_attention_forward(layer, query, key, value, None, scaling=0.3)[0])
    with pytest.raises(ValueError, match="softcap"):
        attention.attend(layer, *given(5), None, softcap=50.0)


def test_only_models_in_bfloat16_on_the_processor_with_the_fused_kernel_change(causal, tmp_path):
    from outgrow import models
    from outgrow.models import loader
    from outgrow.store import Store

    model = models.resolve(str(causal), Store(tmp_path))
    for precision, expected in (("bfloat16", attention.NAME), ("float32", "sdpa")):
        net = loader.load(model, precision)
        attention.quicken(net)
        assert net.config._attn_implementation == expected
    eager = loader.load(model, "bfloat16")
    eager.set_attn_implementation("eager")
    attention.quicken(eager)
    assert eager.config._attn_implementation == "eager"
