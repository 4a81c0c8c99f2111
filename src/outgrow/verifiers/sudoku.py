"""A filled sudoku against its puzzle and the rules, exactly: any size of square boxes."""

from __future__ import annotations

import math
import re

from outgrow.verifiers import Asked, Verdict, verifier
from outgrow.verifiers._asked import shown


@verifier()
def sudoku(asked: list[Asked]) -> list[Verdict]:
    """The grid keeps what `puzzle` gives (rows as lines, . or 0 a blank) and has each digit once in every row, column and box."""
    return [_check(one.answer, shown(one, "puzzle", str)) for one in asked]


def _check(answer: str, puzzle: str) -> Verdict:
    given = [c for c in puzzle if c in ".0123456789"]
    side = math.isqrt(len(given))
    box = math.isqrt(side)
    filled = re.findall(r"[0-9]", answer)
    if len(filled) != len(given):
        return Verdict(False, f"{len(filled)} digits for {len(given)} places")
    for at, (digit, start) in enumerate(zip(filled, given, strict=True)):
        if start not in ".0" and digit != start:
            return Verdict(False, f"row {at // side + 1} column {at % side + 1} was given as {start}")
    grid = [filled[side * r : side * (r + 1)] for r in range(side)]
    boxes = [[grid[r + i][c + j] for i in range(box) for j in range(box)] for r in range(0, side, box) for c in range(0, side, box)]
    digits = {str(d) for d in range(1, side + 1)}
    for what, lines in (("row", grid), ("column", list(zip(*grid, strict=True))), ("box", boxes)):
        for number, line in enumerate(lines, 1):
            if set(line) != digits:
                return Verdict(False, f"{what} {number} has {' '.join(line)}")
    return Verdict(True)
