"""Packed linear layers: the same products, to the bit, and nothing packed that cannot be."""

from __future__ import annotations

import pytest
import torch

from outgrow.models import loader
from outgrow.models.packing import PackedLinear, pack

pytestmark = pytest.mark.skipif(
    loader.chosen_precision() != "bfloat16" or loader.device().type != "cpu",
    reason="this processor multiplies no bfloat16",
)


@pytest.mark.parametrize("bias", [False, True])
def test_packed_layers_give_the_same_bits_for_any_number_of_rows(bias):
    layer = torch.nn.Linear(48, 80, bias=bias, dtype=torch.bfloat16)
    for rows in (1, 3, 32, 200):
        given = torch.randn(2, rows, 48, dtype=torch.bfloat16)
        with torch.no_grad():
            torch.testing.assert_close(PackedLinear(layer)(given), layer(given), rtol=0, atol=0)


def test_layers_of_other_precisions_are_left_as_they_are():
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4, dtype=torch.bfloat16))
    pack(net)
    assert type(net[0]) is torch.nn.Linear and type(net[1]) is PackedLinear
    assert net[1].weight.shape == (4, 4)
