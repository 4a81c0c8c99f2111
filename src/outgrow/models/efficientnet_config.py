"""EfficientNet-lite in numbers: a family of convolutional networks for images, without squeeze-and-excitation.

    stage       1     2     3     4     5     6     7     8     9
    kernel      3     3     3     5     3     5     5     3     1
    stride      2     1     2     2     2     1     2     1     1
    expansion   -     1     6     6     6     6     6     6     -
    blocks      1     1     2     2     3     3     4     1     1     x depth, rounded up; stages 3 to 7 alone
    channels   32    16    24    40    80   112   192   320  1280     x width, to a multiple of 8; stages 2 to 8 alone

    lite0: width 1, depth 1, 224 pixels     lite1: 1, 1.1, 240     lite2: 1.1, 1.2, 260

Source: Tan & Le 2019, EfficientNet (arXiv 1905.11946), table 1; the lite variants fix stem and head while they grow and
take ReLU6 for swish.
"""

from __future__ import annotations

import math

from transformers import AutoConfig, PreTrainedConfig

TYPE = "efficientnet_lite"
KERNELS = (3, 3, 3, 5, 3, 5, 5, 3, 1)
STRIDES = (2, 1, 2, 2, 2, 1, 2, 1, 1)
EXPANSIONS = (1, 1, 6, 6, 6, 6, 6, 6, 1)
BLOCKS: tuple[int, ...] = (1, 1, 2, 2, 3, 3, 4, 1, 1)
CHANNELS = (32, 16, 24, 40, 80, 112, 192, 320, 1280)
SCALED = slice(2, 7)
"""Stages whose number of blocks grows."""
VARIANTS = {
    "efficientnet-lite0": (1.0, 1.0, 224),
    "efficientnet-lite1": (1.0, 1.1, 240),
    "efficientnet-lite2": (1.1, 1.2, 260),
}
"""By name the width, the depth, and the pixels along a side of the image."""
MEAN, DEVIATION = 127, 128
"""Of pixels 0 .. 255: the network reads (pixel - MEAN) / DEVIATION."""


class EfficientNetLiteConfig(PreTrainedConfig):
    """The configuration as `transformers` keeps it in config.json; by default that of lite0."""

    model_type = TYPE

    hidden_sizes: list[int] | tuple[int, ...] = CHANNELS
    depths: list[int] | tuple[int, ...] = BLOCKS
    image_size: int = 224
    """Pixels along a side of an image."""
    num_classes: int = 1000


def configured(name: str) -> EfficientNetLiteConfig:
    """The configuration of a variant, by its name."""
    width, depth, side = VARIANTS[name]
    blocks: list[int] = list(BLOCKS)
    blocks[SCALED] = [math.ceil(depth * count) for count in BLOCKS[SCALED]]
    channels = [CHANNELS[0], *(rounded(width * count) for count in CHANNELS[1:-1]), CHANNELS[-1]]
    return EfficientNetLiteConfig(hidden_sizes=channels, depths=blocks, image_size=side)


def rounded(channels: float) -> int:
    """The nearest multiple of 8, or the next one above where that is less than nine tenths."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def register() -> None:
    """Lets `transformers` read the family's config.json."""
    AutoConfig.register(TYPE, EfficientNetLiteConfig, exist_ok=True)
