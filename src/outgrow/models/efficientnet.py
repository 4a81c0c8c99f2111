"""EfficientNet-lite as a model of `transformers`, and its published checkpoints as safetensors.

    block(x) = P d(e(x))   + x where both have one shape      e: 1 x 1 convolution to e times the channels, ReLU6
                                                              d: k x k convolution of each channel alone, ReLU6
                                                              P: 1 x 1 convolution
    net(x)   = W mean over places of stage_9(... stage_1(x))  stages 1 and 9: one convolution, ReLU6

A convolution of stride s makes ceil(side / s) places; where the padding is odd, the right and the lower side get more.
Batch norms are folded into the convolutions before them, in float32, so that the network has none:

    w' = w g / sqrt(v + 0.001)      b' = b - m g / sqrt(v + 0.001)     g, b, m, v: scale, shift, mean, variance

Source: `efficientnet_config.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel, ViTImageProcessorPil

from outgrow.models.efficientnet_config import (
    DEVIATION,
    EXPANSIONS,
    KERNELS,
    MEAN,
    STRIDES,
    EfficientNetLiteConfig,
)

EPSILON = 1e-3
"""Of the batch norms."""
BICUBIC = 3
"""Pillow's number of the interpolation that images are resized with."""


@final
class EfficientNetLite(PreTrainedModel):
    """The network; its forward pass returns the logits of the classes that it was trained on."""

    config_class = EfficientNetLiteConfig
    main_input_name = "pixel_values"
    _no_split_modules = ["Block"]  # noqa: RUF012

    def __init__(self, config: EfficientNetLiteConfig):
        super().__init__(config)
        channels, last = [3, *config.hidden_sizes], len(KERNELS) - 1
        self.stages = nn.ModuleList(
            _stage(channels[at], channels[at + 1], KERNELS[at], STRIDES[at], EXPANSIONS[at], config.depths[at])
            if 0 < at < last
            else _convolution(channels[at], channels[at + 1], KERNELS[at], STRIDES[at])
            for at in range(len(KERNELS))
        )
        self.classifier = nn.Linear(channels[-1], config.num_classes)
        self.post_init()

    @classmethod
    def from_pretrained(cls, *arguments: Any, **options: Any) -> Any:
        """As of `transformers`; raises ValueError where the files and config.json have different weights."""
        net, found = super().from_pretrained(*arguments, **{**options, "output_loading_info": True})
        wrong = sorted({*found["missing_keys"], *found["unexpected_keys"]})
        if wrong:
            raise ValueError(f"{len(wrong)} weights are in its file or in its network alone, the first {wrong[0]!r}")
        return (net, found) if options.get("output_loading_info") else net

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes) of pixels (n, 3, side, side)."""
        # With the channels of a place side by side, 1 x 1 convolutions are products of matrices as they lie.
        x = pixel_values.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            x = stage(x)
        return self.classifier(x.mean((2, 3)))


@final
class Block(nn.Module):
    """An inverted bottleneck, as in the module's picture."""

    def __init__(self, into: int, out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = into * expansion
        self.expand = _convolution(into, inner) if expansion > 1 else nn.Identity()
        self.depthwise = _convolution(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, out, 1)
        self.residual = into == out and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return y + x if self.residual else y


@final
class Padding(nn.Module):
    """Zeros around the image, so that a convolution of this stride makes ceil(side / stride) places."""

    def __init__(self, kernel: int, stride: int):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        missing = [max(-side % self.stride + self.kernel - self.stride, 0) for side in x.shape[2:]]
        high, wide = missing
        return nn.functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))


def _convolution(into: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Padding, convolution and ReLU6."""
    padding = [Padding(kernel, stride)] if stride > 1 else []
    convolution = nn.Conv2d(into, out, kernel, stride, 0 if padding else kernel // 2, groups=groups)
    return nn.Sequential(*padding, convolution, nn.ReLU6(inplace=True))


def _stage(into: int, out: int, kernel: int, stride: int, expansion: int, depth: int) -> nn.Sequential:
    return nn.Sequential(
        Block(into, out, kernel, stride, expansion),
        *(Block(out, out, kernel, 1, expansion) for _ in range(depth - 1)),
    )


def register() -> None:
    """Lets `transformers` make the network for its configuration."""
    AutoModel.register(EfficientNetLiteConfig, EfficientNetLite, exist_ok=True)


def convert(checkpoint: Path, folder: Path, config: EfficientNetLiteConfig) -> None:
    """Writes a published checkpoint as safetensors, with configuration and image processor.

    Args:
        checkpoint: the file of tensors, of which nothing but tensors is read.
        folder: where the model's files go.
        config: its sizes.
    """
    given = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = EfficientNetLite(config)
    convolutions = [at for at, module in net.named_modules() if isinstance(module, nn.Conv2d)]
    state = {"classifier.weight": given.pop("_fc.weight"), "classifier.bias": given.pop("_fc.bias")}
    for at, (weights, norm) in zip(convolutions, published(config), strict=True):
        scale = given.pop(f"{norm}.weight") / (given.pop(f"{norm}.running_var") + EPSILON).sqrt()
        state[f"{at}.weight"] = given.pop(f"{weights}.weight") * scale[:, None, None, None]
        state[f"{at}.bias"] = given.pop(f"{norm}.bias") - given.pop(f"{norm}.running_mean") * scale
    assert all(key.endswith("num_batches_tracked") for key in given), f"{checkpoint.name} holds more than the network"
    net.load_state_dict(state)
    net.save_pretrained(folder)
    processor(config.image_size).save_pretrained(folder)
    for path in folder.iterdir():
        # The weights are written readable by their owner alone; others may share the store.
        path.chmod(folder.stat().st_mode & 0o666)


def processor(side: int) -> ViTImageProcessorPil:
    """What prepares the family's images: the whole image as a square of that many pixels a side."""
    return ViTImageProcessorPil(
        size={"height": side, "width": side},
        resample=BICUBIC,
        image_mean=[MEAN / 255] * 3,
        image_std=[DEVIATION / 255] * 3,
    )


def published(config: EfficientNetLiteConfig) -> Iterator[tuple[str, str]]:
    """(convolution, batch norm) by their names in a published checkpoint, from the image to the classes."""
    yield "_conv_stem", "_bn0"
    count = 0
    for expansion, depth in zip(EXPANSIONS[1:-1], config.depths[1:-1], strict=True):
        for block in (f"_blocks.{number}" for number in range(count, count + depth)):
            if expansion > 1:
                yield f"{block}._expand_conv", f"{block}._bn0"
            yield f"{block}._depthwise_conv", f"{block}._bn1"
            yield f"{block}._project_conv", f"{block}._bn2"
        count += depth
    yield "_conv_head", "_bn1"
