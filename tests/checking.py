"""A verifier asked about one answer."""

from __future__ import annotations

from outgrow.verifiers import Attempt, Verdict, registry


def judged(name: str, answer: str, **shown) -> Verdict:
    """What the verifier of that name says of an answer to an item that shows this."""
    return registry()[name].run([Attempt("", answer, shown)])[0]
