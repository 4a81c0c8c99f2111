"""Sudoku: the digits that the answer gives to a puzzle's letters keep to its rules, exactly; any size of square boxes.

    >>> item = {"puzzle": "1 2 3 4 3 4 1 2 2 1 4 3 4 3 a b"}
    >>> sudoku([Attempt("Solve it.", "a = 2, b = 1", item)])
    [Verdict(sound=True, why='', score=None)]

The last digit that an answer gives to a letter counts.
"""

from __future__ import annotations

import math
import re

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._fields import shown


@verifier()
def sudoku(attempts: list[Attempt]) -> list[Verdict]:
    """Checks that with the answer's digits for the letters of shown["puzzle"] no row, column or box repeats a digit."""
    return [_check(one.answer, shown(one, "puzzle", str)) for one in attempts]


def _check(answer: str, puzzle: str) -> Verdict:
    cells = puzzle.split()
    side = math.isqrt(len(cells))
    box = math.isqrt(side)
    digits = {str(d) for d in range(1, side + 1)}
    if not cells or box**4 != len(cells) or not all(cell in digits or re.fullmatch("[a-z]", cell) for cell in cells):
        raise UserError(
            f"shown['puzzle'] is {puzzle!r:.80}: it must be rows of a grid of square boxes, "
            "each cell a digit or a small letter"
        )
    digit = dict(re.findall(r"(?<![\w.])([a-z])\s*=\s*([0-9]+)(?!\w|[.,/][0-9])", answer))
    lacking = [cell for cell in cells if cell.isalpha() and cell not in digit]
    if lacking:
        return Verdict(False, f"no digit for {', '.join(lacking)}")
    filled = [digit.get(cell, cell) for cell in cells]
    grid = [filled[side * r : side * (r + 1)] for r in range(side)]
    boxes = [
        [grid[r + i][c + j] for i in range(box) for j in range(box)]
        for r in range(0, side, box)
        for c in range(0, side, box)
    ]
    for what, lines in (("row", grid), ("column", list(zip(*grid, strict=True))), ("box", boxes)):
        for number, line in enumerate(lines, 1):
            if set(line) != digits:
                return Verdict(False, f"{what} {number} has {' '.join(line)}"[:200])
    return Verdict(True)
