"""The canary: every method runs once more while gold that it must not see is permuted, and must predict the same.

Once a study, beside block 0: gold of all items that the supervisors of replicate 0 have not learned from, transfer and
test, is permuted where it lies in memory, and the method is handed the same resources as before. Gold that it buys,
and the labels of retrained supervisors, stay true. Replicate 0 is compared: its own weak-train gold is not touched.
With cross-fitting the replicate of one fold is compared, and gold of that fold and of the test items is permuted,
where it is known. A method that reads gold through its callers' frames, a module or a stray reference then predicts
something else. One that reads files, or kept what it read before, does not: for these there is the alarm above the
ceiling (`metrics/alarm.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow.core import progress
from outgrow.core.seeding import derive
from outgrow.metrics import controls
from outgrow.metrics.controls import CanaryResult
from outgrow.pipeline.seal import Seal
from outgrow.training.classifier import KINDS

if TYPE_CHECKING:
    from outgrow.methods import Method
    from outgrow.pipeline.cell import Cell
    from outgrow.pipeline.vote_cell import VoteCell

FEWEST = 20
"""Fewest items whose gold is permuted where the user's own votes teach."""

SAME = 1e-3
"""Probabilities that differ by no more than this are the same: other gold in a batch moves the last digits."""
SURE = 2.576
"""Standard errors by which a method that never says the same twice must change more than by itself: 99%."""


def watched(cell: Cell, fit: Callable[[Any], Any], name: str, before: np.ndarray) -> dict[str, Any]:
    """The canary's result on a method, as plain data.

    Args:
        cell: of which hidden gold is permuted meanwhile.
        fit: runs the method once more.
        name: of the method.
        before: what it predicted in the compared replicate.
    """

    def again() -> np.ndarray:
        cell.forget()
        return np.asarray(cell.predicted(fit(cell))[cell.COMPARED])

    return sung(cell.seal, cell.hidden, again, before, cell.seed, cell.name, name)


def of_votes(cell: VoteCell, method: Method, before: np.ndarray) -> dict[str, Any]:
    """The canary's result on the method, or why it was not run.

    Gold of one fold and of the test items is permuted, where it is known; `before` (N, C) are the predictions of the
    replicate that must see none of it.
    """
    if cell.kind in KINDS:
        return {"passed": None, "says": "not asked: a fine-tuned student would be trained twice"}
    count, among = int(cell.hidden.sum()), len(np.unique(cell.gold.labels[cell.hidden]))
    if count < FEWEST or among < 2:
        among_those = "among those whose gold the compared student must not see"
        needs = f"{FEWEST} items with gold, of two classes or more, {among_those}"
        there = f"{count}{', all of one class' if count > 1 and among < 2 else ''}"
        where = "a fifth of all, and the data's own test split"
        return {"passed": None, "says": f"not asked: it needs {needs} ({where}), and there are {there}"}
    progress.say(f"the canary: {method.name} once more, while gold of {count:,} items is permuted")
    began = time.time()
    found = watched(cell, lambda resources: method.fit(resources, **method.parameters), method.name, before)
    cell.forget()
    verdict = controls.canary({method.name: controls.CanaryResult(**found)})
    assert verdict is not None
    return {"passed": verdict.passed, "says": verdict.says, **found, "seconds": time.time() - began}


def sung(
    seal: Seal, hidden: np.ndarray, again: Callable[[], np.ndarray], before: np.ndarray, seed: int, *names: object
) -> dict[str, Any]:
    """What became of a method's predictions, as plain data of a `CanaryResult`.

    Args:
        seal: by which gold is permuted.
        hidden: (N,) bool, the items whose gold is permuted.
        again: runs the method once more, and returns what `before` is.
        before: predictions of the compared replicate: probabilities (n, C), or answers (n,).
        seed: names the permutation, together with `names`.
    """
    try:
        with seal.permuted(hidden, derive(seed, "canary", *names)):
            after = again()
    except Exception as error:  # whatever stops a method that was run just so a moment ago is the canary's to tell
        return asdict(CanaryResult(int(hidden.sum()), 1.0, False, type(error).__name__))
    changed = _changed(before, after)
    if not changed.any():
        return asdict(CanaryResult(int(hidden.sum()), 0.0, True))
    itself = _changed(before, again())
    apart = changed.astype(float) - itself
    more = not itself.any() or apart.mean() > SURE * apart.std(ddof=1) / len(apart) ** 0.5
    return asdict(CanaryResult(int(hidden.sum()), float(changed.mean()), False if more else None))


def _changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(n,) bool: the items whose prediction changed."""
    if before.shape != after.shape:
        return np.ones(len(before), bool)
    return np.asarray(before != after if before.ndim == 1 else ~(np.abs(before - after) <= SAME).all(-1))
