"""A verifier asked about one answer, and a mark for tests that need the sandbox."""

from __future__ import annotations

import pytest

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, registry
from outgrow.verifiers.sandbox.runner import find

try:
    find()
    boxed = pytest.mark.skipif(False, reason="")
except UserError as error:
    boxed = pytest.mark.skip(reason=f"no sandbox here: {error}")


def judged(name: str, answer: str, **shown) -> Verdict:
    """What the verifier of that name says of an answer to an item that shows this."""
    return registry()[name].run([Attempt("", answer, shown)])[0]
