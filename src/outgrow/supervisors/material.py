"""A search of chess by material, as deep as it is told."""

from __future__ import annotations

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.supervisors import SupervisorView, supervisor
from outgrow.supervisors._moves import Scores, of_moves
from outgrow.tasks.chess.board import Board
from outgrow.tasks.chess.notation import uci
from outgrow.tasks.chess.search import scores

DEEPEST = 4


def plies(depth: str) -> int:
    """The depth in plies. Raises UserError for anything but 1 to DEEPEST.

    Example:
        >>> plies("3")
        3
    """
    if depth not in map(str, range(1, DEEPEST + 1)):
        raise UserError(f"supervisor 'material:{depth}': write it as material:DEPTH, with 1 to {DEEPEST} plies")
    return int(depth)


@supervisor(argument="depth", learns=False, check=plies)
def material(view: SupervisorView, depth: str) -> np.ndarray:
    """A search of DEPTH plies by material over the moves of a chess position; moves of equal score share."""

    def searched(positions: list[str]) -> list[Scores]:
        found: list[Scores] = []
        with progress.track(f"searching {depth} plies", len(positions)) as bar:
            for position in positions:
                board = Board(position)
                found.append({uci(move): score for move, score in scores(board, plies(depth)).items()})
                bar.advance()
        return found

    return of_moves(view, f"material:{depth}", searched)
