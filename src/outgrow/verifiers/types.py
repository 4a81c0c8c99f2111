"""Types: mypy finds no error in the answer's program. One run of mypy for many answers, for one alone takes seconds.

A partial check: what runs may be mistyped, and what is typed may be wrong. Comments for mypy are taken out. A program that asks in code for less (Any, cast,
@no_type_check, TYPE_CHECKING, sys.platform and such), or of which mypy reaches not every line, is unsound by its errors, and without any cannot be told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._served import Lost, served
from outgrow.verifiers._text import program

_BEGIN = 30
"""Seconds until mypy has read the standard library's types."""


@verifier(paper="mypy")
def types(asked: Sequence[Attempt], *, untyped: bool = True, seconds: int = 2) -> list[Verdict]:
    """Checks the types of the answer's program with mypy, functions without annotations too; shown["entry_point"] and shown["prompt_code"] as for unit_tests."""
    texts = [
        program(one.answer, shown(one, "entry_point", str, ""), shown(one, "prompt_code", str, "")) for one in asked
    ]
    distinct = list(dict.fromkeys(texts))
    found = dict(zip(distinct, _errors(distinct, untyped, seconds), strict=True))
    return [found[text] for text in texts]


def _errors(texts: Sequence[str], untyped: bool, seconds: int) -> list[Verdict]:
    if not texts:
        return []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    reply = served(
        "_checking",
        "mypy",
        [(tuple(texts), version, str(untyped))],
        "checking types",
        seconds=_BEGIN + seconds * len(texts),
    )[0]
    if isinstance(reply, Lost):
        if len(texts) == 1:
            return [Verdict(False, reply.outcome)]
        half = len(texts) // 2
        return _errors(texts[:half], untyped, seconds) + _errors(texts[half:], untyped, seconds)
    return [_verdict(errors, unchecked) for errors, unchecked in reply]


def _verdict(errors: Sequence[str], unchecked: str) -> Verdict:
    if errors:
        return Verdict(False, errors[0])
    return Verdict(None, f"not all of it is checked: {unchecked}") if unchecked else Verdict(True)
