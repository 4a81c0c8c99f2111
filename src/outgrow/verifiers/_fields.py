"""Fields of an item that verifiers need."""

from __future__ import annotations

from typing import Any

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt

_REQUIRED = object()


def shown(one: Attempt, name: str, kind: type | tuple[type, ...] = object, default: Any = _REQUIRED) -> Any:
    """A field of an item.

    Args:
        one: the answer whose item is read.
        name: a key of `one.shown`.
        kind: the type or types that the value must have.
        default: the value where the key is missing; without it the key is required.

    Raises:
        UserError: the key is missing, or its value has another type.
    """
    value = one.shown.get(name, default)
    if value is _REQUIRED:
        have = ", ".join(sorted(one.shown)) or "nothing"
        raise UserError(
            f"this check needs shown[{name!r}], and the item shows {have}: choose a verifier that fits the task"
        )
    if not isinstance(value, kind):
        wanted = kind.__name__ if isinstance(kind, type) else " or ".join(each.__name__ for each in kind)
        raise UserError(f"shown[{name!r}] is {value!r:.80}: it must be of type {wanted}")
    return value
