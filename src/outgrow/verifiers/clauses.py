"""An assignment against clauses, exactly."""

from __future__ import annotations

import re

from outgrow.verifiers import Asked, Verdict, verifier
from outgrow.verifiers._asked import shown


@verifier()
def clauses(asked: list[Asked]) -> list[Verdict]:
    """Every clause has a true literal: `variables` are names, `clauses` lists of their numbers from 1, negative where negated."""
    return [_check(one.answer, shown(one, "variables", list), shown(one, "clauses", list)) for one in asked]


def _check(answer: str, variables: list[str], given: list[list[int]]) -> Verdict:
    said = dict(re.findall(r"(\w+)\s*=\s*([01])(?!\w)", answer))
    lacking = [name for name in variables if name not in said]
    if lacking:
        return Verdict(False, f"no value for {', '.join(lacking)}")
    for clause in given:
        if not any((said[variables[abs(n) - 1]] == "1") == (n > 0) for n in clause):
            return Verdict(False, "not satisfied: " + " or ".join(("not " if n < 0 else "") + variables[abs(n) - 1] for n in clause))
    return Verdict(True)
