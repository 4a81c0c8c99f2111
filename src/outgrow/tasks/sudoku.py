"""Generated 4 x 4 sudokus: any filling that keeps the givens and the rules is right."""

from __future__ import annotations

import numpy as np

from outgrow.rng import derive
from outgrow.tasks.writing import Dial, Draft, Writing, WritingGold, build, distinct, writing

RULES = "Fill in the dots, so that each row, each column and each 2x2 box has the digits 1, 2, 3 and 4 once."
EXAMPLE = "Puzzle:\n13.2\n.413\n4231\n312.\nSolution:\n1342\n2413\n4231\n3124\n"
FIRST = np.array([[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]])


@writing("sudoku", "4 x 4 sudokus, after a worked one; sudoku:6 has six blanks", Dial("blanks", 1, 12, 4))
def sudoku(items: int, seed: int, blanks: int) -> tuple[Writing, WritingGold]:
    """`items` different puzzles with so many blanks; the answer is the whole grid, a row a line."""
    rng = derive(seed, "sudoku", blanks)

    def draw() -> Draft:
        solved = _shuffled(rng)
        holes = set(rng.choice(16, blanks, replace=False).tolist())
        puzzle = "\n".join("".join("." if 4 * r + c in holes else str(solved[r, c]) for c in range(4)) for r in range(4))
        answer = "\n".join("".join(map(str, row)) for row in solved)
        return Draft(f"{RULES}\n\n{EXAMPLE}\nPuzzle:\n{puzzle}\nSolution:\n", answer, {"puzzle": puzzle}, {"puzzle": puzzle})

    return build(
        f"sudoku:{blanks}", distinct(items, draw, "sudoku"), verifier="sudoku", scorer="sudoku", form="grid", tokens=24, stop=("\n\n", "\nPuzzle"),
        source=f"generated, {blanks} blanks, seed {seed}",
    )  # fmt: skip


def _shuffled(rng: np.random.Generator) -> np.ndarray:
    """(4, 4) a solved grid: bands, rows in bands, columns likewise, and digits change places."""
    rows, columns = (np.concatenate([2 * band + rng.permutation(2) for band in rng.permutation(2)]) for _ in range(2))
    grid = (rng.permutation(4) + 1)[FIRST - 1][rows][:, columns]
    return grid.T if rng.random() < 0.5 else grid
