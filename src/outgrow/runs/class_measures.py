"""Macro-F1, recall of every class and average precision: of a student, and paired with what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow.core.seeding import derive
from outgrow.metrics.accuracy import Score
from outgrow.metrics.annotators import single
from outgrow.metrics.intervals import share_ci
from outgrow.metrics.per_class import confusion, f1, mean_precision, rare, recalls, resampled


@final
@dataclass(frozen=True)
class ClassMeasures:
    """Measures by class on n judged items.

    Args:
        student: (n, C) the student's probabilities.
        labels: (n,) gold.
        groups: (n,) items of one number are resampled together.
        classes: the names of the classes.
        seed: names the resamples.
    """

    student: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    classes: tuple[str, ...]
    seed: int

    @cached_property
    def rare(self) -> tuple[str, ...]:
        """The classes that average precision is of."""
        return tuple(self.classes[c] for c in rare(self.labels, len(self.classes)))

    def own(self) -> dict[str, Any]:
        """The student's measures: fields of `LabellerRow`."""
        return self._measures(self.student, None)

    def against(self, probs: np.ndarray, ranks: np.ndarray | None) -> dict[str, Any]:
        """A labeller's measures, and how far the student is ahead of it.

        Args:
            probs: (n, C) its probabilities, NaN where an abstention counts as a guess.
            ranks: (n, C) the same by which items are ranked; None: no average precision is asked for.
        """
        return self._measures(probs, ranks)

    def confused(self) -> list[dict[str, Any]]:
        """How often the student gives each class to items of each, where it does so at all."""
        table = confusion(self.student, self.labels)
        return [
            {"gold": self.classes[g], "given": self.classes[c], "items": float(table[g, c])}
            for g, c in np.argwhere(table > 0).tolist()
        ]

    def _measures(self, probs: np.ndarray, ranks: np.ndarray | None) -> dict[str, Any]:
        own = probs is self.student
        its, students = f1(probs, self.labels, self.groups), f1(self.student, self.labels, self.groups)
        found: dict[str, Any] = {
            "macro_f1": _ratio(its, None if own else students),
            "recall": {
                self.classes[c]: _ratio({c: score}, None if own else {c: self._recalls[c]})
                for c, score in recalls(probs, self.labels, self.groups).items()
            },
        }
        if self.rare and (own or ranks is not None):
            found["average_precision"] = self._precision(None if own else ranks)
        return found

    @cached_property
    def _recalls(self) -> dict[int, Score]:
        return recalls(self.student, self.labels, self.groups)

    def _precision(self, ranks: np.ndarray | None) -> dict[str, Any]:
        top, theirs = self._ranked
        if ranks is None:
            return {"value": top, "ci": resampled(theirs, self.groups)}
        value, draws = self._mean_precision(ranks)
        gain_ci = resampled(theirs - draws, self.groups)
        return {"value": value, "ci": resampled(draws, self.groups), "gain": top - value, "gain_ci": gain_ci}

    @cached_property
    def _ranked(self) -> tuple[float, np.ndarray]:
        return self._mean_precision(self.student)

    def _mean_precision(self, ranks: np.ndarray) -> tuple[float, np.ndarray]:
        of = [self.classes.index(name) for name in self.rare]
        return mean_precision(ranks, self.labels, of, self.groups, derive(self.seed, "learn", "precision"))


def _ratio(its: dict[int, Score], student: dict[int, Score] | None) -> dict[str, Any]:
    """The mean of ratios over classes, and how far the student's is ahead."""
    own = {f"it {c}": score for c, score in its.items()}
    estimate, table = single(own, dict.fromkeys(own, 1 / len(own)))
    found: dict[str, Any] = {"value": estimate.value, "ci": share_ci(estimate, table)}
    if student is not None:
        theirs = {f"student {c}": score for c, score in student.items()}
        weights = dict.fromkeys(own, -1 / len(own)) | dict.fromkeys(theirs, 1 / len(theirs))
        gain, _ = single(own | theirs, weights)
        found |= {"gain": gain.value, "gain_ci": gain.ci}
    return found
