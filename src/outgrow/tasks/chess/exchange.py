"""What captures on one square are worth when both sides take in turn, the least valuable piece first (static exchange).

E(s, v) = max(0, v - E'(s, w))        v: the piece on s, w: the least valuable of its attackers, E': the other side
"""

from __future__ import annotations

from outgrow.tasks.chess.attacks import squares
from outgrow.tasks.chess.board import KING_, Board
from outgrow.tasks.chess.search import VALUES


def exchange(board: Board, square: int, colour: int, occupied: int, value: int) -> int:
    """Material that a side wins by captures on a square.

    Args:
        board: The position; pins are not seen.
        square: Where a piece of the other side stands.
        colour: The side that takes first.
        occupied: The squares that are not empty.
        value: Of the piece there.

    Example:
        >>> board = Board("4k3/8/4p3/3p4/4P3/8/8/4K3 w - -")
        >>> exchange(board, 35, 0, board.occupied, 1)
        0
    """
    attackers = board.attackers(square, colour, occupied)
    if not attackers:
        return 0
    kind = next(k for k in range(6) if attackers & board.pieces[6 * colour + k])
    if kind == KING_ and board.attackers(square, 1 - colour, occupied):
        return 0
    first = attackers & board.pieces[6 * colour + kind]
    after = occupied & ~(first & -first)
    return max(0, value - exchange(board, square, 1 - colour, after, VALUES[kind]))


def hanging(board: Board, colour: int) -> list[int]:
    """What the other side wins of a side's pieces but the king by captures on their squares, the largest first."""
    occupied = board.occupied
    won = [
        exchange(board, square, 1 - colour, occupied, VALUES[kind])
        for kind in range(KING_)
        for square in squares(board.pieces[6 * colour + kind])
    ]
    return sorted(filter(None, won), reverse=True)
