"""Progress of everything that takes longer than two seconds: a bar with time left on a terminal, a line now and then elsewhere.

    with progress.track("reading cities with smollm2-135m", total=6000) as bar:
        bar.advance(64)
    progress.say("a notice for the person at the terminal")

Everything goes to standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_live: Any = None
"""The display that is on the terminal now; there can only be one."""
_heard: Callable[[str, float | None, str], None] | None = None
"""Who hears of it instead, in a process that works for another."""


def heard_by(other: Callable[[str, float | None, str], None]) -> None:
    """From now on `other` is given what `Bar.tell` takes: of every line, and now and then of every bar."""
    global _heard
    _heard = other


def say(line: str) -> None:
    """One line for the person at the terminal."""
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
        self._rich, self.task = rich_progress, rich_progress.add_task(label, total=self.total)

    def advance(self, units: float = 1) -> None:
        self.done += units
        self._rich.update(self.task, completed=self.done)

    def tell(self, label: str, share: float | None, left: str) -> None:
        if share is None:
            say(label)
        else:
            self._rich.update(self.task, description=label, completed=share * self.total)


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

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        _live = live
        try:
            yield _TerminalBar(label, total, live)
        finally:
            _live = None
