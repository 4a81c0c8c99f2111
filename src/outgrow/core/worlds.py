"""Planted worlds: features, gold and weak labels with known errors, which show what a method is for.

Gold is a linear rule of the features. Every method names a world where its idea must win and one where it must not.

    >>> plant(World(items=300), seed=0, replicates=2).said.shape        # replicates, supervisors, items, classes
    (2, 1, 300, 2)
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, final

import numpy as np

from outgrow.core.seeding import derive

Errors = Literal["iid", "emulable", "near", "region"]


@final
@dataclass(frozen=True, kw_only=True)
class World:
    """The settings of a planted world."""

    items: int = 1500
    """Number of items; a third of them are test items."""
    width: int = 12
    classes: int = 2
    gap: float = 0.0
    """Distance by which both sides of the true boundary are pushed apart."""
    balance: float = 0.5
    """Share of the last class of two."""
    errors: Errors = "iid"
    """Where supervisors err: anywhere (iid); as another linear rule, which the student can copy (emulable); near the
    true boundary (near); mostly in one half of the space (region)."""
    rate: float = 0.3
    """Share of items on which a supervisor errs."""
    spread: float = 0.0
    """Difference of the error rates of the first and the last supervisor from `rate`; the others lie evenly between."""
    telling: float = 0.0
    """How far confidence tells right from wrong: 0 not at all, 1 well; below 0 wrong labels are the more confident."""
    supervisors: int = 1
    copies: int = 0
    """Number of supervisors that copy the first one."""
    silent: float = 0.0
    """Share of items on which a supervisor abstains."""
    weak_width: int = 6
    """Number of features that the supervisor sees; the student sees all."""
    needed: int | None = None
    """Gold depends on this many of the first features; None: on all."""
    pairs: bool = False
    """Whether items come in groups of two, one of either class (two classes, balance one half)."""
    fours: bool = False
    """Whether items come in groups of four, exactly one of the last class, as candidates of a question."""
    authors: float | None = None
    """Items come in groups of four, as of one author, that share this part of the variance of their features."""

    def __str__(self) -> str:
        """The settings that differ from the defaults; they seed the world, so that a new field changes no other one."""
        return " ".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self) if getattr(self, f.name) != f.default)


@final
@dataclass(frozen=True)
class Planted:
    """A sample of a world, for R replicates."""

    world: World
    x: np.ndarray
    """(N, width) float32: the student's features."""
    gold: np.ndarray
    """(N,) int64"""
    groups: np.ndarray
    """(N,) int64: items with the same number stay on one side of every split."""
    said: np.ndarray
    """(R, J, N, C) float32: the probabilities of each supervisor for every item; NaN for an abstention."""
    weak_train: np.ndarray
    transfer: np.ndarray
    """(R, N) bool"""
    test: np.ndarray
    """(N,) bool"""


def plant(world: World, seed: int, replicates: int) -> Planted:
    """A sample of the world, drawn from the seed."""
    rng = derive(seed, "world", world)
    n, classes = world.items, world.classes
    x = rng.normal(size=(n, world.width))
    rule = rng.normal(size=(world.width, classes))
    rule[slice(world.needed or world.width, None)] = 0
    rule /= np.linalg.norm(rule, axis=0)
    if classes == 2:
        rule[:, 0] = -rule[:, 1]
    offset = np.zeros(classes)
    if classes == 2:
        offset[1] = -np.quantile(x @ rule[:, 1], 1 - world.balance) * 2
    if world.authors is not None:
        shared = np.repeat(rng.normal(size=(-(-n // 4), world.width)), 4, 0)[:n]
        x = world.authors**0.5 * shared + (1 - world.authors) ** 0.5 * x
    if world.fours:
        score = np.sort(((x @ rule + offset) @ [-0.5, 0.5]).reshape(-1, 4), -1)
        x -= np.repeat(score[:, 2] + score[:, 3], 4)[:, None] / 2 * rule[:, 1]
    if world.pairs:
        score = (x @ rule + offset) @ [-0.5, 0.5]
        alike = np.repeat((score[::2] > 0) == (score[1::2] > 0), 2) & (np.arange(n) % 2 == 1)
        x -= np.where(alike, 2 * score, 0)[:, None] * rule[:, 1]
    scores = x @ rule + offset
    gold = scores.argmax(-1)
    x = x + world.gap * (rule[:, gold].T if classes == 2 else rule[:, gold].T - rule.mean(1))
    ranked = np.sort(x @ rule + offset, -1)
    margin = ranked[:, -1] - ranked[:, -2]
    said = np.stack(
        [_voices(world, x, rule, offset, gold, margin, derive(seed, "voices", world, r)) for r in range(replicates)]
    )
    groups = np.arange(n) // (2 if world.pairs else 4 if world.fours or world.authors is not None else 1)
    test = np.isin(groups, rng.permutation(groups[-1] + 1)[: (groups[-1] + 1) // 3])
    pool = np.unique(groups[~test])
    weak_train = np.stack([np.isin(groups, rng.permutation(pool)[: len(pool) // 2]) for _ in range(replicates)])
    return Planted(world, x.astype(np.float32), gold, groups, said, weak_train, ~weak_train & ~test, test)


def _voices(
    world: World,
    x: np.ndarray,
    rule: np.ndarray,
    offset: np.ndarray,
    gold: np.ndarray,
    margin: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(J, N, C): one replicate's supervisors."""
    out: list[np.ndarray] = []
    for j, rate in enumerate(np.linspace(world.rate - world.spread, world.rate + world.spread, world.supervisors)):
        if 0 < j <= world.copies:
            out.append(out[0])
            continue
        answer = _answers(replace(world, rate=rate), x, rule, offset, gold, margin, rng)
        right = np.where(answer == gold, 1, -1)
        sure = (0.5 + 0.3 * world.telling * right + 0.2 * rng.normal(size=len(gold))).clip(0.05, 0.95)
        probs = np.eye(world.classes)[answer] * sure[:, None] + (1 - sure[:, None]) / world.classes
        probs[rng.random(len(gold)) < world.silent] = np.nan
        out.append(probs.astype(np.float32))
    return np.stack(out)


def _answers(
    world: World,
    x: np.ndarray,
    rule: np.ndarray,
    offset: np.ndarray,
    gold: np.ndarray,
    margin: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    if world.errors == "emulable":
        other = rng.normal(size=rule.shape)
        other = np.stack([-other[:, 1], other[:, 1]], -1) if world.classes == 2 else other
        low, high = 0.0, 8.0
        answer: np.ndarray = gold
        for _ in range(40):
            mixed = (low + high) / 2
            answer = (x @ (rule + mixed * other) + offset).argmax(-1)
            low, high = (mixed, high) if (answer != gold).mean() < world.rate else (low, mixed)
        return answer
    if world.errors == "iid":
        score = rng.random(len(gold))
    elif world.errors == "near":
        score = -margin + 0.5 * margin.std() * rng.normal(size=len(gold))
    else:
        score = rng.random(len(gold)) + (x @ rng.normal(size=x.shape[1]) > 0)
    wrong = score > np.quantile(score, 1 - world.rate)
    return np.where(wrong, (gold + rng.integers(1, world.classes, len(gold))) % world.classes, gold)
