"""The command line: one file a verb, each a loop over the library. Heavy imports stay inside the verbs.

Exit codes: 0 done; 2 the user can mend it, one line says how; 130 stopped by Ctrl-C; a traceback is a bug of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from cyclopts import App, CycloptsError, Parameter

from outgrow.cli.examples import EXAMPLES
from outgrow.cli.flags import flagged
from outgrow.core.errors import UserError
from outgrow.core.progress import visible, worded
from outgrow.store import disk

VERBS = (
    "run", "learn", "label", "predict", "audit", "list", "show", "report", "compare", "committee", "steer", "cite",
    "store", "completion", "push",
)  # fmt: skip

app = App(
    name="outgrow",
    help="A student that outgrows its teachers: weak-to-strong studies with honest error bars.",
    help_epilogue="Start with `outgrow run`, which needs no arguments, or with `outgrow list`.",
    help_format="plaintext",
    # `--weak a b` and `--weak a --weak b` are the same; a switch has no opposite to ask for its own default.
    default_parameter=Parameter(consume_multiple=True, negative=()),
    suppress_keyboard_interrupt=False,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
for _verb in VERBS:
    app.command(
        getattr(import_module(f"outgrow.cli.{_verb}"), f"{_verb}_"),
        name=_verb,
        help_prologue="\n".join(EXAMPLES[_verb]),
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a minus sign or an arrow is no reason to stop.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    worded(flagged)
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        # A launcher (accelerate, torchrun) says by this how many processes it started.
        (_together if int(os.environ.get("WORLD_SIZE", 1)) > 1 else app)(arguments)
        sys.stdout.flush()
    except UserError as error:
        return _told(flagged(str(error)))
    except CycloptsError as error:
        return _told(str(error))
    except KeyboardInterrupt:
        print("outgrow: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left must not fail again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if not disk.full(error):
            raise
        return _told(flagged(str(disk.mended(error, Path.cwd()))))
    return 0


def _together(arguments: Sequence[str]) -> None:
    """One process runs the command, the others train along until it is done, or says what the user can mend."""
    from outgrow.training import processes

    if not processes.main():
        processes.follow()
        return
    try:
        app(arguments)
    except (UserError, CycloptsError):
        processes.call(None)
        raise
    processes.call(None)


def _told(text: str) -> int:
    print("outgrow: " + visible(" ".join(text.split())), file=sys.stderr)
    return 2
