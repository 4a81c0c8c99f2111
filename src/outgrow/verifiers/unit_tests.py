"""Unit tests: the answer's program runs, and the tests' assertions hold.

    >>> item = {"entry_point": "add", "tests": "assert add(1, 2) == 3"}
    >>> unit_tests([Attempt("Add two numbers.", "def add(a, b): return a + b", item)])
    [Verdict(sound=True, why='', score=None)]

Two boxes a check. One holds the answer's program, whose function is called; the other the tests, which get a stand-in
for that function. Only plain values go between them (`sandbox/programs/plain_values.py`), so the program meets neither
the tests nor the
judge: it can patch, print, read, exit and compare as it likes, in its own process.

Plain values are numbers, texts, bytes, None, and lists, tuples, sets and dicts of them. It cannot tell where a function
takes or returns anything else (a generator, a range, a Decimal, a date, a coroutine, an object), and where a test fails
after a value lost something on the way: a subclass (a named tuple, a Counter), one list handed over twice, the argument
itself returned. A class of the program's own with an == that it wrote itself is unsound.

`_extraction.code` finds the code in an answer. Not detected: an answer that memorised the visible tests (gold is other
tests than these), or that behaves by the clock.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import program, reads
from outgrow.verifiers._fields import shown
from outgrow.verifiers.sandbox import limits
from outgrow.verifiers.sandbox.box import PYTHON, Box
from outgrow.verifiers.sandbox.programs.plain_values import loads
from outgrow.verifiers.sandbox.programs.sources import CANDIDATE, JUDGE, PLAIN_VALUES
from outgrow.verifiers.sandbox.runner import in_parallel, run_connected


@verifier(paper="Chen et al. 2021, arXiv 2107.03374")
def unit_tests(
    attempts: Sequence[Attempt], *, seconds: int = limits.SECONDS, memory: int = limits.MEMORY
) -> list[Verdict]:
    """Runs the answer's program against the tests in shown["tests"].

    Args:
        attempts: answers; shown["entry_point"] is the name of the tested function, shown["prompt_code"], if given, the
            code that the answer continues.
        seconds: on the processor, of the program and of the tests each.
        memory: bytes of address space, of each.
    """
    checks = []
    for one in attempts:
        entry_point, tests = shown(one, "entry_point", str), shown(one, "tests", str)
        prompt = shown(one, "prompt_code", str, "")
        if not entry_point.isidentifier() or len(entry_point) > 200:
            raise UserError(f"shown['entry_point'] is {entry_point!r:.80}: it must be the name of a function")
        checks.append((program(one.answer, entry_point, prompt), prompt, entry_point, tests))
    distinct = list(dict.fromkeys(checks))
    for tests in {check[3] for check in distinct}:
        if not reads(tests):
            raise UserError(f"shown['tests'] is no Python: {tests!r:.80}")
    found = in_parallel(lambda check: _check(*check, seconds, memory), distinct, "running unit tests")
    verdicts = dict(zip(distinct, found, strict=True))
    return [verdicts[check] for check in checks]


def _check(text: str, prompt: str, entry_point: str, tests: str, seconds: int, memory: int) -> Verdict:
    ask_read, ask_write = os.pipe()
    reply_read, reply_write = os.pipe()
    answer = Box(
        dict([PLAIN_VALUES.file, CANDIDATE.file, ("program.py", text)]),
        (PYTHON, CANDIDATE.name, entry_point, str(ask_read), str(reply_write)),
        seconds=seconds,
        memory=memory,
        handles=(ask_read, reply_write),
    )
    judge = Box(
        dict([PLAIN_VALUES.file, JUDGE.file, ("prompt.py", prompt), ("tests.py", tests)]),
        (PYTHON, JUDGE.name, entry_point, str(ask_write), str(reply_read)),
        seconds=seconds,
        memory=memory,
        handles=(ask_write, reply_read),
    )
    ran, judged = run_connected([answer, judge])
    try:
        verdict, why = loads(judged.stdout[8:])
    except ValueError:
        # The tests did not end: by their own fault where the answer's program was still well, else by the answer's.
        by_themselves = ("cannot tell", f"the tests came to no end: {judged.outcome}")
        verdict, why = by_themselves if ran.outcome == "done" else ("unsound", judged.outcome)
    if verdict == "sound":
        return Verdict(True)
    if verdict == "cannot tell":
        return Verdict(None, why)
    return Verdict(False, ran.outcome if ran.outcome in ("time", "memory", "output") else why)
