"""A smaller sibling of a checkpoint: some of its blocks, with the same vocabulary, healed by a short training.

    sibling:PARENT:DEPTH        e.g. sibling:smollm2-135m:12

    texts   paragraphs of the language reference that comes with every Python, so that no data is needed
    blocks  the first, the last, and between them the better of two choices by the loss on held-out texts: evenly spaced
            blocks, or those that change their input most, 1 - cos(x, block(x))
            (Men et al. 2024, ShortGPT, arXiv 2403.03853, section 3.2)
    healed  every weight trained on the other texts, L = 1/|K| sum over their tokens of KL(parent || sibling)
            (Muralidharan et al. 2024, Minitron, arXiv 2407.14679, section 3): the parent's distribution over all tokens
            is worth more than the next token alone

A sibling is not a member of a published family. Its loss is part of its `revision`, and a study measures it again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow import models
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive, hashed
from outgrow.models import Model, loader
from outgrow.store import RECORD, Store, made_of

if TYPE_CHECKING:
    import torch

    from outgrow.generation.local import Local
    from outgrow.training.causal import CausalNetwork, Text

PREFIX = "sibling:"
USAGE = f"{PREFIX}PARENT:DEPTH"
TEXTS, HELD_OUT = 512, 48
"""Most paragraphs that are learned, and the number of held-out ones."""
LETTERS = (150, 500)
"""Fewest and most characters of a paragraph."""
BATCH, EPOCHS, RATE = 8, 1, 5e-4


def resolve(name: str, store: Store) -> Model:
    """The model of that name: a sibling, made on first use, or any model of `outgrow.models`."""
    if not name.startswith(PREFIX):
        return models.resolve(name, store)
    parent, depth = _named(name)
    return sibling(models.resolve(parent, store), depth, store)


def check(name: str, what: str = "model", words: Iterable[str] = (USAGE,)) -> None:
    """Raises UserError for a name that no sibling and no model can have; arguments as of `models.check`."""
    if name.startswith(PREFIX):
        models.check(_named(name)[0], f"parent of {what}", ())
    else:
        models.check(name, what, words)


def _named(name: str) -> tuple[str, int]:
    """Parent and depth of a sibling's name."""
    parent, colon, depth = name.removeprefix(PREFIX).rpartition(":")
    if not (colon and depth.isdecimal()):
        raise UserError(f"{name!r} names no sibling: give {USAGE}, DEPTH the number of blocks it keeps")
    return parent, int(depth)


def sibling(parent: Model, depth: int, store: Store) -> Model:
    """The parent with `depth` of its blocks, healed; from the store if it was made before.

    Raises:
        UserError: the parent is not a causal model, or has no such number of blocks to keep.
    """
    if parent.kind != "causal":
        raise UserError(f"model {parent.name!r} does not generate text: a sibling is made of a causal language model")
    if not 2 <= depth < parent.depth:
        raise UserError(f"a sibling of {parent.name!r} with {depth} blocks: give 2 to {parent.depth - 1}")
    made = {
        "code": fingerprint("siblings"),
        "parent": parent.digest,
        "depth": depth,
        "texts": hashed(*paragraphs()),
        "how": [HELD_OUT, BATCH, EPOCHS, RATE],
    }
    kept = store.make_files("siblings", made, lambda folder: _healed(parent, depth, store, folder))
    facts = kept.meta
    blocks = ", ".join(str(block + 1) for block in facts["blocks"])
    losses = "; ".join(f"{what} {facts[what]:.2f}" for what in ("parent", "pruned", "healed"))
    revision = (
        f"blocks {blocks} of the {parent.depth} of {parent.name}, healed by what it says of {facts['tokens']:,} tokens "
        f"(loss a token: {losses})"
    )
    return replace(
        parent,
        name=f"{PREFIX}{parent.name}:{depth}",
        path=kept.path,
        digest=made_of(made),
        revision=revision,
        depth=depth,
        parameters=facts["parameters"],
        size_bytes=facts["size_bytes"],
    )


def paragraphs() -> list[str]:
    """All paragraphs, the held-out ones first; they depend on the version of Python alone."""
    from pydoc_data.topics import topics

    lines = (" ".join(part.split()) for text in topics.values() for part in text.split("\n\n") if part[:1].isalpha())
    found = sorted({line for line in lines if LETTERS[0] <= len(line) <= LETTERS[1]})
    return [found[i] for i in derive(0, "sibling").permutation(len(found))[: HELD_OUT + TEXTS]]


def _healed(parent: Model, depth: int, store: Store, folder: Path) -> Mapping[str, Any]:
    """Write the sibling into `folder`; its facts."""
    from outgrow.generation.local import Local
    from outgrow.training import causal

    local = Local(parent)
    texts = causal.read(parent, [("", text) for text in paragraphs()])
    judging, learning = texts[:HELD_OUT], texts[HELD_OUT:]
    choices = {
        tuple(blocks) for blocks in (evenly(parent.depth, depth), most_changing(changes(parent, judging), depth))
    }
    pruned = {blocks: _pruned(parent, blocks, store) for blocks in sorted(choices)}
    losses = {blocks: loss(Local(model), judging) for blocks, model in pruned.items()}
    best = min(losses, key=losses.__getitem__)
    progress.say(
        f"sibling of {parent.name}: "
        + "; ".join(f"blocks {[b + 1 for b in blocks]} loss {loss:.2f}" for blocks, loss in losses.items())
    )
    healing = Healing(local, learning)
    healed = causal.CausalRun(pruned[best], "full", healing, 0, RATE, store).model()
    for file in healed.path.iterdir():
        if file.name != RECORD:
            os.link(file, folder / file.name)
    for blocks in pruned:
        store.drop("pruned", _made(parent, blocks))
    return {
        "blocks": list(best),
        "parent": loss(local, judging),
        "pruned": losses[best],
        "healed": loss(Local(healed), judging),
        "tokens": sum(healing.tokens(healing.batch(step)) for step in range(healing.steps)),
        "parameters": pruned[best].parameters,
        "size_bytes": healed.size_bytes,
        "choices": [{"blocks": list(blocks), "loss": loss} for blocks, loss in losses.items()],
    }


def loss(local: Local, texts: Sequence[Text]) -> float:
    """Mean -log p of the tokens of the texts, without their ends."""
    import torch

    found = []
    for text in texts:
        then = text.ids[text.start : -1]
        (logits,) = local.logits([text.ids[: text.start].tolist()], [then.tolist()])
        found.append(
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(then).to(logits.device), reduction="none")
            .cpu()
            .numpy()
        )
    return float(np.concatenate(found).mean())


@final
class Healing:
    """Texts on whose tokens the sibling learns its parent's distribution, for `CausalRun`."""

    label = "healing a sibling"

    def __init__(self, parent: Local, texts: Sequence[Text]):
        self._parent, self._texts = parent, texts
        self.steps = math.ceil(EPOCHS * len(texts) / min(BATCH, len(texts)))
        self.longest = max(len(text.ids) for text in texts)
        self.made_of = {
            "healing": parent.digest,
            "texts": hashed(*(text.ids.tobytes() for text in texts)),
            "steps": self.steps,
            "batch": BATCH,
        }

    def batch(self, step: int) -> np.ndarray:
        """Indices of the texts of a step."""
        from outgrow.training import loop

        return loop.drawn(0, "healing", 0, len(self._texts), step, BATCH)

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        return sum(len(self._texts[i].ids) for i in batch)

    def losses(self, network: CausalNetwork, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """Parts of the divergence from the parent, a mean over the batch's tokens."""
        import torch

        from outgrow.training import causal, processes
        from outgrow.training.classifier import PART_TOKENS

        texts = [self._texts[i] for i in batch]
        learned = sum(len(text.ids) - text.start for text in texts)
        own = [texts[i] for i in np.arange(len(texts))[processes.share(len(texts))]]
        for part in causal.parts([len(text.ids) for text in own], PART_TOKENS[loader.place(network.device)]):
            some = [own[i] for i in part]
            held = torch.cat(
                self._parent.logits(
                    [t.ids[: t.start].tolist() for t in some], [t.ids[t.start :].tolist() for t in some]
                )
            )
            said = torch.log_softmax(network.logits(some), 1)
            yield (
                torch.nn.functional.kl_div(said, torch.log_softmax(held, 1), reduction="sum", log_target=True).cpu()
                / learned
            )


def evenly(blocks: int, kept: int) -> list[int]:
    """Indices of `kept` evenly spaced blocks, from the first to the last."""
    return np.round(np.linspace(0, blocks - 1, kept)).astype(int).tolist()


def most_changing(change: Sequence[float], kept: int) -> list[int]:
    """Indices of `kept` blocks: the first, the last, and those between that change their input most."""
    between = sorted(range(1, len(change) - 1), key=lambda block: -change[block])[: kept - 2]
    return sorted([0, *between, len(change) - 1])


def changes(parent: Model, texts: Sequence[Text]) -> list[float]:
    """For every block the mean of 1 - cos(x, block(x)) over the tokens of the texts."""
    import torch

    net = loader.load(parent, "float32", head=True)
    found: list[list[Any]] = [[] for _ in range(parent.depth)]

    def note(at: int, given: tuple, more: Mapping[str, Any], said: Any) -> None:
        before, after = given[0] if given else more["hidden_states"], said[0] if isinstance(said, tuple) else said
        found[at].append(1 - torch.cosine_similarity(before, after, dim=-1).flatten())

    for at, block in enumerate(loader.blocks(net, parent.depth)):
        block.register_forward_hook(lambda _, given, more, said, at=at: note(at, given, more, said), with_kwargs=True)
    with torch.inference_mode():
        for text in texts:
            net(input_ids=torch.from_numpy(text.ids[None, :-1]).to(net.device), use_cache=False)
    return [float(torch.cat(parts).mean()) for parts in found]


def _made(parent: Model, blocks: Sequence[int]) -> dict[str, Any]:
    return {"code": fingerprint("pruned"), "parent": parent.digest, "blocks": list(blocks)}


def _pruned(parent: Model, blocks: Sequence[int], store: Store) -> Model:
    """The parent with these blocks alone."""
    from outgrow.models.tokens import tokenizer_of

    def build(folder: Path) -> Mapping[str, Any]:
        net = loader.load(parent, "float32", head=True)
        stack, config = loader.blocks(net, parent.depth), net.config.get_text_config()
        for block in reversed(range(parent.depth)):
            if block not in blocks:
                del stack[block]
        # Not every configuration of transformers has this attribute.
        if getattr(config, "layer_types", None):
            config.layer_types = [config.layer_types[block] for block in blocks]
        config.num_hidden_layers = len(blocks)
        with loader.quiet():
            net.save_pretrained(folder)
            tokenizer_of(parent).save_pretrained(folder)
        return {"parameters": sum(weight.numel() for weight in net.parameters())}

    kept = store.make_files("pruned", _made(parent, blocks), build)
    name = f"{parent.name} without {parent.depth - len(blocks)} blocks"
    return replace(
        parent,
        name=name,
        path=kept.path,
        digest=made_of(_made(parent, blocks)),
        depth=len(blocks),
        parameters=kept.meta["parameters"],
    )
