"""Names of models without a checkpoint.

convnet, convnet:WIDTH     a small network that every training starts anew (`students/convnet.py`)
patches, patches:K         an encoder that is found in the pool's own images (`models/patches.py`)
chess, chess:PART          features of moves of chess, all or planes or tactics alone (`models/chess.py`)
"""

from __future__ import annotations

import re

from outgrow.core.errors import UserError

NAME, PATCHES, CHESS = "convnet", "patches", "chess"
WIDTH = 24
"""Channels of the first block by default; a multiple of GROUPS."""
GROUPS = 8
CHESS_PARTS = ("planes", "tactics")
CENTROIDS = 400
"""K by default."""


def named(name: str) -> bool:
    """Whether a name is that of a network that is trained from scratch."""
    return name.partition(":")[0] == NAME


def patched(name: str) -> bool:
    """Whether a name is that of an encoder by patches."""
    return name.partition(":")[0] == PATCHES and "," not in name


def width(name: str) -> int:
    """Channels of a convnet's first block. Raises UserError for a malformed name."""
    channels = _number(name, NAME, WIDTH)
    if not GROUPS <= channels <= 512 or channels % GROUPS:
        raise UserError(
            f"model {name!r}: write it as {NAME} or {NAME}:WIDTH, with a multiple of {GROUPS} from {GROUPS} to 512"
        )
    return channels


def centroids(name: str) -> int:
    """K of an encoder by patches. Raises UserError for a malformed name."""
    k = _number(name, PATCHES, CENTROIDS)
    if not 8 <= k <= 4096:
        raise UserError(f"model {name!r}: write it as {PATCHES} or {PATCHES}:K, with K from 8 to 4096")
    return k


def of_chess(name: str) -> bool:
    """Whether a name is that of features of moves of chess."""
    return name.partition(":")[0] == CHESS


def part(name: str) -> str:
    """Which features of moves of chess, "" for all. Raises UserError for a malformed name."""
    _, colon, found = name.partition(":")
    if colon and found not in CHESS_PARTS:
        raise UserError(f"model {name!r}: write it as {CHESS} or {CHESS}:PART, with {' or '.join(CHESS_PARTS)}")
    return found


def _number(name: str, word: str, default: int) -> int:
    """The number behind the colon; 0 for a malformed name."""
    found = re.fullmatch(rf"{word}(?::(\d+))?", name)
    return 0 if found is None else int(found[1] or default)
