"""Zero-shot classification: probabilities of given words after a prompt, by exact scoring of their tokens.

    score(word) = sum over its tokens of log p(token | prompt, the word's tokens before it)
    probs       = softmax over the words of score

Words with a common prefix share the work: each prefix is read once for a prompt, and the head is computed at its last
position alone. Where every word is one token, the only prefix is the empty one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.models import attention, bundles, flops, loader
from outgrow.models.bundles import Batch
from outgrow.models.checkpoints import Model
from outgrow.models.sweep import Sweep, SweepSource, SweepTexts
from outgrow.models.tokens import Coder, tokenizer_of
from outgrow.store import Store


@dataclass(frozen=True)
class ZeroShot:
    """Probabilities of words after prompts, and their cost."""

    probs: np.ndarray
    """float32 (N prompts, C words), rows sum to 1."""
    seconds: float
    """Seconds of reading the prompts, tokenising included, whenever it was done."""
    loading: float
    """Seconds of loading tokenizer and model this time."""
    flops: float
    """Model FLOPs of real tokens; the head is not counted."""
    tokens: int
    """Real tokens read; identical prompts, and prefixes of prompts that were read once, count once."""
    truncated: int
    """Distinct prompts of which only the end was read."""
    cached: bool
    """Whether nothing had to be computed this time."""


class PromptCoder(Protocol):
    """How prompts become token ids, where that is not by the tokenizer alone."""

    @property
    def form(self) -> str:
        """What tells its ids from those of another coder of the same model."""

    def encode(self, prompt: str) -> Sequence[int]:
        """The ids of a prompt to continue, all of which are read."""


def zero_shot(
    model: Model,
    prompts: Sequence[str],
    words: Sequence[str],
    store: Store,
    *,
    precision: str | None = None,
    coder: PromptCoder | None = None,
) -> ZeroShot:
    """Probabilities of words after prompts.

    Args:
        model: a causal language model.
        prompts: N texts.
        words: C words, each with its own leading space (" yes").
        store: where the results are kept.
        precision: of the weights; the processor's best where not given.
        coder: makes token ids of prompts, as in a chat; where not given they are read as they are, long ones from
            their end.

    Raises:
        UserError: the model is no causal one, or words have no tokens or the same.
    """
    if model.kind != "causal":
        what = "a file of features" if model.kind == "features" else "an encoder"
        raise UserError(f"model {model.name!r} is {what}, without a language-model head: it cannot be prompted")
    precision = loader.chosen_precision(precision)
    spelled = _tokens_of(model, words, store)
    prefixes = tuple(sorted({word[:n] for word in spelled for n in range(len(word))}, key=lambda b: (len(b), b)))
    following = sorted({token for word in spelled for token in word})
    code = fingerprint("zero-shot", *([] if coder is None else [type(coder)]))
    made = {"code": code, "following": following, "precision": precision}
    source: SweepSource = SweepTexts(model, prefixes, bundles.shares(model), continued=True)
    if coder is not None:
        source = _CodedPrompts(coder, prefixes, bundles.shares(model))
    read = Sweep("zero-shot", model, source, prompts, store, made, lambda: _NextTokens(model, following, precision))
    with closing(read) as sweep:
        found = sweep.run(len(following))
    logp = found.x.astype(np.float64).reshape(len(prompts), len(prefixes), len(following))

    def score(word: tuple[int, ...]) -> np.ndarray:
        parts = (logp[:, prefixes.index(word[:n]), following.index(word[n])] for n in range(len(word)))
        return np.asarray(sum(parts))

    scores = np.stack([score(word) for word in spelled], axis=1)
    odds = np.exp(scores - scores.max(1, keepdims=True))
    probs = (odds / odds.sum(1, keepdims=True)).astype(np.float32)
    cost = {name: value for name, value in vars(found).items() if name != "x"}
    return ZeroShot(probs=probs, **cost)


def _tokens_of(model: Model, words: Sequence[str], store: Store) -> list[tuple[int, ...]]:
    """The tokens of each word, kept in the store: reading a large tokenizer takes seconds."""

    def build() -> tuple[dict, dict[str, Any]]:
        coder = Coder(tokenizer_of(model))
        return {}, {"tokens": [coder.after(word) for word in words]}

    made = {"code": fingerprint("words"), "model": model.digest, "words": list(words)}
    found = [tuple(word) for word in store.make("words", made, build).meta["tokens"]]
    for at, word in enumerate(words):
        if not found[at]:
            raise UserError(f"word {word!r} has no tokens for {model.name!r}: choose another word for its class")
        if found[at] in found[:at]:
            raise UserError(f"words {list(words)} are not different for {model.name!r}: choose others")
    return found


@final
class _CodedPrompts:
    """Prompts with the ids of a coder as a source, each with E endings as in `SweepTexts`."""

    what = "prompts"

    def __init__(self, coder: PromptCoder, endings: tuple[tuple[int, ...], ...], share: bool):
        self._coder, self._endings, self._share = coder, endings, share
        self.made = {"endings": endings, "share": share, "form": coder.form}
        self.rows, self.loading = len(endings), 0.0

    def open(self, items: Sequence[str], folder: Path) -> bundles.Bundles:
        self._ids = [np.array(self._coder.encode(prompt), np.int32) for prompt in items]
        self.truncated = np.zeros(len(items), bool)
        rows = map(self._row, range(len(items) * self.rows))
        return bundles.Bundles.of(rows) if self._share else bundles.Bundles.single(np.array([len(r) for r in rows]))

    def batch(self, found: bundles.Bundles, numbers: Sequence[int], wanted: np.ndarray) -> Batch:
        runs = ((b, [row for row in range(found.starts[b], found.starts[b + 1]) if wanted[row]]) for b in numbers)
        return Batch.of([(int(found.shared[b]), [self._row(row) for row in run]) for b, run in runs if run])

    def tokens(self, batch: Batch) -> np.ndarray:
        return batch.tokens

    def close(self) -> None:
        """There is nothing on disk."""

    def _row(self, row: int) -> np.ndarray:
        prompt, ending = divmod(row, self.rows)
        return np.concatenate([self._ids[prompt], np.array(self._endings[ending], np.int32)])


@final
class _NextTokens:
    """Log-probabilities of some next tokens, by a language model whose head is computed at the last position alone."""

    def __init__(self, model: Model, following: Sequence[int], precision: str):
        import torch

        from outgrow.models import packing

        self._net = loader.load(model, precision, head=True)
        blocks = loader.blocks(self._net, model.depth)
        self._count = flops.Counter(self._net, blocks, causal=True)
        attention.quicken(self._net)
        packing.pack(blocks)
        self._following = torch.tensor(following, device=self._net.device)
        self._net.get_output_embeddings().register_forward_pre_hook(self._last)

    def __call__(self, batch: Batch) -> np.ndarray:
        import torch

        self._batch = batch
        with torch.inference_mode():
            logits = loader.forward(self._net, batch, causal=True).logits[:, 0].float()
            logp = logits[:, self._following] - logits.logsumexp(1, keepdim=True)
        return logp.cpu().numpy()[None]

    def flops(self, batch: Batch) -> np.ndarray:
        return self._count(batch)

    def _last(self, head: Any, given: tuple) -> tuple:
        import torch

        return (given[0][torch.from_numpy(self._batch.row), torch.from_numpy(self._batch.end)][:, None],)
