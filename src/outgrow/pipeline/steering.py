"""The parts of a comparison of steering with tuning: halves, examples to learn from, answers, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation import Answer, LanguageModel, Sampling, answers
from outgrow.metrics import text as scorers
from outgrow.metrics.accuracy import Score
from outgrow.metrics.gap import Resamples
from outgrow.pipeline import scoring
from outgrow.pipeline.knowledge import Statements, knows
from outgrow.store import Store
from outgrow.tasks.task import FREE, POOL, TEST, GenerationGold, GenerationTask

if TYPE_CHECKING:
    from outgrow.training.causal import Example, Spent

ROWS = ("strong", "small", "tuned small", "proxy", "tuned strong")
BEFORE = {"tuned small": "small", "proxy": "strong", "tuned strong": "strong"}
"""What each was before it was tuned or steered."""
FEWEST = 20
"""Items of a half, at least."""
SHOWN = 4
"""Test items whose answers are shown."""


@final
@dataclass(frozen=True)
class ModelOutcome:
    """The answers of one model to the test items, and what it knows."""

    answers: tuple[Answer, ...]
    """To the test items."""
    seconds: float
    tokens: int
    known: np.ndarray
    """(n,) of each pair of statements: 1 where the true one is likelier, .5 in a tie."""


def halves(task: GenerationTask, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of training and test items: whole groups; the data's own test split is the test half.

    Raises:
        UserError: a half would have fewer than FEWEST items.
    """
    names, where = np.unique(task.groups, return_inverse=True)
    side = np.full(len(names), FREE)
    np.maximum.at(side, where, task.side)
    if not (side == TEST).any():
        order = derive(seed, task.name, "steer").permutation(np.flatnonzero(side == FREE))
        sizes = np.bincount(where)[order]
        side[order[np.cumsum(sizes) > sizes.sum() / 2]] = TEST
    side[side == FREE] = POOL
    train, test = np.flatnonzero(side[where] == POOL), np.flatnonzero(side[where] == TEST)
    if min(len(train), len(test)) < FEWEST:
        raise UserError(
            f"task {task.name!r} has {len(train)} items to train on and {len(test)} to test on: "
            f"give at least {FEWEST} for each"
        )
    return train, test


def lessons(
    task: GenerationTask, gold: GenerationGold, train: np.ndarray, weak: str | None, seed: int, store: Store
) -> tuple[list[Example], dict[str, Any]]:
    """The examples to tune on, and where they come from: gold, or the finished answers of a weak model."""
    from outgrow.training.causal import Example
    from outgrow.training.names import named

    if weak is None:
        return [Example(task.prompts[i], gold.answers[i]) for i in train], {"kind": "gold"}
    how = Sampling(tokens=task.tokens, temperature=0, stop=task.stop, prompting=task.prompting)
    drawn = answers.sample(named(weak, store), [task.prompts[i] for i in train], 1, how, seed, store)
    said = {
        int(i): one.text
        for i, (one,) in zip(train, drawn.answers, strict=True)
        if one.ended == "stop" and one.text.strip()
    }
    cut = sum(one.cut for (one,) in drawn.answers)
    if len(said) < FEWEST:
        raise UserError(
            f"{weak!r} finished an answer to {len(said)} of {len(train)} training items: "
            f"at least {FEWEST} are needed to learn from"
        )
    right = scoring.right(
        task.scorer, [task.prompts[i] for i in said], list(said.values()), [gold.keys[i] for i in said]
    )
    return [Example(task.prompts[i], text) for i, text in said.items()], {
        "kind": "weak",
        "name": weak,
        "right": float(right.mean()),
        "cut": cut,
    }


def outcome(
    model: LanguageModel, task: GenerationTask, test: np.ndarray, asked: Statements, seed: int, store: Store
) -> ModelOutcome:
    how = Sampling(tokens=task.tokens, temperature=0, stop=task.stop, prompting=task.prompting)
    drawn = answers.sample(model, [task.prompts[i] for i in test], 1, how, seed, store)
    return ModelOutcome(tuple(one for (one,) in drawn.answers), drawn.seconds, drawn.tokens, knows(model, asked, store))


def metric(task: GenerationTask) -> str:
    return next(iter(scorers.metrics(task.scorer))) if task.scorer in scorers.SCORERS else "accuracy"


def score(task: GenerationTask, gold: GenerationGold, test: np.ndarray, outcomes: Sequence[ModelOutcome]) -> Score:
    texts, keys, groups = (
        [[a.text for a in one.answers] for one in outcomes],
        [gold.keys[i] for i in test],
        task.groups[test],
    )
    if task.scorer in scorers.SCORERS:
        return scorers.scores(task.scorer, texts, keys, groups)[metric(task)]
    right = [scoring.right(task.scorer, [task.prompts[i] for i in test], said, keys) for said in texts]
    return Score(np.array(right, np.float64), np.ones(len(test)), groups)


def facts_of(
    task: GenerationTask,
    gold: GenerationGold,
    test: np.ndarray,
    asked: Statements,
    outcomes: Mapping[str, Sequence[ModelOutcome]],
    trained: Mapping[str, Sequence[Spent]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """What steer.json says of the outcomes, by gold: figures, cost of training, examples.

    Args:
        task: what was answered.
        gold: its gold.
        test: indices of the test items.
        asked: the statements that ask for knowledge.
        outcomes: by the name of a row an outcome for each tuning.
        trained: by the name of a tuned model the cost of each tuning.
        rng: for the resamples of the intervals.
    """
    scores = {name: score(task, gold, test, outcomes[name]) for name in ROWS}
    ones = np.ones(len(asked.groups))
    known = {name: Score(np.stack([one.known for one in outcomes[name]]), ones, asked.groups) for name in ROWS}
    return {
        "metric": metric(task),
        "test": len(test),
        "knowledge": {"task": asked.name, "pairs": len(asked.groups)},
        **figures(scores, known, outcomes, rng),
        "trained": {
            name: {"seconds": sum(s.seconds for s in spent), "tokens": sum(s.tokens for s in spent)}
            for name, spent in trained.items()
        },
        "examples": examples(task, gold, test, outcomes),
    }


def figures(
    scores: Mapping[str, Score],
    known: Mapping[str, Score],
    outcomes: Mapping[str, Sequence[ModelOutcome]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    test, facts = Resamples(scores, rng), Resamples(known, rng)
    rows = []
    for name in ROWS:
        lost = {name: 1.0, BEFORE[name]: -1.0} if name in BEFORE else None
        rows.append({
            "name": name, "score": scores[name].value, "score_ci": test.ci({name: 1.0}),
            "knowledge": known[name].value, "knowledge_ci": facts.ci({name: 1.0}),
            "knowledge_change": lost and facts.mean(lost), "knowledge_change_ci": lost and facts.ci(lost),
            "seconds": sum(one.seconds for one in outcomes[name]), "tokens": sum(one.tokens for one in outcomes[name]),
        })  # fmt: skip
    against = test.ci({"proxy": 1.0, "tuned small": -1.0})
    return {
        "rows": rows,
        "closed": asdict(test.closed("proxy", "strong", "tuned strong")),
        "proxy_over_tuned_small": {"value": test.mean({"proxy": 1.0, "tuned small": -1.0}), "ci": against},
    }


def examples(
    task: GenerationTask, gold: GenerationGold, test: np.ndarray, outcomes: Mapping[str, Sequence[ModelOutcome]]
) -> list[dict[str, Any]]:
    """The first test items: what was asked, what is right, and what each model answers."""
    return [
        {
            "prompt": task.prompts[i],
            "gold": gold.answers[i],
            "answers": {name: outcomes[name][0].answers[at].text for name in ROWS},
        }
        for at, i in enumerate(test[:SHOWN])
    ]
