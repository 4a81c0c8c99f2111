"""Function calls, as far as the declarations tell: is there such a function, and does it take these arguments?

Whether the values are those that the question means is not seen; nor whether a call was asked for, where an answer says "none".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from outgrow.measures import calls
from outgrow.verifiers import Asked, Verdict, verifier

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "float": (int, float), "number": (int, float), "boolean": (bool,), "array": (list,), "tuple": (list,), "dict": (dict,),
}  # fmt: skip


@verifier()
def signature(asked: Sequence[Asked]) -> list[Verdict]:
    """Every call of an answer fits a declaration in `shown["functions"]`: its name, arguments, and their types."""
    return [_verdict(calls.read(one.answer), {function["name"]: function for function in one.shown["functions"]}) for one in asked]


def _verdict(said: list[calls.Call] | None, declared: Mapping[str, Mapping[str, Any]]) -> Verdict:
    if said is None:
        return Verdict(False, "no call can be read")
    if not said:
        return Verdict(None, "says that there is no call to make")
    return next((Verdict(False, why) for call in said if (why := _wrong(call, declared))), Verdict(True))


def _wrong(call: calls.Call, declared: Mapping[str, Mapping[str, Any]]) -> str:
    if call.name not in declared:
        return f"there is no function {call.name}"
    takes = declared[call.name]["parameters"]
    for name in takes.get("required", ()):
        if name not in call.arguments:
            return f"{call.name} lacks {name}"
    for name, value in call.arguments.items():
        if name not in takes["properties"]:
            return f"{call.name} takes no {name}"
        kinds = TYPES.get(takes["properties"][name]["type"])
        if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            return f"{name} of {call.name} is no {takes['properties'][name]['type']}"
    return ""
