"""A chess engine that the user has, asked by the Universal Chess Interface (UCI) for all moves of a position.

An engine that offers `MultiPV` scores every move; of another, its best move alone has a score. Its answers depend on
its speed, so that other runs may differ; what it said once is kept under its path.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.supervisors import SupervisorView, supervisor
from outgrow.supervisors._moves import Scores, of_moves
from outgrow.tasks.chess.search import MATE

MILLISECONDS = 100
"""Time to think about a position."""
PATIENCE = 10.0
"""Seconds beyond which an engine that says nothing is ended."""
MOST_MOVES = 256
_LINE = re.compile(r"\bscore (cp|mate) (-?\d+)\b.*?\bpv (\S+)")


def program(path: str) -> str:
    """The program at a path. Raises UserError where there is none that runs.

    Example:
        >>> program("no/such/engine")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: supervisor 'uci:no/such/engine': no program there: give an engine's path
    """
    found = shutil.which(path)
    if found is None:
        raise UserError(f"supervisor 'uci:{path}': no program there: give an engine's path")
    return found


@supervisor(argument="path", learns=False, check=program)
def uci(view: SupervisorView, path: str) -> np.ndarray:
    """A UCI chess engine at PATH, a tenth of a second a position; its scores are in pawns."""

    def asked(positions: list[str]) -> list[Scores]:
        with Engine(path) as engine, progress.track(f"asking {path}", len(positions)) as bar:
            found: list[Scores] = []
            for position in positions:
                found.append(engine.scores(position))
                bar.advance()
            return found

    return of_moves(view, f"uci:{path}", asked)


@final
class Engine:
    """An engine's process, ended with the context.

    Args:
        path: The program.
        milliseconds: Time to think about a position.
        patience: Seconds of silence after which it is ended.

    Raises:
        UserError: It does not start, ends early, or is silent for too long.
    """

    def __init__(self, path: str, milliseconds: int = MILLISECONDS, patience: float = PATIENCE):
        self.path, self.milliseconds, self.patience = path, milliseconds, patience

    def __enter__(self) -> Engine:
        try:
            self._process = subprocess.Popen(
                [program(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise UserError(f"supervisor 'uci:{self.path}' does not start: {error.strerror}") from error
        try:
            self._say("uci")
            if any(line.startswith("option name MultiPV ") for line in self._until("uciok")):
                self._say(f"setoption name MultiPV value {MOST_MOVES}")
            self._say("isready")
            list(self._until("readyok"))
        except UserError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def scores(self, position: str) -> dict[str, float]:
        """The scores of moves, in pawns, by move in UCI.

        Args:
            position: Four fields of FEN.
        """
        self._say(f"position fen {position} 0 1")
        self._say(f"go movetime {self.milliseconds}")
        found: dict[str, float] = {}
        best, several = "", False
        for line in self._until("bestmove"):
            if line.startswith("bestmove"):
                best = line.split()[1]
            elif line.startswith("info ") and (said := _LINE.search(line)):
                kind, value, move = said[1], int(said[2]), said[3]
                found[move] = value / 100 if kind == "cp" else MATE if value > 0 else -MATE
                several |= " multipv " in line and " multipv 1 " not in line
        # An engine that reports one line names a move of every depth, and means the last.
        return found if several and best in found else {best: found.get(best, 0.0)}

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            raise UserError(f"supervisor 'uci:{self.path}' ended before it answered {line!r}") from None

    def _until(self, last: str) -> Iterator[str]:
        """The lines up to one that begins with a word."""
        assert self._process.stdout is not None
        watch = threading.Timer(self.patience, self._process.kill)
        watch.start()
        try:
            for line in self._process.stdout:
                yield line.strip()
                if line.startswith(last):
                    return
        finally:
            watch.cancel()
        raise UserError(f"supervisor 'uci:{self.path}' said no {last!r} within {self.patience:g} s, or ended")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue  # what it was not told before it ended
