"""Scores of predictions by gold: of classes, of answers to questions, of generated answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from outgrow import verifiers
from outgrow.core.errors import UserError
from outgrow.metrics import text
from outgrow.metrics.accuracy import Score, accuracy, choice
from outgrow.tasks.task import GenerationGold, GenerationTask, Gold, Task
from outgrow.verifiers import Attempt


def class_scores(
    task: Task, gold: Gold, test: np.ndarray, rows: Mapping[str, np.ndarray]
) -> dict[str, dict[str, Score]]:
    """Scores of probabilities (R, n_test, C) by metric and row: "accuracy", and "choice" where there are questions."""
    labels, weights, groups = gold.labels[test], gold.weights[test], task.groups[test]
    out = {"accuracy": {name: accuracy(probs, labels, weights, groups) for name, probs in rows.items()}}
    if task.question is not None:
        question = task.question[test]
        out["choice"] = {name: choice(probs, labels, question, groups) for name, probs in rows.items()}
    return out


def text_scores(
    task: GenerationTask, gold: GenerationGold, items: np.ndarray, answers: Sequence[Sequence[str]]
) -> dict[str, Score]:
    """Scores of answers (R, n) to these items by metric, the one that decides first."""
    keys, groups = [gold.keys[i] for i in items], task.groups[items]
    if task.scorer in text.SCORERS:
        return text.scores(task.scorer, answers, keys, groups)
    prompts = [task.prompts[i] for i in items]
    found = np.array([right(task.scorer, prompts, row, keys) for row in answers], np.float64)
    return {"accuracy": Score(found, np.ones(found.shape[1]), groups)}


def checks(task: GenerationTask) -> tuple[Callable[..., Any], ...]:
    """The verifiers that a task names, as its own check or in the place of a scorer."""
    known = verifiers.registry()
    return tuple(known[name].run for name in (task.verifier, task.scorer) if name in known)


def right(scorer: str, prompts: Sequence[str], answers: Sequence[str], keys: Sequence[Any]) -> np.ndarray:
    """Whether each answer to its prompt is right by its key.

    A scorer is one of `metrics.text`, or the name of a verifier, which is shown the key alone.

    Returns:
        (A,) bool; what a verifier cannot tell is not right.

    Raises:
        UserError: there is no such scorer.
    """
    if scorer in text.SCORERS:
        return np.array([text.right(scorer, a, key) for a, key in zip(answers, keys, strict=True)], bool)
    check(scorer)
    attempts = [Attempt(p, a, key) for p, a, key in zip(prompts, answers, keys, strict=True)]
    return np.array([verdict.sound is True for verdict in verifiers.registry()[scorer].run(attempts)], bool)


def check(scorer: str) -> None:
    """Raises UserError for a scorer that is none."""
    names = sorted({*text.SCORERS, *(v.name for v in verifiers.registry().values() if v.needs == ("attempts",))})
    if scorer not in names:
        raise UserError(f"scorer {scorer!r}: choose one of {', '.join(names)}")
