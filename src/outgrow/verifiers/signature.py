"""Signature: every function call in the answer fits a declaration.

    >>> declared = [{"name": "roll", "parameters": {"type": "dict", "properties": {"sides": {"type": "integer"}}}}]
    >>> signature([Attempt("Roll a die.", "roll(sides=6)", {"functions": declared})])
    [Verdict(sound=True, why='', score=None)]

A partial check: whether the values are those of the question is not checked; of an answer "none" it cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outgrow.core.errors import UserError
from outgrow.metrics import calls, declarations
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._fields import shown

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "tuple": (list,),
    "dict": (dict,),
    "object": (dict,),
    "null": (type(None),),
}
"""Python types of a declared type; one that is not here takes any value."""


@verifier()
def signature(attempts: Sequence[Attempt]) -> list[Verdict]:
    """Checks every call in the answer against shown["functions"]: its name, its arguments, and their types."""
    verdicts = []
    for one in attempts:
        try:
            declared = declarations.declared(shown(one, "functions", list))
        except ValueError as error:
            raise UserError(f"shown['functions'] cannot be read: {error}") from error
        verdicts.append(_verdict(calls.read(one.answer), declared))
    return verdicts


def _verdict(found: list[calls.Call] | None, declared: Mapping[str, declarations.Declaration]) -> Verdict:
    if found is None:
        return Verdict(False, "no call can be read")
    if not found:
        return Verdict(None, "says that there is no call to make")
    return next((Verdict(False, why) for call in found if (why := _wrong(call, declared))), Verdict(True))


def _wrong(call: calls.Call, declared: Mapping[str, declarations.Declaration]) -> str:
    if call.name not in declared:
        return f"there is no function {call.name}"
    takes = declared[call.name].arguments
    for name, argument in takes.items():
        if argument.needed and name not in call.arguments:
            return f"{call.name} lacks {name}"
    for name, value in call.arguments.items():
        if name not in takes:
            return f"{call.name} takes no {name}"
        if not _fits(value, takes[name].kinds):
            return f"{name} of {call.name} is no {' or '.join(takes[name].kinds)}"
    return ""


def _fits(value: object, kinds: Sequence[str]) -> bool:
    taken = [TYPES.get(kind) for kind in kinds]
    if not taken or None in taken:
        return True
    return any(isinstance(value, kind) and (not isinstance(value, bool) or bool in kind) for kind in taken if kind)
