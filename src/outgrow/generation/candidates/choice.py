"""Rules that pick one of several answers to an item, without gold.

    first        every answer with equal probability: the score of a single answer
    majority     the commonest form; equally common ones share the pick
    verified     of the answers of the highest standing (sound, else cannot tell, else unsound) those with the best
                 score; where scores do not differ, any of the sound ones, and where none is sound the majority of those
                 of the highest standing
    voted        the majority among the answers of the highest standing, whatever that is

Answers without a form are voted for only where there is no other. The order of supervisors and samples does not matter.
A pick is a distribution over answers, so that its score is an expectation, and no tie is left to chance. For S sets of
the N answers to each of M items, `among` is bool (S, N) or (M, S, N), properties of answers are (M, N), picks are
float64 (M, S, N).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

SOUND, UNTOLD, UNSOUND = 2, 1, 0
"""Standings of an answer: the verifier's verdict True, None (cannot tell), False."""


@final
@dataclass(frozen=True)
class VerdictTable:
    """Verdicts of one verifier on answers."""

    standing: np.ndarray
    """(A,) or (M, N) int8: SOUND, UNTOLD or UNSOUND."""
    score: np.ndarray
    """Same shape, float64: higher is better; 0 where it gives none."""
    why: tuple[str, ...] = ()
    """Reason of each verdict."""
    silent: bool = True
    """Whether it gives no scores."""

    def at(self, rows: np.ndarray) -> VerdictTable:
        """The verdicts on answers with indices (M, N)."""
        return VerdictTable(self.standing[rows], self.score[rows])


def first(among: np.ndarray) -> np.ndarray:
    """Picks with equal probability among the answers."""
    return among / among.sum(-1, keepdims=True)


def majority(among: np.ndarray, form: np.ndarray) -> np.ndarray:
    """Picks of a vote by forms."""
    formed = among & (form >= 0)[:, None]
    among = np.where(formed.any(-1, keepdims=True), formed, among)
    same = (form[:, :, None] == form[:, None, :]).astype(np.float64)
    times = np.where(among, among @ same, 0)
    # The commonest forms have equally many answers: equal shares of answers are equal shares of forms.
    return first(times == times.max(-1, keepdims=True))


def verified(among: np.ndarray, verdicts: VerdictTable, form: np.ndarray) -> np.ndarray:
    """Picks of a verifier."""
    kept = highest(among, verdicts)
    score = verdicts.score[:, None]
    best = kept & (score == np.where(kept, score, -np.inf).max(-1, keepdims=True))
    # Scores separate answers of one standing; without them, only sound answers are worth taking singly.
    sound = (kept & (verdicts.standing == SOUND)[:, None]).any(-1, keepdims=True)
    separated = (best != kept).any(-1, keepdims=True)
    return np.where(sound | separated, first(best), majority(kept, form))


def voted(among: np.ndarray, verdicts: VerdictTable, form: np.ndarray) -> np.ndarray:
    """Picks of a vote among the answers of the highest standing."""
    return majority(highest(among, verdicts), form)


def highest(among: np.ndarray, verdicts: VerdictTable) -> np.ndarray:
    """(M, S, N) bool: the answers of the highest standing in each set."""
    standing = np.where(among, verdicts.standing[:, None], -1)
    return among & (standing == standing.max(-1, keepdims=True))
