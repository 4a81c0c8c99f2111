"""Tuning of a language model on answers: it learns their tokens, and none of the prompts.

    x_i = prompt's ids, answer's ids, end        as in generation; no end if the answer was cut at the token limit
    for t = 0 .. T-1, with a batch I of 16 examples, each once an epoch in an order that the seed draws:
        L = 1/|K| sum_{(i, k) in K} w_i / mean(w) loss(logits before token k of i, token k, score of it, t / T)
        one step of Adam at the rate lr (1 + cos(pi t / T)) / 2           K: the answers' tokens and ends in the batch

The loss is cross-entropy or another of `generation/targets.py`. Kinds are those of `training/classifier.py`; low-rank
updates are merged, so the result is a checkpoint like the one before. The head is computed only where there is a loss.
A common prefix of prompts is read once for all texts of a part; or the texts stand in one row without padding, if that
is fewer tokens.

Preferences are learned from batches of 16 pairs, L = 1/|I| sum_{i in I} c_i loss(pair i), with a loss of
`generation/preference.py`. The model before training is the reference; its log-probabilities are computed once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
import torch

from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive, hashed
from outgrow.generation import PLAIN, Prompting
from outgrow.generation.local import Local
from outgrow.generation.preference import PairLoss, PreferencePair
from outgrow.generation.targets import Hard, TokenLoss
from outgrow.models import Model, loader
from outgrow.models.checkpoints import config_of
from outgrow.models.plan import plan
from outgrow.models.tokens import tokenizer_of
from outgrow.store import Store, made_of
from outgrow.training import classifier, loop, processes
from outgrow.training.checkpoint import Checkpoint
from outgrow.training.classifier import ALPHA, KINDS, PART_TOKENS, RANK

BATCH = 16
ROW = 1024
"""Most tokens of a row of several texts, since attention is quadratic in them."""
SAME = {"float32": 1e-3, "bfloat16": 0.1}
"""Largest difference of logits, in their standard deviations, between texts in one row and the same texts alone."""
WORTH = 8
"""Fewest tokens of a common prefix that is read separately."""
LORA_RATE = 5e-4
"""Learning rate of low-rank updates of a model of width WIDE (Schulman et al. 2025, LoRA Without Regret)."""
WIDE, POWER = 2000, 0.781
"""Narrower models have larger rates, LORA_RATE (WIDE / width)^POWER: the fit of that source to Llama models."""
PREFERENCE_RATES = {"full": 1e-6, "lora": 1e-5}
"""Learning rates: Rafailov et al. 2023 (arXiv 2305.18290), Appendix B, and ten times that; few pairs need more."""


@final
@dataclass(frozen=True)
class Example:
    """An answer to learn."""

    prompt: str
    answer: str
    weight: float = 1.0
    """The example's share in the loss; an example of weight 0 is left out."""
    targets: tuple[float, ...] | None = None
    """Target probability of each token of the answer, in the tokens of the model that learns it; 1 for its end."""
    whole: bool = True
    """Whether the answer ends here; of an answer that was cut at the token limit no end is learned."""


@final
@dataclass(frozen=True)
class Text:
    """The tokens of one prompt and answer."""

    ids: np.ndarray
    """int64 (P + T,): the prompt, the answer, and the end of a whole answer."""
    start: int
    """P: the position at which the answer begins."""


@final
@dataclass(frozen=True)
class Spent:
    """The cost of a tuning, whenever it was done."""

    seconds: float
    tokens: int
    """Tokens read in training, including prompts, in all epochs."""
    steps: int


def tune(
    model: Model, examples: Sequence[Example], *, kind: str = "lora", seed: int, store: Store,
    prompting: Prompting = PLAIN, epochs: float = 2, rate: float | None = None, loss: TokenLoss | None = None,
) -> Model:  # fmt: skip
    """The model tuned on the examples: a checkpoint in the store, made once.

    Args:
        model: the checkpoint before.
        examples: prompts with the answers to learn.
        kind: "lora" or "full".
        seed: names all random choices.
        store: where the result is kept.
        prompting: how prompts are put to the model.
        epochs: passes over the examples.
        rate: learning rate; that of the kind where not given.
        loss: the loss of a token; cross-entropy where not given.

    Raises:
        UserError: there are no examples, one is longer than the model can read, or `targets` are not one probability a
            token.
    """
    examples = [example for example in examples if example.weight > 0 and (example.whole or example.answer)]
    if not examples:
        raise UserError("no examples to tune on: give at least one of a weight above 0")
    if any(example.targets is not None for example in examples) and loss is None:
        raise UserError(
            "examples have `targets`, but the loss is plain cross-entropy: "
            "give Soft() or another of generation/targets.py"
        )
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    texts = read(
        model,
        [(example.prompt, example.answer) for example in examples],
        prompting,
        [example.whole for example in examples],
    )
    scores = [_scores(example, text) for example, text in zip(examples, texts, strict=True)]
    weights = np.array([example.weight for example in examples])
    lessons = Lessons(
        texts, scores, weights / weights.mean(), loss or Hard(), epochs, seed, f"tuning {model.name} ({kind})"
    )
    return CausalRun(model, kind, lessons, seed, rate or default_rate(model, kind), store).model()


def prefer(
    model: Model,
    pairs: Sequence[PreferencePair],
    loss: PairLoss,
    *,
    kind: str = "lora",
    seed: int,
    store: Store,
    prompting: Prompting = PLAIN,
    epochs: float = 1,
    rate: float | None = None,
    weak: tuple[Model, Model] | None = None,
) -> Model:
    """The model after learning preferences: a checkpoint in the store, made once.

    Args:
        model: the checkpoint before, which is also the reference.
        pairs: pairs of a better and a worse answer.
        loss: the loss of a pair.
        kind: "lora" or "full".
        seed: names all random choices.
        store: where the result is kept.
        prompting: how prompts are put to the model.
        epochs: passes over the pairs.
        rate: learning rate; that of the kind where not given.
        weak: a model of the same vocabulary after and before it was aligned, for `Wspo`.

    Raises:
        UserError: there are no pairs, one is longer than the model can read, or weak models are missing or of another
            vocabulary.
    """
    pairs = [
        pair
        for pair in pairs
        if pair.confidence > 0 and all(map(any, zip((pair.chosen, pair.rejected), pair.whole, strict=True)))
    ]
    if not pairs:
        raise UserError("no pairs to learn from: give at least one of a confidence above 0")
    if (weak is None) != loss.both:
        raise UserError(
            f"{loss!r} {'takes no' if weak else 'needs'} weak models: "
            f"{'leave them out' if weak else 'give weak=(aligned, base)'}"
        )
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    sides = [[(pair.prompt, pair.chosen) for pair in pairs], [(pair.prompt, pair.rejected) for pair in pairs]]
    texts = [
        read(model, side, prompting, [pair.whole[at] for pair in pairs])
        for at, side in enumerate(sides[: 1 + loss.both])
    ]
    for other in weak or ():
        if Local(other).vocabulary != Local(model).vocabulary:
            raise UserError(
                f"models {other.name!r} and {model.name!r} have different vocabularies: "
                "give weak models of the same one"
            )
    choices = AnswerPairs(
        model,
        texts,
        weak or (),
        np.array([pair.confidence for pair in pairs]),
        loss,
        epochs,
        seed,
        store,
        f"preferences of {model.name} ({kind})",
    )
    return CausalRun(model, kind, choices, seed, rate or PREFERENCE_RATES[kind], store).model()


def default_rate(model: Model, kind: str) -> float:
    """The learning rate of a tuning on answers; of kind "full" that of `training/classifier.py`."""
    return LORA_RATE * (WIDE / model.width) ** POWER if kind == "lora" else classifier.default_rate(model, kind)


def spent(tuned: Model) -> Spent:
    """The cost of the tuning that made this model."""
    meta = json.loads((tuned.path / "record.json").read_bytes())["meta"]
    return Spent(meta["seconds"], meta["tokens"], meta["steps"])


def read(
    model: Model,
    pairs: Sequence[tuple[str, str]],
    prompting: Prompting = PLAIN,
    whole: Sequence[bool] | None = None,
) -> list[Text]:
    """Token ids of prompts and answers, with an end where the answer is `whole` (all, if not given).

    Raises:
        UserError: a text is longer than the model can read, or the model has no token that ends an answer.
    """
    local = Local(model)
    eos = tokenizer_of(model).eos_token_id
    if not local.ends:
        raise UserError(f"model {model.name!r} names no token that ends an answer: it cannot learn where to stop")
    end = eos if eos in local.ends else min(local.ends)
    # Configurations of models without a longest text have no such attribute.
    positions = getattr(config_of(model.path, model.name), "max_position_embeddings", None) or math.inf
    texts = []
    for (prompt, answer), ends in zip(pairs, whole or [True] * len(pairs), strict=True):
        begun = local.encode(prompt, prompting)
        texts.append(Text(np.array([*begun, *local.after(answer), *([end] if ends else [])], np.int64), len(begun)))
        if len(texts[-1].ids) > positions:
            raise UserError(
                f"an example of {len(texts[-1].ids)} tokens is longer than the {positions} of {model.name!r}: drop it"
            )
    return texts


def _scores(example: Example, text: Text) -> np.ndarray:
    """Target probabilities float32 (T,) of an answer's tokens and end."""
    tokens = len(text.ids) - text.start
    if example.targets is None:
        return np.ones(tokens, np.float32)
    if len(example.targets) != tokens - example.whole:
        raise UserError(
            f"{len(example.targets)} targets for an answer of {tokens - example.whole} tokens: "
            "give one for each token of the model that learns them"
        )
    if not all(0 <= target <= 1 for target in example.targets):
        raise UserError(
            f"targets from {min(example.targets):.3g} to {max(example.targets):.3g} are no probabilities: "
            "give exp of the values of `bridge.across`"
        )
    return np.array([*example.targets, *([1.0] if example.whole else [])], np.float32)


@final
class CausalNetwork:
    """A causal checkpoint to be trained.

    Args:
        model: the checkpoint.
        kind: one of KINDS.
        tokens: most tokens that are read at a time.
        rng: draws the low-rank updates.
    """

    def __init__(self, model: Model, kind: str, tokens: int, rng: np.random.Generator):
        from transformers import AutoModelForCausalLM

        self.precision = loader.chosen_precision()
        self.net = loader.read(AutoModelForCausalLM, model, "float32" if kind == "full" else self.precision).eval()
        self.device = self.net.device
        drawn = torch.Generator().manual_seed(int(rng.integers(2**62)))
        self._tuner = classifier.adapted(self.net, model.depth, drawn) if kind == "lora" else None
        for name, weight in self.net.named_parameters():
            weight.requires_grad_(kind == "full" or "lora_" in name)
        self.weights = [weight for weight in self.net.parameters() if weight.requires_grad]
        for weight in self.weights:
            weight.data = weight.data.float()
        self._spared = classifier.spare(self.net, model, self.weights, tokens, self.precision)

    def begun_alike(self, texts: Sequence[Text]) -> int:
        """Length of the prompts' common prefix that is read once; 0 if it is short, or blocks are recomputed."""
        if self._spared or len(texts) == 1:
            return 0
        most = min(text.start for text in texts) - 1
        same = np.all([text.ids[:most] == texts[0].ids[:most] for text in texts], 0)
        found = most if same.all() else int(same.argmin())
        return found if found >= WORTH else 0

    def logits(self, texts: Sequence[Text]) -> torch.Tensor:
        """Logits float32 (n, V) before every token of every answer, one text after another."""
        first, longest = self.begun_alike(texts), max(len(text.ids) for text in texts) - 1
        packed, padded = sum(len(text.ids) - 1 for text in texts), first + len(texts) * (longest - first)
        if packed < padded and packed <= ROW and self._packs:
            return self._packed(texts)
        return self._padded(texts, first, longest)

    def _packed(self, texts: Sequence[Text]) -> torch.Tensor:
        """Texts in one row; the models of `transformers` separate them where positions begin anew."""
        ids = torch.from_numpy(np.concatenate([text.ids[:-1] for text in texts]))
        positions = torch.cat([torch.arange(len(text.ids) - 1) for text in texts])
        starts = np.cumsum([0, *(len(text.ids) - 1 for text in texts)])
        places = torch.cat(
            [
                torch.arange(at + text.start - 1, at + len(text.ids) - 1)
                for at, text in zip(starts.tolist(), texts, strict=False)
            ]
        )
        return self._said(
            ids[None], torch.zeros_like(places), places, position_ids=positions[None].to(self.device), use_cache=False
        )

    def _padded(self, texts: Sequence[Text], first: int, longest: int) -> torch.Tensor:
        """Texts in rows of their own, after the `first` tokens that they share."""
        from transformers import DynamicCache

        # A token does not see the tokens on its right: no mask is needed, and padding may be anything.
        ids = torch.zeros(len(texts), longest - first, dtype=torch.int64)
        for row, text in zip(ids, texts, strict=True):
            row[: len(text.ids) - 1 - first] = torch.from_numpy(text.ids[first:-1])
        rows = torch.tensor([row for row, text in enumerate(texts) for _ in text.ids[text.start :]])
        places = torch.cat([torch.arange(text.start - 1, len(text.ids) - 1) for text in texts]) - first
        cache = None
        if first:
            cache = DynamicCache()
            with self._autocast():
                self.net(
                    input_ids=torch.from_numpy(texts[0].ids[None, :first]).to(self.device),
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
            cache.batch_repeat_interleave(len(texts))
        return self._said(ids, rows, places, past_key_values=cache, use_cache=first > 0)

    def _said(self, ids: torch.Tensor, rows: torch.Tensor, places: torch.Tensor, **given: Any) -> torch.Tensor:
        """Logits at these places of these rows; the head is computed there alone."""
        hook = self.net.get_output_embeddings().register_forward_pre_hook(
            lambda _, states: (states[0][rows, places][None],)
        )
        try:
            with self._autocast():
                return self.net(input_ids=ids.to(self.device), **given).logits[0].float()
        finally:
            hook.remove()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @cached_property
    def _packs(self) -> bool:
        """Whether texts in one row have the same logits as alone; recurrent models and some position codes differ."""
        known = self.net.get_input_embeddings().num_embeddings
        texts = [Text(np.arange(start, start + length) % known, 1) for start, length in ((20, 12), (10, 9))]
        with torch.no_grad():
            together, alone = (
                self._packed(texts),
                torch.cat([self._padded([text], 0, len(text.ids) - 1) for text in texts]),
            )
        return float((together - alone).abs().max()) <= SAME[self.precision] * float(alone.std())

    def save(self, folder: Path, model: Model) -> None:
        """Write a checkpoint in float32, since bfloat16 would round small updates away; the network is spent then."""
        net = self.net.float()
        if self._tuner is not None:
            net = self._tuner.merge_and_unload()
        with loader.quiet():
            net.save_pretrained(folder)
            tokenizer_of(model).save_pretrained(folder)


def parts(lengths: Sequence[int] | np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Indices of texts of about equal lengths that are read together."""
    planned = plan(np.array(lengths), tokens, int(np.sum(lengths)))
    return (planned.order[batch] for shard in planned.batches for batch in shard)


def labels(texts: Sequence[Text]) -> torch.Tensor:
    """int64 (n,): the tokens that `logits` predict."""
    return torch.from_numpy(np.concatenate([text.ids[text.start :] for text in texts]))


class Studied(loop.Stage, Protocol):
    """The training set of a run."""

    longest: int
    """Number of tokens of the longest text."""
    made_of: dict[str, Any]
    """Everything that the gradients depend on beside the network."""


@final
class Lessons:
    """Answers with targets of their tokens and weights."""

    def __init__(
        self,
        texts: Sequence[Text],
        scores: Sequence[np.ndarray],
        weights: np.ndarray,
        loss: TokenLoss,
        epochs: float,
        seed: int,
        label: str,
    ):
        self.texts, self.scores, self.weights, self.loss = texts, scores, weights, loss
        self.seed, self.label = seed, label
        self.steps = math.ceil(epochs * len(texts) / min(BATCH, len(texts)))
        self.longest = max(len(text.ids) for text in texts)
        self.made_of = {
            "texts": _pinned(texts),
            "scores": hashed(*(score.tobytes().hex() for score in scores)),
            "weights": hashed(weights.tobytes().hex()),
            "loss": [repr(loss), fingerprint("tuned", loss)],
            "steps": self.steps,
            "batch": BATCH,
        }

    def batch(self, step: int) -> np.ndarray:
        """Indices of examples."""
        return loop.drawn(self.seed, "tuning", 0, len(self.texts), step, BATCH)

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        return sum(len(self.texts[i].ids) for i in batch)

    def losses(self, network: CausalNetwork, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """Parts whose sum is the batch's loss."""
        learned = sum(len(self.scores[i]) for i in batch)
        own = batch[processes.share(len(batch))]
        alike = network.begun_alike([self.texts[i] for i in own])
        for part in parts([len(self.texts[i].ids) - alike for i in own], PART_TOKENS[loader.place(network.device)]):
            rows = own[part]
            texts, scores = [self.texts[i] for i in rows], [self.scores[i] for i in rows]
            weights = np.concatenate([np.full(len(self.scores[i]), self.weights[i], np.float32) for i in rows])
            logits = network.logits(texts)
            given = (
                torch.from_numpy(np.concatenate(scores)).to(logits.device),
                torch.from_numpy(weights).to(logits.device),
            )
            yield (self.loss(logits, labels(texts).to(logits.device), given[0], at) * given[1]).sum().cpu() / learned


def logprobs(model: Model, texts: Sequence[Text], store: Store) -> list[np.ndarray]:
    """For each text float32 (T,): log p of the answer's tokens and its end; from the store if computed before."""

    def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        local, found = Local(model), [np.zeros(0, np.float32)] * len(texts)
        with progress.track(f"{model.name} reads {len(texts)} answers", len(texts)) as bar:
            for part in parts([len(text.ids) for text in texts], PART_TOKENS[loader.place()]):
                read = [texts[i] for i in part]
                said = local.logits(
                    [text.ids[: text.start].tolist() for text in read],
                    [text.ids[text.start :].tolist() for text in read],
                )
                for i, logits in zip(part, said, strict=True):
                    found[i] = _logp(logits, labels([texts[i]]).to(logits.device)).cpu().numpy()
                bar.advance(len(part))
        return {"logp": np.concatenate(found)}, {}

    made = {
        "code": fingerprint("token-scores"),
        "model": model.digest,
        "texts": _pinned(texts),
        "precision": loader.chosen_precision(),
        "device": loader.device().type,
        "alone": loader.alone(),
    }
    ends = np.cumsum([len(text.ids) - text.start for text in texts])
    return np.split(store.make("token-scores", made, build).arrays["logp"], ends[:-1])


def _logp(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """(n,) log p of tokens (n,) by logits (n, V)."""
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)


def _pinned(texts: Sequence[Text]) -> str:
    return hashed(*(part for text in texts for part in (text.ids.tobytes().hex(), text.start)))


@final
class AnswerPairs:
    """Pairs of answers with confidences: `texts[0]` are the better ones, `texts[1]` the others."""

    def __init__(
        self,
        model: Model,
        texts: Sequence[Sequence[Text]],
        weak: Sequence[Model],
        confidences: np.ndarray,
        loss: PairLoss,
        epochs: float,
        seed: int,
        store: Store,
        label: str,
    ):
        self.model, self.texts, self.weak, self.confidences = model, texts, tuple(weak), confidences.astype(np.float32)
        self.loss, self.seed, self.store, self.label = loss, seed, store, label
        self.lengths = np.max([[len(text.ids) for text in side] for side in texts], 0)
        self.longest = int(self.lengths.max())
        self.steps = math.ceil(epochs * len(confidences) / min(BATCH, len(confidences)))
        self.made_of = {
            "texts": [_pinned(side) for side in texts],
            "weak": [one.digest for one in weak],
            "confidences": hashed(confidences.tobytes().hex()),
            "loss": [repr(loss), fingerprint("tuned", loss)],
            "steps": self.steps,
            "batch": BATCH,
        }

    @cached_property
    def references(self) -> list[list[np.ndarray]]:
        """log p_ref of the tokens of every answer, by side."""
        return [logprobs(self.model, side, self.store) for side in self.texts]

    @cached_property
    def moved(self) -> list[np.ndarray]:
        """log v_k - log w_k of the tokens of the better answers; empty without weak models."""
        said = [logprobs(one, self.texts[0], self.store) for one in self.weak]
        return [after - before for after, before in zip(*said, strict=True)]

    def batch(self, step: int) -> np.ndarray:
        """Indices of pairs."""
        return loop.drawn(self.seed, "preferences", 0, len(self.confidences), step, BATCH)

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        return sum(len(side[i].ids) for side in self.texts for i in batch)

    def losses(self, network: CausalNetwork, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """Parts whose sum is the batch's loss."""
        own = batch[processes.share(len(batch))]
        alike = network.begun_alike([side[i] for side in self.texts for i in own])
        for part in parts(self.lengths[own] - alike, PART_TOKENS[loader.place(network.device)] // len(self.texts)):
            rows = own[part]
            texts = [side[i] for side in self.texts for i in rows]
            known = [side[i] for side in self.references for i in rows]
            logp = _logp(network.logits(texts), labels(texts).to(network.device)).cpu()
            ratios = [
                new - torch.tensor(old) for new, old in zip(logp.split([len(old) for old in known]), known, strict=True)
            ]
            moved = [torch.from_numpy(self.moved[i]) for i in rows] if self.weak else []
            losses = self.loss(ratios[: len(rows)], ratios[len(rows) :], moved)
            yield (losses * torch.from_numpy(self.confidences[rows])).sum() / len(batch)


@final
class CausalRun:
    """One training of a model on a training set."""

    def __init__(self, base: Model, kind: str, studied: Studied, seed: int, rate: float, store: Store):
        self.base, self.kind, self.studied, self.seed, self.rate, self.store = base, kind, studied, seed, rate, store
        self.made_of = {
            "code": fingerprint("tuned", studied),
            "model": base.digest,
            "kind": kind,
            "low-rank": [RANK, ALPHA],
            "studied": studied.made_of,
            "seed": seed,
            "rate": rate,
            "precision": loader.chosen_precision(),
            "device": loader.device().type,
        }

    def model(self) -> Model:
        """The trained model; from the store if it was trained before."""
        made = self.store.make_files("tuned", self.made_of, self._write)
        self._checkpoint().drop()
        size = sum(file.stat().st_size for file in made.path.glob("*.safetensors"))
        digest = made_of(self.made_of)
        return replace(
            self.base,
            name=f"{self.base.name} tuned",
            path=made.path,
            digest=digest,
            revision=f"tuned from {self.base.revision}",
            size_bytes=size,
        )

    def started(self) -> CausalNetwork:
        """The network before its first step."""
        tokens = max(PART_TOKENS[loader.place()], self.studied.longest)
        return CausalNetwork(self.base, self.kind, tokens, derive(self.seed, "tuning"))

    def follow(self) -> None:
        """The part of another process in the training."""
        self._train(self.started())

    def _write(self, folder: Path) -> dict[str, Any]:
        began, network = time.perf_counter(), self.started()
        tokens = self._train(network)
        seconds = time.perf_counter() - began
        network.save(folder, self.base)
        return {"seconds": seconds, "tokens": tokens, "steps": self.studied.steps}

    def _train(self, network: CausalNetwork) -> int:
        processes.call(self)
        return loop.train(network, [self.studied], self.rate, self._checkpoint())

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(self.store, self.made_of)
