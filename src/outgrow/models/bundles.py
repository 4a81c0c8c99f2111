"""Texts with a common prefix, read as one row of a batch: the prefix once, then the rest of each.

    token       the city of lyon is in | france . | peru .
    position     0   1   2   3    4  5     6    7    6   7
    segment      0   0   0   0    0  0     1    1    2   2

A token attends to the tokens before it in the prefix and in its own segment, so the states of a causal model are those
of each text alone. Statements in pairs, candidates after one context and words after one prompt share most of their
tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.models.checkpoints import Model, config_of, setting
from outgrow.models.tokens import LONGEST

ROW, LONGEST_ROW = 64, 1024
"""Tokens of a bundle: ROW, or twice its longest text, at most LONGEST_ROW; attention grows with their square."""
WORTH = 0.25
"""A text joins a bundle where that saves at least this share of its tokens."""

SHARING = frozenset(
    {"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text", "gpt_neox", "olmo2", "phi3", "smollm3"}
)
"""Model types whose attention takes any mask and whose positions can be set; tests show it."""


def shares(model: Model) -> bool:
    """Whether texts with a common prefix may be read as one row."""
    config = config_of(model.path, model.name).get_text_config()
    window = setting(config, "sliding_window")
    return model.kind == "causal" and config.model_type in SHARING and (window is None or window >= LONGEST)


@final
@dataclass(frozen=True)
class Bundles:
    """N texts in their order, divided into B runs of neighbours that are read together."""

    starts: np.ndarray
    """(B + 1,): bundle b holds the texts starts[b] .. starts[b + 1] - 1."""
    shared: np.ndarray
    """(B,): tokens of the common prefix; 0 for a text alone."""
    lengths: np.ndarray
    """(B,): tokens to read."""

    @classmethod
    def single(cls, lengths: np.ndarray) -> Bundles:
        """Every text alone."""
        return cls(np.arange(len(lengths) + 1), np.zeros(len(lengths), np.int64), lengths)

    @classmethod
    def of(cls, texts: Iterable[np.ndarray]) -> Bundles:
        """Bundles of neighbours with a common prefix; `texts` are token ids, ordered by their prefixes."""
        starts: list[int] = []
        shared: list[int] = []
        lengths: list[int] = []
        last, count, prefix, total, longest = np.zeros(0, np.int64), 0, 0, 0, 0
        at = -1
        for at, ids in enumerate(texts):
            common = min(_common(last, ids), prefix)
            saved = count * common - (count - 1) * prefix if count else 0
            room = min(max(ROW, 2 * max(longest, len(ids))), LONGEST_ROW)
            if saved >= WORTH * len(ids) and saved > 0 and total + len(ids) - count * common <= room:
                count, prefix, total, longest = count + 1, common, total + len(ids), max(longest, len(ids))
                shared[-1], lengths[-1] = prefix, total - (count - 1) * prefix
            else:
                count, prefix, total, longest = 1, len(ids), len(ids), len(ids)
                starts.append(at)
                shared.append(0)
                lengths.append(len(ids))
            last = ids
        return cls(np.array([*starts, at + 1]), np.array(shared, np.int64), np.array(lengths, np.int64))

    def texts(self, bundles: np.ndarray) -> np.ndarray:
        """Indices of all texts of these bundles, bundle after bundle."""
        sizes = np.diff(self.starts)[bundles]
        before = np.cumsum(sizes) - sizes
        return np.arange(sizes.sum()) + np.repeat(self.starts[bundles] - before, sizes)


@final
@dataclass(frozen=True)
class Batch:
    """n bundles of m texts in all, as arrays."""

    ids: np.ndarray
    """int64 (n, T), zeros after the end of each row."""
    lengths: np.ndarray
    """(n,) tokens of each row."""
    row: np.ndarray
    """(m,): row of each text."""
    end: np.ndarray
    """(m,): position of its last token in that row."""
    shared: np.ndarray
    """(m,): tokens of its common prefix, which begin the row."""
    start: np.ndarray
    """(m,): position of its first token after the prefix."""
    segment: np.ndarray | None
    """(n, T) as in the module's picture, -1 after the end; None where nothing is shared."""
    position: np.ndarray | None
    """int64 (n, T), likewise."""
    tokens: np.ndarray
    """(m,) tokens read for each text; those of a common prefix count for the first that has it."""
    pairs: np.ndarray
    """float64 (m,): pairs of positions that attend to one another in a causal model, likewise."""

    @classmethod
    def of(cls, bundles: Sequence[tuple[int, Sequence[np.ndarray]]]) -> Batch:
        """The batch of bundles, each (tokens of the common prefix, token ids of its texts)."""
        lengths = np.array([sum(map(len, texts)) - (len(texts) - 1) * shared for shared, texts in bundles])
        ids = np.zeros((len(bundles), int(lengths.max())), np.int64)
        segment, position = np.full_like(ids, -1), np.zeros_like(ids)
        row, end, common, start, tokens, pairs = [], [], [], [], [], []
        for at, (shared, texts) in enumerate(bundles):
            ids[at, :shared] = texts[0][:shared]
            position[at, : lengths[at]] = np.arange(lengths[at])
            segment[at, :shared] = 0
            stop = shared
            for number, text in enumerate(texts, 1):
                own = len(text) - shared
                here = slice(stop, stop + own)
                ids[at, here], segment[at, here], position[at, here] = (
                    text[shared:],
                    number,
                    np.arange(shared, len(text)),
                )
                row.append(at)
                common.append(shared)
                start.append(stop)
                stop += own
                end.append(stop - 1 if own else shared - 1)
                first = shared if number == 1 else 0
                tokens.append(own + first)
                pairs.append(own * shared + own * (own + 1) / 2 + first * (first + 1) / 2)
        packed = any(len(texts) > 1 for _, texts in bundles)
        return cls(
            ids,
            lengths,
            np.array(row),
            np.array(end),
            np.array(common),
            np.array(start),
            segment if packed else None,
            position if packed else None,
            np.array(tokens),
            np.array(pairs, np.float64),
        )


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """Number of first ids that both share."""
    size = min(len(a), len(b))
    differ = np.flatnonzero(a[:size] != b[:size])
    return int(differ[0]) if len(differ) else size
