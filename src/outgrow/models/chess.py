"""`chess`: features of a move of chess, from the position before and after it by rule; nothing in them is learned.

`chess:planes` and `chess:tactics` are parts of them, planes and move, or tactics.

    planes      768 numbers: by piece (own first) and square whether it stands there after the move
    move        140 numbers: squares from and to, the kind of piece that moves and of the one taken
    tactics     what is taken, given, attacked, pinned and threatened; exchanges on one square are counted to their end

The side that moves is always at the lower end of the board. After a check, all replies are looked at; else what comes
next is what the side would threaten if the other did not reply.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import hashed
from outgrow.models import scratch
from outgrow.models.checkpoints import Model
from outgrow.models.encoder import Features
from outgrow.store import Store, made_of
from outgrow.tasks.chess.attacks import KING, squares
from outgrow.tasks.chess.board import EMPTY, Board
from outgrow.tasks.chess.exchange import exchange, hanging
from outgrow.tasks.chess.notation import item, uci
from outgrow.tasks.chess.search import VALUES, gain

PLANES, MOVE, TACTICS = 12 * 64, 64 + 64 + 6 + 6, 36
WIDTHS = {"": PLANES + MOVE + TACTICS, "planes": PLANES + MOVE, "tactics": TACTICS}
"""By part of the features."""


def move_features(model: Model, texts: Sequence[str], store: Store) -> Features:
    """Features of moves.

    Args:
        model: `chess` or `chess:PART`.
        texts: N positions, each with one of its moves (`tasks/chess/notation.py:item`).
        store: where features are kept.

    Returns:
        Features with x float32 (1, N, D).

    Raises:
        UserError: a text is no move of chess.
    """
    part = scratch.part(model.name)
    made = {"texts": hashed(*texts), "part": part, "code": fingerprint("chess-features")}
    cached = store.get("chess-features", made) is not None
    kept = store.make("chess-features", made, lambda: _read(texts, part))
    return Features(
        x=kept.arrays["x"], layers=(1,), width=model.width, seconds=kept.meta["seconds"], loading=0.0, flops=0.0,
        tokens=len(texts), truncated=0, cached=cached, digest=made_of(made),
    )  # fmt: skip


@final
@dataclass(frozen=True)
class _Before:
    """A position before the moves that are looked at."""

    board: Board
    moves: dict[str, int]
    """By name in UCI."""
    own: list[int]
    theirs: list[int]
    """What exchanges win of either side's pieces (`hanging`)."""

    @classmethod
    def of(cls, position: str) -> _Before:
        board = Board(position)
        us = board.turn
        return cls(board, {uci(m): m for m in board.legal_moves()}, hanging(board, us), hanging(board, 1 - us))


def _read(texts: Sequence[str], part: str) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    began, x = time.perf_counter(), np.zeros((1, len(texts), WIDTHS[part]), np.float32)
    known: dict[str, _Before] = {}
    with progress.track("reading moves of chess", len(texts)) as bar:
        for row, text in zip(x[0], texts, strict=True):
            position, name = item(text, "chess")
            if position not in known:
                known[position] = _Before.of(position)
            before = known[position]
            if name not in before.moves:
                raise UserError(f"{name!r} is no legal move in {position!r}: give a table of chess puzzles")
            move, flip = before.moves[name], 56 if before.board.turn else 0
            if part != "planes":
                row[-TACTICS:] = _tactics(before, move)
            if part != "tactics":
                row[_planes(before.board, move, flip)] = 1
                row[PLANES + np.array(_move(before.board, move, flip))] = 1
            bar.advance()
    return {"x": x}, {"seconds": time.perf_counter() - began}


def _move(board: Board, move: int, flip: int) -> list[int]:
    """Columns: squares from and to, kinds of the piece that moves and of the one taken."""
    at, to = move & 63, move >> 6 & 63
    kinds = [128 + board.squares[at] % 6, *([134 + board.squares[to] % 6] if board.squares[to] != EMPTY else [])]
    return [at ^ flip, 64 + (to ^ flip), *kinds]


def _planes(board: Board, move: int, flip: int) -> list[int]:
    """Columns: own pieces first, by square, after the move."""
    us = board.turn
    board.make(move)
    found = [
        64 * (6 * (piece // 6 != us) + piece % 6) + (square ^ flip)
        for piece, here in enumerate(board.pieces)
        for square in squares(here)
    ]
    board.unmake()
    return found


def _tactics(before: _Before, move: int) -> list[float]:
    board = before.board
    us, them, to, won = board.turn, 1 - board.turn, move >> 6 & 63, gain(board, move)
    value = VALUES[move >> 12 or board.squares[move & 63] % 6]
    board.make(move)
    occupied, king, check, replies = board.occupied, board.king(them), board.in_check(), board.legal_moves()
    guards, takers = board.attackers(to, us, occupied), board.attackers(to, them, occupied)
    back = exchange(board, to, them, occupied, value)
    own, theirs = hanging(board, us), hanging(board, them)
    attacked = _largest(board, board.attacks(to) & board.by_colour[them], 2)
    pinned = _largest(board, board.pinned(), 1)
    around = squares(KING[king])
    free = [s for s in around if not board.by_colour[them] >> s & 1]
    escapes = sum(not board.attackers(s, us, occupied & ~(1 << king)) for s in free)
    near = sum(board.attackers(s, us, occupied).bit_count() for s in around)
    discovered = check and not board.attackers(king, us, occupied) >> to & 1
    cheaper = any(VALUES[board.squares[s] % 6] < value for s in squares(takers))
    taken = max((gain(board, reply) for reply in replies), default=0)
    forced, mating = _after_check(board, replies) if check and replies else (0, False)
    threat = not check and _threat(board)
    board.unmake()
    own, theirs, own_before, theirs_before = (
        [*values, 0, 0, 0][:3] for values in (own, theirs, before.own, before.theirs)
    )
    following = forced if check else theirs[1]
    return [
        won, won - back, back, bool(move >> 12), check, discovered, check and not replies, not check and not replies,
        np.log1p(len(replies)), len(replies) == 1, escapes, near,
        *own[:2], *theirs, *own_before[:2], *theirs_before[:2],
        *attacked, *pinned, guards.bit_count(), takers.bit_count(), cheaper, taken,
        forced, mating, threat,
        won - own[0], own_before[0] - own[0], won - own[0] + following, min(own[0], theirs[0]), following,
    ]  # fmt: skip


def _largest(board: Board, where: int, count: int) -> list[int]:
    """The largest values of the pieces on a bitboard."""
    values = sorted((VALUES[board.squares[s] % 6] for s in squares(where)), reverse=True)
    return [*values, *[0] * count][:count]


def _after_check(board: Board, replies: Sequence[int]) -> tuple[int, bool]:
    """What one exchange wins at least after a reply to check, less what the reply takes; whether a mate follows all."""
    worst, mating = 2 * max(VALUES), True
    for reply in replies:
        taken = gain(board, reply)
        board.make(reply)
        worst = min(worst, max(hanging(board, 1 - board.turn), default=0) - taken)
        mating = mating and any(map(board.mates, board.legal_moves()))
        board.unmake()
    return worst, mating


def _threat(board: Board) -> bool:
    """Whether the side that has moved would mate if it could move again."""
    board.skip()
    found = any(map(board.mates, board.legal_moves()))
    board.unskip()
    return found
