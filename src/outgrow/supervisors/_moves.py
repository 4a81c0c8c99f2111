"""From scores of the legal moves of chess positions to probabilities of the items, which are such moves.

p_m ~ exp(score_m / T)        over the legal moves of a position; T: one pawn
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from outgrow.core.errors import UserError
from outgrow.supervisors import SupervisorView
from outgrow.tasks.chess.notation import item

Scores = Mapping[str, float]
"""By move in UCI, in pawns; moves that are not there were not scored, and have probability 0."""
T = 1.0


def of_moves(view: SupervisorView, by: str, scored: Callable[[list[str]], list[Scores]]) -> np.ndarray:
    """Probabilities (R, N, 2) that a move is the best.

    Args:
        view: Of a task whose items are candidate moves.
        by: The supervisor's name, for messages.
        scored: Positions (four fields of FEN) -> the scores of their moves.

    Raises:
        UserError: The items are no moves of chess.
    """
    if view.task.question is None:
        raise UserError(f"supervisor {by} chooses among moves of chess, and {view.task.name!r} has no questions")
    items = [item(" ".join(text), by) for text in view.task.read(by)]
    positions = sorted({position for position, _ in items})
    chances = dict(zip(positions, map(_softmax, scored(positions)), strict=True))
    p = np.array([chances[position].get(move, 0.0) for position, move in items], np.float32)
    return np.broadcast_to(probs := np.stack([1 - p, p], -1), (len(view.gold), *probs.shape))


def _softmax(scores: Scores) -> dict[str, float]:
    top = max(scores.values())
    odds = {move: float(np.exp((score - top) / T)) for move, score in scores.items()}
    total = sum(odds.values())
    return {move: odd / total for move, odd in odds.items()}
