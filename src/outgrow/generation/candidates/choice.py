"""Who is picked among some answers to an item, by what can be seen of them.

    first        any of them alike: the score of a single answer
    majority     the commonest form; equally common ones share the pick
    verified     of the answers of the highest standing (sound, else cannot tell, else unsound) those with the best score; where scores
                 tell nothing, any of the sound ones alike, and where none is sound the majority of those of the highest standing
    voted        the majority among the answers of the highest standing, whatever that is

Answers without a form are voted for only where there is no other. Neither the order of supervisors nor that of draws decides. A pick is a distribution over answers, so that what it earns is an
expectation, and no tie is left to chance. S sets of the N answers to each of M items: among is bool (S, N) or (M, S, N), what is known
of answers (M, N), picks float64 (M, S, N).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

SOUND, UNTOLD, UNSOUND = 2, 1, 0
"""Standings."""


@final
@dataclass(frozen=True)
class VerdictTable:
    """What one verifier says of answers."""

    standing: np.ndarray
    """(A,) or (M, N) int8."""
    score: np.ndarray
    """The same, float64: the higher the better; 0 where it gives none."""
    why: tuple[str, ...] = ()
    silent: bool = True
    """It gives no scores."""

    def at(self, rows: np.ndarray) -> VerdictTable:
        """Those of some answers, rows (M, N)."""
        return VerdictTable(self.standing[rows], self.score[rows])


def first(among: np.ndarray) -> np.ndarray:
    """Picks of one who looks at nothing."""
    return among / among.sum(-1, keepdims=True)


def majority(among: np.ndarray, form: np.ndarray) -> np.ndarray:
    """Picks of a vote."""
    told = among & (form >= 0)[:, None]
    among = np.where(told.any(-1, keepdims=True), told, among)
    same = (form[:, :, None] == form[:, None, :]).astype(np.float64)
    times = np.where(among, among @ same, 0)
    # As many answers have each of the commonest forms: alike among answers is alike among forms.
    return first(times == times.max(-1, keepdims=True))


def verified(among: np.ndarray, verdicts: VerdictTable, form: np.ndarray) -> np.ndarray:
    """Picks of a verifier."""
    kept = highest(among, verdicts)
    score = verdicts.score[:, None]
    best = kept & (score == np.where(kept, score, -np.inf).max(-1, keepdims=True))
    # A score tells answers apart where the verdict does not; without, only a sound one is worth taking alone.
    alone = (kept & (verdicts.standing == SOUND)[:, None]).any(-1, keepdims=True) | (best != kept).any(
        -1, keepdims=True
    )
    return np.where(alone, first(best), majority(kept, form))


def voted(among: np.ndarray, verdicts: VerdictTable, form: np.ndarray) -> np.ndarray:
    """Picks of a majority among what a verifier leaves."""
    return majority(highest(among, verdicts), form)


def highest(among: np.ndarray, verdicts: VerdictTable) -> np.ndarray:
    """(M, S, N) bool: those of the highest standing that there is."""
    standing = np.where(among, verdicts.standing[:, None], -1)
    return among & (standing == standing.max(-1, keepdims=True))
