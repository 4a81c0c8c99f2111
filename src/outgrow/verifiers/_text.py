"""What an answer holds: code in fences or bare, a JSON value, a final value."""

from __future__ import annotations

import ast
import json
import re
import warnings

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


def fenced(answer: str) -> list[str]:
    """The contents of its fences, in order; one that was never closed reaches to the end."""
    return [match.group(2) for match in _FENCE.finditer(answer)]


def code(answer: str, entry_point: str = "") -> str:
    """The Python in an answer: the last fence that defines `entry_point`, else the first fence, else all of it."""
    blocks = fenced(answer)
    if not blocks:
        return answer
    defining = [block for block in blocks if entry_point and _defines(block, entry_point)]
    return defining[-1] if defining else blocks[0]


def program(answer: str, entry_point: str, prompt_code: str = "") -> str:
    """The whole program: what the prompt began, and how the answer goes on or does it all over.

    A continuation that breaks off, or goes on in words, is cut where it first returns to the margin if only that can be read.
    """
    text = code(answer, entry_point)
    whole = f"{prompt_code}\n{text}" if prompt_code and _defines(text, entry_point) else prompt_code + text
    if not prompt_code or reads(whole):
        return whole
    lines = text.splitlines(keepends=True)
    margin = next((at for at, line in enumerate(lines) if at and line.strip() and not line[0].isspace()), len(lines))
    shorter = prompt_code + "".join(lines[:margin])
    return shorter if reads(shorter) else whole


def final(answer: str) -> str:
    """What an answer comes to: after its last ####, in its last \\boxed{}, after its last "answer is" or "answer:" (one clause), else its last line."""
    if "####" in answer:
        return answer.rsplit("####", 1)[1].strip().split("\n")[0].strip()
    if "\\boxed{" in answer:
        depth, start = 1, answer.rindex("\\boxed{") + len("\\boxed{")
        for at in range(start, len(answer)):
            depth += {"{": 1, "}": -1}.get(answer[at], 0)
            if depth == 0:
                return answer[start:at].strip()
    said = list(re.finditer(r"answer(?: is|:)[ \t]*:?([^\n]*)", answer, re.IGNORECASE))
    if said:
        return re.split(r"[.;]\s|\s(?:because|since|so|which)\s", said[-1].group(1).strip())[0].strip().rstrip(".").strip()
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _defines(text: str, name: str) -> bool:
    return re.search(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", text, re.MULTILINE) is not None


def reads(text: str) -> bool:
    """Whether it is Python; what Python warns of is no concern of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def json_text(answer: str) -> str | None:
    """The JSON in an answer, as text: its last fence that is JSON, else all of it, else the last object or list that is not within another."""
    for text in (*reversed(fenced(answer)), answer):
        if _is_json(text):
            return text.strip()
    decoder, found, at = json.JSONDecoder(parse_constant=_refuse), None, 0
    for _ in range(1000):
        starts = [start for start in (answer.find("{", at), answer.find("[", at)) if start >= 0]
        if not starts:
            break
        at = min(starts)
        try:
            _, end = decoder.raw_decode(answer, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            found, at = answer[at:end], end
    return found


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
