"""Runs in a sandbox: type errors of many programs by one run of mypy, which reads and never runs them.

What tells mypy to look away is taken out where it is a comment (every comment goes, by Python's own tokenizer, but plain ones that give a type), and
named where it is code: then no error found says nothing.
"""

import ast
import io
import os
import re
import shutil
import sys
import tokenize

# It would look at /proc, which is not here, for the number of processors.
sys.modules["psutil"] = None
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
    """(programs, version of Python, "True" or "False") -> per program a tuple of its errors, and what of it goes unchecked, "" for nothing.

    One error alone where it is no Python.
    """
    texts, version, strict = job
    texts = [text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    errors = [_unread(text) for text in texts]
    unchecked = ["" if found else _unchecked(text) for text, found in zip(texts, errors, strict=True)]
    programs = [text if found else _stripped(text) for text, found in zip(texts, errors, strict=True)]
    for at, (text, found) in enumerate(zip(programs, errors, strict=True)):
        if not found and _hushes(text):
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
"""Names that ask for no check, or that mypy takes a branch for."""


def _unchecked(text):
    """What in a program asks for no check of its types, "" for nothing."""
    tree = ast.parse(text)
    if not tree.body:
        return "there is nothing in it"
    for node in ast.walk(tree):
        names = [node.id] if isinstance(node, ast.Name) else [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            if "*" in names and (node.module or "").partition(".")[0] in ("typing", "typing_extensions"):
                return f"line {node.lineno}: all of {node.module}, with Any and cast"
        for name in names:
            if name in SWITCHES:
                return f"line {node.lineno}: {name}"
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
            and node.attr in ("platform", "version_info")
        ):
            return f"line {node.lineno}: sys.{node.attr}"
    return ""


def _stripped(text):
    """A program without its comments, but those that plainly give a type; and no line of a text in it begins as a comment for mypy."""
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and not re.fullmatch(r"#\s*type: (?!.*(?:ignore|#)).*", token.string):
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column].rstrip()
    except (tokenize.TokenError, SyntaxError):
        return text
    return "\n".join(re.sub(r"^#(?=\s*mypy)", "-", line) for line in lines)


def _hushes(text):
    """Whether something in a program would still tell mypy to look away."""
    try:
        return (
            bool(ast.parse(text, type_comments=True).type_ignores)
            or re.search(r"^#\s*mypy\s*:", text, re.MULTILINE) is not None
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def _unread(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"{type(error).__name__}: {error}"[:200]]
    return []


def _check(programs, which, errors, version, strict):
    """Puts to `errors` what mypy says of the programs `which`; where one of them stops it, halves are looked at alone."""
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
        said, fell, status = api.run(["--config-file", "mypy.ini", *(f"m/answer_{at}.py" for at in which)])
    except (SystemExit, RecursionError) as error:
        said, fell, status = "", str(error), 2
    if status == 2:
        if len(which) == 1:
            errors[which[0]].append(" ".join((said or fell).split())[:200] or "mypy stopped")
            return
        half = len(which) // 2
        _check(programs, which[:half], errors, version, strict)
        _check(programs, which[half:], errors, version, strict)
        return
    for at, line, text in re.findall(r"^m/answer_(\d+)\.py:(\d+): error: (.*)$", said, re.MULTILINE):
        errors[int(at)].append(f"line {line}: {text}"[:200])
