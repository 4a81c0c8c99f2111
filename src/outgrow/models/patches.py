"""`patches` or `patches:K`: an encoder of images without weights, found in the pool's own images.

    p = the 27 x 27 patches of 6 x 6 in the image at 32 x 32, each less its mean, over sqrt(variance + 10)
    y = V (D + 0.1)^-1/2 V' (p - m)           m and V D V': mean and covariance of patches sampled from the pool's
                                              images
    c_1 .. c_K: k-means of those patches' y, STEPS rounds from K of them; no label and no test item is used
    f_k = max(0, mean_j |y - c_j| - |y - c_k|)
    x = the roots of the sums of f over each quarter of the image, 4K numbers      (the paper: the sums)

Source: Coates, Ng & Lee 2011, AISTATS.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive, hashed
from outgrow.models import loader, scratch
from outgrow.models.bundles import Bundles
from outgrow.models.checkpoints import Model
from outgrow.models.encoder import Features
from outgrow.models.sweep import Sweep
from outgrow.store import Artifact, Store
from outgrow.tasks.images import squares

if TYPE_CHECKING:
    import torch

SIDE, PATCH = 32, 6
PLACES = SIDE - PATCH + 1
IMAGES, SAMPLED, STEPS = 2000, 125, 10
"""At most IMAGES of the pool; SAMPLED patches for each centroid; STEPS rounds of k-means."""
TOGETHER = 64
"""Images that are read at a time by centroids that were kept."""


def patch_features(model: Model, images: Sequence[bytes], pool: np.ndarray, store: Store) -> Features:
    """Features of encoded images.

    Args:
        model: `patches` or `patches:K`.
        images: N encoded images.
        pool: (N,) bool: images from which centroids are learned.
        store: where centroids and features are kept.

    Returns:
        Features with x float32 (1, N, 4K).
    """
    found = learned(model, images, pool, store)
    _, made = _known(model, images, pool)
    made["code"] = fingerprint("patch-features")
    with closing(
        Sweep("patch-features", model, _Squares(), images, store, made, lambda: _Triangle(**found.arrays))
    ) as sweep:
        read = Features(layers=(1,), width=model.width, digest=sweep.digest, **vars(sweep.run(model.width)))
    return replace(read, seconds=read.seconds + found.meta["seconds"])


def learned(model: Model, images: Sequence[bytes], pool: np.ndarray, store: Store) -> Artifact:
    """Mean (108,), whitening (108, 108) and centroids (K, 108) of patches of the pool's images."""
    known, made = _known(model, images, pool)
    return store.make("patches", made | {"code": fingerprint("patches")}, lambda: _learn(known, made["centroids"]))


def encoded(images: Sequence[bytes], mean: np.ndarray, whiten: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Features (N, 4K) float32 of encoded images by centroids that were learned before."""
    read, found = _Triangle(mean, whiten, centroids), []
    with progress.track("reading images by patches", len(images)) as bar:
        for start in range(0, len(images), TOGETHER):
            part = images[start : start + TOGETHER]
            found.append(read(squares(part, SIDE))[0])
            bar.advance(len(part))
    return np.concatenate(found)


def _known(model: Model, images: Sequence[bytes], pool: np.ndarray) -> tuple[list[bytes], dict[str, Any]]:
    """The images of the pool, each once, and what the centroids are made of."""
    known = sorted({images[i] for i in np.flatnonzero(pool).tolist()})
    k = scratch.centroids(model.name)
    return known, {"centroids": k, "pool": hashed(*(hashlib.sha256(image).hexdigest() for image in known))}


def _learn(images: Sequence[bytes], k: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """(arrays, facts): mean (108,), whitening (108, 108) and centroids (K, 108) of patches of these images; seconds."""
    import torch

    began, rng = time.perf_counter(), derive(0, "patches", k)
    chosen = rng.choice(len(images), min(len(images), IMAGES), replace=False)
    each = -(-SAMPLED * k // len(chosen))
    sampled = [
        _normal(squares([images[at]], SIDE))[0, torch.from_numpy(rng.integers(PLACES**2, size=each))].cpu()
        for at in chosen.tolist()
    ]
    p = torch.cat(sampled)
    mean = p.mean(0)
    spread, axes = np.linalg.eigh(np.cov(p.double().numpy().T))
    whiten = torch.from_numpy(axes @ (axes / np.sqrt(spread + 0.1)).T).float()
    y = (p - mean) @ whiten
    c = y[torch.from_numpy(rng.choice(len(y), k, replace=False))]
    with progress.track(f"finding {k} kinds of patches", STEPS) as bar:
        for _ in range(STEPS):
            total, members = torch.zeros_like(c), torch.zeros(k, 1)
            for part in y.split(4096):
                near = (c.square().sum(1) / 2 - part @ c.T).argmin(1)
                total.index_add_(0, near, part)
                members.index_add_(0, near, torch.ones(len(part), 1))
            c = torch.where(members > 0, total / members.clamp_min(1), c)
            bar.advance()
    arrays = {"mean": mean.numpy(), "whiten": whiten.numpy(), "centroids": c.numpy()}
    return arrays, {"seconds": time.perf_counter() - began}


def _normal(pixels: np.ndarray) -> torch.Tensor:
    """(n, 729, 108): the patches of pixels uint8 (n, 3, 32, 32), each of mean 0 and about the same contrast."""
    import torch

    images = torch.from_numpy(pixels).to(loader.device()).float()
    p = torch.nn.functional.unfold(images, PATCH).transpose(1, 2).contiguous()
    p -= p.mean(-1, keepdim=True)
    return p.div_((p.square().mean(-1, keepdim=True) + 10).sqrt_())


@final
class _Squares:
    """Encoded images as a source; a batch is uint8 (n, 3, 32, 32)."""

    what, rows, loading = "images", 1, 0.0

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}

    def open(self, items: Sequence[bytes], folder: Path) -> Bundles:
        self._items: Sequence[bytes] = items
        self.truncated = np.zeros(len(items), bool)
        return Bundles.single(np.full(len(items), PLACES**2, np.int64))

    def batch(self, bundles: Bundles, numbers: Sequence[int], wanted: np.ndarray) -> np.ndarray:
        return squares([self._items[number] for number in numbers if wanted[number]], SIDE)

    def tokens(self, batch: np.ndarray) -> np.ndarray:
        return np.full(len(batch), PLACES**2, np.int64)

    def close(self) -> None:
        self._items = ()


@final
class _Triangle:
    """The features f of images, by the centroids."""

    def __init__(self, mean: np.ndarray, whiten: np.ndarray, centroids: np.ndarray):
        import torch

        self._mean, self._whiten, self._c = (torch.tensor(a).to(loader.device()) for a in (mean, whiten, centroids))
        half = np.repeat((0, 1), (14, 13))
        quarter = (2 * half[:, None] + half).reshape(-1)
        self._quarters = torch.from_numpy(np.eye(4, dtype=np.float32)[:, quarter]).to(loader.device())

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        y = (_normal(batch) - self._mean) @ self._whiten
        z = (y @ (-2 * self._c.T)).add_(self._c.square().sum(1)).add_(y.square().sum(-1, keepdim=True))
        z = z.clamp_(min=0).sqrt_()
        f = z.neg_().sub_(z.mean(-1, keepdim=True)).relu_()
        return (self._quarters @ f).sqrt_().flatten(1)[None].cpu().numpy()

    def flops(self, batch: np.ndarray) -> np.ndarray:
        return np.full(len(batch), 2.0 * PLACES**2 * (self._c.numel() + self._whiten.numel()))
