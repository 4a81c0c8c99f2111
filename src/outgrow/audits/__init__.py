"""Audits: one question about supervisors or their labels a file, found by walking the folder.

    @audit("COPY", "Do supervisors repeat each other's errors?")
    def copies(votes, *, gold) -> Finding | list[Finding] | str

Positional arguments are what an audit needs, found by name in `Evidence`; keyword-only arguments without a default are
what it uses if it is there (else None). It returns its findings, or in one sentence why the question does not apply. A
file whose name begins with _ holds no audit; `evidence.py` and `tables.py` hold what audits look at.

    >>> import numpy as np
    >>> from outgrow.audits.evidence import VoteTable
    >>> item, annotator = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    >>> votes = VoteTable(item, annotator, item % 2, 60, names=("a", "b", "c"), classes=("no", "yes"), complete=True)
    >>> [finding] = [one for one in examine(Evidence("example", votes)) if one.code == "QUALITY"]
    >>> f"{finding.value:.2f}"
    '1.00'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

from outgrow.audits.evidence import NEEDS, Evidence
from outgrow.core import progress
from outgrow.core.registry import Registry, first_line, mark, marked

SEVERITIES = ("stop", "warning", "note", "ok", "not applicable")
"""Do not go on; mend this first; know this; nothing found; the question does not apply."""


@final
@dataclass(frozen=True)
class Sheet:
    """A small table behind a finding."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@final
@dataclass(frozen=True)
class Finding:
    """The answer to an audit's question."""

    severity: str
    says: str
    """The finding in a sentence."""
    do: str = ""
    """What to do about it; "" where all is well."""
    figure: str = ""
    """Name of `value` in a few words."""
    value: float | None = None
    ci: tuple[float, float] | None = None
    """95% interval."""
    unit: str = "share"
    """Of value and ci: "share" (.5 is 50%), "points" (a difference of shares) or "number"."""
    items: tuple[dict[str, str], ...] = ()
    """Items that show it, as column -> text."""
    sheets: tuple[Sheet, ...] = ()
    code: str = ""
    """Stable name of the question, set by the registry; after a hyphen the own code of one of several findings."""
    question: str = ""


@final
@dataclass(frozen=True)
class Audit:
    """A registered audit."""

    name: str
    """Its code."""
    question: str
    line: str
    run: Callable[..., Finding | Sequence[Finding] | str]
    needs: tuple[str, ...]
    uses: tuple[str, ...]

    def __call__(self, evidence: Evidence) -> list[Finding]:
        """The findings; a single "not applicable" one where something is missing."""
        lacks = [NEEDS[name] for name in self.needs if getattr(evidence, name) is None]
        if lacks:
            found: Finding | Sequence[Finding] | str = f"needs {' and '.join(lacks)}"
        else:
            found = self.run(
                *(getattr(evidence, n) for n in self.needs), **{n: getattr(evidence, n) for n in self.uses}
            )
        if isinstance(found, str):
            found = Finding("not applicable", found)
        found = [found] if isinstance(found, Finding) else found
        return [replace(f, code="-".join(filter(None, (self.name, f.code))), question=self.question) for f in found]


def audit(code: str, question: str) -> Callable[[Callable], Callable]:
    """Marks a function as an audit."""

    def marker(run: Callable) -> Callable:
        kinds = inspect.signature(run).parameters.values()
        needs = tuple(p.name for p in kinds if p.kind is not p.KEYWORD_ONLY)
        uses = tuple(p.name for p in kinds if p.kind is p.KEYWORD_ONLY and p.default is p.empty)
        return mark(run, Audit(code, question, first_line(run), run, needs, uses))

    return marker


AUDITS = Registry("audit", __name__, "outgrow.audits", marked(Audit))


def registry() -> dict[str, Audit]:
    """Every audit by its code, in the order in which they are asked: that of the functions' names."""
    return dict(sorted(AUDITS.all().items(), key=lambda item: item[1].run.__name__))


def examine(evidence: Evidence) -> list[Finding]:
    """Findings of all audits, the gravest first."""
    found: list[Finding] = []
    with progress.track("auditing", len(registry())) as bar:
        for one in registry().values():
            found += one(evidence)
            bar.advance()
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def examine_all(evidence: Sequence[Evidence]) -> list[Finding]:
    """Findings of all audits on several pieces of evidence, the gravest first; codes name the piece."""
    if len(evidence) == 1:
        return examine(evidence[0])
    findings: list[Finding] = []
    for one in evidence:
        for finding in examine(one):
            code = f"{finding.code}.{one.about}"
            if finding.severity != "not applicable":
                findings.append(replace(finding, code=code))
            elif not any((f.code, f.says) == (finding.code, finding.says) for f in findings):
                findings.append(finding)
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
