"""The student as a probe: heads on frozen features, all replicates of a block in one batched program.

View and ridge are chosen for each replicate on held-out *targets*: weak labels for a student, gold of the transfer
half for the ceiling. Nothing else enters, so a method that trains on the weak labels has the settings of naive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

import numpy as np
import torch

from outgrow.core.seeding import derive, hashed
from outgrow.losses import Loss, Term, as_loss
from outgrow.losses.xent import Xent
from outgrow.students import linear, mlp
from outgrow.students.linear import STEPS, Basis

HEADS = {"linear": linear, "mlp": mlp}
"""Kinds of heads on features; each module has its `train`, and the `RIDGES` to choose from."""
SCAN = 20
"""Steps of the heads that compete for ridge and layer: near enough to the minimum to rank them."""
FOLDS = 5
ENOUGH = 200
"""Number of held-out items from which on no further fold is held out."""


@final
@dataclass(frozen=True)
class Space:
    """Features of every item in every candidate view, shared by all students of one (task, model).

    A view is a layer, and of texts how its states are pooled. features (V, S, N, D) float32, S = 2 where an item has
    two texts; `layers` and `poolings` (V,), no poolings where there is no choice; `reference` (N,) bool: rows that are
    not test.
    """

    features: np.ndarray
    layers: tuple[int, ...]
    reference: np.ndarray
    seconds: float = 0.0
    flops: float = 0.0
    poolings: tuple[str, ...] = ()
    tokens: int = 0
    _bases: dict[int, Basis] = field(default_factory=dict, compare=False, repr=False)

    def basis(self, layer: int) -> Basis:
        """The eigenbasis of candidate number `layer`, made on first use."""
        if layer not in self._bases:
            x = self.read(self.features[layer])
            self._bases[layer] = Basis.of(x, torch.from_numpy(self.reference), len(self.features[layer]) == 1)
        return self._bases[layer]

    @staticmethod
    def read(features: np.ndarray) -> torch.Tensor:
        """(S, N, D) -> (N, D) float32: the difference of the two texts where an item has two."""
        x = torch.from_numpy(np.require(features, np.float32, ["W"]))
        return x[1] - x[0] if len(x) == 2 else x[0]


@final
@dataclass(frozen=True)
class Settings:
    """The settings of each replicate: number of the candidate view (R,) and ridge (R,)."""

    layer: np.ndarray
    ridge: np.ndarray


@final
@dataclass(frozen=True)
class FittedProbe:
    """A fitted probe of R replicates."""

    space: Space
    settings: Settings
    parts: tuple[tuple[np.ndarray, linear.Heads | mlp.Networks], ...]
    """For each layer in use: the replicates (indices within the block) and their heads."""
    classes: int
    loss: Loss = field(default_factory=Xent)
    """The training loss, which says what the logits mean."""

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32 for the items in `mask` (N,) bool; all items by default."""
        return self._predict(mask, lambda heads: heads)

    def path(self, mask: np.ndarray) -> list[tuple[float, np.ndarray]]:
        """(progress, probabilities) at a few points of training: shown in reports, never used to choose anything."""
        points = [progress for progress, _ in self.parts[0][1].snapshots]
        return [(p, self._predict(mask, partial(_snapshot, at=i))) for i, p in enumerate(points)]

    def chosen(self) -> list[dict[str, float | str]]:
        """For each replicate the model's layer, the pooling and the ridge that held-out targets chose."""
        found: list[dict[str, float | str]] = []
        for view, ridge in zip(self.settings.layer, self.settings.ridge, strict=True):
            pooling = {"pooling": self.space.poolings[view]} if self.space.poolings else {}
            found.append({"layer": int(self.space.layers[view]), **pooling, "ridge": float(ridge)})
        return found

    def _predict(self, mask: np.ndarray | None, of: Callable[[Any], linear.Heads | mlp.Networks]) -> np.ndarray:
        rows = slice(None) if mask is None else torch.from_numpy(np.flatnonzero(mask))
        out: np.ndarray | None = None
        for replicates, heads in self.parts:
            x = self.space.basis(int(self.settings.layer[replicates[0]])).x[rows]
            p = self.loss.read(of(heads).logits(x)).numpy()
            out = np.empty((len(self.settings.layer), *p.shape[1:]), np.float32) if out is None else out
            out[replicates] = p
        assert out is not None
        return out


def _snapshot(heads: linear.Heads | mlp.Networks, at: int) -> linear.Heads | mlp.Networks:
    return heads.snapshots[at][1]


@final
class Probe:
    """A student of heads on frozen features.

    Args:
        space: the features.
        train: (R, N) bool, the rows that may be trained on.
        groups: (N,) items of one number are held out together.
        seed: with `replicates` names the random folds.
        replicates: (R,) numbers of the replicates.
        head: "linear" or "mlp".

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(1, 1, 400, 3)).astype(np.float32)        # layers, texts an item, items, width
        >>> gold = (x[0, 0, :, 0] > 0).astype(int)
        >>> everywhere = np.ones(400, bool)
        >>> student = Probe(Space(x, (1,), everywhere), everywhere[None], np.arange(400), seed=0, replicates=[0])
        >>> fitted = student.fit(np.eye(2, dtype=np.float32)[gold])
        >>> bool((fitted.predict()[0].argmax(-1) == gold).mean() > 0.95)
        True
    """

    def __init__(
        self,
        space: Space,
        train: np.ndarray,
        groups: np.ndarray,
        seed: int,
        replicates: Sequence[int],
        head: str = "linear",
    ):
        self.space, self.train, self.groups, self.head = space, train, groups, head
        self.seed, self.replicates = seed, tuple(replicates)
        self._only: int | None = None
        self._losses: dict[str, np.ndarray] = {}

    def on(self, train: np.ndarray) -> Probe:
        """The same student, allowed to train on other rows (R, N)."""
        one = Probe(self.space, train, self.groups, self.seed, self.replicates, self.head)
        one._only = self._only
        return one

    def reading(self, space: Space) -> Probe:
        """The same student on other features."""
        return Probe(space, self.train, self.groups, self.seed, self.replicates, self.head)

    def views(self) -> list[Probe]:
        """For each view the student that has no other."""
        found = []
        for view in range(len(self.space.layers)):
            one = self.on(self.train)
            one._only, one._losses = view, self._losses
            found.append(one)
        return found

    def fit(
        self,
        targets: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        loss: Loss | Term | None = None,
        steps: int = STEPS,
    ) -> FittedProbe:
        """Train it on targets; arguments as of `Student.fit`."""
        targets, weights = self._rows(targets, weights)
        loss = as_loss(loss)
        settings = self.settings(targets, weights)
        parts = []
        for layer in np.unique(settings.layer):
            part = np.flatnonzero(settings.layer == layer)
            rows = torch.from_numpy(np.flatnonzero((weights[part] > 0).any(0)))
            parts.append(
                (
                    part,
                    self._train(
                        part,
                        self.space.basis(int(layer)),
                        rows,
                        torch.from_numpy(targets[part])[:, rows],
                        torch.from_numpy(weights[part])[:, rows],
                        torch.from_numpy(settings.ridge[part]),
                        loss,
                        steps,
                        snapshots=True,
                    ),
                )
            )
        return FittedProbe(self.space, settings, tuple(parts), targets.shape[-1], loss)

    def embed(self, targets: np.ndarray, weights: np.ndarray | None = None) -> list[np.ndarray]:
        """For each replicate (N, K): standardised features of every item, in the layer that these targets choose."""
        bases = [self.space.basis(i) for i in self.layers(targets, weights)]
        return [basis.x[:, : basis.turn.shape[1]].numpy() for basis in bases]

    def layers(self, targets: np.ndarray, weights: np.ndarray | None = None) -> list[int]:
        """For each replicate the number of the candidate layer that these targets choose."""
        return [int(layer) for layer in self.settings(*self._rows(targets, weights)).layer]

    def settings(self, targets: np.ndarray, weights: np.ndarray) -> Settings:
        """View and ridge of each replicate with the least weighted cross-entropy to held-out targets."""
        losses = self._held_out(targets, weights)
        views, ridges = np.arange(losses.shape[1]), np.array(HEADS[self.head].RIDGES, np.float32)
        if self._only is not None:
            views, losses = views[[self._only]], losses[:, [self._only]]
        best = losses.reshape(len(losses), -1).argmin(1)
        return Settings(views[best // len(ridges)], ridges[best % len(ridges)])

    def told(self, targets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(V, R) share of the held-out targets' entropy that a student of each view explains, at its best ridge.

        Arguments as of `fit`. 1: the view says the targets as they are; 0 or less: no more than how common they are.
        """
        targets, weights = self._rows(targets, weights)
        losses = self._held_out(targets, weights).min(-1).T
        held = weights * np.isin(self._folds(), np.arange(self._count(weights)))
        common = np.einsum("rn,rnc->rc", weights, targets) / weights.sum(1, keepdims=True)
        chance = -(np.einsum("rn,rnc->rc", held, targets) * np.log(common.clip(1e-9))).sum(1)
        least = -np.einsum("rn,rnc->r", held, targets * np.log(targets.clip(1e-9)))
        return (chance - losses) / (chance - least).clip(1e-9)

    def _held_out(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(R, V, ridges) float32: weighted cross-entropy to held-out targets, of every view and ridge."""
        name = hashed(targets.tobytes().hex(), weights.tobytes().hex())
        if name not in self._losses:
            self._losses[name] = self._compared(targets, weights)
        return self._losses[name]

    @staticmethod
    def _count(weights: np.ndarray) -> int:
        """How many folds are held out, each once."""
        return int(np.clip(np.ceil(ENOUGH * FOLDS / max((weights > 0).sum(1).min(), 1)), 1, FOLDS))

    def _compared(self, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        grid, fold = torch.tensor(HEADS[self.head].RIDGES), self._folds()
        folds = torch.arange(self._count(weights))[:, None]
        found = []
        for r in range(len(weights)):
            # Each replicate reads its own rows alone, half of those of all: the same products of half the size.
            at = torch.from_numpy(np.flatnonzero(weights[r] > 0))
            t, w, f = (torch.from_numpy(a[r])[at] for a in (targets, weights, fold))
            kept, held = w * (f != folds), w * (f == folds)
            wide = t.expand(len(folds), -1, -1)
            losses = []
            for layer in range(len(self.space.layers)):
                basis = self.space.basis(layer)
                fitted = self._train(
                    np.array([r]), basis, at, wide, kept, grid.repeat_interleave(len(folds)), steps=SCAN
                )
                x = basis.some(at)
                for heads in fitted.split(len(folds)):
                    log_p = heads.logits(x).log_softmax(-1)
                    losses.append((-(log_p * t).sum(-1) * held).sum())
            found.append(torch.stack(losses).reshape(-1, len(grid)))
        return torch.stack(found).numpy()

    def _train(
        self,
        part: np.ndarray,
        basis: Basis,
        rows: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
        ridge: torch.Tensor,
        *choices: Any,
        **more: Any,
    ) -> linear.Heads | mlp.Networks:
        """Heads of the replicates in `part`, repeated as often as there are ridges."""
        if self.head == "linear":
            return linear.train(basis, rows, targets, weights, ridge, *choices, **more)
        starts = [int(derive(self.seed, "head", self.replicates[r]).integers(2**62)) for r in part]
        return mlp.train(basis, rows, targets, weights, ridge, starts * (len(ridge) // len(part)), *choices, **more)

    def _folds(self) -> np.ndarray:
        """(R, N): the fold of every item; whole groups, drawn for each replicate."""
        names, where = np.unique(self.groups, return_inverse=True)
        draws = [derive(self.seed, "fold", r).permutation(len(names)) % FOLDS for r in self.replicates]
        return np.stack(draws)[:, where]

    def _rows(self, targets: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        shape = self.train.shape
        targets = np.array(np.broadcast_to(targets, (*shape, np.shape(targets)[-1])), np.float32)
        weights = (
            self.train * np.float32(1)
            if weights is None
            else np.array(np.broadcast_to(weights, shape) * self.train, np.float32)
        )
        missing = np.isnan(targets).any(-1)
        targets[missing] = 1 / targets.shape[-1]
        return targets, np.where(missing, np.float32(0), weights).astype(np.float32)
