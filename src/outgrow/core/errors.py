"""Errors that the user can mend: one line that says what is wrong, the value, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """An error that the user can mend. The command line prints it on one line and exits with 2; nothing is lost.

    A message names parameters in backticks, as Python calls them ("`seeds` = 0: give a number above 0"); the command
    line shows them as its flags ("--seeds 0: ...").

    Example:
        >>> try:
        ...     raise unknown("method", "naiv", ["naive", "logconf"])
        ... except UserError as error:
        ...     print(error)
        unknown method 'naiv': did you mean 'naive'?
    """


def unknown(what: str, value: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not in `known`, with the nearest known name.

    Example:
        >>> str(unknown("method", "naiv", ["naive", "logconf"]))
        "unknown method 'naiv': did you mean 'naive'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(value, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return UserError(f"unknown {what} {value!r}: {hint}")
