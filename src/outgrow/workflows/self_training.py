"""Self-training: a model generates answers, some are kept, and it is tuned on these; round after round.

    M_0 = the model
    for r = 0 .. rounds - 1:
        `draws` samples of M_r for every training item; one or none of them is kept
        M_(r+1) = M_0 tuned on the kept answers         from the start again, as Zelikman et al. 2022 (arXiv 2203.14465)
    score of M_r: a single sample, and coverage, on test items that are never trained on

Kept is, without a verifier, the first answer; by its own judgement the answer that M_r finds likeliest to be right
(`critic`, asked of M_r); by an external check the first sound one, if any. Song et al. 2024 (arXiv 2412.02674, section
5): without new knowledge from a check, the generation-verification gap closes within a few rounds. Test items are half
of the groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow import verifiers
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation import Answer, Sampling, answers, chats
from outgrow.generation.local import Local
from outgrow.metrics import coverage
from outgrow.models import Model
from outgrow.pipeline import scoring
from outgrow.store import Store
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.training.causal import Example, tune
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


def improve(
    task: GenerationTask,
    gold: GenerationGold,
    model: Model,
    check: str,
    *,
    rounds: int,
    draws: int,
    temperature: float,
    seed: int,
    store: Store,
) -> tuple[list[Round], np.ndarray]:
    """Rounds of each way to keep answers, and the groups of the test items. `check` is the external verifier.

    Raises UserError for a verifier that is no check of an answer alone.
    """
    external = verifiers.registry()[check]
    if external.needs != ("attempts",):
        raise UserError(
            f"verifier {check!r} is no external check of an answer alone: choose another for rounds of self-improvement"
        )
    own = verifiers.registry()["critic"]

    def first(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        return [0] * len(asked)

    def likeliest(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        chat = chats(writer, task.prompting)
        said = iter(own.run([one for row in asked for one in row], model=writer, chat=chat))
        scores = [[next(said).score for _ in row] for row in asked]
        return [int(np.argmax([-np.inf if score is None else score for score in row])) for row in scores]

    def sound(writer: Local, asked: Sequence[Sequence[Attempt]]) -> list[int | None]:
        said = iter(external.run([one for row in asked for one in row]))
        verdicts = [[next(said).sound for _ in row] for row in asked]
        return [row.index(True) if True in row else None for row in verdicts]

    names = np.unique(task.groups)
    held = set(derive(seed, "halves").permutation(names)[: len(names) // 2].tolist())
    test = [i for i in range(len(task)) if task.groups[i] in held]
    train = [i for i in range(len(task)) if task.groups[i] not in held]
    if not test or not train:
        raise UserError(f"task {task.name!r} has {len(task)} items: too few to learn from some and test on others")
    how = Sampling(tokens=task.tokens, temperature=temperature, stop=task.stop, prompting=task.prompting)
    found = []
    ways: dict[str, Keep] = {NOBODY: first, ITSELF: likeliest, check: sound}
    with progress.track("improving", len(ways) * (rounds + 1)) as bar:
        for by, keep in ways.items():
            at, right = model, float("nan")
            examples: list[Example] = []
            for number in range(rounds + 1):
                if number:
                    examples, right = _kept(task, gold, train, Local(at), keep, how, draws, seed + number, store)
                    at = tune(model, examples, seed=seed, store=store, prompting=task.prompting) if examples else at
                tried = _right(
                    task,
                    gold,
                    test,
                    answers.sample(Local(at), [task.prompts[i] for i in test], draws, how, seed, store).answers,
                )
                found.append(Round(by, number, tried.mean(1), np.asarray(tried.any(1)), len(examples), right))
                bar.advance()
    return found, task.groups[test]


def _kept(
    task: GenerationTask,
    gold: GenerationGold,
    items: Sequence[int],
    writer: Local,
    keep: Keep,
    how: Sampling,
    draws: int,
    seed: int,
    store: Store,
) -> tuple[list[Example], float]:
    """The kept answers, and the share of them that is right by gold."""
    drawn = answers.sample(writer, [task.prompts[i] for i in items], draws, how, seed, store).answers
    places = keep(
        writer,
        [[Attempt(task.prompts[i], a.text, task.shown[i]) for a in row] for i, row in zip(items, drawn, strict=True)],
    )
    chosen = [(i, row[at]) for i, row, at in zip(items, drawn, places, strict=True) if at is not None]
    right = _right(task, gold, [i for i, _ in chosen], [[a] for _, a in chosen])
    return [Example(task.prompts[i], a.text, whole=not a.cut) for i, a in chosen], float(
        right.mean()
    ) if chosen else float("nan")


def _right(
    task: GenerationTask, gold: GenerationGold, items: Sequence[int], rows: Sequence[Sequence[Answer]]
) -> np.ndarray:
    """(N, K) bool by gold."""
    flat = [(task.prompts[i], a.text, gold.keys[i]) for i, row in zip(items, rows, strict=True) for a in row]
    right = (
        scoring.right(task.scorer, *(list(column) for column in zip(*flat, strict=True))) if flat else np.zeros(0, bool)
    )
    return right.reshape(len(items), -1) if len(items) else np.zeros((0, 1), bool)


def facts_of(found: Sequence[Round], groups: np.ndarray, seed: int) -> list[dict]:
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
