"""audit.json: what audits found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from outgrow.audits import Finding


@final
@dataclass(frozen=True)
class AuditFile:
    """Findings about one source, the gravest first."""

    source: str
    findings: tuple[Finding, ...]
