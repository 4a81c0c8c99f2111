"""A plain function as a supervisor.

def shouts(texts: list[str]) -> list[str | None]      a class for each text, None for an abstention
def guesses(texts: list[str]) -> np.ndarray           (N, C) probabilities, NaN for an abstention
def learns(view: SupervisorView) -> np.ndarray        (R, N, C) or (N, C); it may learn from the gold of the view
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.registry import name_of
from outgrow.supervisors import SupervisorView
from outgrow.tasks.tables.values import blank, class_name
from outgrow.tasks.task import Task

CLOSE = 1e-3
"""Largest difference from 1 of the sum of an item's probabilities."""


def takes_view(function: Callable[..., Any]) -> bool:
    """Whether a function takes the view of a supervisor, by the name or type of its argument, and not only texts."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and (first.name == "view" or "SupervisorView" in str(first.annotation))


def from_texts(function: Callable[..., Any], view: SupervisorView) -> np.ndarray:
    """Probabilities (R, N, C) of a function of the texts. Items of several texts are given as tuples."""
    name = name_of(function)
    texts = view.task.read(name)
    said = function([item[0] if len(item) == 1 else item for item in texts])
    return np.broadcast_to(probs := _probs(name, said, view.task), (len(view.gold), *probs.shape))


def from_view(function: Callable[..., Any], view: SupervisorView) -> np.ndarray:
    """Probabilities (R, N, C) of a function of the view."""
    found = np.asarray(function(view), np.float32)
    wanted = (len(view.gold), len(view.task), len(view.task.classes))
    if found.shape not in (wanted, wanted[1:]):
        raise UserError(
            f"supervisor {name_of(function)} returned an array {found.shape}: return {wanted} or {wanted[1:]}"
        )
    return _checked(name_of(function), np.broadcast_to(found, wanted))


def _probs(name: str, said: Any, task: Task) -> np.ndarray:
    if len(said) != len(task):
        raise UserError(f"supervisor {name} returned {len(said)} labels for {len(task)} texts: return one for each")
    array = np.asarray(said, None if isinstance(said, np.ndarray) else object)
    if array.ndim == 2:
        if array.shape[1] != len(task.classes):
            raise UserError(
                f"supervisor {name} returned {array.shape[1]} columns for the classes {', '.join(task.classes)}"
            )
        return _checked(name, array.astype(np.float32))
    out = np.full((len(task), len(task.classes)), np.nan, np.float32)
    for i, value in enumerate(said):
        if not blank(value):
            label = class_name(value.item() if isinstance(value, np.generic) else value)
            if label not in task.classes:
                raise UserError(
                    f"supervisor {name} returned {label!r} for item {i}: the classes are {', '.join(task.classes)}"
                )
            out[i] = np.arange(len(task.classes)) == task.classes.index(label)
    return out


def _checked(name: str, probs: np.ndarray) -> np.ndarray:
    silent = np.isnan(probs).all(-1)
    wrong = ~silent & ~((probs >= 0).all(-1) & (abs(probs.sum(-1) - 1) < CLOSE))
    if wrong.any():
        raise UserError(
            f"supervisor {name} returned {probs[wrong][0].tolist()}: probabilities are 0 or more and sum to 1"
        )
    return probs
