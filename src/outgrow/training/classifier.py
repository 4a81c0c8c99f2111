"""A checkpoint as a classifier: a head of zeros, and all weights or low-rank updates of the matrices to be trained.

    "full"   every weight, in float32
    "lora"   W = W0 + (ALPHA / RANK) B A for every matrix W0 of the blocks; A (RANK, in) is random, B (out, RANK) starts
             at 0, W0 is fixed (Hu et al. 2021, arXiv 2106.09685)

It is the sequence classifier of `transformers`: the head reads the last token of a causal model, and of an encoder what
its own type prescribes. So a saved classifier is a checkpoint like any other. There is no dropout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from outgrow.core import machine
from outgrow.core.errors import UserError
from outgrow.core.extras import needs
from outgrow.models import Model, loader
from outgrow.models.plan import plan
from outgrow.models.tokens import tokenizer_of
from outgrow.store import disk

SMALL = 500_000_000
RATES = {"full": (5e-5, 1e-5), "lora": (5e-4, 1e-4)}
"""Learning rates of models below SMALL parameters, and of others."""
KINDS = ("lora", "full")
RANK, ALPHA = 16, 32
PART_TOKENS = {"cpu": 512, "accelerator": 32768}
"""Tokens that are read together. Smaller parts of more equal length waste less on padding, which a CPU cannot hide."""
SPREAD = 0.02
"""Standard deviation of new matrices below the head, if the checkpoint's configuration names none."""


def default_rate(model: Model, kind: str) -> float:
    """The learning rate of a classifier of one of KINDS."""
    return RATES[kind][(model.parameters or 0) >= SMALL]


@final
class ClassifierNetwork:
    """A checkpoint with a classification head, as it was saved; `begun` makes one to be trained.

    Args:
        model: the checkpoint.
        outputs: logits a text.
        pad: the token that pads rows.
        kept: precision of the weights.
        precision: precision of the computation.
    """

    weights: Sequence[torch.nn.Parameter] = ()
    """The trained weights, in float32."""
    _tuner: Any = None

    def __init__(self, model: Model, outputs: int, pad: int, kept: str = "float32", precision: str = "float32"):
        self.model, self.outputs, self.pad, self.precision = model, outputs, pad, precision
        self.net, self._new = _read(model, kept, outputs)
        self.net.config.pad_token_id = pad  # the classifier of a causal model looks for it to find the last token
        self._head = [module for module in self.net.modules() if isinstance(module, torch.nn.Linear)][-1]
        # In bfloat16 a head would put all its logits on a coarse grid.
        self._head.forward = partial(_exactly, self._head)  # type: ignore[method-assign]  # of this one module alone

    @classmethod
    def begun(
        cls, model: Model, kind: str, outputs: int, pad: int, tokens: int, rng: np.random.Generator
    ) -> ClassifierNetwork:
        """A classifier to be trained.

        Args:
            model: the checkpoint.
            kind: one of KINDS.
            outputs: logits a text.
            pad: the token that pads rows.
            tokens: most tokens of a batch.
            rng: draws the weights that start neither at 0 nor as in the checkpoint.
        """
        precision = loader.chosen_precision()
        made = cls(model, outputs, pad, "float32" if kind == "full" else precision, precision)
        made._begin(kind, tokens, torch.Generator().manual_seed(int(rng.integers(2**62))))
        return made

    def _begin(self, kind: str, tokens: int, generator: torch.Generator) -> None:
        head, new = list(self._head.parameters()), self._new
        for name, weight in self.net.named_parameters():
            if name in new and weight.ndim > 1:
                drawn = torch.randn(weight.shape, generator=generator)
                # Not every configuration of transformers has this attribute.
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
        """Logits (n, outputs) float32 of token ids, read in parts of about equal length."""
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
        """Sums of -log p(token | those before it) over the texts, a part at a time; first tokens have none.

        The probabilities are those of the checkpoint's language-model head, which is fixed unless it is tied to the
        embeddings.
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
        """Write a checkpoint of `transformers`, with the updates merged; the network cannot be used afterwards.

        The weights are float32, since bfloat16 would round small updates away.
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
        """The order in which the texts are read, and the parts that are read together."""
        lengths = np.array([len(text) for text in texts])
        planned = plan(lengths, PART_TOKENS[loader.place(self.net.device)], int(lengths.sum()))
        return planned.order, (
            [texts[row] for row in planned.order[batch]] for shard in planned.batches for batch in shard
        )

    def _padded(self, texts: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Ids and mask (n, longest), and further arguments of the model."""
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
        """The same blocks under the language-model head of the checkpoint."""
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
    """The sequence classifier, and the names of weights that are not in the checkpoint."""
    from transformers import AutoModelForSequenceClassification

    more = {"num_labels": outputs, "ignore_mismatched_sizes": True, "output_loading_info": True}
    try:
        net, found = loader.read(AutoModelForSequenceClassification, model, precision, **more)
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise
        raise UserError(
            f"`transformers` makes no classifier of {model.name!r}: take `student` linear, or another model"
        ) from None
    return net.eval(), {*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])}


def check(kind: str) -> None:
    """Raise UserError where what a kind of training needs is not installed."""
    if kind == "lora":
        needs("peft", "lora", "`student` lora needs")


def adapted(net: Any, depth: int, generator: torch.Generator) -> Any:
    """Add low-rank updates to every matrix of the blocks."""
    check("lora")
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
    """Recompute blocks in the backward pass if a training on so many tokens at a time would fill the memory.

    It takes weights, gradients, two moments, and the activations of the blocks: about 17 numbers for each token,
    unit of width and block (Korthikanti et al. 2022, arXiv 2205.05198, without attention maps, which are not kept).

    Returns:
        Whether blocks are recomputed.
    """
    size = 4 if precision == "float32" else 2
    trained = sum(weight.numel() for weight in weights)
    resting = sum(weight.numel() for weight in net.parameters()) - trained
    scarce = 16 * trained + size * (resting + 17 * tokens * model.width * model.depth) > _memory() / 2
    if scarce:
        for block in loader.blocks(net, model.depth):
            # In the backward pass a block is computed again from its input.
            block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
    return scarce


def _exactly(head: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return torch.nn.functional.linear(x.to(head.weight.device, torch.float32), head.weight, head.bias)


def _memory() -> int:
    """Bytes of memory of the training device."""
    if loader.place() == "accelerator":
        return int(torch.accelerator.get_memory_info()[1])
    return machine.memory()
