"""A checkpoint that writes in this process, through `transformers`.

Beginnings are read in groups of like length, filled up on the right; their keys and values then stand side by side, each ending in the
same column, and what fills a shorter one up on its left is masked. The cache has room ahead: a step writes one column
and copies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import torch
import transformers
from transformers.cache_utils import Cache, DynamicLayer

from outgrow.core.errors import UserError
from outgrow.generation import Answer, Sampling, decoding
from outgrow.generation.tokenizer import Tokenized
from outgrow.models import loader
from outgrow.models.checkpoints import Model, config_of

_TOGETHER = {"cpu": 2048, "cuda": 32768}
"""Tokens that are read together."""
_NUMBERS = {"cpu": 1 << 25, "cuda": 1 << 29}
"""Logits that are held together."""
_FULL, _LIKE = 256, 1.25
"""So many tokens keep a processor busy; texts that are read with more have no more than so many times the shortest's."""
_WORTH = 256
"""Tokens of a beginning that all prompts share, which must be saved for it to be read once for all."""
_AHEAD = 64
"""Columns that a cache grows by."""
_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}
"""Layers whose cache is keys and values."""


@final
class Local(Tokenized):
    """A language model in this process. `precision` is bfloat16 where the processor has it, else float32, or what is asked for.
    One thread at a time reads with it.

    Raises UserError for what is no causal language model, and, when it is read, for one that is recurrent.
    """

    def __init__(self, model: Model, precision: str | None = None):
        if model.kind != "causal":
            raise UserError(
                f"model {model.name!r} does not write: it is of kind {model.kind!r}; name a causal language model"
            )
        self._precision = loader.chosen_precision(precision)
        self.model, self.name, self.digest = model, model.name, model.digest
        self._where = loader.device()
        versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self.alone = loader.alone()
        """Whether nothing is computed beside anything else."""
        self.engine = f"{versions}, {self._precision}, {self._where.type}{', each alone' if self.alone else ''}"
        self.rows = decoding.ROWS[self._where.type]

    @cached_property
    def _net(self) -> Any:
        """Read when the first answer is asked for: mostly they are in the store."""
        net = loader.load(self.model, self._precision, head=True)
        if (
            getattr(net, "_is_stateful", False)
            or set(getattr(net.config.get_text_config(), "layer_types", None) or ()) - _ATTENTION
        ):
            raise UserError(
                f"model {self.name!r} keeps a state of its own beside keys and values, which is not kept here: serve it and name it server:URL,NAME"
            )
        return net

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The vocabulary in its order."""
        known = self._tokenizer.get_vocab()
        return tuple(sorted(known, key=lambda token: known[token]))

    @property
    def spelled(self) -> Model:
        """The checkpoint itself."""
        return self.model

    @cached_property
    def column(self) -> int:
        """Bytes of the keys and values of one token."""
        config = config_of(self.model.path, self.name)
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return 2 * self.model.depth * heads * size * getattr(torch, self._precision).itemsize

    def draw(self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i drawn with seeds[i][k]."""
        begun = [self.encode(prompt, how.chat) for prompt in prompts]
        for ids in begun:
            self._fits(len(ids) + how.tokens)
        return decoding.written(self, begun, [row[:n] for row in seeds], how)

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], chat: bool = False) -> list[np.ndarray]:
        """Of each text after its prompt: float32 (T,) log p of its tokens."""
        begun, then = [self.encode(prompt, chat) for prompt in prompts], [self.after(text) for text in texts]
        found = [np.zeros(0, np.float32)] * len(then)
        for at, logits in self._read(begun, then):
            tokens = torch.tensor(then[at], device=logits.device)
            logp = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)
            found[at] = logp.cpu().numpy()
        return found

    def logits(self, begun: Sequence[Sequence[int]], then: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Of each pair: float32 (T, V), row t is what is said after `begun` and the first t of `then`."""
        found = dict(self._read(begun, then))
        width = self._net.get_output_embeddings().weight.shape[0]
        return [found[at] if at in found else torch.zeros(0, width, device=self._where) for at in range(len(then))]

    def begin(self, ids: Sequence[Sequence[int]]) -> _Steps:
        """Reads B beginnings of token ids."""
        self._fits(max(map(len, ids)))
        return _Steps(self._net, ids)

    def _fits(self, tokens: int) -> None:
        positions = getattr(self._net.config.get_text_config(), "max_position_embeddings", None)
        if positions is not None and tokens > positions:
            raise UserError(
                f"{tokens} tokens of prompt and answer are more than the {positions} of {self.name!r}: ask for less"
            )

    @torch.no_grad()
    def _read(
        self, begun: Sequence[Sequence[int]], then: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """(number, logits (T, V)) of the pairs with tokens to read, a batch after another, the longest first."""
        lengths = [len(a) + len(b) - 1 for a, b in zip(begun, then, strict=True)]
        self._fits(max(lengths, default=0))
        head = self._net.get_output_embeddings()
        order = sorted((at for at in range(len(then)) if then[at]), key=lambda at: (-lengths[at], at))
        while order:
            # What stands to the right of a position is nothing to it: rows of unequal length need no mask.
            many = 1 if self.alone else max(1, _TOGETHER[self._where.type] // lengths[order[0]])
            while (
                many > 1
                and sum(len(then[at]) for at in order[:many]) * head.weight.shape[0] > _NUMBERS[self._where.type]
            ):
                many -= 1
            batch, order = order[:many], order[many:]
            ids = torch.zeros(len(batch), lengths[batch[0]], dtype=torch.int64)
            for row, at in zip(ids, batch, strict=True):
                row[: lengths[at]] = torch.tensor([*begun[at], *then[at]][:-1])
            rows = torch.tensor([row for row, at in enumerate(batch) for _ in then[at]])
            places = torch.tensor([len(begun[at]) - 1 + t for at in batch for t in range(len(then[at]))])
            hook = head.register_forward_pre_hook(lambda _, given, r=rows, p=places: (given[0][r, p][None],))
            try:
                logits = self._net(input_ids=ids.to(self._where), use_cache=False).logits[0].float()
            finally:
                hook.remove()
            yield from zip(batch, logits.split([len(then[at]) for at in batch]), strict=True)


@final
class _Steps:
    """B beginnings and their cache."""

    @torch.no_grad()
    def __init__(self, net: Any, begun: Sequence[Sequence[int]]):
        self._net, self._where = net, net.device
        lengths = torch.tensor([len(ids) for ids in begun])
        longest = int(lengths.max())
        self._cache = Cache(layer_class_to_replicate=_Columns)
        logits: list[Any] = [None] * len(begun)
        common = _common(begun) if len(begun) > 1 else 0
        first = Cache(layer_class_to_replicate=DynamicLayer)
        if common * (len(begun) - 1) < _WORTH:
            common = 0
        else:
            net(
                input_ids=torch.tensor([begun[0][:common]], device=self._where),
                past_key_values=first,
                use_cache=True,
                logits_to_keep=1,
            )
        for rows in _groups(begun):
            read = Cache(layer_class_to_replicate=DynamicLayer)
            for layer, columns in enumerate(first.layers):
                if columns.is_initialized:
                    read.update(
                        columns.keys.expand(len(rows), -1, -1, -1), columns.values.expand(len(rows), -1, -1, -1), layer
                    )
            ids = torch.zeros(len(rows), len(begun[rows[-1]]) - common, dtype=torch.int64)
            for row, at in zip(ids, rows, strict=True):
                row[: len(begun[at]) - common] = torch.tensor(begun[at][common:])
            given = [len(begun[at]) for at in rows]
            for at, said in zip(rows, self._last(ids, [length - common - 1 for length in given], read), strict=True):
                logits[at] = said
            for layer, columns in enumerate(read.layers):
                while len(self._cache.layers) <= layer:
                    self._cache.layers.append(_Columns())
                if columns.is_initialized:
                    self._cache.layers[layer].place(columns, rows, given, len(begun), longest)
        self.logits = torch.stack(logits)
        self._position = lengths.to(self._where)
        """(B,) of the next token."""
        self._empty = (longest - lengths).to(self._where)
        """(B,) columns on the left that hold nothing."""
        self._wide = longest

    def _last(self, ids: torch.Tensor, places: Sequence[int], read: Cache) -> torch.Tensor:
        """(B, V) after the token at this place of each row; what stands to the right of it is nothing to it."""
        rows = torch.arange(len(ids))
        hook = self._net.get_output_embeddings().register_forward_pre_hook(
            lambda _, given: (given[0][rows, torch.tensor(places)][None],)
        )
        try:
            return self._net(input_ids=ids.to(self._where), past_key_values=read, use_cache=True).logits[0].float()
        finally:
            hook.remove()

    @torch.no_grad()
    def add(self, tokens: torch.Tensor) -> None:
        """One more token each, int64 (B,)."""
        self._wide += 1
        mask = None
        if bool(self._empty.any()):
            mask = (torch.arange(self._wide, device=self._where) >= self._empty[:, None]).long()
        self.logits = self._net(
            input_ids=tokens.to(self._where)[:, None],
            attention_mask=mask,
            position_ids=self._position[:, None],
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1].float()  # fmt: skip
        self._position = self._position + 1

    @torch.no_grad()
    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows, int64; some may be gone, some come twice."""
        rows = rows.to(self._where)
        self.logits, self._position, self._empty = self.logits[rows], self._position[rows], self._empty[rows]
        useless = int(self._empty.min())
        self._empty, self._wide = self._empty - useless, self._wide - useless
        for layer in self._cache.layers:
            if layer.is_initialized:
                layer.keep(rows, useless)


def _groups(begun: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of like length that are read together, shorter ones first: a few tokens of padding cost less than a pass of its own."""
    order = sorted(range(len(begun)), key=lambda row: (len(begun[row]), row))
    while order:
        many = 1
        while many < len(order):
            longer = len(begun[order[many]])
            if (many + 1) * longer > _TOGETHER[loader.device().type] or (
                many * longer >= _FULL and longer > _LIKE * len(begun[order[0]])
            ):
                break
            many += 1
        yield order[:many]
        order = order[many:]


def _common(begun: Sequence[Sequence[int]]) -> int:
    """How many first tokens all share, the last of each not among them."""
    first, last = min(begun), max(begun)
    most = min(map(len, begun)) - 1
    return next((at for at in range(most) if first[at] != last[at]), most)


@final
class _Columns(DynamicLayer):
    """Keys and values (B, heads, columns, D) of one layer, with room ahead. What a window would hide is hidden by the mask."""

    def place(self, read: DynamicLayer, rows: Sequence[int], lengths: Sequence[int], batch: int, longest: int) -> None:
        """What was read of some rows, as many tokens as each has, so that it ends in column `longest`."""
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = read.dtype, read.device, True
            self._filled = longest
            self._room = [
                torch.zeros(batch, x.shape[1], longest + _AHEAD, x.shape[3], dtype=x.dtype, device=x.device)
                for x in (read.keys, read.values)
            ]
        for room, x in zip(self._room, (read.keys, read.values), strict=True):
            for row, length, own in zip(rows, lengths, x, strict=True):
                room[row, :, longest - length : longest] = own[:, :length]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One more column; returns all of them."""
        start, self._filled = self._filled, self._filled + key_states.shape[2]
        if self._filled > self._room[0].shape[2]:
            self._room = [torch.nn.functional.pad(room, (0, 0, 0, _AHEAD)) for room in self._room]
        for room, x in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, start : self._filled] = x
        self.keys, self.values = (room[:, :, : self._filled] for room in self._room)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Columns that hold something."""
        return self._filled if self.is_initialized else 0

    def keep(self, rows: torch.Tensor, useless: int) -> None:
        """These rows, without the first columns. They stay where there is room: memory that is new costs more than the copy."""
        kept = [room[:, :, useless : self._filled].index_select(0, rows) for room in self._room]
        self._filled -= useless
        if len(rows) > len(self._room[0]):
            self._room = [torch.nn.functional.pad(x, (0, 0, 0, _AHEAD)) for x in kept]
            return
        self._room = [room[: len(rows)] for room in self._room]
        for room, x in zip(self._room, kept, strict=True):
            room[:, :, : self._filled] = x
