"""The label model that a student has to outgrow: the best of those that need no gold, and the one that trained it.

Gold reaches a label model only by `WeakLabels.skill`, so any of them without it needs none. The best is chosen by gold
of items that are neither trained on nor scored, or, if there is too little, by agreement with held-out votes:

    A_m = mean over votes v of item i by supervisor j of [m's class of i without the votes of j's fold = v]

Folds (at most 5) are of supervisors, ties share the point, and an item without remaining votes is a guess. Votes whose
errors are independent given the class agree the more with a label model, the more often it is right.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outgrow import label_models
from outgrow.core.seeding import derive
from outgrow.label_models import WeakLabels
from outgrow.label_models._votes import Votes, WeakVotes, replicates

FOLDS = 5
BARE = " without gold"
"""Suffix of the label model that trained the student, without the gold that it used there."""
FEWEST = 20
"""Fewest items with gold to choose label models by."""


def candidates(weak: WeakLabels | WeakVotes) -> dict[str, np.ndarray]:
    """Beliefs (R, N, C) by name: the label model that trained the student first, then every other one without gold.

    A single supervisor has the name "".
    """
    if len(weak.names) == 1:
        return {"": weak.beliefs}
    found = {weak.model: weak.beliefs}
    for name in label_models.registry():
        if name != weak.model:
            found[name] = replace(weak, model=name, skill=None).beliefs
        elif weak.skill is not None:
            bare = replace(weak, skill=None).beliefs
            if not np.array_equal(bare, found[name], equal_nan=True):
                found[f"{name}{BARE}"] = bare
    return found


def filled(probs: np.ndarray, common: np.ndarray | int) -> np.ndarray:
    """Probabilities (R, n, C) with abstentions as the class `common`, (R,) or one for all; or (n, C) with one."""
    answer = np.eye(probs.shape[-1], dtype=probs.dtype)[common]
    return np.where(np.isnan(probs).any(-1, keepdims=True), answer[..., None, :], probs)


def agreeing(weak: WeakLabels | WeakVotes, name: str, seed: int) -> np.ndarray:
    """(R,): A_m of the label model of that name, with or without the suffix for gold."""
    model, found = label_models.find(name.removesuffix(BARE)), []
    for votes in replicates(weak):
        fold = derive(seed, "taught", "folds").permutation(votes.annotators) % min(FOLDS, votes.annotators)
        met = 0.0
        for k in range(fold.max() + 1):
            held = fold[votes.annotator] == k
            belief = model(_some(votes, ~held)).probs[0]
            met += _met(belief[votes.item[held]], votes.said[held].argmax(1)).sum()
        found.append(met / max(len(votes.item), 1))
    return np.array(found)


def _some(votes: Votes, rows: np.ndarray) -> Votes:
    """The votes in `rows` (V,), without skill."""
    return replace(votes, item=votes.item[rows], annotator=votes.annotator[rows], said=votes.said[rows], skill=None)


def _met(belief: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """(V,): whether beliefs (V, C) agree with labels (V,); ties and abstentions share the point."""
    top = (belief == belief.max(1, keepdims=True)) | np.isnan(belief).any(1, keepdims=True)
    return top[np.arange(len(answer)), answer] / top.sum(1)
