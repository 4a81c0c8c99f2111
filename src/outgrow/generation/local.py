"""A checkpoint that generates in this process, through `transformers`.

Prefixes are read in groups of similar length, padded on the right. In the cache their keys and values all end in the
same column, and the padding on the left of shorter ones is masked. The cache has room ahead: a step writes one column
and copies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import torch
import transformers
from transformers.cache_utils import Cache, DynamicLayer

from outgrow.core.errors import UserError
from outgrow.generation import PLAIN, Answer, Prompting, Sampling, attention, decoding
from outgrow.generation.tokenizer import Tokenized
from outgrow.models import loader, packing
from outgrow.models.checkpoints import Model, config_of, setting

_TOGETHER = {"cpu": 2048, "accelerator": 32768}
"""Tokens of a batch that is read at once."""
_NUMBERS = {"cpu": 1 << 25, "accelerator": 1 << 29}
"""Logits that are held at once."""
_FULL, _LIKE = 256, 1.25
"""A batch of _FULL tokens keeps a processor busy; a larger one takes only texts up to _LIKE times its shortest."""
_WORTH = 256
"""Tokens that reading a common prefix once must save; below that every prefix is read whole."""
_AHEAD = 64
"""Columns by which a cache grows."""
_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}
"""Types of layers whose cache is keys and values."""


@final
class Local(Tokenized):
    """A language model in this process, for one thread at a time.

    Args:
        model: a checkpoint of a causal language model.
        precision: of its weights; bfloat16 where not given and the processor has it, else float32.

    Raises:
        UserError: the checkpoint is no causal language model or, when its weights are read, a recurrent one.
    """

    def __init__(self, model: Model, precision: str | None = None):
        if model.kind != "causal":
            raise UserError(
                f"model {model.name!r} generates no text: it is of kind {model.kind!r}; name a causal language model"
            )
        self._precision = loader.chosen_precision(precision)
        self.model, self.name, self.digest = model, model.name, model.digest
        self._where = loader.device()
        versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self.alone = loader.alone()
        """Whether every row is computed by itself, outside of batches."""
        self.engine = f"{versions}, {self._precision}, {self._where.type}{', each alone' if self.alone else ''}"
        self.rows = decoding.together(config_of(model.path, model.name).vocab_size)

    @cached_property
    def _net(self) -> Any:
        """The weights, read for the first answer that is not in the store."""
        net = loader.load(self.model, self._precision, head=True)
        layers = setting(net.config.get_text_config(), "layer_types") or ()
        if net._is_stateful or set(layers) - _ATTENTION:
            raise UserError(
                f"model {self.name!r} keeps a state beside keys and values, which is not supported in this process: "
                "serve it and name it server:URL,NAME"
            )
        packing.pack(net)
        attention.use(net)
        return net

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All tokens in the order of their ids."""
        known = self._tokenizer.get_vocab()
        return tuple(sorted(known, key=lambda token: known[token]))

    @property
    def tokenizer_model(self) -> Model:
        """The checkpoint itself."""
        return self.model

    @cached_property
    def column(self) -> int:
        """Bytes of the keys and values of one token."""
        config = config_of(self.model.path, self.name)
        heads = setting(config, "num_key_value_heads") or config.num_attention_heads
        size = setting(config, "head_dim") or config.hidden_size // config.num_attention_heads
        return 2 * self.model.depth * heads * size * loader.dtype_of(self._precision).itemsize

    def sample(
        self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i sampled with seeds[i][k]."""
        prefixes = [self.encode(prompt, how.prompting) for prompt in prompts]
        for ids in prefixes:
            self._fits(len(ids) + how.tokens)
        return decoding.generate(self, prefixes, [row[:n] for row in seeds], how)

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: Prompting = PLAIN) -> list[np.ndarray]:
        """For each text after its prompt float32 (T,): log p of its tokens."""
        prefixes = [self.encode(prompt, prompting) for prompt in prompts]
        continuations = [self.after(text) for text in texts]
        # Texts that differ in their last token alone, such as yes and no, are read once.
        alike: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        for at, (prefix, text) in enumerate(zip(prefixes, continuations, strict=True)):
            if text:
                alike.setdefault((tuple(prefix), tuple(text[:-1])), []).append(at)
        groups = list(alike.values())
        found = [np.zeros(0, np.float32)] * len(continuations)
        for group, logits in self._scored(
            [prefixes[same[0]] for same in groups], [continuations[same[0]] for same in groups]
        ):
            total = logits.logsumexp(1)
            for at in groups[group]:
                tokens = torch.tensor(continuations[at], device=logits.device)
                found[at] = (logits.gather(1, tokens[:, None])[:, 0] - total).cpu().numpy()
        return found

    def _scored(
        self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """As `_read`; what prefixes with texts of one token share is read once, as of questions about one item."""
        one = [] if self.alone else [at for at, text in enumerate(texts) if len(text) == 1]
        runs = _runs([prefixes[at] for at in one])
        shared = [[one[n] for n in run] for run in runs if len(run) > 1]
        for run in shared:
            yield from zip(run, self.begin([prefixes[at] for at in run]).logits[:, None], strict=True)
        done = {at for run in shared for at in run}
        rest = [at for at in range(len(texts)) if at not in done]
        for n, logits in self._read([prefixes[at] for at in rest], [texts[at] for at in rest]):
            yield rest[n], logits

    def logits(self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """For each pair float32 (T, V): row t follows the prefix and the first t tokens of the text."""
        found = dict(self._read(prefixes, texts))
        width = self._net.get_output_embeddings().weight.shape[0]
        return [found[at] if at in found else torch.zeros(0, width, device=self._where) for at in range(len(texts))]

    def begin(self, ids: Sequence[Sequence[int]]) -> _LocalSteps:
        """Reads B prefixes of token ids."""
        self._fits(max(map(len, ids)))
        return _LocalSteps(self._net, ids)

    def _fits(self, tokens: int) -> None:
        positions = setting(self._net.config.get_text_config(), "max_position_embeddings")
        if positions is not None and tokens > positions:
            raise UserError(
                f"{tokens} tokens of prompt and answer are more than the {positions} of {self.name!r}: ask for less"
            )

    @torch.no_grad()
    def _read(
        self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """(index, logits (T, V)) of the pairs whose text has tokens, the longest first."""
        lengths = [len(a) + len(b) - 1 for a, b in zip(prefixes, texts, strict=True)]
        self._fits(max(lengths, default=0))
        head = self._net.get_output_embeddings()
        order = sorted((at for at in range(len(texts)) if texts[at]), key=lambda at: (-lengths[at], at))
        most = _NUMBERS[loader.place()] // head.weight.shape[0]
        while order:
            # A position does not see what is to its right: rows of unequal length need no mask.
            many = 1 if self.alone else max(1, _TOGETHER[loader.place()] // lengths[order[0]])
            while many > 1 and sum(len(texts[at]) for at in order[:many]) > most:
                many -= 1
            batch, order = order[:many], order[many:]
            ids = torch.zeros(len(batch), lengths[batch[0]], dtype=torch.int64)
            for row, at in zip(ids, batch, strict=True):
                row[: lengths[at]] = torch.tensor([*prefixes[at], *texts[at]][:-1])
            rows = torch.tensor([row for row, at in enumerate(batch) for _ in texts[at]])
            places = torch.tensor([len(prefixes[at]) - 1 + t for at in batch for t in range(len(texts[at]))])
            hook = head.register_forward_pre_hook(lambda _, given, r=rows, p=places: (given[0][r, p][None],))
            try:
                logits = self._net(input_ids=ids.to(self._where), use_cache=False).logits[0].float()
            finally:
                hook.remove()
            yield from zip(batch, logits.split([len(texts[at]) for at in batch]), strict=True)


@final
class _LocalSteps:
    """B prefixes and their cache."""

    @torch.no_grad()
    def __init__(self, net: Any, prefixes: Sequence[Sequence[int]]):
        self._net, self._where = net, net.device
        lengths = torch.tensor([len(ids) for ids in prefixes])
        longest = int(lengths.max())
        self._cache = Cache(layer_class_to_replicate=_Columns)
        logits: list[Any] = [None] * len(prefixes)
        common = _common(prefixes) if len(prefixes) > 1 else 0
        first = Cache(layer_class_to_replicate=DynamicLayer)
        if common * (len(prefixes) - 1) < _WORTH:
            common = 0
        else:
            net(
                input_ids=torch.tensor([prefixes[0][:common]], device=self._where),
                past_key_values=first,
                use_cache=True,
                logits_to_keep=1,
            )
        for rows in _groups(prefixes):
            read = Cache(layer_class_to_replicate=DynamicLayer)
            for layer, columns in enumerate(_filled(first)):
                if columns is not None:
                    keys, values = (part.expand(len(rows), -1, -1, -1) for part in (columns.keys, columns.values))
                    read.update(keys, values, layer)
            ids = torch.zeros(len(rows), len(prefixes[rows[-1]]) - common, dtype=torch.int64)
            for row, at in zip(ids, rows, strict=True):
                row[: len(prefixes[at]) - common] = torch.tensor(prefixes[at][common:])
            given = [len(prefixes[at]) for at in rows]
            last = self._last(ids, [length - common - 1 for length in given], read)
            for at, row in zip(rows, last, strict=True):
                logits[at] = row
            for layer, columns in enumerate(_filled(read)):
                while len(self._cache.layers) <= layer:
                    self._cache.layers.append(_Columns())
                if columns is not None:
                    self._columns()[layer].place(columns, rows, given, len(prefixes), longest)
        self.logits = torch.stack(logits)
        self._position = lengths.to(self._where)
        """(B,) position of the next token."""
        self._empty = (longest - lengths).to(self._where)
        """(B,) empty columns on the left."""
        self._wide = longest

    def _columns(self) -> list[_Columns]:
        return cast(list[_Columns], self._cache.layers)

    def _last(self, ids: torch.Tensor, places: Sequence[int], read: Cache) -> torch.Tensor:
        """Logits (B, V) after the token at each row's place, which does not see the padding to its right."""
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
        """Appends one token to each prefix: int64 (B,)."""
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
        """Continues with these rows, int64, alone; rows may be left out or repeated."""
        rows = rows.to(self._where)
        self.logits, self._position, self._empty = self.logits[rows], self._position[rows], self._empty[rows]
        useless = int(self._empty.min())
        self._empty, self._wide = self._empty - useless, self._wide - useless
        for layer in self._columns():
            if layer.is_initialized:
                layer.keep(rows, useless)


def _filled(cache: Cache) -> list[DynamicLayer | None]:
    """The layers of a cache; None for one that holds nothing."""
    layers = cast(list[DynamicLayer], cache.layers)
    return [layer if layer.is_initialized else None for layer in layers]


def _groups(prefixes: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of similar length that are read together, short ones first: some padding costs less than another pass."""
    order = sorted(range(len(prefixes)), key=lambda row: (len(prefixes[row]), row))
    most = _TOGETHER[loader.place()]
    while order:
        many = 1
        while many < len(order):
            longer = len(prefixes[order[many]])
            unlike = many * longer >= _FULL and longer > _LIKE * len(prefixes[order[0]])
            if (many + 1) * longer > most or unlike:
                break
            many += 1
        yield order[:many]
        order = order[many:]


def _runs(prefixes: Sequence[Sequence[int]]) -> list[list[int]]:
    """Indices of prefixes in groups that share at least half of their tokens with the first of the group."""
    runs: list[list[int]] = []
    most = _TOGETHER[loader.place()]
    for at in sorted(range(len(prefixes)), key=lambda at: list(prefixes[at])):
        first = prefixes[runs[-1][0]] if runs else []
        full = bool(runs) and (len(runs[-1]) + 1) * len(prefixes[at]) > 2 * most
        if not full and first and 2 * _common([first, prefixes[at]]) >= len(prefixes[at]):
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs


def _common(prefixes: Sequence[Sequence[int]]) -> int:
    """Number of first tokens that all prefixes share, the last of each not counted."""
    first, last = min(prefixes, key=list), max(prefixes, key=list)
    most = min(map(len, prefixes)) - 1
    return next((at for at in range(most) if first[at] != last[at]), most)


@final
class _Columns(DynamicLayer):
    """Keys and values (B, heads, columns, D) of one layer, with room ahead. A window is applied by the mask."""

    is_initialized: bool

    def place(self, read: DynamicLayer, rows: Sequence[int], lengths: Sequence[int], batch: int, longest: int) -> None:
        """Stores the tokens that were read of some rows, each row ending in column `longest`."""
        assert read.keys is not None and read.values is not None
        parts = (read.keys, read.values)
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = read.dtype, read.device, True
            self._filled = longest
            self._room = [
                torch.zeros(batch, x.shape[1], longest + _AHEAD, x.shape[3], dtype=x.dtype, device=x.device)
                for x in parts
            ]
        for room, x in zip(self._room, parts, strict=True):
            for row, length, own in zip(rows, lengths, x, strict=True):
                room[row, :, longest - length : longest] = own[:, :length]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Appends one column; returns all."""
        start, self._filled = self._filled, self._filled + key_states.shape[2]
        if self._filled > self._room[0].shape[2]:
            self._room = [torch.nn.functional.pad(room, (0, 0, 0, _AHEAD)) for room in self._room]
        for room, x in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, start : self._filled] = x
        self.keys, self.values = (room[:, :, : self._filled] for room in self._room)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Number of filled columns."""
        return self._filled if self.is_initialized else 0

    def keep(self, rows: torch.Tensor, useless: int) -> None:
        """Keep rows without the first `useless` columns, in place if possible, which costs less than new memory."""
        kept = [room[:, :, useless : self._filled].index_select(0, rows) for room in self._room]
        self._filled -= useless
        if len(rows) > len(self._room[0]):
            self._room = [torch.nn.functional.pad(x, (0, 0, 0, _AHEAD)) for x in kept]
            return
        self._room = [room[: len(rows)] for room in self._room]
        for room, x in zip(self._room, kept, strict=True):
            room[:, :, : self._filled] = x
