"""Texts to features: the hidden states of chosen blocks, pooled, computed once and kept by text.

Neither the language-model head nor a block above the deepest chosen one is run, and each block's output is pooled
before the next runs. A view is one pooling of one block's output. Which view of a causal model says most is a matter of
the task: the student chooses among those at its last token and those of the mean over tokens, as it chooses a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.models import attention, bundles, flops, loader
from outgrow.models.bundles import Batch
from outgrow.models.checkpoints import Model
from outgrow.models.sweep import Sweep, SweepTexts
from outgrow.store import Store

CANDIDATES = (0.55, 2 / 3)
"""Default depths of features, as shares of the model's; the student chooses among them."""
POOLINGS = ("last", "mean")
"""The hidden state of the last token, or the mean over tokens."""


@dataclass(frozen=True)
class Features:
    """Features of N texts, and their cost."""

    x: np.ndarray
    """float32 (V views, N texts, D wide), in the order of the texts; memory-mapped if large."""
    layers: tuple[int, ...]
    """(V,) the block whose output each view is, from 1; without the norm after the last."""
    width: int
    seconds: float
    """Seconds of reading the texts, tokenising included, whenever it was done."""
    loading: float
    """Seconds of loading tokenizer and model this time."""
    flops: float
    """Model FLOPs of real tokens."""
    tokens: int
    """Real tokens read; identical texts, and prefixes that a causal model read once, count once."""
    truncated: int
    """Distinct texts of which only the end was read."""
    cached: bool
    """Whether nothing had to be computed this time."""
    digest: str
    """Digest of all that made them."""
    poolings: tuple[str, ...] = ()
    """(V,) how that output is pooled, of texts."""


def candidate_layers(depth: int, shares: Sequence[float] = CANDIDATES) -> tuple[int, ...]:
    """The default layers of a model with `depth` blocks: at these shares of it, each once."""
    return tuple(sorted({min(max(round(share * depth), 1), depth) for share in shares}))


def features(
    model: Model,
    texts: Sequence[str],
    store: Store,
    *,
    layers: Sequence[int] | None = None,
    poolings: Sequence[str] | None = None,
    precision: str | None = None,
) -> Features:
    """One vector for each text from each view: all layers by the first pooling, then by the next.

    Args:
        model: an encoder or a causal language model.
        texts: N texts.
        store: where the features are kept.
        layers: blocks, from 1; `candidate_layers` where not given.
        poolings: "last" (the last token), "mean" (over tokens) or both; where not given both of a causal model, and
            the mean of an encoder.
        precision: "bfloat16" or "float32"; the processor's best where not given.

    Raises:
        UserError: a layer, pooling or precision that does not exist.
    """
    layers = tuple(layers) if layers is not None else candidate_layers(model.depth)
    for layer in layers:
        if not 1 <= layer <= model.depth:
            raise UserError(f"layer {layer} of {model.name!r} does not exist: choose from 1 to {model.depth}")
    poolings = tuple(poolings or (POOLINGS if model.kind == "causal" else ("mean",)))
    for pooling in poolings:
        if pooling not in POOLINGS:
            raise UserError(f"pooling {pooling!r} is not known: choose one of {', '.join(POOLINGS)}")
    precision = loader.chosen_precision(precision)
    made = {"code": fingerprint("features"), "layers": layers, "poolings": poolings, "precision": precision}
    source = SweepTexts(model, share=bundles.shares(model))
    read = Sweep("features", model, source, texts, store, made, lambda: _Blocks(model, layers, poolings, precision))
    with closing(read) as sweep:
        found = sweep.run(model.width, len(layers) * len(poolings))
        views = [(layer, pooling) for pooling in poolings for layer in layers]
        of_layers, of_poolings = zip(*views, strict=True)
        return Features(layers=of_layers, poolings=of_poolings, width=model.width, digest=sweep.digest, **vars(found))


@final
class _Blocks:
    """A model without the blocks above the deepest chosen layer, with a hook on each chosen layer."""

    def __init__(self, model: Model, layers: Sequence[int], poolings: Sequence[str], precision: str):
        from outgrow.models import packing

        self._causal, self._poolings, self._layers = model.kind == "causal", poolings, layers
        self._net = loader.load(model, precision)
        blocks = loader.cut(self._net, model.depth, max(layers))
        self._count = flops.Counter(self._net, blocks, self._causal)
        attention.quicken(self._net)
        packing.pack(blocks)
        self._pooled: dict[tuple[int, str], Any] = {}
        for layer in set(layers):
            blocks[layer - 1].register_forward_hook(self._hook(layer))

    def __call__(self, batch: Batch) -> np.ndarray:
        import torch

        self._batch = batch
        with torch.inference_mode():
            loader.forward(self._net, batch, self._causal)
            views = [self._pooled[layer, pooling] for pooling in self._poolings for layer in self._layers]
            out = torch.stack(views).cpu().numpy()
        self._pooled.clear()
        return out

    def flops(self, batch: Batch) -> np.ndarray:
        return self._count(batch)

    def _hook(self, layer: int) -> Any:
        def pool(block: Any, given: Any, out: Any) -> None:
            states = out[0] if isinstance(out, tuple) else out
            for pooling in self._poolings:
                pooled = (_last if pooling == "last" else _mean)(states, self._batch)
                self._pooled[layer, pooling] = pooled.to(self._net.device)

        return pool


def _last(states: Any, batch: Batch) -> Any:
    """(m, D): states (n, T, D) at the last token of each text."""
    import torch

    return states[torch.from_numpy(batch.row), torch.from_numpy(batch.end)].float()


def _mean(states: Any, batch: Batch) -> Any:
    """(m, D): the mean of states (n, T, D) over the tokens of each text, its common prefix included."""
    import torch

    if batch.segment is None:
        lengths = torch.from_numpy(batch.lengths).to(states.device)
        real = torch.arange(states.shape[1], device=states.device) < lengths[:, None]
        return (states.float() * real[..., None]).sum(1) / lengths[:, None]
    row, shared, end = (torch.from_numpy(a).to(states.device) for a in (batch.row, batch.shared, batch.end + 1))
    before = torch.nn.functional.pad(states.float().cumsum(1), (0, 0, 1, 0))
    start = torch.from_numpy(batch.start).to(states.device)
    total = before[row, shared] + before[row, end.maximum(start)] - before[row, start]
    return total / (shared + (end - start).clamp_min(0))[:, None]
