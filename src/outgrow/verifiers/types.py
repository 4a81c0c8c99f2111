"""Types: mypy finds no error in the answer's program. One run of mypy checks many answers, for one alone takes seconds.

A partial check: a program that runs may be mistyped, and a typed one may be wrong. Comments for mypy are taken out. Of
a program that switches a check off (Any, cast, @no_type_check, TYPE_CHECKING, sys.platform and such), or of which mypy
does not reach every line, it cannot tell unless there is an error.

    >>> types([Attempt("Add.", "def add(a: int, b: int) -> str:\\n    return a + b")])[0].sound
    False
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import program
from outgrow.verifiers._fields import shown
from outgrow.verifiers.sandbox.jobs import LostJob, run_jobs
from outgrow.verifiers.sandbox.programs.sources import TYPE_CHECKER

_BEGIN = 30
"""Seconds until mypy has read the standard library's types."""


@verifier(paper="mypy")
def types(attempts: Sequence[Attempt], *, untyped: bool = True, seconds: int = 2) -> list[Verdict]:
    """Checks the types of the answer's program with mypy.

    Args:
        attempts: answers; shown["entry_point"] and shown["prompt_code"], if given, as for `unit_tests`.
        untyped: whether functions without annotations are checked too.
        seconds: on the processor, of one program.
    """
    texts = [
        program(one.answer, shown(one, "entry_point", str, ""), shown(one, "prompt_code", str, "")) for one in attempts
    ]
    distinct = list(dict.fromkeys(texts))
    found = dict(zip(distinct, _errors(distinct, untyped, seconds), strict=True))
    return [found[text] for text in texts]


def _errors(texts: Sequence[str], untyped: bool, seconds: int) -> list[Verdict]:
    if not texts:
        return []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    job, limit = (tuple(texts), version, str(untyped)), _BEGIN + seconds * len(texts)
    reply = run_jobs(TYPE_CHECKER, "mypy", [job], "checking types", seconds=limit)[0]
    if isinstance(reply, LostJob):
        if len(texts) == 1:
            return [Verdict(False, reply.outcome)]
        half = len(texts) // 2
        return _errors(texts[:half], untyped, seconds) + _errors(texts[half:], untyped, seconds)
    return [_verdict(errors, unchecked) for errors, unchecked in reply]


def _verdict(errors: Sequence[str], unchecked: str) -> Verdict:
    if errors:
        return Verdict(False, errors[0])
    return Verdict(None, f"not all of it is checked: {unchecked}") if unchecked else Verdict(True)
