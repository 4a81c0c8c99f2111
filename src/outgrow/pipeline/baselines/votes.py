"""Baselines of learning from one's own votes: floor, label models, annotators, and the ceiling where gold is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow import label_models
from outgrow.label_models._floor import BARE, FEWEST, filled
from outgrow.metrics.accuracy import rightness
from outgrow.pipeline.baselines import baseline
from outgrow.pipeline.cell import Predictions

if TYPE_CHECKING:
    from outgrow.pipeline.design import CrossFit
    from outgrow.pipeline.vote_cell import VoteCell
    from outgrow.tasks.task import Gold


@baseline(kind="floor", trains=False)
def floor(
    design: CrossFit,
    gold: Gold,
    known: np.ndarray,
    options: Mapping[str, np.ndarray],
    agreed: Mapping[str, float],
    commonest: np.ndarray,
) -> Predictions:
    """Of every item the best of the label models that need no gold and of the one that taught, the first of equals.

    Chosen fold by fold by gold of the others, abstentions as what is better there; with fewer than FEWEST items of
    such gold by agreement with held-out votes.

    Returns:
        (N, C) beliefs, NaN where nobody voted; `of` is the label model of every item with gold, "" of one annotator.
    """
    probs, names = np.empty_like(next(iter(options.values()))[0]), list[str]()
    for r in np.unique(design.fold):
        judged, seen = design.fold == r, known[r] >= 0
        if seen.sum() >= FEWEST:

            def right(belief: np.ndarray, r: int = r, seen: np.ndarray = seen) -> float:
                both = (belief[None, r, seen], filled(belief[None, r, seen], commonest[[r]]))
                return max(float(rightness(one, gold.labels[seen]).mean()) for one in both)

            score = {name: right(belief) for name, belief in options.items()}
        else:
            score = {name: agreed[name.removesuffix(BARE)] if len(options) > 1 else 0.0 for name in options}
        best = max(score, key=lambda name: score[name])
        probs[judged] = options[best][r, judged]
        names += [best] * int((judged & (gold.labels >= 0)).sum())
    return Predictions(probs, tuple(names))


def _every_label_model(cells: Sequence[VoteCell]) -> Mapping[str, Mapping[str, Any]]:
    several = len(cells[0].names) > 1
    return {f"label-model:{name}": {"name": name} for name in label_models.registry() if several}


@baseline(kind="contrast", trains=False, rows=_every_label_model)
def label_model(believed: Any, *, name: str) -> Predictions:
    """The beliefs of one label model."""
    return Predictions(believed(name))


def _every_annotator(cells: Sequence[VoteCell]) -> Mapping[str, Mapping[str, Any]]:
    return {f"supervisor:{name}": {"j": j} for j, name in enumerate(cells[0].names)}


@baseline(kind="contrast", trains=False, rows=_every_annotator)
def supervisor(annotator: Any, *, j: int) -> Predictions:
    """The votes of one annotator, NaN where it abstains."""
    return Predictions(annotator(j))


@baseline(kind="ceiling")
def ceiling(student: Any, gold_targets: np.ndarray) -> Any:
    """The same student trained on gold, of every item by gold of the other folds."""
    return student.on(~np.isnan(gold_targets).any(-1)).fit(gold_targets)
