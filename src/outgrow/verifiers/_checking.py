"""Runs in a sandbox: type errors of many programs by one run of mypy, which reads and never runs them.

Comments that tell mypy to look away are taken out.
"""

import ast
import os
import re
import shutil
import sys

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
show_error_codes = True
color_output = False
error_summary = False
"""


def answer(job):
    """(programs, version of Python, "True" or "False") -> per program a tuple of its errors; one error alone where it is no Python."""
    programs, version, strict = job
    errors = [_unread(text) for text in programs]
    for start in range(0, len(programs), 200):
        good = [at for at in range(start, min(start + 200, len(programs))) if not errors[at]]
        _check(programs, good, errors, version, strict)
    return tuple(tuple(found) for found in errors)


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
            file.write(re.sub(r"#\s*(?:type:\s*ignore|mypy:)", "# ", programs[at]))
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
