"""An assignment against clauses, exactly. The last value that an answer gives to a variable counts."""

from __future__ import annotations

import re

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown


@verifier()
def clauses(asked: list[Attempt]) -> list[Verdict]:
    """Every clause has a true literal: `variables` are names, `clauses` lists of their numbers from 1, negative where negated."""
    return [_check(one.answer, shown(one, "variables", list), shown(one, "clauses", list)) for one in asked]


def _check(answer: str, variables: list[str], given: list[list[int]]) -> Verdict:
    if (
        not variables
        or not all(isinstance(name, str) and name for name in variables)
        or len(set(variables)) < len(variables)
    ):
        raise UserError(f"shown['variables'] is {variables!r:.80}: it must be different names")
    if not given or not all(
        isinstance(clause, list) and all(_literal(n, len(variables)) for n in clause) for clause in given
    ):
        raise UserError(
            f"shown['clauses'] is {given!r:.80}: it must be lists of numbers, 1 to {len(variables)}, negative where negated"
        )
    names = "|".join(re.escape(name) for name in sorted(variables, key=len, reverse=True))
    said = dict(re.findall(rf"(?<![\w.])({names})\s*=\s*([01])(?!\w|[.,/][0-9])", answer))
    lacking = [name for name in variables if name not in said]
    if lacking:
        return Verdict(False, f"no value for {', '.join(lacking)}"[:200])
    for clause in given:
        if not any((said[variables[abs(n) - 1]] == "1") == (n > 0) for n in clause):
            return Verdict(
                False,
                "not satisfied: "
                + " or ".join(("not " if n < 0 else "") + variables[abs(n) - 1] for n in clause)[:200],
            )
    return Verdict(True)


def _literal(number: object, variables: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= abs(number) <= variables
