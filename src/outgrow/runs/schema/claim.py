"""claim.json: whose folder it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class ClaimFile:
    """What a verb was asked."""

    verb: str
    asked: dict[str, Any]
    """Its arguments, files by the sha256 of their bytes."""
