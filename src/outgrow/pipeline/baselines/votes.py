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
    from outgrow.label_models._votes import Votes
    from outgrow.pipeline.design import CrossFit
    from outgrow.pipeline.vote_cell import VoteCell
    from outgrow.tasks.task import Gold


MOST = 50
"""Most annotators that have a row each."""


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
    """A row for each of at most MOST annotators, those with the most votes."""
    cell = cells[0]
    count = np.bincount(cell.votes.annotator, minlength=cell.votes.annotators)
    kept = np.sort(np.argsort(-count, kind="stable")[:MOST]).tolist()
    return {f"supervisor:{cell.names[j]}": {"j": j} for j in kept}


@baseline(kind="contrast", trains=False, rows=_every_annotator)
def supervisor(annotator: Any, *, j: int) -> Predictions:
    """The votes of one annotator, NaN where it abstains."""
    return Predictions(annotator(j))


@baseline(kind="contrast", trains=False)
def best_annotator(
    votes: Votes, design: CrossFit, gold: Gold, known: np.ndarray, judged: np.ndarray, believed: Any
) -> Predictions | None:
    """The annotator that is right most often, chosen without the gold that judges; NaN where it abstains.

    Fold by fold by gold of the others; with fewer than FEWEST items of such gold by agreement with the majority.
    Abstentions count as guesses. None of a single annotator.

    Returns:
        (N, C) votes; `of` is the number of the annotator of every judged item.
    """
    if votes.annotators < 2:
        return None
    said, chance = votes.said.argmax(1), 1 / votes.said.shape[1]
    majority = np.nan_to_num(believed("majority")).argmax(-1)
    probs = np.full((votes.items, votes.said.shape[1]), np.nan, np.float32)
    names = []
    for r in np.unique(design.fold):
        seen = known[r] >= 0
        truth = gold.labels if seen.sum() >= FEWEST else majority
        counted = seen[votes.item] if seen.sum() >= FEWEST else np.ones(len(votes.item), bool)
        right = (said == truth[votes.item]) - chance
        best = int(np.bincount(votes.annotator, right * counted, votes.annotators).argmax())
        mine = (votes.annotator == best) & (design.fold == r)[votes.item]
        probs[votes.item[mine]] = votes.said[mine]
        names += [str(best)] * int((judged & (design.fold == r)).sum())
    return Predictions(probs, tuple(names))


@baseline(kind="contrast")
def tfidf(tfidf: np.ndarray) -> Predictions:
    """TF-IDF with logistic regression, taught by the same labels; NaN of items that are not judged."""
    return Predictions(tfidf)


@baseline(kind="contrast")
def zero_shot(prompted: np.ndarray) -> Predictions:
    """The strong model, prompted, without any training; NaN of items that are not judged."""
    return Predictions(prompted)


@baseline(kind="ceiling")
def ceiling(student: Any, gold_targets: np.ndarray) -> Any:
    """The same student trained on gold, of every item by gold of the other folds."""
    return student.on(~np.isnan(gold_targets).any(-1)).fit(gold_targets)
