"""Generated sums, differences, products and expressions: the value of each is gold, and anybody can work it out."""

from __future__ import annotations

from outgrow.core.seeding import derive
from outgrow.tasks.drafts import GenerationDraft, build_generation, distinct
from outgrow.tasks.prompting import AUTO, Prompting
from outgrow.tasks.source import Dial, generation_source
from outgrow.tasks.task import GenerationGold, GenerationTask

EXAMPLES = "7 + 5 = 12\n9 - 4 = 5\n6 * 3 = 18\n14 + 23 = 37\n8 * (2 + 3) = 40\n50 - 4 * 6 = 26\n"
SHAPES = {
    1: ("{x} + {y}", "{z} - {y}", "{x} * {y}"),
    2: ("{a} + {b}", "{a} - {y}", "{a} * {y}"),
    3: ("{a} + {b} - {y}", "{a} - {y} * {x}", "{x} * ({y} + {z})", "{a} * {y}"),
    4: ("{a} * {y} + {b}", "{a} + {b} * {y}", "({a} - {y}) * {x}", "{a} * {b}"),
    5: ("{a} * {b} - {a}", "({a} + {b}) * {y}", "{a} * {y} - {b} * {x}", "({a} + {x}) * ({b} - {y})"),
}
"""Letters x, y: 2 to 9; z: 10 to 19; a, b: 11 to 99."""


@generation_source(
    "arithmetic",
    "sums, products and expressions, after a few examples; arithmetic:5 is the hardest",
    Dial("difficulty", 1, 5, 2),
)
def arithmetic(items: int | None, seed: int, difficulty: int) -> tuple[GenerationTask, GenerationGold]:
    """`items` different expressions of whole numbers; the answer is the number."""
    rng = derive(seed, "arithmetic", difficulty)
    shapes = SHAPES[difficulty]

    def sample() -> GenerationDraft:
        low = {"x": (2, 9), "y": (2, 9), "z": (10, 19), "a": (11, 99), "b": (11, 99)}
        said = shapes[rng.integers(len(shapes))].format(
            **{name: rng.integers(a, b + 1) for name, (a, b) in low.items()}
        )
        value = str(eval(said, {"__builtins__": {}}))  # of our own making: digits, signs and brackets
        return GenerationDraft(f"{EXAMPLES}{said} =", f" {value}", value, {"expression": said})

    return build_generation(
        f"arithmetic:{difficulty}",
        distinct(items, sample, "arithmetic"),
        verifier="calculation",
        scorer="number",
        form="number",
        tokens=8,
        stop=("\n",),
        prompting=Prompting(AUTO, instruction="Go on with the list of calculations: give the number alone."),
        source=f"generated, difficulty {difficulty}, seed {seed}",
    )
