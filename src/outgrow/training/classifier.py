"""A checkpoint as a classifier: a head of zeros on it, and all of its weights to be trained, or low-rank updates of its matrices.

    "full"   every weight, in float32
    "lora"   W = W0 + (ALPHA / RANK) B A for every matrix W0 of the blocks; A (RANK, in) is drawn, B (out, RANK) starts at 0, W0 rests
             (Hu et al. 2021, arXiv 2106.09685)

It is the sequence classifier of `transformers`: the head stands on the last token of a causal model, and where an encoder of that
type has it otherwise. So what is saved is a checkpoint like any other. There is no dropout.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from outgrow.core.errors import UserError
from outgrow.models import Model, loader
from outgrow.models.plan import plan
from outgrow.models.tokens import tokenizer_of
from outgrow.store import disk

SMALL = 500_000_000
RATES = {"full": (5e-5, 1e-5), "lora": (5e-4, 1e-4)}
"""Learning rates of models below SMALL parameters, and of others."""
KINDS = ("lora", "full")
RANK, ALPHA = 16, 32
PART_TOKENS = {"cpu": 512, "cuda": 32768}
"""Tokens that are read together. Smaller parts of more equal length waste less on padding, which a processor cannot hide."""
SPREAD = 0.02
"""Standard deviation of new matrices below the head, where the checkpoint's configuration names none."""


@final
class ClassifierNetwork:
    """A checkpoint with `outputs` logits a text. `pad` fills rows up. It is as it was saved; `begun` makes one to be trained."""

    weights: Sequence[torch.nn.Parameter] = ()
    """What is trained, in float32."""
    _tuner: Any = None

    def __init__(self, model: Model, outputs: int, pad: int, kept: str = "float32", precision: str = "float32"):
        self.model, self.outputs, self.pad, self.precision = model, outputs, pad, precision
        self.net, self._new = _read(model, kept, outputs)
        self.net.config.pad_token_id = pad  # the classifier of a causal model looks for it to find the last token
        self._head = [module for module in self.net.modules() if isinstance(module, torch.nn.Linear)][-1]
        # In bfloat16 a head would put all its logits on a coarse grid.
        self._head.forward = partial(_exactly, self._head)

    @classmethod
    def begun(
        cls, model: Model, kind: str, outputs: int, pad: int, tokens: int, rng: np.random.Generator
    ) -> ClassifierNetwork:
        """To be trained in one of KINDS: a batch has at most so many `tokens`, `rng` draws what does not start at 0 or as it was read."""
        precision = loader.chosen_precision()
        made = cls(model, outputs, pad, "float32" if kind == "full" else precision, precision)
        made._begin(kind, tokens, torch.Generator().manual_seed(int(rng.integers(2**62))))
        return made

    def _begin(self, kind: str, tokens: int, generator: torch.Generator) -> None:
        head, new = list(self._head.parameters()), self._new
        for name, weight in self.net.named_parameters():
            if name in new and weight.ndim > 1:
                drawn = torch.randn(weight.shape, generator=generator)
                weight.data.copy_(drawn * getattr(self.net.config, "initializer_range", SPREAD))
        for weight in head:
            torch.nn.init.zeros_(weight)
        self._tuner = adapted(self.net, self.model.depth, generator) if kind == "lora" else None
        for name, weight in self.net.named_parameters():
            known = name.replace(".base_layer", "")
            weight.requires_grad_(kind == "full" or "lora_" in name or known in new or any(weight is w for w in head))
        self.weights = [weight for weight in self.net.parameters() if weight.requires_grad]
        for weight in self.weights:
            weight.data = weight.data.float()
        spare(self.net, self.model, self.weights, tokens, self.precision)

    def __call__(self, texts: Sequence[np.ndarray]) -> torch.Tensor:
        """Logits (n, outputs) float32 of texts as token ids, read in parts of about equal length."""
        order, parts = self._planned(texts)
        logits = []
        for part in parts:
            ids, _, given = self._padded(part)
            with self._autocast():
                logits.append(self.net(input_ids=ids, **given).logits.float().cpu())
        if not logits:
            return torch.zeros(0, self.outputs)
        return torch.cat(logits)[torch.from_numpy(np.argsort(order))]

    def surprisal(self, texts: Sequence[np.ndarray]) -> Iterator[torch.Tensor]:
        """Sums of -log p(token | those before it) over the texts, a part at a time; of what begins a text nothing is said.

        By the checkpoint's language-model head, which rests where it is not the embeddings.
        """
        for part in self._planned(texts)[1]:
            ids, mask, given = self._padded(part)
            with self._autocast():
                logits = self._language_model(input_ids=ids, **given).logits[:, :-1].float()
            following = ids[:, 1:].masked_fill(~mask[:, 1:].bool(), -1)
            yield torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), following.flatten(), ignore_index=-1, reduction="sum"
            ).cpu()

    def save(self, folder: Path, classes: Sequence[str]) -> None:
        """A checkpoint that `transformers` reads as any other. Updates go into the matrices, and this network is of no more use.

        In float32: bfloat16 would round small updates away.
        """
        net = self.net.float()
        if self._tuner is not None:
            net = self._tuner.merge_and_unload()
        if net.config.num_labels == len(classes):
            net.config.id2label = dict(enumerate(classes))
            net.config.label2id = {name: number for number, name in enumerate(classes)}
        tokenizer = tokenizer_of(self.model)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.convert_ids_to_tokens(self.pad)

        def fill(part: Path) -> None:
            net.save_pretrained(part)
            tokenizer.save_pretrained(part)

        with loader.quiet():
            disk.write_all(folder, fill)

    def _planned(self, texts: Sequence[np.ndarray]) -> tuple[np.ndarray, Iterator[list[np.ndarray]]]:
        """Their order, and in it those that are read together."""
        lengths = np.array([len(text) for text in texts])
        planned = plan(lengths, PART_TOKENS[self.net.device.type], int(lengths.sum()))
        return planned.order, (
            [texts[row] for row in planned.order[batch]] for shard in planned.batches for batch in shard
        )

    def _padded(self, texts: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Ids and mask (n, longest), and what else the model is given."""
        lengths = torch.tensor([len(text) for text in texts])
        ids = torch.full((len(texts), int(lengths.max())), self.pad)
        for row, text in zip(ids, texts, strict=True):
            row[: len(text)] = torch.from_numpy(text.astype(np.int64))
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long().to(self.net.device)
        return (
            ids.to(self.net.device),
            mask,
            {"use_cache": False} if self.model.kind == "causal" else {"attention_mask": mask},
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.net.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @cached_property
    def _language_model(self) -> Any:
        """The same blocks under the head that the checkpoint came with."""
        from transformers import AutoModelForCausalLM

        found = loader.read(AutoModelForCausalLM, self.model, self.precision).eval()
        head = found.get_output_embeddings()
        if head.weight is found.get_input_embeddings().weight:
            head.weight = self.net.get_input_embeddings().weight
        else:
            head.requires_grad_(False)
        setattr(found, found.base_model_prefix, self.net.base_model)
        return found


def _read(model: Model, precision: str, outputs: int) -> tuple[Any, set[str]]:
    """The sequence classifier, and the names of weights that the checkpoint does not hold."""
    from transformers import AutoModelForSequenceClassification

    more = {"num_labels": outputs, "ignore_mismatched_sizes": True, "output_loading_info": True}
    try:
        net, found = loader.read(AutoModelForSequenceClassification, model, precision, **more)
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise
        raise UserError(
            f"`transformers` makes no classifier of {model.name!r}: use --student linear, or another model"
        ) from None
    return net.eval(), {*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])}


def adapted(net: Any, depth: int, generator: torch.Generator) -> Any:
    """Puts updates beside every matrix of the blocks."""
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel
    from transformers.pytorch_utils import Conv1D

    inside = {id(module) for module in loader.blocks(net, depth).modules()}
    names = [
        name
        for name, module in net.named_modules()
        if id(module) in inside and isinstance(module, torch.nn.Linear | Conv1D)
    ]
    turned = any(isinstance(module, Conv1D) for module in net.modules())
    tuner = LoraModel(net, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=names, fan_in_fan_out=turned), "default")
    for name, weight in net.named_parameters():
        if "lora_A" in name:
            drawn = torch.rand(weight.shape, generator=generator)
            weight.data.copy_((2 * drawn - 1) / weight.shape[1] ** 0.5)
    return tuner


def spare(net: Any, model: Model, weights: Sequence[torch.Tensor], tokens: int, precision: str) -> bool:
    """Blocks give memory back and are computed twice, where training on so many tokens at a time would need most of it. Whether they do.

    Training takes weights, gradients, two moments, and what the blocks leave for the way back: the latter about 17 numbers a
    token, unit of width and block (Korthikanti et al. 2022, arXiv 2205.05198, without attention maps, which are not kept).
    """
    size = 4 if precision == "float32" else 2
    trained = sum(weight.numel() for weight in weights)
    resting = sum(weight.numel() for weight in net.parameters()) - trained
    scarce = 16 * trained + size * (resting + 17 * tokens * model.width * model.depth) > _memory() / 2
    if scarce:
        for block in loader.blocks(net, model.depth):
            # On the way back a block is computed again from what went into it.
            block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
    return scarce


def _exactly(head: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return torch.nn.functional.linear(x.to(head.weight.device, torch.float32), head.weight, head.bias)


def _memory() -> int:
    """Bytes of the device that trains."""
    if loader.device().type == "cuda":
        return torch.cuda.mem_get_info()[1]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
