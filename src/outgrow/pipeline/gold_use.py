"""What the gold of one's own table is for: it judges, weighs annotators, or teaches."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.tables.options import Reading
from outgrow.training.classifier import KINDS

GoldUse = Literal["judges", "weighs", "teaches"]
"""judges: nothing else; weighs: a label model that asks for the annotators' accuracy gets it from gold of the other
folds, too; teaches: the student learns from gold of the other folds, too."""

TEACHING = 10
"""Fewest gold items in a fold's complement that teach a student."""


def use_of(teaches: bool, only_judges: bool) -> GoldUse:
    """What gold is for, by what was asked."""
    return "judges" if only_judges else "teaches" if teaches else "weighs"


def named(reading: Reading, gold: str | None) -> Reading:
    """The reading with the column of gold that teaches. Raises UserError where another one is named as `label`."""
    if gold is None:
        return reading
    if reading.label not in (None, gold):
        raise UserError(f"`gold` = {gold} and `label` = {reading.label}: both are the column of gold, name one of them")
    return replace(reading, label=gold)


def suffices(known: np.ndarray, least: int = TEACHING) -> bool:
    """Whether every replicate has so much gold (R, N), -1 elsewhere, and of two classes, to teach a student by."""
    return all((row >= 0).sum() >= least and len(np.unique(row[row >= 0])) > 1 for row in known)


def usual_method(student: str, use: GoldUse, enough: bool) -> str:
    """The method where none was named; `auto` would fine-tune many students to choose.

    Args:
        student: how it learns.
        use: what gold is for.
        enough: whether there is enough of it to teach.
    """
    tuned = student in KINDS
    if use == "teaches" and enough:
        return "weak_then_gold" if tuned else "gold_and_weak"
    return "naive" if tuned else "auto"


def told(count: int, use: GoldUse, enough: bool, read: bool) -> str:
    """What gold labels were used for, in a sentence; nothing where there are none.

    Args:
        count: how many there are.
        use: what they are for.
        enough: whether they suffice to teach.
        read: whether the method learns from them.
    """
    if not count:
        return ""
    labels = f"{count:,} gold label{'s' if count > 1 else ''}"
    if use == "teaches" and enough and read:
        return f"{labels} teach the student and judge it: each judges a student that has not seen its fold"
    if use == "teaches" and not enough:
        needs = f"{TEACHING} of two classes outside each fold"
        return f"{labels} are too few to teach the student (it takes {needs}), and only judge it"
    if use == "teaches":
        return f"{labels} judge the student and do not teach it: its method does not learn from gold"
    if use == "weighs":
        return f"{labels} judge the student and do not teach it; a label model may weigh annotators by those of others"
    return f"{labels} judge the student, and nothing else"
