"""Texts to token ids, once, kept in a file: memory holds the lengths, never the ids of more than a batch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.errors import UserError
from outgrow.models.checkpoints import Model, config_of
from outgrow.models.loading import quiet

LONGEST = 512
"""Tokens. Of a longer text the end is kept, since the answer that is judged stands there."""
_CHUNK = 1024
"""Texts tokenised at a time."""
_OFFSET = {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "data2vec-text", "longformer"}
"""Model types whose first position number comes after the padding's."""


def tokenizer_of(model: Model) -> Any:
    """The fast tokenizer that came with the checkpoint. Raises UserError where there is none."""
    from transformers import AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(model.path, trust_remote_code=False, local_files_only=True)
    except (ValueError, OSError, ImportError) as error:
        raise UserError(
            f"model {model.name!r} has no tokenizer that can be read: put tokenizer.json beside it"
        ) from error
    if not tokenizer.is_fast:
        raise UserError(f"model {model.name!r} has no fast tokenizer: put tokenizer.json beside it")
    return tokenizer


def limit_of(model: Model, tokenizer: Any) -> int:
    """Tokens a text may have, special ones included: LONGEST, or what the model can number."""
    config = config_of(model.path, model.name)
    positions = getattr(config, "max_position_embeddings", None) or LONGEST
    if config.model_type in _OFFSET:
        positions -= config.pad_token_id + 1
    return min(LONGEST, positions, tokenizer.model_max_length)


@dataclass(frozen=True)
class Tokenizer:
    """Text to ids."""

    fast: Any
    """The `tokenizers.Tokenizer`."""
    nothing: int
    """Stands for a text of no tokens, which still needs a place to read from."""
    pad: int
    """Fills a row up to the length of its batch, for who looks for where a text ends."""


@final
class TokenFile:
    """The ids of N texts in an unnamed file, which is gone when it is closed."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `close`)
        self._lengths: list[np.ndarray] = []
        self.truncated = 0

    def add(self, ids: Sequence[Sequence[int]]) -> None:
        """Append texts."""
        self._lengths.append(np.fromiter(map(len, ids), np.int64, len(ids)))
        self._file.write(np.fromiter((i for text in ids for i in text), np.int32).tobytes())

    def end(self) -> None:
        """No more texts: from here on they can be read."""
        self._file.flush()
        self.lengths = np.concatenate(self._lengths) if self._lengths else np.zeros(0, np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])

    def ids(self, text: int) -> np.ndarray:
        """int32 (T,): the ids of one text."""
        size = 4 * int(self.lengths[text])
        return np.frombuffer(os.pread(self._file.fileno(), size, 4 * int(self._starts[text])), np.int32)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()


def prepared(model: Model, room: int = 0) -> Tokenizer:
    """The model's tokenizer, which will keep the end of a long text and the special tokens that the model wants.

    `room` is the number of tokens to be left free for what will stand after each text.
    """
    tokenizer = tokenizer_of(model)
    fast = tokenizer.backend_tokenizer
    fast.no_padding()
    fast.enable_truncation(limit_of(model, tokenizer) - room, direction="left")
    begin, end, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    first = (next(mark for mark in marks if mark is not None) for marks in ((begin, end, pad, 0), (pad, end, begin, 0)))
    return Tokenizer(fast, *first)


def tokenise(tokenizer: Tokenizer, texts: Sequence[str], folder: Path) -> TokenFile:
    """The ids of the texts, in a file in `folder`."""
    out = TokenFile(folder)
    for start in range(0, len(texts), _CHUNK):
        read = tokenizer.fast.encode_batch_fast(texts[start : start + _CHUNK])
        out.truncated += sum(bool(text.overflowing) for text in read)
        out.add([text.ids or [tokenizer.nothing] for text in read])
    out.end()
    return out
