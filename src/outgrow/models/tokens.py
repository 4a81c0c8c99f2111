"""Texts to token ids, once, kept in a file: memory holds the lengths, never the ids of more than a batch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.models.checkpoints import Model, config_of
from outgrow.models.damage import reading
from outgrow.models.loader import quiet

LONGEST = 512
"""Tokens. Of a longer text the end is kept, since the answer that is judged stands there."""
BEFORE = ":"
"""The tokens of a text that goes on are those it has after this; alone, some tokenizers put a space before it or drop one."""
_CHUNK = 1024
"""Texts tokenised at a time."""
_OFFSET = {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "data2vec-text", "longformer"}
"""Model types whose first position number comes after the padding's."""


def tokenizer_of(model: Model) -> Any:
    """The fast tokenizer that came with the checkpoint. Raises UserError where there is none."""
    from transformers import AutoTokenizer

    with quiet(), reading(f"the tokenizer of model {model.name!r}", "put a sound tokenizer.json beside it"):
        tokenizer = AutoTokenizer.from_pretrained(model.path, trust_remote_code=False, local_files_only=True)
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


@final
class Coder:
    """Texts to ids. What a text says is never taken for a control token: `</s>` in it is some characters like any other.

    Control tokens are those that the tokenizer calls special, and `ends`, the ids with which the model ends what it writes.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int] = ()):
        from transformers import AddedToken

        self.fast = tokenizer.backend_tokenizer
        self.fast.no_padding()
        self.fast.no_truncation()
        self.fast.encode_special_tokens = True
        common = [
            one for number, one in self.fast.get_added_tokens_decoder().items() if number in ends and not one.special
        ]
        self.fast.add_special_tokens([AddedToken(one.content, special=True, normalized=False) for one in common])
        special = {
            number: str(one.content) for number, one in self.fast.get_added_tokens_decoder().items() if one.special
        }
        self._controls = {number: token for number, token in special.items() if number != tokenizer.unk_token_id}
        self._numbers = frozenset(self._controls)
        probe = self.fast.encode("a")
        own = [at for at, mark in enumerate(probe.special_tokens_mask) if not mark]
        self.begin, self.end = tuple(probe.ids[: own[0]]), tuple(probe.ids[own[-1] + 1 :])
        """What the model wants before a text, and after one that is whole; some tokenizers end every text with an end token."""
        marks = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, 0)
        self.nothing = next(mark for mark in marks if mark is not None)
        """Stands for a text of no tokens, which still needs a place to read from."""

    def prompt(self, text: str) -> list[int]:
        """The ids of a text that is to be continued: nothing stands after it."""
        return [*self.begin, *self.plain([text])[0]] or [self.nothing]

    def plain(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text alone."""
        found = (one.ids for one in self.fast.encode_batch_fast(list(texts), add_special_tokens=False))
        return [
            ids if self._numbers.isdisjoint(ids) else [i for at in ids for i, _, _ in self._spelled(at)]
            for ids in found
        ]

    def after(self, text: str) -> list[int]:
        """The ids of a text that goes on where a prompt ends."""
        both, before = self.plain([BEFORE + text])[0], self.before
        return both[len(before) :] if both[: len(before)] == before else self.plain([text])[0]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in the text the tokens of `after` stand: the first character of each, and the one past its last."""
        (both,), before = self.plain([BEFORE + text]), self.before
        if both[: len(before)] != before:
            return self._spans(text)
        return [
            (max(0, start - len(BEFORE)), stop - len(BEFORE))
            for start, stop in self._spans(BEFORE + text)[len(before) :]
        ]

    @cached_property
    def before(self) -> list[int]:
        """The ids of BEFORE."""
        return self.plain([BEFORE])[0]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        read = self.fast.encode(text, add_special_tokens=False)
        placed = zip(read.ids, read.offsets, strict=True)
        return [
            (at + low, min(at + high, end)) for i, (at, end) in placed for _, low, high in self._spelled(i, end - at)
        ]

    def controls(self, text: str) -> bool:
        """Whether the text of a control token stands in it."""
        return any(token in text for token in self._controls.values())

    def _spelled(self, number: int, width: int = 0) -> list[tuple[int, int, int]]:
        """(id, first, past last) of what stands for a token: itself; of a control token, what spells it."""
        if number not in self._numbers:
            return [(number, 0, width)]
        token = self._controls[number]
        for cut in range(1, len(token)):
            halves = ((token[:cut], 0, cut), (token[cut:], cut, len(token)))
            found = [(one.id, low, high) for half, low, high in halves for one in self.fast.model.tokenize(half)]
            if self._numbers.isdisjoint(i for i, _, _ in found):
                return found
        raise UserError(
            f"a text holds {token!r}, for which its tokenizer knows nothing but the control token: take it out of the text"
        )


@dataclass(frozen=True)
class Tokenizer:
    """Text to ids, of which so many are kept."""

    coder: Coder
    limit: int
    """Most tokens of a text, special ones included."""
    end: tuple[int, ...]
    """What follows every text."""
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


def prepared(model: Model, room: int = 0, *, continued: bool = False) -> Tokenizer:
    """The model's tokenizer, which will keep the end of a long text and the special tokens that the model wants.

    `room` is the number of tokens to be left free for what will stand after each text; texts that are to be `continued` end
    with tokens of their own.
    """
    tokenizer = tokenizer_of(model)
    coder = Coder(tokenizer)
    marks = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, 0)
    pad = next(mark for mark in marks if mark is not None)
    return Tokenizer(coder, limit_of(model, tokenizer) - room, () if continued else coder.end, pad)


def tokenise(tokenizer: Tokenizer, texts: Sequence[str], folder: Path) -> TokenFile:
    """The ids of the texts, in a file in `folder`."""
    out, coder = TokenFile(folder), tokenizer.coder
    most = tokenizer.limit - len(coder.begin) - len(tokenizer.end)
    for start in range(0, len(texts), _CHUNK):
        read = coder.plain(texts[start : start + _CHUNK])
        out.truncated += sum(len(ids) > most for ids in read)
        out.add([[*coder.begin, *ids[-most:], *tokenizer.end] or [coder.nothing] for ids in read])
    out.end()
    return out
