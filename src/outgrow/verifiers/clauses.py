"""Clauses: the answer's assignment makes every clause true, exactly.

    >>> item = {"variables": ["a", "b"], "clauses": [[1, 2], [-1]]}
    >>> clauses([Attempt("Satisfy (a or b) and not a.", "a = 0, b = 1", item)])
    [Verdict(sound=True, why='', score=None)]

The last value that an answer gives to a variable counts.
"""

from __future__ import annotations

import re

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._fields import shown


@verifier()
def clauses(attempts: list[Attempt]) -> list[Verdict]:
    """Checks that the answer's values (0 or 1) for shown["variables"] make every clause of shown["clauses"] true.

    Args:
        attempts: answers; a clause is a list of literals, numbers of variables from 1, negative where negated.
    """
    return [_check(one.answer, shown(one, "variables", list), shown(one, "clauses", list)) for one in attempts]


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
            f"shown['clauses'] is {given!r:.80}: it must be lists of numbers from 1 to {len(variables)}, "
            "negative where negated"
        )
    names = "|".join(re.escape(name) for name in sorted(variables, key=len, reverse=True))
    values = dict(re.findall(rf"(?<![\w.])({names})\s*=\s*([01])(?!\w|[.,/][0-9])", answer))
    lacking = [name for name in variables if name not in values]
    if lacking:
        return Verdict(False, f"no value for {', '.join(lacking)}"[:200])
    for clause in given:
        if not any((values[variables[abs(n) - 1]] == "1") == (n > 0) for n in clause):
            text = " or ".join(("not " if n < 0 else "") + variables[abs(n) - 1] for n in clause)
            return Verdict(False, f"not satisfied: {text[:200]}")
    return Verdict(True)


def _literal(number: object, variables: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= abs(number) <= variables
