"""Random EfficientNets of a few thousand numbers in the published format, and the slow, obvious way to read them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

SIDE = 36
CHANNELS = (4, 4, 8, 8, 8, 8, 8, 8, 12)
DEPTHS = (1, 1, 2, 1, 1, 2, 1, 1, 1)
STAGES = ((3, 2, 1), (3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6), (1, 1, 1))
"""Kernel, stride and expansion, as the paper's table 1 has them."""
CLASSES = 5

State = dict[str, np.ndarray]


def published(seed: int = 0) -> State:
    """Random weights under the names of a published checkpoint."""
    rng, state, blocks = np.random.default_rng(seed), State(), 0

    def add(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        state[f"{name}.weight"] = rng.normal(size=(out, into, kernel, kernel)) * (2 / (into * kernel**2)) ** 0.5
        state[f"{norm}.weight"], state[f"{norm}.bias"] = rng.uniform(0.5, 1.5, out), rng.normal(size=out) / 2
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = rng.normal(size=out) / 4, rng.uniform(0.5, 2, out)
        state[f"{norm}.num_batches_tracked"] = np.array(9)

    add("_conv_stem", "_bn0", CHANNELS[0], 3, 3)
    for at in range(1, 8):
        kernel, _, expansion = STAGES[at]
        for into in (CHANNELS[at - 1], *[CHANNELS[at]] * (DEPTHS[at] - 1)):
            block, inner = f"_blocks.{blocks}", into * expansion
            if expansion > 1:
                add(f"{block}._expand_conv", f"{block}._bn0", inner, into, 1)
            add(f"{block}._depthwise_conv", f"{block}._bn1", inner, 1, kernel)
            add(f"{block}._project_conv", f"{block}._bn2", CHANNELS[at], inner, 1)
            blocks += 1
    add("_conv_head", "_bn1", CHANNELS[8], CHANNELS[7], 1)
    state["_fc.weight"], state["_fc.bias"] = rng.normal(size=(CLASSES, CHANNELS[8])), rng.normal(size=CLASSES)
    return {name: value if value.ndim == 0 else value.astype(np.float32) for name, value in state.items()}


def save(folder: Path, seed: int = 0) -> Path:
    """A random network in a folder, converted as published ones are."""
    import torch

    from outgrow.models import efficientnet, loader
    from outgrow.models.efficientnet_config import EfficientNetLiteConfig

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: torch.tensor(value) for name, value in published(seed).items()}
    torch.save(state, folder / "published.pth")
    config = EfficientNetLiteConfig(
        hidden_sizes=list(CHANNELS), depths=list(DEPTHS), image_size=SIDE, num_classes=CLASSES
    )
    with loader.quiet():
        efficientnet.convert(folder / "published.pth", folder, config)
    (folder / "published.pth").unlink()
    return folder


def slowly(state: State, image: bytes) -> tuple[list[np.ndarray], np.ndarray]:
    """(mean over places after every stage, logits) of one image, place by place, with batch norms as they stand."""
    from PIL import Image

    picture = Image.open(io.BytesIO(image)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    x = (np.asarray(picture, np.float64).transpose(2, 0, 1) - 127) / 128
    x = _clipped(_normed(state, "_bn0", _convolved(x, state["_conv_stem.weight"], 2)))
    means, blocks = [x.mean((1, 2))], 0
    for at in range(1, 8):
        _, stride, expansion = STAGES[at]
        for step in (stride, *[1] * (DEPTHS[at] - 1)):
            block, y = f"_blocks.{blocks}", x
            if expansion > 1:
                y = _convolved(y, state[f"{block}._expand_conv.weight"], 1)
                y = _clipped(_normed(state, f"{block}._bn0", y))
            y = _convolved(y, state[f"{block}._depthwise_conv.weight"], step)
            y = _clipped(_normed(state, f"{block}._bn1", y))
            y = _normed(state, f"{block}._bn2", _convolved(y, state[f"{block}._project_conv.weight"], 1))
            x = x + y if x.shape == y.shape else y
            blocks += 1
        means.append(x.mean((1, 2)))
    x = _clipped(_normed(state, "_bn1", _convolved(x, state["_conv_head.weight"], 1)))
    means.append(x.mean((1, 2)))
    return means, state["_fc.weight"] @ means[-1] + state["_fc.bias"]


def _convolved(x: np.ndarray, weights: np.ndarray, stride: int) -> np.ndarray:
    """Weights (out, in, k, k), or (out, 1, k, k) of each channel alone; ceil(side / stride) places along a side."""
    kernel, side = weights.shape[-1], x.shape[-1]
    places = -(-side // stride)
    missing = max((places - 1) * stride + kernel - side, 0)
    before = missing // 2
    x = np.pad(x, ((0, 0), (before, missing - before), (before, missing - before)))
    out = np.empty((len(weights), places, places))
    for i in range(places):
        for j in range(places):
            patch = x[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            out[:, i, j] = (
                (patch * weights[:, 0] if weights.shape[1] == 1 else patch * weights).reshape(len(weights), -1).sum(1)
            )
    return out


def _normed(state: State, name: str, x: np.ndarray) -> np.ndarray:
    scale, shift, mean, variance = (
        state[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean[:, None, None]) / np.sqrt(variance + 0.001)[:, None, None] * scale[:, None, None] + shift[
        :, None, None
    ]


def _clipped(x: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(x, 0), 6)
