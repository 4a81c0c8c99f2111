"""Generated 3-SAT with a planted solution: any assignment that satisfies every clause is right."""

from __future__ import annotations

from outgrow.core.seeding import derive
from outgrow.tasks.drafts import GenerationDraft, build_generation, distinct
from outgrow.tasks.prompting import AUTO, Prompting
from outgrow.tasks.source import Dial, generation_source
from outgrow.tasks.task import GenerationGold, GenerationTask

NAMES = "ABCDEFGHIJKL"
RATIO = 3
"""Clauses a variable: fewer than the 4.27 where random 3-SAT is hardest, as answers should be possible."""
EXAMPLE = (
    "Find values that make every line true.\n(A or not B or C)\n(not A or B or D)\n(not C or not D or A)\nValues: A=1 "
    "B=1 C=0 D=0\n\n"
    "Find values that make every line true.\n(not B or C or D)\n(not A or not C or B)\n(B or not D or A)\nValues: A=0 "
    "B=1 C=1 D=0\n\n"
)


@generation_source(
    "sat", "3-SAT with a solution, after two worked ones; sat:6 has six variables", Dial("variables", 4, 12, 4)
)
def sat(items: int | None, seed: int, variables: int) -> tuple[GenerationTask, GenerationGold]:
    """`items` different problems of so many variables; the answer gives each a value, 0 or 1."""
    rng = derive(seed, "sat", variables)
    names = NAMES[:variables]

    def sample() -> GenerationDraft:
        solution = rng.integers(2, size=variables).astype(bool)
        clauses: list[list[int]] = []
        while len(clauses) < RATIO * variables:
            which = sorted(rng.choice(variables, 3, replace=False).tolist())
            positive = rng.integers(2, size=3).astype(bool)
            clause = [i + 1 if p else -i - 1 for i, p in zip(which, positive, strict=True)]
            if (solution[which] == positive).any() and clause not in clauses:
                clauses.append(clause)
        lines = "\n".join(
            "(" + " or ".join(("" if n > 0 else "not ") + names[abs(n) - 1] for n in clause) + ")" for clause in clauses
        )
        answer = " ".join(f"{name}={int(value)}" for name, value in zip(names, solution, strict=True))
        key = {"variables": list(names), "clauses": clauses}
        return GenerationDraft(
            f"{EXAMPLE}Find values that make every line true.\n{lines}\nValues:", f" {answer}", key, key
        )

    return build_generation(
        f"sat:{variables}",
        distinct(items, sample, "sat"),
        verifier="clauses",
        scorer="clauses",
        form="words",
        tokens=3 * variables + 2,
        stop=("\n",),
        prompting=Prompting(AUTO, instruction="Go on with the problems: give the values of the last one alone."),
        source=f"generated, {variables} variables, {RATIO * variables} clauses, seed {seed}",
    )
