"""Messages of the library in the words of the command line.

The library names a parameter in backticks, as Python calls it: "`skip_bad_rows`", "`seeds` = 0", "`overwrite=True`". On
the command line that parameter is a flag: "--skip-bad-rows", "--seeds 0", "--overwrite". Other backticks stay.
"""

from __future__ import annotations

import re
from functools import cache

RENAMED = {"methods": "method", "parameters": "set"}
"""Parameters whose flag has another name."""
_PARAMETER = re.compile(r"`([a-z]\w*)(?:=True)?`( = )?")


def flagged(message: str) -> str:
    """The message with every parameter that is in backticks as its flag."""

    def flag(found: re.Match[str]) -> str:
        name = RENAMED.get(found[1], found[1]).replace("_", "-")
        return f"--{name}{' ' if found[2] else ''}" if name in _flags() else found[0]

    return _PARAMETER.sub(flag, message)


@cache
def _flags() -> frozenset[str]:
    """The flags of all verbs, without their hyphens."""
    from outgrow.cli import VERBS, app

    collections = (
        app[verb].assemble_argument_collection(parse_docstring=False, default_parameter=app.default_parameter)
        for verb in VERBS
    )
    names = (name for arguments in collections for argument in arguments for name in argument.names)
    return frozenset(name.removeprefix("--") for name in names if name.startswith("--"))
