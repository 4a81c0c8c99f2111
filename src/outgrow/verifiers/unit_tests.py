"""Unit tests: the answer's program runs, and the tests' assertions hold.

Two sandboxes a check. In one the answer's program, which is asked for the values of one function; in the other the tests, which get a
stand-in for that function. Plain values alone go between them (`_values.py`), so the program meets neither the tests nor what judges:
it can patch, print, read, exit and compare as it likes, in its own process.

Plain values are numbers, texts, bytes, None, and lists, tuples, sets and dicts of them. Not covered, and so "cannot tell": functions of, or giving, anything
else (a generator, a range, a Decimal, a date, a coroutine, an object), and where a test fails, what lost something on the way: a subclass (a named
tuple, a Counter), one list handed over twice, the argument itself given back. A class of the program's own whose == it wrote itself is no way out: unsound.

Of an answer `_text.code` takes the code. Not seen through: an answer that has learned the visible tests by heart (gold is other tests than these), or
that behaves by the clock.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._sandbox import Box, each, together
from outgrow.verifiers._text import program, reads
from outgrow.verifiers._values import loads

_SOURCES = {name: Path(__file__).with_name(name).read_bytes() for name in ("_values.py", "_called.py", "_calling.py")}


@verifier(paper="Chen et al. 2021, arXiv 2107.03374")
def unit_tests(asked: Sequence[Attempt], *, seconds: int = 5, memory: int = 512 << 20) -> list[Verdict]:
    """Runs the answer's program against tests: shown["entry_point"], shown["tests"], and shown["prompt_code"] if the answer goes on from it."""
    checks = []
    for one in asked:
        entry_point, tests = shown(one, "entry_point", str), shown(one, "tests", str)
        prompt = shown(one, "prompt_code", str, "")
        if not entry_point.isidentifier() or len(entry_point) > 200:
            raise UserError(f"shown['entry_point'] is {entry_point!r:.80}: it must be the name of a function")
        checks.append((program(one.answer, entry_point, prompt), prompt, entry_point, tests))
    distinct = list(dict.fromkeys(checks))
    for tests in {check[3] for check in distinct}:
        if not reads(tests):
            raise UserError(f"shown['tests'] is no Python: {tests!r:.80}")
    verdicts = dict(
        zip(distinct, each(lambda check: _check(*check, seconds, memory), distinct, "running unit tests"), strict=True)
    )
    return [verdicts[check] for check in checks]


def _check(text: str, prompt: str, entry_point: str, tests: str, seconds: int, memory: int) -> Verdict:
    ask_read, ask_write = os.pipe()
    reply_read, reply_write = os.pipe()
    values = {"_values.py": _SOURCES["_values.py"]}
    answer = Box(
        values | {"_called.py": _SOURCES["_called.py"], "program.py": text},
        ("python", "_called.py", entry_point, str(ask_read), str(reply_write)),
        seconds=seconds,
        memory=memory,
        handles=(ask_read, reply_write),
    )
    judge = Box(
        values | {"_calling.py": _SOURCES["_calling.py"], "prompt.py": prompt, "tests.py": tests},
        ("python", "_calling.py", entry_point, str(ask_write), str(reply_read)),
        seconds=seconds,
        memory=memory,
        handles=(ask_write, reply_read),
    )
    ran, judged = together([answer, judge])
    try:
        verdict, why = loads(judged.stdout[8:])
    except ValueError:
        # The tests came to no end: by the answer's doing, or, where it was still well, by their own.
        verdict, why = (
            ("cannot tell", f"the tests came to no end: {judged.outcome}")
            if ran.outcome == "done"
            else ("unsound", judged.outcome)
        )
    if verdict == "sound":
        return Verdict(True)
    if verdict == "cannot tell":
        return Verdict(None, why)
    return Verdict(False, ran.outcome if ran.outcome in ("time", "memory", "output") else why)
