"""Progress of everything that takes longer than two seconds: a bar with time left on a terminal, a line now and then elsewhere.

    with progress.track("reading cities with smollm2-135m", total=6000) as bar:
        bar.advance(64)
    progress.say("a notice for the person at the terminal")

Everything goes to standard error but what `emit` is given, and nothing that comes from a file commands the terminal.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_live: Any = None
"""The display that is on the terminal now; there can only be one."""
_heard: Callable[[str, float | None, str], None] | None = None
"""Who hears of it instead, in a process that works for another."""


_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, separators of lines, what turns writing round, and halves of letters."""


def visible(text: str) -> str:
    """The text with everything written out, as Python escapes it, that would command a terminal, or show one name as another."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def emit(text: str) -> None:
    """What a command found, on standard output."""
    print(visible(text))


def heard_by(other: Callable[[str, float | None, str], None]) -> None:
    """From now on `other` is given what `Bar.tell` takes: of every line, and now and then of every bar."""
    global _heard
    _heard = other


def say(line: str) -> None:
    """One line for the person at the terminal."""
    line = visible(line)
    if _heard is not None:
        _heard(line, None, "")
    elif _live is not None:
        _live.console.print(line, markup=False, highlight=False)
    else:
        print(line, file=sys.stderr, flush=True)


class Bar:
    """Counts up to `total` units of work."""

    def __init__(self, label: str, total: float):
        self.label, self.total, self.done = label, max(total, 1), 0.0
        self._start = self._told = time.monotonic()

    def advance(self, units: float = 1) -> None:
        """`units` more of the total are done."""
        self.done += units
        now = time.monotonic()
        if now - self._told > 5:
            self._told = now
            share = min(self.done / self.total, 1)
            # The first unit may have waited for what all others share: it says nothing of them.
            left = f", {(now - self._start) * (1 - share) / share:.0f} s left" if 0.1 < share < 1 else ""
            (_heard or self.tell)(self.label, share, left)

    def tell(self, label: str, share: float | None, left: str) -> None:
        """What this or another process says of its work: how much of it is done, or None where `label` is a line for the person."""
        say(label if share is None else f"{label}: {100 * share:.0f}%{left}")


class _TerminalBar(Bar):
    def __init__(self, label: str, total: float, rich_progress):
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
    if _heard is not None or not sys.stderr.isatty():
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
