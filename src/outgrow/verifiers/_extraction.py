"""Extracts from an answer its code, its JSON, or its final value."""

from __future__ import annotations

import ast
import json
import re
import warnings

_OPENS = re.compile(r"([ \t]*)(`{3,}|~{3,})([^`]*)")


def fenced(answer: str) -> list[str]:
    """The contents of an answer's fences (``` or ~~~, at any indent), in order; an unclosed one reaches to the end."""
    blocks: list[list[str]] = []
    mark, indent, inside = "", "", False
    for line in answer.splitlines(keepends=True):
        opens = _OPENS.fullmatch(line.rstrip("\r\n"))
        if not inside:
            if opens:
                indent, mark, inside = opens[1], opens[2], True
                blocks.append([])
        elif opens and opens[2].startswith(mark) and not opens[3].strip():
            inside = False
        else:
            blocks[-1].append(line.removeprefix(indent))
    return ["".join(block) for block in blocks]


def code(answer: str, entry_point: str = "") -> str:
    """The Python in an answer.

    With fences: the last that defines `entry_point`, after the definitions of earlier ones (imports, functions,
    classes, constants); else the first. Without fences: all of it, or, where that is no Python but defines
    `entry_point`, without the prose around the code.
    """
    blocks = fenced(answer)
    if not blocks:
        prose = entry_point and _defines(answer, entry_point) and not reads(answer)
        return _without_prose(answer, entry_point) if prose else answer
    defining = [at for at, block in enumerate(blocks) if entry_point and _defines(block, entry_point)]
    if not defining:
        return blocks[0]
    return "\n".join([*filter(None, map(_definitions, blocks[: defining[-1]])), blocks[defining[-1]]])


_STARTS = re.compile(r"(?:import|from|def|class|async def)\s|@\w|[A-Za-z_]\w*(?:\s*:[^=\n]+)?\s*=(?!=)")


def _without_prose(answer: str, entry_point: str) -> str:
    """The lines between prose before and after them that are Python and define `entry_point`.

    Tries ten beginnings with twenty ends each, all at lines without indent.
    """
    lines = answer.splitlines(keepends=True)
    margins = [at for at, line in enumerate(lines) if line.strip() and not line[0].isspace()]
    for start in [at for at in margins if _STARTS.match(lines[at])][:10]:
        end = len(lines)
        for _ in range(20):
            text = "".join(lines[start:end])
            broken = _error_line(text)
            if broken is None and _defines(text, entry_point):
                return text
            if broken is None:
                break
            end = max((at for at in margins if start < at < min(end, start + broken)), default=0)
            if not end:
                break
    return answer


def _error_line(text: str) -> int | None:
    """The line, from 1, of a syntax error; None where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return error.lineno or 1
        except (ValueError, RecursionError, MemoryError):
            return 1
    return None


def _definitions(text: str) -> str:
    """A block if it only defines things, else ""."""
    if not reads(text):
        return ""
    plain = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    constant = (ast.Assign, ast.AnnAssign)
    whole = all(
        isinstance(node, plain) or (isinstance(node, constant) and not _calls(node)) for node in ast.parse(text).body
    )
    return text if whole else ""


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def program(answer: str, entry_point: str, prompt_code: str = "") -> str:
    """The whole program: the prompt's code, and the answer's that continues it or starts anew.

    A continuation that ends in prose or in broken code is cut where it first returns to the margin, if it can be parsed
    only so.
    """
    text = code(answer, entry_point)
    whole = f"{prompt_code}\n{text}" if prompt_code and _defines(text, entry_point) else prompt_code + text
    if not prompt_code or reads(whole):
        return whole
    lines = text.splitlines(keepends=True)
    margin = next((at for at, line in enumerate(lines) if at and line.strip() and not line[0].isspace()), len(lines))
    shorter = prompt_code + "".join(lines[:margin])
    return shorter if reads(shorter) else whole


_EMPHASIS = re.compile(
    r"(?<![\w*)\]])(\*{1,3})(?=[^\s*])([^*\n]+?)(?<=[^\s*])\1(?![\w*(])"
    r"|(?<!\w)(_{2,3})(?=[^\s_])([^_\n]+?)(?<=[^\s_])\3(?![\w(])"
)
_STATED = re.compile(r"\b(?:answer|result)(?:[ \t]+is\b|[ \t]*:)[ \t]*:?", re.IGNORECASE)
_HEADING = re.compile(r"(?:the\s+)?(?:final\s+)?(?:answer|result|solution|conclusion)\s*:?", re.IGNORECASE)
_LONE_NUMBER = re.compile(r"[-+−$€£(\\]*\.?\d[\d.,]*(?:\s+[^\W\d_]+)?[.!]?$")
_CLAUSE_END = re.compile(r"[.;!]\s|,\s+(?:not|so|which|because|since|and\s+so|as)\b|\s(?:because|since|so|which|as)\b")
_BOXES = ("\\boxed", "\\fbox", "\\framebox")


def final(answer: str) -> str:
    """The final value of an answer, without Markdown's emphasis; the first of these that there is:

    1. the text after its last "####", unless that is a heading (it names the answer, or more text follows what is no
    number)
    2. the content of its last \\boxed{} or \\fbox{}
    3. the clause after its last "answer is", "answer:" or "result is", on the next line where that one ends there
    4. its last line, up to ", not"
    """
    text = _EMPHASIS.sub(lambda match: match[2] or match[4], answer).replace("`", "").strip()
    marked = text.rpartition("####")
    if marked[1] and (marked[0] == "" or not marked[0].endswith("#")):
        line, _, after = marked[2].strip().partition("\n")
        line = line.strip()
        if not after.strip() or (not _HEADING.fullmatch(line) and _LONE_NUMBER.match(line)):
            return line
        text = after.strip()
    boxed = _boxed(text)
    if boxed is not None:
        return boxed
    stated = list(_STATED.finditer(text))
    if stated:
        clause = next((line.strip() for line in text[stated[-1].end() :].split("\n") if line.strip()), "")
        return _CLAUSE_END.split(clause)[0].strip().rstrip(".").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.split(r",\s+not\s", lines[-1].lstrip("#").strip())[0] if lines else ""


def _boxed(text: str) -> str | None:
    """The content of the last box: up to the closing brace, or the word after \\boxed."""
    at, command = max((text.rfind(command), command) for command in _BOXES)
    if at < 0:
        return None
    rest = text[at + len(command) :].lstrip()
    if not rest.startswith("{"):
        return re.split(r"[\s$]", rest, maxsplit=1)[0].rstrip(".,")
    depth = 0
    for end, letter in enumerate(rest):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return rest[1:end].strip()
    return None


def _defines(text: str, name: str) -> bool:
    """Whether code has a function or a variable of that name, without indent."""
    word = re.escape(name)
    definition = rf"^(?:(?:async[ \t]+)?def[ \t]+{word}\b|{word}[ \t]*(?::[^=\n]*)?=(?!=))"
    return re.search(definition, text, re.MULTILINE) is not None


def reads(text: str) -> bool:
    """Whether a text is Python, with or without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def json_text(answer: str) -> str | None:
    """The JSON in an answer as text: its last fence that is JSON, else all of it, else its last object or list."""
    for text in (*reversed(fenced(answer)), answer):
        if _is_json(text):
            return text.strip()
    decoder, found, at, depth, tries = json.JSONDecoder(parse_constant=_refuse), None, 0, 0, 0
    for bracket in re.finditer(r"[][{}]", answer):
        if bracket.start() < at:
            continue
        if bracket[0] in "]}":
            depth = max(depth - 1, 0)
            continue
        # Brackets inside of brackets that are no JSON are a part of something else.
        if depth == 0 and tries < 1000:
            tries += 1
            try:
                _, at = decoder.raw_decode(answer, bracket.start())
            except (ValueError, RecursionError):
                pass
            else:
                found = answer[bracket.start() : at]
                continue
        depth += 1
    return found


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
