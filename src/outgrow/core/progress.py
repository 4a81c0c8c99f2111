"""Progress of everything that takes longer than two seconds: a bar on a terminal, a line now and then elsewhere.

    with progress.track("reading cities with smollm2-135m", total=6000) as bar:
        bar.advance(64)
    progress.say("a notice for the person at the terminal")

Everything goes to standard error except the text given to `emit`. Control characters in names and texts are escaped,
so that no file can command the terminal.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

Listener = Callable[[str, float | None, str], None]
"""Takes the arguments of `Bar.tell`."""

_live: Progress | None = None
"""The display on the terminal; there can be only one."""
_listener: Listener | None = None
"""Receives all progress instead of standard error, in a process that works for another one."""

_wording: Callable[[str], str] = str
"""The words that lines are said in: the command line names flags where the library names parameters."""

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line separators, marks of writing direction, and unpaired surrogates."""


def visible(text: str) -> str:
    """The text with control characters escaped as in Python, and whatever could make one name look like another."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def emit(text: str) -> None:
    """Print the result of a command on standard output."""
    print(visible(text))


def heard_by(listener: Listener | None) -> None:
    """Send progress to `listener` from now on, every line and now and then every bar; None: to standard error."""
    global _listener
    _listener = listener


def say(line: str) -> None:
    """Print one line for the person at the terminal."""
    line = visible(_wording(line))
    if _listener is not None:
        _listener(line, None, "")
    elif _live is not None:
        _live.console.print(line, markup=False, highlight=False)
    else:
        print(line, file=sys.stderr, flush=True)


def worded(wording: Callable[[str], str]) -> None:
    """Make `wording` the words that lines are said in from now on."""
    global _wording
    _wording = wording


class Bar:
    """Counts up to `total` units of work."""

    def __init__(self, label: str, total: float):
        self.label, self.total, self.done = label, max(total, 1), 0.0
        self._start = self._told = time.monotonic()

    def advance(self, units: float = 1) -> None:
        """Count `units` more of the total as done."""
        self.done += units
        now = time.monotonic()
        if now - self._told > 5:
            self._told = now
            share = min(self.done / self.total, 1)
            # The first unit may include set-up that all share, so no time left is given from it alone.
            left = f", {(now - self._start) * (1 - share) / share:.0f} s left" if 0.1 < share < 1 else ""
            (_listener or self.tell)(self.label, share, left)

    def tell(self, label: str, share: float | None, left: str) -> None:
        """Show the state of this or another process: the share done, or None where `label` is a line to print."""
        say(label if share is None else f"{label}: {100 * share:.0f}%{left}")


class _TerminalBar(Bar):
    def __init__(self, label: str, total: float, rich_progress: Progress):
        super().__init__(label, total)
        self._rich, self.task = rich_progress, rich_progress.add_task(visible(label), total=self.total)

    def advance(self, units: float = 1) -> None:
        self.done += units
        self._rich.update(self.task, completed=self.done)

    def tell(self, label: str, share: float | None, left: str) -> None:
        if share is None:
            say(label)
        else:
            self._rich.update(self.task, description=visible(label), completed=share * self.total)


@contextmanager
def track(label: str, total: float) -> Iterator[Bar]:
    """A bar for one stage of work; stages within stages show below each other."""
    global _live
    if _listener is not None or not sys.stderr.isatty():
        yield Bar(label, total)
        return
    if _live is not None:
        bar = _TerminalBar(label, total, _live)
        yield bar
        _live.remove_task(bar.task)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        _live = live
        try:
            yield _TerminalBar(label, total, live)
        finally:
            _live = None
