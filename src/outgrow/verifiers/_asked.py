"""What verifiers need of an item, or a word that says what is missing."""

from __future__ import annotations

from typing import Any

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt

_REQUIRED = object()


def shown(one: Attempt, name: str, kind: type | tuple[type, ...] = object, default: Any = _REQUIRED) -> Any:
    """one.shown[name], which must be of this kind."""
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
