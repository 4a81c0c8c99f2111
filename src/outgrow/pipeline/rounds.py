"""Rounds of self-training: ways to keep answers, what was kept, and figures of every round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow import verifiers
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation import Answer, Prompting, chats
from outgrow.generation.local import Local
from outgrow.metrics import coverage
from outgrow.pipeline import scoring
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.training.causal import Example
from outgrow.verifiers import Attempt

NOBODY, ITSELF = "no verifier", "its own judgement"
Keep = Callable[[Local, Sequence[Sequence[Attempt]]], list[int | None]]
"""Given the model and the samples for each item: the index of the sample that is learned from, or None."""


@final
@dataclass(frozen=True)
class Round:
    """A model after some rounds of one way to keep answers."""

    by: str
    number: int
    single: np.ndarray
    """(N,) score of a single sample on the test items, mean over samples."""
    covered: np.ndarray
    """(N,) bool"""
    kept: int
    """Number of answers that it was tuned on; 0 for M_0."""
    kept_right: float
    """Share of these that are right by gold."""


def halves(task: GenerationTask, seed: int) -> tuple[list[int], list[int]]:
    """Training and test items: half of the groups each. Raises UserError where a half is empty."""
    names = np.unique(task.groups)
    held = set(derive(seed, "halves").permutation(names)[: len(names) // 2].tolist())
    test = [i for i in range(len(task)) if task.groups[i] in held]
    train = [i for i in range(len(task)) if task.groups[i] not in held]
    if not test or not train:
        raise UserError(f"task {task.name!r} has {len(task)} items: too few to learn from some and test on others")
    return train, test


def ways(check: str, prompting: Prompting) -> dict[str, Keep]:
    """Ways to keep answers: all, by the model's own judgement, and by an external verifier.

    Args:
        check: the verifier.
        prompting: how the model is asked for its judgement.

    Raises:
        UserError: the verifier is no check of an answer alone.
    """
    external, own = verifiers.find(check), verifiers.find("critic")
    if external.needs != ("attempts",):
        raise UserError(
            f"verifier {check!r} is no external check of an answer alone: name another with `verifier`, or no `rounds`"
        )

    def first(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        return [0] * len(asked)

    def likeliest(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        attempts = [one for row in asked for one in row]
        said = iter(own.run(attempts, model=writer, chat=chats(writer, prompting)))
        scores = [[next(said).score for _ in row] for row in asked]
        return [int(np.argmax([-np.inf if score is None else score for score in row])) for row in scores]

    def sound(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        said = iter(external.run([one for row in asked for one in row]))
        verdicts = [[next(said).sound for _ in row] for row in asked]
        return [row.index(True) if True in row else None for row in verdicts]

    return {NOBODY: first, ITSELF: likeliest, check: sound}


def kept(
    task: GenerationTask,
    gold: GenerationGold,
    items: Sequence[int],
    samples: Sequence[Sequence[Answer]],
    writer: Local,
    keep: Keep,
) -> tuple[list[Example], float]:
    """The kept answers among the samples for each item, and the share of them that is right by gold."""
    attempts = [
        [Attempt(task.prompts[i], a.text, task.shown[i]) for a in row] for i, row in zip(items, samples, strict=True)
    ]
    places = keep(writer, attempts)
    chosen = [(i, row[at]) for i, row, at in zip(items, samples, places, strict=True) if at is not None]
    good = right(task, gold, [i for i, _ in chosen], [[a] for _, a in chosen])
    examples = [Example(task.prompts[i], a.text, whole=not a.cut) for i, a in chosen]
    return examples, float(good.mean()) if chosen else float("nan")


def right(
    task: GenerationTask, gold: GenerationGold, items: Sequence[int], rows: Sequence[Sequence[Answer]]
) -> np.ndarray:
    """(N, K) bool: which samples are right by gold."""
    flat = [(task.prompts[i], a.text, gold.keys[i]) for i, row in zip(items, rows, strict=True) for a in row]
    if not flat:
        return np.zeros((len(items), 0) if items else (0, 1), bool)
    return scoring.right(task.scorer, *(list(part) for part in zip(*flat, strict=True))).reshape(len(items), -1)


def facts_of(found: Sequence[Round], groups: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Rows of committee.json: every round with its intervals, and its gain over M_0."""
    values = {
        f"{r.by}/{r.number}/{what}": value
        for r in found
        for what, value in (("single", r.single), ("covered", r.covered))
    }
    resampled = coverage.resample(values, groups, derive(seed, "rounds"))
    rows = []
    for r in found:
        gained = resampled.difference(f"{r.by}/{r.number}/single", f"{r.by}/0/single") if r.number else None
        one = {what: resampled.figure(f"{r.by}/{r.number}/{what}") for what in ("single", "covered")}
        rows.append(
            {
                "by": r.by,
                "round": r.number,
                "kept": r.kept,
                "kept_right": None if np.isnan(r.kept_right) else r.kept_right,
                **{what: {"value": f.value, "ci": f.ci} for what, f in one.items()},
                "gained": {"value": gained.value, "ci": gained.ci} if gained else None,
            }
        )
    return rows
