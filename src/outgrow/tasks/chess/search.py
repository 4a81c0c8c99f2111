"""How good moves are by counting material some plies ahead: no knowledge but the values of pieces and mate.

    V_0(s)   = own material less the opponent's, in pawns
    V_d(s)   = max_m -V_{d-1}(s after m)        -(MATE + d) where s is mate, 0 where it is stalemate
    score(m) = -V_{d-1}(s after m)              of each move m, by a search of depth d

The depth is a number of plies and nothing is searched beyond it: a search of depth 1 takes what it can and sees no
mate, of depth 2 sees what is taken back and mates in one, of depth 3 what is won by force in two moves, where its last
capture may be of a guarded piece.
"""

from __future__ import annotations

import math

from outgrow.tasks.chess.board import EMPTY, PAWN, Board

VALUES = (1, 3, 3, 5, 9, 0)
"""Of pawn, knight, bishop, rook, queen and king."""
MATE = 100


def material(board: Board) -> int:
    """Material of the side to move less that of the other, in pawns."""
    white = sum(value * board.pieces[kind].bit_count() for kind, value in enumerate(VALUES))
    black = sum(value * board.pieces[6 + kind].bit_count() for kind, value in enumerate(VALUES))
    return black - white if board.turn else white - black


def gain(board: Board, move: int) -> int:
    """Material that a move wins at once, by capture and promotion."""
    to, promoted = move >> 6 & 63, move >> 12
    captured = board.squares[to]
    if captured == EMPTY:
        passed = to == board.passing and board.squares[move & 63] % 6 == PAWN
        return VALUES[promoted] - VALUES[PAWN] if promoted else int(passed)
    return VALUES[captured % 6] + (VALUES[promoted] - VALUES[PAWN] if promoted else 0)


def scores(board: Board, depth: int) -> dict[int, int]:
    """The score of every legal move by a search of some depth, in pawns; MATE and more for a mate.

    Example:
        >>> from outgrow.tasks.chess.notation import uci
        >>> board = Board("8/8/8/8/8/1k6/8/K2r3Q w - -")
        >>> {uci(move): score for move, score in scores(board, 1).items()}
        {'h1d1': 9}
    """
    now, found = material(board), {}
    for move in board.legal_moves():
        won = gain(board, move)
        board.make(move)
        found[move] = -_value(board, depth - 1, -math.inf, math.inf, -now - won)
        board.unmake()
    return found


def _value(board: Board, depth: int, alpha: float, beta: float, now: int) -> int:
    """V_depth, exact within (alpha, beta) and a bound beyond; `now` is V_0."""
    if depth == 0:
        return now
    moves = board.legal_moves()
    if not moves:
        return -(MATE + depth) if board.in_check() else 0
    gains = [gain(board, move) for move in moves]
    if depth == 1:
        return now + max(gains)
    best = -math.inf
    for won, move in sorted(zip(gains, moves, strict=True), reverse=True):
        board.make(move)
        best = max(best, -_value(board, depth - 1, -beta, -max(alpha, best), -now - won))
        board.unmake()
        if best >= beta:
            break
    return int(best)
