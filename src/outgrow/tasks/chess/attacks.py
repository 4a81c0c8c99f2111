"""Which squares a piece attacks, as bitboards: bit s of an int is square s, a1 = 0, b1 = 1, ..., h8 = 63.

KNIGHT[s], KING[s]            fixed
PAWNS[colour][s]              captures of a pawn, white = 0
rook(s, occupied), ...        sliders, computed once for each arrangement of their lines
BETWEEN[a][b], LINE[a][b]     the squares strictly between two squares of one line, and that whole line; 0 without one
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

STRAIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
DIAGONAL = ((1, 1), (1, -1), (-1, -1), (-1, 1))
"""Steps (file, rank)."""


def squares(board: int) -> list[int]:
    """The squares of a bitboard, ascending.

    Example:
        >>> squares(0b1010)
        [1, 3]
    """
    found = []
    while board:
        low = board & -board
        found.append(low.bit_length() - 1)
        board ^= low
    return found


def _steps(square: int, steps: Sequence[tuple[int, int]]) -> int:
    """The squares one step away."""
    file, rank = square & 7, square >> 3
    to = [(file + f, rank + r) for f, r in steps]
    return sum(1 << (f + 8 * r) for f, r in to if 0 <= f < 8 and 0 <= r < 8)


def _slide(square: int, steps: Sequence[tuple[int, int]], occupied: int) -> int:
    """The squares up to the first occupied one, which counts, in every direction."""
    found = 0
    for file_step, rank_step in steps:
        file, rank = (square & 7) + file_step, (square >> 3) + rank_step
        while 0 <= file < 8 and 0 <= rank < 8:
            bit = 1 << (file + 8 * rank)
            found |= bit
            if occupied & bit:
                break
            file, rank = file + file_step, rank + rank_step
    return found


def _slider(steps: Sequence[tuple[int, int]]) -> Callable[[int, int], int]:
    """Attacks (square, occupied) -> bitboard, remembered."""
    lines = [_slide(square, steps, 0) for square in range(64)]
    known: list[dict[int, int]] = [{} for _ in range(64)]

    def attacks(square: int, occupied: int) -> int:
        on_lines = occupied & lines[square]
        found = known[square].get(on_lines)
        if found is None:
            found = known[square][on_lines] = _slide(square, steps, on_lines)
        return found

    return attacks


rook = _slider(STRAIGHT)
bishop = _slider(DIAGONAL)
KNIGHT = [_steps(s, [(a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)]) for s in range(64)]
KING = [_steps(s, STRAIGHT + DIAGONAL) for s in range(64)]
PAWNS = [[_steps(s, [(-1, up), (1, up)]) for s in range(64)] for up in (1, -1)]


def _lines() -> tuple[list[list[int]], list[list[int]]]:
    between, line = ([[0] * 64 for _ in range(64)] for _ in range(2))
    for attacks in (rook, bishop):
        for a in range(64):
            for b in squares(attacks(a, 0)):
                both = 1 << a | 1 << b
                between[a][b] = attacks(a, 1 << b) & attacks(b, 1 << a)
                line[a][b] = attacks(a, 0) & attacks(b, 0) | both
    return between, line


BETWEEN, LINE = _lines()
