"""Texts to token ids, kept in a file: memory holds the lengths, and the ids of no more than a batch."""

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
from outgrow.models.checkpoints import Model, config_of, setting
from outgrow.models.damage import reading
from outgrow.models.loader import quiet

LONGEST = 512
"""Tokens of a text. Of a longer one the end is kept, where the answer to be judged is."""
BEFORE = ":"
"""A continuation has the tokens that it has after this text: alone, some tokenizers add or drop a space before it."""
_CHUNK = 1024
"""Texts tokenised at a time."""
_OFFSET = {"roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "data2vec-text", "longformer"}
"""Model types that number positions from behind that of padding."""


def tokenizer_of(model: Model) -> Any:
    """The fast tokenizer that came with the checkpoint. Raises UserError where there is none."""
    from transformers import AutoTokenizer

    with quiet(), reading(f"the tokenizer of model {model.name!r}", "put a sound tokenizer.json beside it"):
        tokenizer = AutoTokenizer.from_pretrained(model.path, trust_remote_code=False, local_files_only=True)
    if not tokenizer.is_fast:
        raise UserError(f"model {model.name!r} has no fast tokenizer: put tokenizer.json beside it")
    return tokenizer


def limit_of(model: Model, tokenizer: Any) -> int:
    """Most tokens of a text, special ones included: LONGEST, or the model's number of positions."""
    config = config_of(model.path, model.name)
    positions = setting(config, "max_position_embeddings") or LONGEST
    if config.model_type in _OFFSET:
        positions -= config.pad_token_id + 1
    return min(LONGEST, positions, tokenizer.model_max_length)


@final
class Coder:
    """Texts to ids; no text is read as a control token: `</s>` in it is four characters like any other.

    Args:
        tokenizer: of `transformers`, a fast one.
        ends: ids that end the model's answers, which are control tokens besides those that the tokenizer calls special.
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
        self._marks = tuple(special.values())
        probe = self.fast.encode("a")
        own = [at for at, mark in enumerate(probe.special_tokens_mask) if not mark]
        self.begin, self.end = tuple(probe.ids[: own[0]]), tuple(probe.ids[own[-1] + 1 :])
        """Special tokens before a text, and after a whole one; some tokenizers end every text with an end token."""
        marks = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, 0)
        self.nothing = next(mark for mark in marks if mark is not None)
        """Stands for a text without tokens, which still needs a position."""

    def prompt(self, text: str) -> list[int]:
        """The ids of a text to continue: without special tokens after it."""
        return [*self.begin, *self.plain([text])[0]] or [self.nothing]

    def plain(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, without special tokens."""
        found = (one.ids for one in self.fast.encode_batch_fast(list(texts), add_special_tokens=False))
        return [
            ids if self._numbers.isdisjoint(ids) else [i for at in ids for i, _, _ in self._spelled(at)]
            for ids in found
        ]

    def after(self, text: str) -> list[int]:
        """The ids of a text that continues a prompt."""
        both, before = self.plain([BEFORE + text])[0], self.before
        return both[len(before) :] if both[: len(before)] == before else self.plain([text])[0]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Positions of the tokens of `after` in the text: (first character, one past the last)."""
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
        """Whether a text contains that of a control token."""
        return any(token in text for token in self._marks)

    def _spelled(self, number: int, width: int = 0) -> list[tuple[int, int, int]]:
        """(id, first character, one past the last) of a token: itself, or the tokens that spell a control token."""
        if number not in self._numbers:
            return [(number, 0, width)]
        token = self._controls[number]
        for cut in range(1, len(token)):
            halves = ((token[:cut], 0, cut), (token[cut:], cut, len(token)))
            found = [(one.id, low, high) for half, low, high in halves for one in self.fast.model.tokenize(half)]
            if self._numbers.isdisjoint(i for i, _, _ in found):
                return found
        raise UserError(
            f"a text holds {token!r}, which its tokenizer can read as a control token only: take it out of the text"
        )


@dataclass(frozen=True)
class Tokenizer:
    """A model's tokenizer with a limit."""

    coder: Coder
    limit: int
    """Most tokens of a text, special ones included."""
    end: tuple[int, ...]
    """Special tokens after every text."""
    pad: int
    """Id that fills a row up to the length of its batch."""


@final
class TokenFile:
    """The ids of N texts in an unnamed file, which disappears when it is closed."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `close`)
        self._lengths: list[np.ndarray] = []
        self._cut: list[np.ndarray] = []

    def add(self, ids: Sequence[Sequence[int]], truncated: Sequence[bool]) -> None:
        """Appends texts, and whether each was cut."""
        self._cut.append(np.array(truncated, bool))
        self._lengths.append(np.fromiter(map(len, ids), np.int64, len(ids)))
        self._file.write(np.fromiter((i for text in ids for i in text), np.int32).tobytes())

    def end(self) -> None:
        """Ends writing: from here on texts can be read."""
        self._file.flush()
        self.lengths = np.concatenate([np.zeros(0, np.int64), *self._lengths])
        self.truncated = np.concatenate([np.zeros(0, bool), *self._cut])
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])

    def ids(self, text: int) -> np.ndarray:
        """int32 (T,): the ids of one text."""
        size = 4 * int(self.lengths[text])
        return np.frombuffer(os.pread(self._file.fileno(), size, 4 * int(self._starts[text])), np.int32)

    def close(self) -> None:
        """Frees the disk space."""
        self._file.close()


def prepared(model: Model, room: int = 0, *, continued: bool = False) -> Tokenizer:
    """The model's tokenizer, which keeps the end of a long text and the special tokens that the model wants.

    Args:
        model: a checkpoint.
        room: tokens to leave free behind each text.
        continued: whether texts are continued, so that no special tokens follow them.
    """
    tokenizer = tokenizer_of(model)
    coder = Coder(tokenizer)
    marks = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, 0)
    pad = next(mark for mark in marks if mark is not None)
    return Tokenizer(coder, limit_of(model, tokenizer) - room, () if continued else coder.end, pad)


def tokenise(tokenizer: Tokenizer, texts: Sequence[str], folder: Path) -> TokenFile:
    """The ids of texts, in a file in `folder`."""
    out, coder = TokenFile(folder), tokenizer.coder
    most = tokenizer.limit - len(coder.begin) - len(tokenizer.end)
    for start in range(0, len(texts), _CHUNK):
        read = coder.plain(texts[start : start + _CHUNK])
        out.add(
            [[*coder.begin, *ids[-most:], *tokenizer.end] or [coder.nothing] for ids in read],
            [len(ids) > most for ids in read],
        )
    out.end()
    return out
