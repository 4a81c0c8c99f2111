"""Writing token by token: the one loop that draws answers, and beam search. Both need no more of a model than its `Steps`.

Draws. Of logits z, temperature T and what is left of softmax(z / T) when the tail beyond `top_p` is cut (Holtzman et al. 2020,
arXiv 1904.09751, section 3.1), a token is taken by inverting the distribution function,

    y_t = min {v: P(1) + ... + P(v) > u_t (P(1) + ... + P(V))},    u_t = the t-th uniform number of the answer's own generator

so that an answer depends on its seed and its prompt alone, as far as logits do: rows that stand beside one another are added up in another order
than one alone, which `loading.alone` forbids. Its log-probabilities are those of softmax(z), untempered and uncut.

Beams. The `width` beginnings of largest sum of log p(token | those before it) go on; one that ends stands aside with its sum. The search
is over when nothing that goes on can still overtake, since sums only fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from outgrow.core import progress
from outgrow.generation import Answer, Sampling, Stepwise
from outgrow.models import Model, loader

ROWS = {"cpu": 128, "cuda": 512}
"""Answers that are drawn together."""
CACHE = {"cpu": 2 << 30, "cuda": 16 << 30}
"""Bytes that the cache of answers drawn together may take: with long prompts they are fewer. Fixed, so that it changes no answers."""
_LEAVE = 7 / 8
"""Rows that have ended leave the batch when no more than this share goes on: to leave, the cache of all others is copied."""
_BLOCK = 256
"""Probabilities that are first added up together, where a token is looked for."""
_LIKELY = 1024
"""Tokens among which most sums of `top_p` are reached; only where they are not, the whole vocabulary is sorted."""


class Decoder(Stepwise, Protocol):
    """A stepwise language model with its tokenizer."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """All of them, in the order of their ids."""
        ...

    @property
    def ends(self) -> frozenset[int]:
        """Ids that end an answer."""
        ...

    @property
    def column(self) -> int:
        """Bytes that a token takes in its cache; 0 where that is not known."""
        ...

    @property
    def spelled(self) -> Model:
        """The checkpoint whose tokenizer it uses."""
        ...

    def encode(self, prompt: str, chat: bool) -> list[int]:
        """The ids of a prompt."""
        ...

    def after(self, text: str) -> list[int]:
        """The ids of a text that goes on where a prompt ends."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of an answer."""
        ...


def written(
    model: Decoder, begun: Sequence[Sequence[int]], seeds: Sequence[Sequence[int]], how: Sampling
) -> list[list[Answer]]:
    """Answers to beginnings of token ids, the k-th to `begun[i]` drawn with `seeds[i][k]`; prompts of like length are read together."""
    answers: list[list[Answer]] = [[] for _ in begun]
    for batch in _batches(model, begun, [len(row) if how.temperature else 1 for row in seeds], how):
        asked = [(prompt, seed) for prompt, start, stop in batch for seed in seeds[prompt][start:stop]]
        prompts = [prompt for prompt, _, _ in batch]
        rows = [prompts.index(prompt) for prompt, _ in asked]
        drawn = _drawn(model, [begun[prompt] for prompt in prompts], rows, [seed for _, seed in asked], how)
        for (prompt, _), answer in zip(asked, drawn, strict=True):
            answers[prompt].append(answer)
    if not how.temperature:
        answers = [
            [Answer(one.text, one.logprobs, one.tokens, one.ended, seed) for seed in row for one in found]
            for row, found in zip(seeds, answers, strict=True)
        ]
    return answers


def _batches(
    model: Decoder, begun: Sequence[Sequence[int]], draws: Sequence[int], how: Sampling
) -> Iterator[list[tuple[int, int, int]]]:
    """Lists of (prompt, first draw, one past the last) that are drawn together, in order of the prompts' lengths, the longest first."""
    where = loader.device().type
    batch: list[tuple[int, int, int]] = []
    filled = most = 0
    for prompt in sorted(range(len(begun)), key=lambda at: (-len(begun[at]), at)):
        start = 0
        while start < draws[prompt]:
            if not batch:
                each = model.column * (len(begun[prompt]) + how.tokens)
                most = 1 if loader.alone() else max(1, min(ROWS[where], CACHE[where] // max(each, 1)))
            stop = min(draws[prompt], start + most - filled)
            batch.append((prompt, start, stop))
            filled += stop - start
            start = stop
            if filled == most:
                yield batch
                batch, filled = [], 0
    if batch:
        yield batch


def _drawn(
    model: Decoder, begun: Sequence[Sequence[int]], rows: Sequence[int], seeds: Sequence[int], how: Sampling
) -> list[Answer]:
    """One answer for each of `rows`, which name beginnings; each beginning is read once."""
    drafts = [_Draft() for _ in rows]
    steps = model.begin(begun)
    if list(rows) != list(range(len(begun))):
        steps.keep(torch.tensor(rows))
    uniform = np.stack([np.random.default_rng(seed).random(how.tokens) for seed in seeds])
    inside = list(range(len(rows)))  # the row of each draft that is still in the batch
    with progress.track(f"writing {len(rows)} answers", how.tokens) as bar:
        for t in range(how.tokens):
            logits = steps.logits
            tokens = chosen(logits, torch.from_numpy(uniform[inside, t]).to(logits.device), how)
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
    """An answer that is being written."""

    def __init__(self, before: _Draft | None = None):
        self.tokens: list[int] = list(before.tokens) if before else []
        self.scores: list[float] = list(before.scores) if before else []
        self.sum = before.sum if before else 0.0
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
        # A token may be one byte of a character of four: so many of the last ones hold any text that has just been completed.
        tail = self.tokens[-4 * max(map(len, how.stop)) - 4 :]
        return _cut(model.decode(tail), how)[1] and _cut(model.decode(self.tokens), how)[1]

    def answer(self, seed: int, model: Decoder, how: Sampling) -> Answer:
        last = bool(self.tokens) and self.tokens[-1] in model.ends
        text, _ = _cut(model.decode(self.tokens[:-1] if last else self.tokens), how)
        return Answer(text, tuple(self.scores), tuple(self.tokens), self.ended or "length", seed)


def _cut(text: str, how: Sampling) -> tuple[str, bool]:
    """What stands before the first stop text, and whether there is one."""
    found = [at for stop in how.stop if (at := text.find(stop)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


def chosen(logits: torch.Tensor, uniform: torch.Tensor, how: Sampling) -> torch.Tensor:
    """int64 (B,): a token for each row of `logits` (B, V), drawn with its number of `uniform` float64 (B,)."""
    if not how.temperature:
        return logits.argmax(1)
    probs = torch.softmax(logits / how.temperature, 1)
    if how.top_p < 1:
        probs = nucleus(probs, how.top_p)
    # Two levels: sums of blocks, then the one block in which the number falls.
    blocks = torch.nn.functional.pad(probs, (0, -probs.shape[1] % _BLOCK)).unflatten(1, (-1, _BLOCK))
    upto = blocks.sum(2, dtype=torch.float64).cumsum(1)
    sought = (uniform * upto[:, -1])[:, None]
    block = (upto <= sought).sum(1, keepdim=True).clamp(max=upto.shape[1] - 1)
    before = torch.where(block > 0, upto.gather(1, (block - 1).clamp(min=0)), 0.0)
    inside = blocks[torch.arange(len(probs), device=probs.device), block[:, 0]].double()
    place = (inside.cumsum(1) <= sought - before).sum(1)
    last = _BLOCK - 1 - (inside.flip(1) > 0).int().argmax(1)  # rounding must not lead to a token that cannot be
    return block[:, 0] * _BLOCK + torch.minimum(place, last)


def nucleus(probs: torch.Tensor, top_p: float) -> torch.Tensor:
    """`probs` (B, V) with 0 for all but the likeliest tokens whose sum reaches `top_p`, and those that are as likely as the last of them."""
    top = probs.topk(min(_LIKELY, probs.shape[1]), 1).values
    if bool((top.double().sum(1) < top_p).any()):
        top = probs.sort(1, descending=True).values
    needed = (top.double().cumsum(1) - top.double()) < top_p
    least = top.gather(1, needed.sum(1, keepdim=True) - 1)
    return torch.where(probs >= least, probs, 0.0)


def beams(model: Decoder, prompts: Sequence[str], width: int, how: Sampling) -> list[list[Answer]]:
    """At most `width` answers to each prompt, the likeliest first; of `how` its tokens, stop texts and chat count."""
    begun = [model.encode(prompt, how.chat) for prompt in prompts]
    found: list[list[Answer]] = [[] for _ in prompts]
    for batch in _batches(model, begun, [width] * len(begun), how):
        together = sorted({prompt for prompt, _, _ in batch if not found[prompt]})
        if together:
            for prompt, answers in zip(
                together, _beams(model, [begun[at] for at in together], width, how), strict=True
            ):
                found[prompt] = answers
    return found


def _beams(model: Decoder, begun: Sequence[Sequence[int]], width: int, how: Sampling) -> list[list[Answer]]:
    steps = model.begin(begun)
    live: list[list[_Draft]] = [[_Draft()] for _ in begun]
    done: list[list[_Draft]] = [[] for _ in begun]
    ends = sorted(model.ends)
    for t in range(how.tokens):
        logp = torch.log_softmax(steps.logits, 1)
        ending = logp[:, ends].tolist()
        # The best of all rows are among the best of each; those that end do not count.
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
