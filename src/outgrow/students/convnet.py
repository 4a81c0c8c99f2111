"""The student as a small convolutional network trained from scratch, on 32 x 32 images with or without a text.

    h = mean over places of four blocks: 3x3 convolution, group norm, ReLU     W, 2W, 4W, 4W channels; sides 16, 8, 4, 4
    e = mean over the text's words of their embeddings (4W)
    z = head(h)                 of an image and a text: head([h, e, h * e])
    for t = 0 .. T-1, with a batch I of 32 items, each item once an epoch in an order that the seed draws:
        L = 1/|I| sum_{i in I} w_i / mean(w) loss(z_i, target_i, t / T)
        one step of Adam at the rate lr min(5 t / T, 5/4 (1 - t / T)): up to a fifth of the way, then down to nothing

Group norm (Wu & He 2018, arXiv 1803.08494) looks at one item alone, so that a prediction does not depend on its batch.
Images are not augmented, since the transformations that keep a class are not known here. The loss sees a batch.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn

from outgrow.core import progress, records
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive, hashed
from outgrow.losses import Loss, Term, as_loss
from outgrow.losses._names import loss_of, record_of
from outgrow.models import loader, scratch
from outgrow.store import Store, disk
from outgrow.students.student_file import CONVNET, WEIGHTS
from outgrow.tasks.images import squares
from outgrow.tasks.task import Task

SIDE = 32
BATCH, EPOCHS = 32, 16
FEWEST_STEPS = 100
RATE = 3e-3
RISE = 0.2
"""Share of the steps in which the learning rate rises."""
WORDS = 1024
"""Number of embeddings; the checksum of a word chooses its embedding, so that every word has one."""
PREDICTED = 512
"""Number of items that are predicted at a time."""
FACTS, ARRAYS = WEIGHTS[CONVNET]


@final
class ConvNetwork(nn.Module):
    """The network, with random weights.

    The head starts at random: a head of zeros, as elsewhere, scored 8 points less on 2,000 images of CIFAR-10.

    Args:
        width: W, the channels of the first block.
        classes: number of logits.
        text: whether a text stands beside the image.
        rng: draws the weights.
    """

    def __init__(self, width: int, classes: int, text: bool, rng: np.random.Generator):
        super().__init__()
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        blocks: list[nn.Module] = []
        for into, out, stride, pool in (
            (3, width, 2, True),
            (width, 2 * width, 1, True),
            (2 * width, 4 * width, 1, False),
            (4 * width, 4 * width, 1, False),
        ):
            blocks += [nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.GroupNorm(scratch.GROUPS, out), nn.ReLU()]
            blocks += [nn.MaxPool2d(2)] if pool else []
        self.blocks = nn.Sequential(*blocks)
        self.blocks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's types
        self.words = nn.EmbeddingBag(WORDS + 1, 4 * width, mode="mean", padding_idx=0) if text else None
        if self.words is not None:
            nn.init.normal_(self.words.weight, generator=generator)
        self.head = nn.Linear((3 if text else 1) * 4 * width, classes)
        nn.init.zeros_(self.head.bias)
        for layer in (*self.blocks, self.head):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)

    def states(self, pixels: torch.Tensor, words: torch.Tensor | None) -> torch.Tensor:
        """Inputs of the head (n, D), from uint8 pixels (n, 3, 32, 32) and word numbers (n, T), padded with 0."""
        scaled = (pixels.float() / 255 - 0.5) / 0.25
        h = self.blocks(scaled.contiguous(memory_format=torch.channels_last)).mean((2, 3))
        if self.words is None:
            return h
        e = self.words(words)
        return torch.cat([h, e, h * e], 1)

    def forward(self, pixels: torch.Tensor, words: torch.Tensor | None) -> torch.Tensor:
        return self.head(self.states(pixels, words))


def numbered(texts: Sequence[tuple[str, ...]]) -> np.ndarray | None:
    """Word numbers of the texts, int64 (N, T), padded with 0; None where items have no text."""
    if not len(texts) or not texts[0]:
        return None
    found = [[1 + zlib.crc32(word.encode()) % WORDS for word in re.findall(r"\w+", text.lower())] for (text,) in texts]
    out = np.zeros((len(found), max(1, *map(len, found))), np.int64)
    for row, words in zip(out, found, strict=True):
        row[: len(words)] = words
    return out


@final
class Pictures:
    """The images and texts that all convnets of one (task, name) read."""

    def __init__(self, task: Task, name: str, store: Store):
        self.name, self.width, self.classes, self.store = name, scratch.width(name), task.classes, store
        images = task.seen(name)
        self.pixels, self.words = torch.from_numpy(squares(images, SIDE)), None
        numbers = numbered(task.texts)
        if numbers is not None:
            self.words = torch.from_numpy(numbers)
        self.digest = hashed(
            *(hashlib.sha256(image).hexdigest() for image in images), *(t for item in task.texts for t in (*item, ""))
        )

    def of(self, items: np.ndarray) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Pixels and words of items, on the device of the network."""
        at, where = torch.from_numpy(items), loader.device()
        return self.pixels[at].to(where), None if self.words is None else self.words[at].to(where)


@final
@dataclass(frozen=True)
class FittedConvnet:
    """A trained convnet of R replicates."""

    probs: np.ndarray
    """(R, N, C) float32"""
    runs: tuple[ConvnetRun, ...]

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32 for the items in `mask` (N,) bool; all items by default."""
        return self.probs if mask is None else self.probs[:, mask]

    def save(self, path: Path, replicate: int = 0) -> None:
        """Write a folder that `load` reads."""
        self.runs[replicate].save(Path(path))


@final
class Convnet:
    """A student that is trained from scratch.

    Args:
        pictures: its inputs.
        train: (R, N) bool, the rows that may be trained on.
        groups: (N,) items of one number belong together.
        seed: with `replicates` names all random choices.
        replicates: (R,) numbers of the replicates.
    """

    def __init__(self, pictures: Pictures, train: np.ndarray, groups: np.ndarray, seed: int, replicates: Sequence[int]):
        self.pictures, self.train, self.groups = pictures, train, groups
        self.seed, self.replicates = seed, tuple(replicates)

    def on(self, train: np.ndarray) -> Convnet:
        """The same student, allowed to train on other rows (R, N)."""
        return Convnet(self.pictures, train, self.groups, self.seed, self.replicates)

    def fit(
        self,
        targets: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        loss: Loss | Term | None = None,
        steps: int | None = None,
    ) -> FittedConvnet:
        """Train it on targets; arguments as of `Student.fit`, and sixteen epochs where `steps` is not given.

        Replicates train one after another; each is an artifact of the store.
        """
        runs = self._runs(targets, weights, as_loss(loss), steps)
        return FittedConvnet(np.stack([run.trained["probs"] for run in runs]), runs)

    def embed(self, targets: np.ndarray, weights: np.ndarray | None = None) -> list[np.ndarray]:
        """For each replicate the standardised inputs of the head (N, D), after training on these targets."""
        return [run.states() for run in self._runs(targets, weights, as_loss(None), None)]

    def _runs(
        self, targets: np.ndarray, weights: np.ndarray | None, loss: Loss, steps: int | None
    ) -> tuple[ConvnetRun, ...]:
        targets = np.broadcast_to(targets, (*self.train.shape, np.shape(targets)[-1]))
        weights = np.broadcast_to(1.0 if weights is None else weights, self.train.shape) * self.train
        weights = np.where(np.isnan(targets).any(-1), 0, weights).astype(np.float32)
        rows = [np.flatnonzero(w > 0) for w in weights]
        return tuple(
            ConvnetRun(
                self.pictures,
                at,
                targets[r, at].astype(np.float32),
                weights[r, at],
                loss,
                steps,
                self.seed,
                self.replicates[r],
            )
            for r, at in enumerate(rows)
        )


@final
class ConvnetRun:
    """The training of one replicate: targets (n, C) and weights (n,) > 0 of the items `rows` (n,), in their order."""

    def __init__(
        self,
        pictures: Pictures,
        rows: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        loss: Loss,
        steps: int | None,
        seed: int,
        replicate: int,
    ):
        self.pictures, self.rows, self.targets, self.weights = pictures, rows, targets, weights
        self.loss = loss
        self.batch = min(BATCH, len(rows))
        self.steps = (steps or default_steps(len(rows))) if len(rows) else 0
        self.seed, self.replicate = seed, replicate
        taught = (rows.astype(np.int64), targets, weights)
        self.made_of = {
            "read": pictures.digest,
            "width": pictures.width,
            "seed": seed,
            "replicate": replicate,
            "taught": [hashlib.sha256(array.tobytes()).hexdigest() for array in taught],
            "classes": targets.shape[-1],
            "loss": repr(loss),
            "steps": self.steps,
            "device": loader.device().type,
            "code": fingerprint("convnet", *loss.code),
        }
        """Everything that the predictions depend on."""

    @cached_property
    def trained(self) -> Any:
        """`probs` (N, C) float32 of every item, and the weights; from the store if it was trained before."""
        return self.pictures.store.make("convnet", self.made_of, self._train).arrays

    def states(self) -> np.ndarray:
        """(N, D) float32, standardised."""
        network = self._network()
        network.load_state_dict({name: torch.tensor(self.trained[f"weights/{name}"]) for name in network.state_dict()})
        x = torch.cat([network.states(*self.pictures.of(part)) for part in self._parts()]).cpu()
        return ((x - x.mean(0)) / x.std(0).clamp_min(1e-6)).numpy()

    def save(self, path: Path) -> None:
        """Write the network's weights and what it takes to predict with it."""
        from safetensors.numpy import save as encode

        pictures = self.pictures
        facts = ConvnetFile(pictures.width, pictures.classes, pictures.words is not None, record_of(self.loss))
        weights = {name[8:]: np.array(value) for name, value in self.trained.items() if name.startswith("weights/")}
        disk.write(path / ARRAYS, encode(weights))
        disk.write(path / FACTS, json.dumps({"version": records.VERSION, **records.dump(facts)}, indent=1) + "\n")

    def _network(self) -> ConvNetwork:
        rng = derive(self.seed, "convnet", self.replicate)
        return (
            ConvNetwork(self.pictures.width, self.targets.shape[-1], self.pictures.words is not None, rng)
            .to(loader.device())
            .requires_grad_(False)
        )

    def _parts(self) -> list[np.ndarray]:
        items = np.arange(len(self.pictures.pixels))
        return [items[at : at + PREDICTED] for at in range(0, len(items), PREDICTED)]

    def _order(self) -> np.ndarray:
        """Batches of row indices (steps, batch), each in ascending order: a loss then breaks ties by hashed id."""
        count, total = len(self.rows), self.steps * self.batch
        epochs = [
            derive(self.seed, "epoch", e, self.replicate).permutation(count)
            for e in range(math.ceil(total / max(count, 1)))
        ]
        return np.sort(np.concatenate([*epochs, np.zeros(0, np.int64)])[:total].reshape(self.steps, self.batch), axis=1)

    def _train(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        began, network, where = time.perf_counter(), self._network().requires_grad_(), loader.device()
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        mean = float(self.weights.mean()) if len(self.weights) else 1.0
        with progress.track(f"training {self.pictures.name}, replicate {self.replicate}", self.steps) as bar:
            for step, batch in enumerate(self._order()):
                done = step / self.steps
                optimiser.param_groups[0]["lr"] = RATE * min(done / RISE, (1 - done) / (1 - RISE))
                targets, weights = (torch.from_numpy(array[batch]).to(where) for array in (self.targets, self.weights))
                with torch.enable_grad():
                    logits = network(*self.pictures.of(self.rows[batch]))
                    batch_loss = (self.loss(logits, targets, weights, done) * weights).mean() / mean
                    optimiser.zero_grad()
                    batch_loss.backward()
                optimiser.step()
                bar.advance()
        network.requires_grad_(False)
        if not self.steps:
            nn.init.zeros_(network.head.weight)  # an untrained network predicts even odds
        probs = torch.cat([self.loss.read(network(*self.pictures.of(part))) for part in self._parts()]).cpu().numpy()
        kept = {
            f"weights/{name}": np.ascontiguousarray(value.cpu().numpy()) for name, value in network.state_dict().items()
        }
        return {"probs": probs, **kept}, {"seconds": time.perf_counter() - began, "steps": self.steps}


def default_steps(count: int) -> int:
    """Steps of a training on `count` items."""
    return max(math.ceil(EPOCHS * count / BATCH), FEWEST_STEPS)


@final
@dataclass(frozen=True)
class ConvnetFile:
    """convnet.json: a network without its weights."""

    width: int
    classes: tuple[str, ...]
    text: bool
    """Whether a text stands beside the image."""
    objective: dict[str, Any]


@final
@dataclass(frozen=True)
class SavedConvnet:
    """A trained network from a folder."""

    classes: tuple[str, ...]
    network: ConvNetwork
    loss: Loss

    def predict(self, images: Sequence[bytes], texts: Sequence[str] | None = None) -> np.ndarray:
        """Probabilities (n, C) float32 of encoded images, and of the texts beside them if it was trained on such."""
        if (texts is None) != (self.network.words is None):
            raise UserError(
                f"this convnet was trained on images {'alone' if texts else 'and texts'}: "
                f"give {'no texts' if texts else 'both'}"
            )
        words = None if texts is None else torch.from_numpy(numbered([(text,) for text in texts]))
        found = []
        with progress.track("reading images with the convnet", len(images)) as bar, torch.no_grad():
            for start in range(0, len(images), PREDICTED):
                part = slice(start, start + PREDICTED)
                pixels = torch.from_numpy(squares(images[part], SIDE))
                found.append(self.loss.read(self.network(pixels, None if words is None else words[part])).numpy())
                bar.advance(len(pixels))
        return np.concatenate([np.empty((0, len(self.classes)), np.float32), *found])


def load(path: Path | str) -> SavedConvnet:
    """The network in a folder that `FittedConvnet.save` wrote. Raises UserError where there is none."""
    from safetensors.torch import load_file

    path = Path(path)
    if not all((path / name).is_file() for name in (FACTS, ARRAYS)):
        raise UserError(f"no convnet in {path}: give a folder with {FACTS} and {ARRAYS}")
    facts = records.load(ConvnetFile, records.parse((path / FACTS).read_bytes(), path / FACTS), path / FACTS)
    network = ConvNetwork(facts.width, len(facts.classes), facts.text, np.random.default_rng(0)).requires_grad_(False)
    network.load_state_dict(load_file(path / ARRAYS))
    return SavedConvnet(facts.classes, network, loss_of(facts.objective))
