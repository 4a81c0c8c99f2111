"""The student as a fine-tuned model: a checkpoint under a new head of zeros, trained by mini-batches.

    z_i = head(state of text i)          an item of two texts: (-d/2, d/2), d = head(second) - head(first)
    for t = 0 .. T-1, with a batch I of 32 items, each item once an epoch in an order that the seed draws:
        L = 1/|I| sum_{i in I} w_i / mean(w) loss(z_i, target_i, t / T)
        one step of Adam at the rate lr (1 + cos(pi t / T)) / 2
    an adapted student has had such a training before, as a language model and without labels, in batches of 32 texts:
        L = -1/|K| sum_{k in K} log p(token k | those before it)        K: all tokens but the first of each text

Batch, two epochs, Adam, cosine and the rates of "full" are those of the code published with Burns et al. 2023 (arXiv
2312.09390); the rate of "lora" is ten times that (Schulman et al. 2025, LoRA Without Regret). A loss sees a batch, as
in that code.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from outgrow.core import progress
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive, hashed
from outgrow.losses import Loss, Term, as_loss
from outgrow.models import Model, loader, tokens
from outgrow.store import Store
from outgrow.students.linear import as_logits
from outgrow.training import loop, processes
from outgrow.training.checkpoint import Checkpoint
from outgrow.training.classifier import ClassifierNetwork, default_rate
from outgrow.training.loop import drawn

BATCH, EPOCHS = 32, 2
FEWEST_STEPS = 60
"""Two epochs of a few hundred items would hardly change a model."""
PREDICTED = 1024
"""Number of items that are predicted at a time."""


@final
@dataclass(frozen=True)
class Texts:
    """The texts that all students of one (task, model) read."""

    model: Model
    texts: tuple[tuple[str, ...], ...]
    """N items of S texts: one, or two to be compared."""
    classes: tuple[str, ...]
    store: Store

    @cached_property
    def ids(self) -> list[list[np.ndarray]]:
        """Token ids of each of the S texts of each of the N items."""
        read, sides = (
            tokens.tokenise(self._tokenizer, [t for item in self.texts for t in item], self.store.root),
            len(self.texts[0]),
        )
        found = [read.ids(at) for at in range(len(self.texts) * sides)]
        read.close()
        return [found[at : at + sides] for at in range(0, len(found), sides)]

    @property
    def outputs(self) -> int:
        """Outputs of the head for one text."""
        return 1 if len(self.texts[0]) == 2 else len(self.classes)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N,) number of tokens of each item."""
        return np.array([sum(map(len, item)) for item in self.ids])

    @cached_property
    def digest(self) -> str:
        """A digest of the texts."""
        return hashed(*(text for item in self.texts for text in (*item, "")))

    def network(self, kind: str, rng: np.random.Generator) -> ClassifierNetwork:
        """The network before training."""
        return ClassifierNetwork.begun(
            self.model, kind, self.outputs, self._tokenizer.pad, BATCH * int(self.lengths.max()), rng
        )

    def probs(self, network: ClassifierNetwork | None, loss: Loss) -> np.ndarray:
        """Probabilities (N, C) float32 of every item, by the network, or by the saved model where it is None."""
        network = network or ClassifierNetwork(self.model, self.outputs, self._tokenizer.pad)
        order, out = np.argsort(self.lengths, kind="stable"), np.empty((len(self.ids), len(self.classes)), np.float32)
        with torch.inference_mode(), progress.track(f"reading {len(order)} items with it", len(order)) as bar:
            for start in range(0, len(order), PREDICTED):
                items = order[start : start + PREDICTED]
                out[items] = loss.read(self.logits(network, items)).numpy()
                bar.advance(len(items))
        return out

    def logits(self, network: ClassifierNetwork, items: Iterable[int]) -> torch.Tensor:
        """Logits (n, C) of items."""
        z = network([text for item in items for text in self.ids[item]])
        return z if self.outputs > 1 else as_logits((z[1::2] - z[::2]).T[None])[0]

    @cached_property
    def _tokenizer(self) -> tokens.Tokenizer:
        return tokens.prepared(self.model)


@final
class TextReading:
    """The texts of the items `rows` (n,), to be learned as a language model; duplicates count once."""

    def __init__(self, texts: Texts, rows: np.ndarray, epochs: int, seed: int, replicate: int):
        found = {text: texts.ids[item][side] for item in rows for side, text in enumerate(texts.texts[item])}
        self.ids = [found[text] for text in sorted(found)]
        self.steps = default_steps(epochs, len(self.ids)) if epochs and self.ids else 0
        self.made_of = {"texts": hashed(*sorted(found)), "steps": self.steps}
        self.seed, self.replicate = seed, replicate
        self.label = f"reading texts by {texts.model.name}, replicate {replicate}"

    def batch(self, step: int) -> np.ndarray:
        """Indices of texts."""
        return drawn(self.seed, "reading", self.replicate, len(self.ids), step, BATCH)

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        return sum(len(self.ids[i]) for i in batch)

    def losses(self, network: ClassifierNetwork, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """Parts whose sum is the batch's loss."""
        predicted = max(sum(len(self.ids[i]) - 1 for i in batch), 1)
        for part in network.surprisal([self.ids[i] for i in batch[processes.share(len(batch))]]):
            yield part / predicted


@final
@dataclass(frozen=True)
class FittedFinetune:
    """A fine-tuned student of R replicates."""

    probs: np.ndarray
    """(R, N, C) float32"""
    runs: tuple[FinetuneRun, ...]

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32 for the items in `mask` (N,) bool; all items by default."""
        return self.probs if mask is None else self.probs[:, mask]

    def save(self, path: Path, replicate: int = 0) -> None:
        """Write a folder that `transformers` loads as a sequence classifier, which scores each of two texts.

        A student whose predictions came from the store is trained again first.
        """
        self.runs[replicate].save(Path(path))


@final
class Finetune:
    """A student that is fine-tuned.

    Args:
        texts: its inputs.
        kind: "lora" or "full".
        train: (R, N) bool, the rows that may be trained on.
        groups: (N,) items of one number belong together.
        seed: with `replicates` names all random choices.
        replicates: (R,) numbers of the replicates.
        reads: rows (R, N) whose texts are learned first as a language model, and the epochs of that.
        before: of each replicate the training that its own goes on from.
    """

    def __init__(
        self, texts: Texts, kind: str, train: np.ndarray, groups: np.ndarray, seed: int, replicates: Sequence[int],
        reads: tuple[np.ndarray, int] | None = None, before: Sequence[FinetuneRun] | None = None,
    ):  # fmt: skip
        self.texts, self.kind, self.train, self.groups = texts, kind, train, groups
        self.seed, self.replicates = seed, tuple(replicates)
        self._reads, self._before = reads, before

    def on(self, train: np.ndarray) -> Finetune:
        """The same student, allowed to train on other rows (R, N)."""
        return Finetune(
            self.texts, self.kind, train, self.groups, self.seed, self.replicates, self._reads, self._before
        )

    def after(self, targets: np.ndarray) -> Finetune:
        """The same student, which is first trained on these targets."""
        runs = self._runs(targets, None, None, None)
        return Finetune(self.texts, self.kind, self.train, self.groups, self.seed, self.replicates, before=runs)

    def adapted(self, rows: np.ndarray, epochs: int) -> Finetune:
        """The same student, which first learns the texts of the rows (R, N) bool as a language model."""
        return Finetune(
            self.texts, self.kind, self.train, self.groups, self.seed, self.replicates, (rows & self.train, epochs)
        )

    def fit(
        self,
        targets: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        loss: Loss | Term | None = None,
        steps: int | None = None,
    ) -> FittedFinetune:
        """Train it on targets; arguments as of `Student.fit`, and two epochs where `steps` is not given.

        Replicates train one after another.
        """
        runs = self._runs(targets, weights, loss, steps)
        return FittedFinetune(np.stack([run.probs() for run in runs]), runs)

    def _runs(
        self, targets: np.ndarray, weights: np.ndarray | None, loss: Loss | Term | None, steps: int | None
    ) -> tuple[FinetuneRun, ...]:
        """The trainings of `fit`, of each replicate one."""
        targets = np.broadcast_to(targets, (*self.train.shape, np.shape(targets)[-1]))
        weights = np.broadcast_to(1.0 if weights is None else weights, self.train.shape) * self.train
        weights = np.where(np.isnan(targets).any(-1), 0, weights).astype(np.float32)
        runs = []
        for r, replicate in enumerate(self.replicates):
            rows = np.flatnonzero(weights[r] > 0)
            runs.append(FinetuneRun(
                self.texts, self.kind, rows, targets[r, rows].astype(np.float32), weights[r, rows], as_loss(loss),
                steps or default_steps(EPOCHS, len(rows)), self.seed, replicate, self._reading(r),
                self._before[r] if self._before else None,
            ))  # fmt: skip
        return tuple(runs)

    def _reading(self, r: int) -> TextReading | None:
        if self._reads is None:
            return None
        rows, epochs = self._reads
        return TextReading(self.texts, np.flatnonzero(rows[r]), epochs, self.seed, self.replicates[r])


@final
class FinetuneRun:
    """The training of one replicate: targets (n, C) and weights (n,) > 0 of the items `rows` (n,), in their order."""

    def __init__(
        self, texts: Texts, kind: str, rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, loss: Loss,
        steps: int, seed: int, replicate: int, reading: TextReading | None = None, before: FinetuneRun | None = None,
    ):  # fmt: skip
        self.texts, self.kind, self.rows, self.targets, self.weights = texts, kind, rows, targets, weights
        self.loss, self.steps, self.seed, self.replicate = loss, steps if len(rows) else 0, seed, replicate
        self.rate = default_rate(texts.model, kind)
        self.label = f"fine-tuning {texts.model.name} ({kind}), replicate {replicate}"
        earlier: tuple[loop.Stage, ...] = before.stages if before else (reading,) if reading and reading.steps else ()
        self.stages: tuple[loop.Stage, ...] = (*earlier, self)
        """The stages of the training, one after another."""
        taught = (rows.astype(np.int64), targets, weights)
        self.made_of: dict[str, Any] = {
            "model": texts.model.digest,
            "texts": texts.digest,
            "kind": kind,
            "seed": seed,
            "replicate": replicate,
            "taught": [hashlib.sha256(array.tobytes()).hexdigest() for array in taught],
            "classes": targets.shape[-1],
            "loss": repr(loss),
            "steps": steps,
            "rate": self.rate,
            "precision": loader.chosen_precision(),
            "device": loader.device().type,
            "code": fingerprint("fine-tuned", *loss.code),
            "reading": reading and reading.made_of,
            **({"before": before.made_of} if before else {}),
        }
        """Everything that the predictions depend on."""
        self._kept: np.ndarray | None = None
        """The trained weights, on disk: many runs may wait there to be saved."""

    def probs(self) -> np.ndarray:
        """Probabilities (N, C) float32 of every item; from the store if it was trained before."""
        made = self.texts.store.make("fine-tuned", self.made_of, self._answers)
        self._checkpoint().drop()
        return made.arrays["probs"]

    def save(self, path: Path) -> None:
        """Write the trained model."""
        if self._kept is None:
            self._train(self._started())
            self._checkpoint().drop()
        network = self._started()
        parts = torch.from_numpy(self._kept).split([weight.numel() for weight in network.weights])
        for weight, part in zip(network.weights, parts, strict=True):
            weight.data.copy_(part.view_as(weight))
        network.save(path, self.texts.classes)

    def _answers(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        began, network = time.perf_counter(), self._started()
        tokens = self._train(network)
        trained = time.perf_counter() - began
        return {"probs": self.texts.probs(network, self.loss)}, {
            "seconds": trained,
            "tokens": tokens,
            "steps": self.steps,
        }

    def _started(self) -> ClassifierNetwork:
        return self.texts.network(self.kind, derive(self.seed, "fine-tuning", self.replicate))

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(self.texts.store, self.made_of)

    def _train(self, network: ClassifierNetwork) -> int:
        """Train from the last checkpoint or from the start, and keep the weights on disk; the number of tokens read."""
        processes.call(self)
        read = loop.train(network, self.stages, self.rate, self._checkpoint())
        if processes.main():
            self._kept = self.texts.store.scratch((sum(weight.numel() for weight in network.weights),))
            torch.cat([weight.detach().cpu().flatten() for weight in network.weights], out=torch.from_numpy(self._kept))
        return read

    def follow(self) -> None:
        """The part of another process in the training."""
        self._train(self._started())

    def batch(self, step: int) -> np.ndarray:
        """Indices of rows in ascending order: a loss then breaks ties by hashed id, as in a full batch."""
        return drawn(self.seed, "epoch", self.replicate, len(self.rows), step, BATCH)

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        return int(self.texts.lengths[self.rows[batch]].sum())

    def losses(self, network: ClassifierNetwork, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """The loss of a batch."""
        targets, weights = (torch.from_numpy(array[batch]) for array in (self.targets, self.weights))
        rows = self.rows[batch]
        z = processes.whole(self.texts.logits(network, rows[processes.share(len(rows))]), len(rows))
        losses = self.loss(z, targets, weights, at)
        yield (losses * weights).mean() / float(self.weights.mean())


def default_steps(epochs: int, count: int) -> int:
    """Steps of a training on `count` items, or on as many texts."""
    return max(math.ceil(epochs * count / BATCH), FEWEST_STEPS)
