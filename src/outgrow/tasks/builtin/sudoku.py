"""Generated 4 x 4 sudokus, letters where a digit is missing: whatever digits keep the rules are right."""

from __future__ import annotations

import numpy as np

from outgrow.core.seeding import derive
from outgrow.tasks.drafts import GenerationDraft, build_generation, distinct
from outgrow.tasks.prompting import AUTO, Prompting
from outgrow.tasks.source import Dial, generation_source
from outgrow.tasks.task import GenerationGold, GenerationTask

RULES = "Every row, every column and every 2x2 box has the digits 1, 2, 3 and 4. Which digits are the letters?"
EXAMPLES = (
    "3 1 a 2\n4 2 3 1\nb 4 1 3\n1 3 2 c\nLetters: a=4 b=2 c=4\n\n"
    "a 2 1 3\n3 1 2 4\n1 b 4 2\n2 4 3 c\nLetters: a=4 b=3 c=1\n\n"
    "1 3 2 4\n2 a 1 b\n4 2 c 1\n3 1 4 2\nLetters: a=4 b=3 c=3\n\n"
)
LETTERS = "abcdefghijkl"
FIRST = np.array([[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]])


@generation_source(
    "sudoku", "4 x 4 sudokus, after three worked ones; sudoku:6 has six blanks", Dial("blanks", 1, 12, 1)
)
def sudoku(items: int | None, seed: int, blanks: int) -> tuple[GenerationTask, GenerationGold]:
    """`items` different puzzles with so many blanks; the answer gives every letter a digit."""
    rng = derive(seed, "sudoku", blanks)

    def sample() -> GenerationDraft:
        solved = _shuffled(rng).ravel()
        holes = np.sort(rng.choice(16, blanks, replace=False)).tolist()
        cells = [LETTERS[holes.index(i)] if i in holes else str(digit) for i, digit in enumerate(solved)]
        puzzle = "\n".join(" ".join(cells[4 * r : 4 * r + 4]) for r in range(4))
        answer = " ".join(f"{letter}={solved[i]}" for letter, i in zip(LETTERS, holes, strict=False))
        return GenerationDraft(
            f"{RULES}\n\n{EXAMPLES}{puzzle}\nLetters:", f" {answer}", {"puzzle": puzzle}, {"puzzle": puzzle}
        )

    return build_generation(
        f"sudoku:{blanks}",
        distinct(items, sample, "sudoku"),
        verifier="sudoku",
        scorer="sudoku",
        form="words",
        tokens=3 * blanks + 2,
        stop=("\n",),
        prompting=Prompting(AUTO, instruction="Go on with the sudokus: give the letters of the last one alone."),
        source=f"generated, {blanks} blanks, seed {seed}",
    )


def _shuffled(rng: np.random.Generator) -> np.ndarray:
    """(4, 4) a solved grid: bands, rows in bands, columns likewise, and digits change places."""
    rows, columns = (np.concatenate([2 * band + rng.permutation(2) for band in rng.permutation(2)]) for _ in range(2))
    grid = (rng.permutation(4) + 1)[FIRST - 1][rows][:, columns]
    return grid.T if rng.random() < 0.5 else grid
