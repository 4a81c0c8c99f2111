"""Images to features: the output of chosen blocks, pooled over the image, computed once and kept.

Blocks are the layers of a transformer or the stages of a network that grows coarser, whose widths differ: narrower
outputs are padded with zeros. Tokens of a transformer that belong to no place of the image (class, registers) are left
out of the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.models import loader
from outgrow.models.bundles import Bundles
from outgrow.models.checkpoints import Model, setting, vision_config
from outgrow.models.encoder import Features
from outgrow.models.sweep import Sweep
from outgrow.store import Store
from outgrow.tasks.images import decoded

CANDIDATES = (2 / 3, 1)
"""Depths, as shares of a transformer's; deeper than for texts."""
PATCH = 16
"""Pixels along a token's side, for a model without patches."""


def image_features(
    model: Model,
    images: Sequence[bytes],
    store: Store,
    *,
    layers: Sequence[int] | None = None,
    precision: str | None = None,
) -> Features:
    """One vector for each encoded image from each layer.

    Args:
        model: a model of images.
        images: N encoded images.
        store: where the features are kept.
        layers: L blocks, from 1; at the depths `CANDIDATES`, or the last two stages, where not given.
        precision: "bfloat16" or "float32"; the processor's best where not given.

    Raises:
        UserError: a layer or precision that does not exist, or a model that cannot prepare images.
    """
    config = vision_config(model.path, model.name)
    if layers is None and staged(config):
        layers = (model.depth - 1, model.depth)
    elif layers is None:
        layers = tuple(sorted({max(round(share * model.depth), 1) for share in CANDIDATES}))
    layers = tuple(layer for layer in layers if layer > 0)
    for layer in layers:
        if layer > model.depth:
            raise UserError(f"layer {layer} of {model.name!r} does not exist: choose from 1 to {model.depth}")
    precision = loader.chosen_precision(precision)
    made = {"code": fingerprint("image-features"), "layers": layers, "precision": precision}
    with closing(
        Sweep("image-features", model, Images(model), images, store, made, lambda: _Tower(model, layers, precision))
    ) as sweep:
        read = sweep.run(model.width, len(layers))
        return Features(layers=layers, width=model.width, digest=sweep.digest, **vars(read))


def staged(config: Any) -> bool:
    """Whether a model has stages, each coarser than the one before."""
    return setting(config, "depths") is not None


@final
class Images:
    """Encoded images as a source; a batch is pixels float32 (n, 3, H, W) of the model's own processor."""

    what = "images"

    def __init__(self, model: Model):
        self._model = model
        self.made: dict[str, Any] = {}
        self.rows, self.loading = 1, 0.0

    def open(self, items: Sequence[bytes], folder: Path) -> Bundles:
        from transformers import AutoImageProcessor

        try:
            with loader.quiet():
                self._processor = AutoImageProcessor.from_pretrained(
                    self._model.path, backend="pil", local_files_only=True
                )
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"model {self._model.name!r} has no image processor that can be read: "
                "put preprocessor_config.json beside it"
            ) from error
        self._items: Sequence[bytes] = items
        patch = setting(vision_config(self._model.path, self._model.name), "patch_size")
        side = patch if isinstance(patch, int) else PATCH
        height, width = self._pixels(items[:1]).shape[2:]
        self._each = max((height // side) * (width // side), 1)
        self.truncated = np.zeros(len(items), bool)
        return Bundles.single(np.full(len(items), self._each, np.int64))

    def batch(self, bundles: Bundles, numbers: Sequence[int], wanted: np.ndarray) -> np.ndarray:
        return self._pixels([self._items[number] for number in numbers if wanted[number]])

    def tokens(self, batch: np.ndarray) -> np.ndarray:
        return np.full(len(batch), self._each, np.int64)

    def close(self) -> None:
        self._items = ()

    def _pixels(self, items: Sequence[bytes]) -> np.ndarray:
        made = [
            np.asarray(self._processor([decoded(item)], return_tensors="np")["pixel_values"][0], np.float32)
            for item in items
        ]
        if len({one.shape for one in made}) > 1:
            raise UserError(
                f"model {self._model.name!r} prepares images of unequal sizes, which cannot be read together: "
                "use another model"
            )
        return np.stack(made)


@final
class _Tower:
    """The image part of a model, with a hook on each chosen layer."""

    def __init__(self, model: Model, layers: Sequence[int], precision: str):
        from outgrow.models import efficientnet

        efficientnet.register()
        net = loader.load(model, precision)
        self._net, self._layers, self._width = setting(net, "vision_model", net), layers, model.width
        config = vision_config(model.path, model.name)
        self._patch = setting(config, "patch_size")
        blocks = loader.blocks(self._net, model.depth)
        if not staged(config):
            del blocks[max(layers) :]
        self._pooled: dict[int, Any] = {}
        self._each: float | None = None
        for layer in set(layers):
            blocks[layer - 1].register_forward_hook(self._hook(layer))

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            self._read(batch)
            out = torch.stack([self._pooled[layer] for layer in self._layers]).cpu().numpy()
        self._pooled.clear()
        return out

    def flops(self, batch: np.ndarray) -> np.ndarray:
        """FLOPs as torch counts them in products, convolutions and attention."""
        if self._each is None:
            import torch
            from torch.utils.flop_counter import FlopCounterMode

            with torch.inference_mode(), FlopCounterMode(display=False) as counted:
                self._read(batch[:1])
            self._each = float(counted.get_total_flops())
        return np.full(len(batch), self._each)

    def _read(self, batch: np.ndarray) -> None:
        import torch

        side = self._patch if isinstance(self._patch, int) else 0
        self._places = (batch.shape[2] // side) * (batch.shape[3] // side) if side else 0
        self._net(pixel_values=torch.from_numpy(batch).to(self._net.device, self._net.dtype))

    def _hook(self, layer: int) -> Any:
        import torch

        def pool(block: Any, given: Any, out: Any) -> None:
            states = (out[0] if isinstance(out, tuple) else out).float()
            if states.ndim == 4:
                pooled = states.mean((2, 3))
            else:
                pooled = states[:, max(states.shape[1] - self._places, 0) if self._places else 0 :].mean(1)
            self._pooled[layer] = torch.nn.functional.pad(pooled, (0, self._width - pooled.shape[1]))

        return pool
