"""SMT proof: z3 refutes the answer's negation.

The negation is unsatisfiable: sound; satisfiable: unsound; unknown or out of time: cannot tell.

shown["smt"] holds SMT-LIB 2: declarations and assertions, what is known. The answer is one of

    values      name = value for the constants declared there, one or several a line (the last of each counts); sound if
                they make every assertion true. A value: a whole number, a decimal, a fraction, true, false, or the name
                of a constructor.
    a claim     where shown["asks"] is "claim": one SMT-LIB term in a fence, or on the last line; sound if it follows
                from what is known. Whether it says anything is not checked: "true" always follows.

From a contradiction everything follows: where what is known is one, or asserts nothing, it cannot tell.

    >>> smt([Attempt("Solve x + 2 = 5.", "x = 3", {"smt": "(declare-const x Int) (assert (= (+ x 2) 5))"})])
    [Verdict(sound=True, why='', score=None)]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import fenced
from outgrow.verifiers._fields import shown
from outgrow.verifiers.sandbox.jobs import LostJob, run_jobs
from outgrow.verifiers.sandbox.programs.sources import SOLVER

_VALUE = r"-?\d+\s*/\s*\d+|-?\d+(?:\.\d+)?|[A-Za-z_]\w*"


@verifier(paper="de Moura & Bjorner 2008, Z3")
def smt(attempts: Sequence[Attempt], *, seconds: int = 10) -> list[Verdict]:
    """Proves with z3 that the answer's values satisfy shown["smt"], or that its claim follows from it.

    Args:
        attempts: answers; shown["smt"] is a text in SMT-LIB 2, shown["asks"] "values" (if not given) or "claim".
        seconds: on the processor, of one proof.
    """
    known = [shown(one, "smt", str) for one in attempts]
    asks = [shown(one, "asks", str, "values") for one in attempts]
    for wrong in set(asks) - {"values", "claim"}:
        raise UserError(f"shown['asks'] is {wrong!r}: it must be 'values' or 'claim'")
    texts = list(dict.fromkeys(known))
    sorts = run_jobs(SOLVER, "z3", [("names", text) for text in texts], "reading SMT-LIB", seconds=seconds)
    constants = dict(zip(texts, sorts, strict=True))
    for text, names in constants.items():
        if not isinstance(names, dict):
            why = names.outcome if isinstance(names, LostJob) else names[1]
            raise UserError(f"shown['smt'] cannot be read by z3 ({why}): {text!r:.80}")
    verdicts: list[Verdict | None] = [None] * len(attempts)
    jobs: dict[int, tuple] = {}
    for at, (one, text, kind) in enumerate(zip(attempts, known, asks, strict=True)):
        values = _values(one.answer, constants[text]) if kind == "values" else {}
        term = claim(one.answer) if kind == "claim" else None
        if values:
            jobs[at] = ("entails", text, tuple(f"(= {name} {value})" for name, value in sorted(values.items())), None)
        elif term is not None:
            jobs[at] = ("entails", text, (), term)
        else:
            what = "values" if kind == "values" else "single term"
            verdicts[at] = Verdict(None, f"no {what} in the answer")
    distinct = list(dict.fromkeys(jobs.values()))
    found = run_jobs(SOLVER, "z3", distinct, "proving", seconds=seconds) if distinct else []
    replies = dict(zip(distinct, found, strict=True))
    for at, job in jobs.items():
        verdicts[at] = _verdict(replies[job])
    return [verdict for verdict in verdicts if verdict is not None]


def _verdict(reply) -> Verdict:
    if isinstance(reply, LostJob):
        return Verdict(None, reply.outcome)
    result, why = reply
    if result == "unsat":
        return Verdict(True)
    if result == "unknown":
        return Verdict(None, f"{why}")
    return Verdict(False, why if result == "error" else f"does not hold: {why}")


def _values(answer: str, sorts: dict[str, str]) -> dict[str, str]:
    """The last value that the answer gives to each constant, as an SMT-LIB term."""
    names = "|".join(re.escape(name) for name in sorted(sorts, key=len, reverse=True))
    pairs = re.findall(rf"(?<![\w.])({names})\s*(?::=|=|:)\s*({_VALUE})(?![\w/(]|\.\d)", answer) if names else []
    return {name: _term(value, sorts[name]) for name, value in pairs}


def _term(value: str, sort: str) -> str:
    if re.match(r"[A-Za-z_]", value):
        return value.lower() if value.lower() in ("true", "false") else value
    top, _, bottom = value.lstrip("-").partition("/")
    if bottom:
        term = f"(/ {top.strip()}.0 {bottom.strip()}.0)"
    else:
        term = f"{top}.0" if sort == "Real" and "." not in top else top
    return f"(- {term})" if value.startswith("-") else term


def claim(answer: str) -> str | None:
    """The one term in an answer; None where anything else stands beside it, which could change what is claimed."""
    blocks = fenced(answer)
    lines = [line for line in answer.splitlines() if line.strip()]
    text = (blocks[-1] if blocks else lines[-1] if lines else "").strip()
    if not text or ";" in text or "|" in text or '"' in text:
        return None
    if not text.startswith("("):
        return text if re.fullmatch(r"[^\s()]+", text) else None
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return text if at == len(text) - 1 else None
    return None
