"""SMT proof: z3 refutes that the answer is wrong. Negation unsatisfiable: sound; satisfiable: unsound; unknown or out of time: cannot tell.

shown["smt"] holds SMT-LIB 2: declarations and assertions, what is known. The answer is one of

    values      name = value for the constants declared there, one or several a line (the last said of each counts); sound if they make every
                assertion true. A value: a whole number, a decimal, a fraction, true, false, or a name (of a datatype's constructor).
    a claim     where shown["asks"] is "claim": one SMT-LIB term in a fence, or on the last line; sound if it follows from what is known.
                That it is worth saying is not checked: "true" always follows.

From a contradiction everything follows: where what is known is one, or asserts nothing of the values, it cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._served import Lost, served
from outgrow.verifiers._text import fenced

_VALUE = r"-?\d+\s*/\s*\d+|-?\d+(?:\.\d+)?|[A-Za-z_]\w*"


@verifier(paper="de Moura & Bjorner 2008, Z3")
def smt(asked: Sequence[Attempt], *, seconds: int = 10) -> list[Verdict]:
    """Proves with z3 that the answer's values satisfy shown["smt"], or that its claim follows from it (shown["asks"] = "claim")."""
    known = [shown(one, "smt", str) for one in asked]
    asks = [shown(one, "asks", str, "values") for one in asked]
    for wrong in set(asks) - {"values", "claim"}:
        raise UserError(f"shown['asks'] is {wrong!r}: it must be 'values' or 'claim'")
    texts = list(dict.fromkeys(known))
    constants = dict(
        zip(
            texts,
            served("_solver", "z3", [("names", text) for text in texts], "reading SMT-LIB", seconds=seconds),
            strict=True,
        )
    )
    for text, found in constants.items():
        if not isinstance(found, dict):
            why = found.outcome if isinstance(found, Lost) else found[1]
            raise UserError(f"shown['smt'] cannot be read by z3 ({why}): {text!r:.80}")
    verdicts: list[Verdict | None] = [None] * len(asked)
    jobs = {}
    for at, (one, text, kind) in enumerate(zip(asked, known, asks, strict=True)):
        if kind == "claim":
            term = claim(one.answer)
            job = None if term is None else ("entails", text, (), term)
        else:
            said = _values(one.answer, constants[text])
            job = (
                ("entails", text, tuple(f"(= {name} {value})" for name, value in sorted(said.items())), None)
                if said
                else None
            )
        if job is None:
            verdicts[at] = Verdict(
                None, "no values in the answer" if kind == "values" else "no single term in the answer"
            )
        else:
            jobs[at] = job
    distinct = list(dict.fromkeys(jobs.values()))
    replies = dict(
        zip(distinct, served("_solver", "z3", distinct, "proving", seconds=seconds) if distinct else [], strict=True)
    )
    for at, job in jobs.items():
        verdicts[at] = _verdict(replies[job])
    return [verdict for verdict in verdicts if verdict is not None]


def _verdict(reply) -> Verdict:
    if isinstance(reply, Lost):
        return Verdict(None, reply.outcome)
    result, why = reply
    if result == "unsat":
        return Verdict(True)
    if result == "unknown":
        return Verdict(None, f"{why}")
    return Verdict(False, why if result == "error" else f"does not hold: {why}")


def _values(answer: str, sorts: dict[str, str]) -> dict[str, str]:
    """What the answer says of each constant last, as SMT-LIB terms."""
    names = "|".join(re.escape(name) for name in sorted(sorts, key=len, reverse=True))
    said = re.findall(rf"(?<![\w.])({names})\s*(?::=|=|:)\s*({_VALUE})(?![\w/(]|\.\d)", answer) if names else []
    return {name: _term(value, sorts[name]) for name, value in said}


def _term(value: str, sort: str) -> str:
    if re.match(r"[A-Za-z_]", value):
        return value.lower() if value.lower() in ("true", "false") else value
    top, _, bottom = value.lstrip("-").partition("/")
    term = (
        f"(/ {top.strip()}.0 {bottom.strip()}.0)"
        if bottom
        else f"{top}.0"
        if sort == "Real" and "." not in top
        else top
    )
    return f"(- {term})" if value.startswith("-") else term


def claim(answer: str) -> str | None:
    """The one term in an answer: nothing else may stand beside it, or it could say more than it seems to."""
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
