"""Generation token by token: the one loop that samples answers, and beam search. Both need only a model's `Steps`.

Sampling. From logits z, temperature T and P = softmax(z / T) without its tail beyond `top_p` (Holtzman et al. 2020,
arXiv 1904.09751, section 3.1), a token is taken by inverting the distribution function,

    y_t = min {v: P(1) + ... + P(v) > u_t (P(1) + ... + P(V))},    u_t = the t-th uniform number of the answer's own
                                                                   generator

so that an answer depends on its seed and its prompt alone, as far as logits do: in a batch, sums are added in another
order than for one row, which `loader.alone` forbids. Its log-probabilities are those of softmax(z), without temperature
and with its tail.

Beam search. The `width` prefixes with the largest sums of log p(token | those before it) are continued; one that ends
is set aside with its sum. The search ends when no prefix can still overtake, since sums only fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from outgrow.core import progress
from outgrow.generation import PLAIN, Answer, Prompting, Sampling, Stepwise
from outgrow.models import Model, loader

ROWS = {"cpu": 128, "accelerator": 512}
"""Answers that are sampled together, at most."""
LOGITS = {"cpu": 6 << 20, "accelerator": 1 << 27}
"""Logits of one step, at most: with a vocabulary of 150,000 tokens, 128 rows take longer than four times 32."""
CACHE = {"cpu": 2 << 30, "accelerator": 16 << 30}
"""Bytes of the cache of one batch, which bounds its answers where prompts are long. Fixed: it changes no answers."""
_LEAVE = 7 / 8
"""Ended rows leave the batch when at most this share goes on: leaving copies the cache of all others."""
_BLOCK = 256
"""Probabilities that are summed as one block in the search for a token."""
_LIKELY = 1024
"""Tokens that mostly reach the sum `top_p`; where they do not, the whole vocabulary is sorted."""


class Decoder(Stepwise, Protocol):
    """A stepwise language model with its tokenizer."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens in the order of their ids."""
        ...

    @property
    def ends(self) -> frozenset[int]:
        """Ids that end an answer."""
        ...

    @property
    def column(self) -> int:
        """Bytes of one token in the cache; 0 where that is not known."""
        ...

    @property
    def tokenizer_model(self) -> Model:
        """The checkpoint whose tokenizer it uses."""
        ...

    def encode(self, prompt: str, prompting: Prompting = PLAIN) -> list[int]:
        """The ids of a prompt."""
        ...

    def after(self, text: str) -> list[int]:
        """The ids of a text that continues a prompt."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of an answer."""
        ...


def together(vocabulary: int) -> int:
    """Number of answers that are sampled together by a model of so many tokens."""
    where = loader.place()
    return max(1, min(ROWS[where], LOGITS[where] // max(vocabulary, 1) // 8 * 8))


def generate(
    model: Decoder, prefixes: Sequence[Sequence[int]], seeds: Sequence[Sequence[int]], how: Sampling
) -> list[list[Answer]]:
    """Samples answers; prefixes of similar length are read together.

    Args:
        model: the language model.
        prefixes: P prompts as token ids.
        seeds: P lists; the k-th answer to prefixes[i] is sampled with seeds[i][k].
        how: token limit, temperature, ...
    """
    answers: list[list[Answer]] = [[] for _ in prefixes]
    for batch in _batches(model, prefixes, [len(row) if how.temperature else 1 for row in seeds], how):
        rows = [(prompt, seed) for prompt, start, stop in batch for seed in seeds[prompt][start:stop]]
        prompts = [prompt for prompt, _, _ in batch]
        numbers = [prompts.index(prompt) for prompt, _ in rows]
        batch_prefixes = [prefixes[prompt] for prompt in prompts]
        sampled = _sampled(model, batch_prefixes, numbers, [seed for _, seed in rows], how)
        for (prompt, _), answer in zip(rows, sampled, strict=True):
            answers[prompt].append(answer)
    if not how.temperature:
        answers = [
            [Answer(one.text, one.logprobs, one.tokens, one.ended, seed) for seed in row for one in found]
            for row, found in zip(seeds, answers, strict=True)
        ]
    return answers


def _batches(
    model: Decoder, prefixes: Sequence[Sequence[int]], samples: Sequence[int], how: Sampling
) -> Iterator[list[tuple[int, int, int]]]:
    """Lists of (prompt, first sample, one past the last) that are computed together, the longest prompts first."""
    where, rows = loader.place(), together(len(model.tokens))
    batch: list[tuple[int, int, int]] = []
    filled = most = 0
    for prompt in sorted(range(len(prefixes)), key=lambda at: (-len(prefixes[at]), at)):
        start = 0
        while start < samples[prompt]:
            if not batch:
                each = model.column * (len(prefixes[prompt]) + how.tokens)
                most = 1 if loader.alone() else max(1, min(rows, CACHE[where] // max(each, 1)))
            stop = min(samples[prompt], start + most - filled)
            batch.append((prompt, start, stop))
            filled += stop - start
            start = stop
            if filled == most:
                yield batch
                batch, filled = [], 0
    if batch:
        yield batch


def _sampled(
    model: Decoder, prefixes: Sequence[Sequence[int]], rows: Sequence[int], seeds: Sequence[int], how: Sampling
) -> list[Answer]:
    """One answer for each of `rows`, indices of prefixes; each prefix is read once."""
    drafts = [_Draft() for _ in rows]
    steps = model.begin(prefixes)
    if list(rows) != list(range(len(prefixes))):
        steps.keep(torch.tensor(rows))
    uniform = np.stack([np.random.default_rng(seed).random(how.tokens) for seed in seeds])
    inside = list(range(len(rows)))  # the row of each draft that is still in the batch
    with progress.track(f"sampling {len(rows)} answers", how.tokens) as bar:
        for t in range(how.tokens):
            logits = steps.logits
            tokens = choose(logits, torch.from_numpy(uniform[inside, t]).to(logits.device), how)
            logp = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)
            for row, token, score in zip(inside, tokens.tolist(), logp.tolist(), strict=True):
                if drafts[row].ended is None:
                    drafts[row].add(token, score, model, how)
            on = [at for at, row in enumerate(inside) if drafts[row].ended is None]
            if not on or t + 1 == how.tokens:
                break
            if len(on) <= _LEAVE * len(inside):
                going = torch.tensor(on)
                steps.keep(going)
                tokens = tokens[going.to(tokens.device)]
                inside = [inside[at] for at in on]
            steps.add(tokens)
            bar.advance()
    return [draft.answer(seed, model, how) for draft, seed in zip(drafts, seeds, strict=True)]


class _Draft:
    """An answer that is being generated."""

    def __init__(self, before: _Draft | None = None):
        self.tokens: list[int] = list(before.tokens) if before else []
        self.scores: list[float] = list(before.scores) if before else []
        self.sum: float = before.sum if before else 0.0
        self.ended: str | None = None

    def add(self, token: int, score: float, model: Decoder, how: Sampling) -> None:
        self.tokens.append(token)
        self.scores.append(score)
        self.sum += score
        if token in model.ends or self._stopped(model, how):
            self.ended = "stop"

    def _stopped(self, model: Decoder, how: Sampling) -> bool:
        if not how.stop:
            return False
        # A token may be one byte of a character of four: so many last tokens hold any just completed stop text.
        tail = self.tokens[-4 * max(map(len, how.stop)) - 4 :]
        return _cut(model.decode(tail), how)[1] and _cut(model.decode(self.tokens), how)[1]

    def answer(self, seed: int, model: Decoder, how: Sampling) -> Answer:
        last = bool(self.tokens) and self.tokens[-1] in model.ends
        text, _ = _cut(model.decode(self.tokens[:-1] if last else self.tokens), how)
        return Answer(text, tuple(self.scores), tuple(self.tokens), self.ended or "length", seed)


def _cut(text: str, how: Sampling) -> tuple[str, bool]:
    """(the text before its first stop text, whether there is one)."""
    found = [at for stop in how.stop if (at := text.find(stop)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


def choose(logits: torch.Tensor, uniform: torch.Tensor, how: Sampling) -> torch.Tensor:
    """Samples one token for each row.

    Args:
        logits: (B, V).
        uniform: float64 (B,) in [0, 1), the random number of each row.
        how: its temperature and `top_p` count.

    Returns:
        int64 (B,).
    """
    if not how.temperature:
        return logits.argmax(1)
    probs = torch.softmax(logits / how.temperature, 1)
    if how.top_p < 1:
        probs = nucleus(probs, how.top_p)
    # Two levels: sums of blocks, then the block that holds the number.
    blocks = torch.nn.functional.pad(probs, (0, -probs.shape[1] % _BLOCK)).unflatten(1, (-1, _BLOCK))
    upto = blocks.sum(2, dtype=torch.float64).cumsum(1)
    sought = (uniform * upto[:, -1])[:, None]
    block = (upto <= sought).sum(1, keepdim=True).clamp(max=upto.shape[1] - 1)
    before = torch.where(block > 0, upto.gather(1, (block - 1).clamp(min=0)), 0.0)
    inside = blocks[torch.arange(len(probs), device=probs.device), block[:, 0]].double()
    place = (inside.cumsum(1) <= sought - before).sum(1)
    last = _BLOCK - 1 - (inside.flip(1) > 0).int().argmax(1)  # rounding must not lead to a token of probability 0
    return block[:, 0] * _BLOCK + torch.minimum(place, last)


def nucleus(probs: torch.Tensor, top_p: float) -> torch.Tensor:
    """`probs` (B, V) with 0 for all but the likeliest tokens whose sum reaches `top_p`; ties with the last are kept."""
    top = probs.topk(min(_LIKELY, probs.shape[1]), 1).values
    if bool((top.double().sum(1) < top_p).any()):
        top = probs.sort(1, descending=True).values
    needed = (top.double().cumsum(1) - top.double()) < top_p
    least = top.gather(1, needed.sum(1, keepdim=True) - 1)
    return torch.where(probs >= least, probs, 0.0)


def beams(model: Decoder, prompts: Sequence[str], width: int, how: Sampling) -> list[list[Answer]]:
    """Beam search: at most `width` answers to each prompt, the likeliest first.

    Args:
        model: the language model.
        prompts: texts.
        width: of the beam.
        how: its token limit, stop texts and prompting count.
    """
    prefixes = [model.encode(prompt, how.prompting) for prompt in prompts]
    found: list[list[Answer]] = [[] for _ in prompts]
    for batch in _batches(model, prefixes, [width] * len(prefixes), how):
        together = sorted({prompt for prompt, _, _ in batch if not found[prompt]})
        if together:
            answers = _beams(model, [prefixes[at] for at in together], width, how)
            for prompt, row in zip(together, answers, strict=True):
                found[prompt] = row
    return found


def _beams(model: Decoder, prefixes: Sequence[Sequence[int]], width: int, how: Sampling) -> list[list[Answer]]:
    steps = model.begin(prefixes)
    live: list[list[_Draft]] = [[_Draft()] for _ in prefixes]
    done: list[list[_Draft]] = [[] for _ in prefixes]
    ends = sorted(model.ends)
    for t in range(how.tokens):
        logp = torch.log_softmax(steps.logits, 1)
        ending = logp[:, ends].tolist()
        # The best of all rows are among the best of each row; ending tokens do not count.
        best = logp.topk(min(width + len(ends), logp.shape[1]), 1)
        likely = [list(zip(*row, strict=True)) for row in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
        rows, tokens, start = [], [], 0
        for prompt, drafts in enumerate(live):
            here = range(start, start + len(drafts))
            start += len(drafts)
            for row, draft in zip(here, drafts, strict=True):
                done[prompt] += [
                    _grown(draft, end, score, model, how) for end, score in zip(ends, ending[row], strict=True)
                ]
            options = [
                (draft.sum + score, row, draft, token, score)
                for row, draft in zip(here, drafts, strict=True)
                for score, token in likely[row]
                if token not in model.ends
            ]
            options.sort(key=lambda option: -option[0])
            grown = [(row, _grown(draft, token, score, model, how)) for _, row, draft, token, score in options[:width]]
            done[prompt] = _best([*done[prompt], *(draft for _, draft in grown if draft.ended)], width)
            on = [(row, draft) for row, draft in grown if not draft.ended]
            if on and len(done[prompt]) == width and on[0][1].sum <= done[prompt][-1].sum:
                on = []
            live[prompt] = [draft for _, draft in on]
            rows += [row for row, _ in on]
            tokens += [draft.tokens[-1] for _, draft in on]
        if not rows or t + 1 == how.tokens:
            break
        steps.keep(torch.tensor(rows))
        steps.add(torch.tensor(tokens).to(steps.logits.device))
    found = (_best(ended + going, width) for ended, going in zip(done, live, strict=True))
    return [[draft.answer(0, model, how) for draft in row] for row in found]


def _grown(draft: _Draft, token: int, score: float, model: Decoder, how: Sampling) -> _Draft:
    grown = _Draft(draft)
    grown.add(token, score, model, how)
    return grown


def _best(drafts: list[_Draft], width: int) -> list[_Draft]:
    return sorted(drafts, key=lambda draft: -draft.sum)[:width]
