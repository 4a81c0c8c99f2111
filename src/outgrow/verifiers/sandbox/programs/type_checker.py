"""Runs in a box: type errors of many programs by one run of mypy, which reads and never runs them.

Every comment is taken out (by Python's own tokenizer) but plain type comments, so that none tells mypy to skip a check.
Code that does so is named: then a program without an error counts as not checked.
"""

import ast
import io
import os
import re
import shutil
import sys
import tokenize

# mypy would read the number of processors from /proc, which is not here.
sys.modules["psutil"] = None  # type: ignore[assignment]
from mypy import api  # noqa: E402

CONFIG = """[mypy]
python_version = {version}
check_untyped_defs = {strict}
ignore_missing_imports = True
follow_imports = skip
no_site_packages = True
cache_dir = /dev/null
show_column_numbers = False
hide_error_context = True
warn_unused_configs = False
warn_unreachable = True
show_error_codes = True
color_output = False
error_summary = False
"""


def answer(job):
    """(programs, version of Python, whether to check unannotated functions) -> (errors, unchecked) of each program.

    The second and third are texts ("3.12", "True"). `errors` is a tuple, of one syntax error where it is no Python;
    `unchecked` says what in the program is not checked, "" for nothing.
    """
    texts, version, strict = job
    texts = [text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    errors = [_syntax_errors(text) for text in texts]
    unchecked = ["" if found else _unchecked(text) for text, found in zip(texts, errors, strict=True)]
    programs = [text if found else _stripped(text) for text, found in zip(texts, errors, strict=True)]
    for at, (text, found) in enumerate(zip(programs, errors, strict=True)):
        if not found and _silences(text):
            unchecked[at] = unchecked[at] or "a comment that cannot be taken out"
    for start in range(0, len(programs), 200):
        good = [at for at in range(start, min(start + 200, len(programs))) if not errors[at]]
        _check(programs, good, errors, version, strict)
    for at, found in enumerate(errors):
        skipped = [error for error in found if error.endswith("[unreachable]")]
        errors[at] = [error for error in found if error not in skipped]
        unchecked[at] = unchecked[at] or (skipped[0] if skipped else "")
    return tuple((tuple(found), why) for found, why in zip(errors, unchecked, strict=True))


SWITCHES = {"Any", "cast", "no_type_check", "no_type_check_decorator", "TYPE_CHECKING", "MYPY", "PY2", "PY3"}
"""Names that switch a check off, or by which mypy chooses a branch."""


def _unchecked(text):
    """What in a program switches a check off, "" for nothing."""
    tree = ast.parse(text)
    if not tree.body:
        return "there is nothing in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            if (node.module or "").partition(".")[0] in ("typing", "typing_extensions"):
                return f"line {node.lineno}: all of {node.module}, with Any and cast"
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.Name, ast.Attribute)):
            switches = [name for name in _names(node) if name in SWITCHES]
            if switches:
                return f"line {node.lineno}: {switches[0]}"
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
            and node.attr in ("platform", "version_info")
        ):
            return f"line {node.lineno}: sys.{node.attr}"
    return ""


def _names(node):
    """The names that an import, a name or an attribute speaks of."""
    if isinstance(node, ast.Name):
        return [node.id]
    return [node.attr] if isinstance(node, ast.Attribute) else [alias.name for alias in node.names]


def _stripped(text):
    """A program without comments other than plain type comments, or lines in strings that mypy takes for its own."""
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and not re.fullmatch(r"#\s*type: (?!.*(?:ignore|#)).*", token.string):
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column].rstrip()
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(re.sub(r"^#(?=\s*mypy)", "-", line) for line in lines)


def _silences(text):
    """Whether a comment that tells mypy to skip a check is left in a program."""
    try:
        return (
            bool(ast.parse(text, type_comments=True).type_ignores)
            or re.search(r"^#\s*mypy\s*:", text, re.MULTILINE) is not None
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def _syntax_errors(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"{type(error).__name__}: {error}"[:200]]
    return []


def _check(programs, which, errors, version, strict):
    """Adds mypy's errors of the programs at `which` to `errors`; if one stops mypy, halves are checked apart."""
    if not which:
        return
    shutil.rmtree("m", ignore_errors=True)
    os.mkdir("m")
    for at in which:
        with open(f"m/answer_{at}.py", "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(programs[at])
    with open("mypy.ini", "w") as file:
        file.write(CONFIG.format(version=version, strict=strict))
    try:
        report, failure, status = api.run(["--config-file", "mypy.ini", *(f"m/answer_{at}.py" for at in which)])
    except (SystemExit, RecursionError) as error:
        report, failure, status = "", str(error), 2
    if status == 2:
        if len(which) == 1:
            errors[which[0]].append(" ".join((report or failure).split())[:200] or "mypy stopped")
            return
        half = len(which) // 2
        _check(programs, which[:half], errors, version, strict)
        _check(programs, which[half:], errors, version, strict)
        return
    for at, line, text in re.findall(r"^m/answer_(\d+)\.py:(\d+): error: (.*)$", report, re.MULTILINE):
        errors[int(at)].append(f"line {line}: {text}"[:200])
