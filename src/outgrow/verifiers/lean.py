"""Lean: the answer proves the shown theorem, with no axiom but Lean's own. Lean must be on PATH.

    >>> lean([Attempt("Prove it.", "sorry", {"lean": "theorem t : 1 + 1 = 2 := by"})])[0].sound is True
    False

shown["lean"] ends in "theorem NAME ... := by", and the answer is what follows: tactics alone. Lean's language can be
changed from within, so words that could change what is proved (macros, axioms, evaluation, other commands) make an
answer unsound unread. Lean's list of the theorem's axioms must come last. Not defended against: faults of Lean itself,
and tactics that only a second checker (lean4checker) sees through.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import code
from outgrow.verifiers._fields import shown
from outgrow.verifiers.sandbox import limits
from outgrow.verifiers.sandbox.runner import in_parallel, run

_THEOREM = re.compile(r"(?:theorem|lemma)\s+([\w.']+)(?:(?!\btheorem\b|\blemma\b).)*:=\s*by\s*\Z", re.DOTALL)
_REFUSED = re.compile(
    r"#\w+|\b(?:sorry|admit|axiom|macro|macro_rules|syntax|elab|elab_rules|notation|infixl?|infixr|prefix|postfix|import"
    r"|instance|attribute|run_cmd|run_tac|run_meta|by_elab|unsafe|implemented_by|extern|native_decide|initialize|opaque"
    r"|export|theorem|lemma|def|abbrev|example|namespace|section|end|local|scoped|set_option)\b"
)
_AXIOMS = {"propext", "Classical.choice", "Quot.sound"}


@verifier(paper="de Moura & Ullrich 2021, Lean 4")
def lean(
    attempts: Sequence[Attempt],
    *,
    project: str = "",
    seconds: int = limits.LEAN_SECONDS,
    memory: int = limits.LEAN_MEMORY,
) -> list[Verdict]:
    """Lets Lean check the answer's tactics for the theorem in shown["lean"].

    Args:
        attempts: answers; shown["lean"] ends in a theorem's ":= by".
        project: the folder of a Lake project whose packages may be imported; none where empty.
        seconds: on the processor, of one proof.
        memory: bytes of address space, of one proof.
    """
    theorems = [shown(one, "lean", str) for one in attempts]
    for text in theorems:
        if not _THEOREM.search(text):
            raise UserError(f"shown['lean'] ends in {text[-60:]!r}: it must end in a theorem's ':= by'")
    if shutil.which("lean") is None and shutil.which("lake") is None:
        return [Verdict(None, "no lean on PATH") for _ in attempts]
    readable, path = _toolchain(project)
    checks = list(zip(theorems, (_tactics(one.answer) for one in attempts), strict=True))
    distinct = list(dict.fromkeys(checks))
    verdicts = in_parallel(lambda check: _check(*check, readable, path, seconds, memory), distinct, "checking proofs")
    found = dict(zip(distinct, verdicts, strict=True))
    return [found[check] for check in checks]


def _check(theorem: str, tactics: str, readable: dict[str, str], path: str, seconds: int, memory: int) -> Verdict:
    if not tactics.strip():
        return Verdict(False, "no proof")
    refused = _REFUSED.search(re.sub(r"--[^\n]*", "", tactics))
    if refused:
        return Verdict(False, f"uses {refused[0]}")
    name = _THEOREM.search(theorem)
    assert name is not None
    text = f"{theorem.rstrip()}\n{tactics.rstrip()}\n\n#print axioms {name[1]}\n"
    result = run(
        {"Answer.lean": text},
        ("/lean/bin/lean", "/in/Answer.lean"),
        seconds=seconds,
        memory=memory,
        readable=readable,
        variables={"LEAN_PATH": path},
        threads=True,
        proc=True,
    )
    output = result.stdout.decode(errors="replace")
    if result.outcome != "done":
        error = next((line for line in output.splitlines() if "error" in line), "")
        return Verdict(False, error.partition("Answer.lean:")[2][:200] or error[:200] or result.outcome)
    axioms = r"(?:does not depend on any axioms|depends on axioms: \[([^\]]*)\])"
    last = re.search(rf"'{re.escape(name[1])}' {axioms}\s*\Z", output)
    if last is None:
        return Verdict(None, "lean did not list the axioms")
    used = {axiom.strip() for axiom in (last[1] or "").split(",") if axiom.strip()}
    return Verdict(not used - _AXIOMS, f"rests on {', '.join(sorted(used - _AXIOMS))}" if used - _AXIOMS else "")


def _tactics(answer: str) -> str:
    """The answer's code, indented, without the theorem if it repeats that."""
    text = code(answer)
    text = re.sub(r"\A.*?\b(?:theorem|lemma)\b.*?:=\s*by\b[ \t]*\n?", "", text, flags=re.DOTALL).strip("\n")
    lines = text.splitlines()
    return "\n".join(f"  {line}" for line in lines) if lines and not lines[0][:1].isspace() else text


def _toolchain(project: str) -> tuple[dict[str, str], str]:
    """(folders that can be read in the sandbox, LEAN_PATH there)."""
    env = ["lake", "env"] if project and shutil.which("lake") else []
    prefix = _output([*env, "lean", "--print-prefix"], project)
    readable = {"/lean": prefix}
    folders = _output([*env, "printenv", "LEAN_PATH"], project).split(":") if env else []
    for number, folder in enumerate(folder for folder in folders if Path(project, folder).is_dir()):
        readable[f"/packages/{number}"] = str(Path(project, folder).resolve())
    return readable, ":".join(path for path in readable if path != "/lean")


def _output(command: list[str], project: str) -> str:
    try:
        return subprocess.run(
            command, cwd=project or None, capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"{' '.join(command)} does not work: {error}; run it yourself to see, or choose another verifier"
        ) from error
