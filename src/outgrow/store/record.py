"""The small JSON beside an artifact's data, and the artifact's key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def key(made_of: Mapping) -> str:
    """sha256 (hex) of the canonical JSON: order of keys, tuple or list, numpy or Python number make no difference."""
    text = json.dumps(plain(made_of), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: object) -> object:
    """A value in JSON types, without loss. Raises TypeError if that is impossible, or for a key that is not a text."""
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"key {name!r} is not a string: JSON would confuse it with {str(name)!r}")
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept in a record: {value!r}")


def encode(facts: Mapping) -> bytes:
    """The bytes of a record with its own checksum."""
    return _text({**facts, "checksum": key(facts)})


def decode(data: bytes) -> dict[str, Any] | None:
    """The record; None where any byte is not as it was written."""
    try:
        facts = json.loads(data)
        checksum = facts.pop("checksum")
        whole = checksum == key(facts) and _text({**facts, "checksum": checksum}) == data
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return facts if whole else None


def _text(facts: Mapping) -> bytes:
    return (json.dumps(facts, sort_keys=True, indent=1) + "\n").encode()
