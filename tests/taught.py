"""Small studies on planted features with trained supervisors and students."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import torch

from outgrow.audits import registry
from outgrow.audits._heads import unseen
from outgrow.audits.evidence import Before, Evidence, Finished, ForcedChoices, VoteTable
from outgrow.core.seeding import derive
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.intervals import shared_pool
from outgrow.metrics.pgr import summarise
from outgrow.students.linear import Basis
from outgrow.students.probe import Probe, Space

WIDTH = 8
Labels = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def found(code: str, evidence: Evidence) -> dict:
    """What an audit finds, by code."""
    return {finding.code: finding for finding in registry()[code](evidence)}


def study(
    seed: int,
    sees: str,
    *,
    items: int = 600,
    replicates: int = 4,
    methods: dict[str, Labels] | None = None,
    seconds: float = 1.0,
) -> Evidence:
    """A finished study of a linear rule of WIDTH features, of which the student sees all.

    The supervisor `sees` a quarter of them ("part"), so that its errors are a rule that the student can imitate; all of
    them with noise ("blurred"), so that they are not; all with little noise ("near"); or all of them ("all": no gap).
    `methods` map names to functions (weak labels (R, N, C), gold one-hot (N, C), training rows (R, N), generator) ->
    labels (R, N, C). Every method takes `seconds`, naive one.
    """
    rng = derive(seed, "taught", sees)
    x = rng.normal(size=(items, WIDTH)).astype(np.float32)
    gold = (x @ rng.normal(size=WIDTH) > 0).astype(np.int64)
    view = {
        "part": x[:, : WIDTH // 4],
        "blurred": x + 1.5 * rng.normal(size=x.shape).astype(np.float32),
        "near": x + 0.2 * rng.normal(size=x.shape).astype(np.float32),
        "all": x,
    }[sees]
    one_hot, groups, test = np.eye(2, dtype=np.float32)[gold], np.arange(items), np.arange(items) % 3 == 0
    pool = np.flatnonzero(~test)
    weak_train = np.stack([np.isin(groups, rng.permutation(pool)[: len(pool) // 2]) for _ in range(replicates)])
    transfer = ~weak_train & ~test

    def student(features: np.ndarray, rows: np.ndarray) -> Probe:
        return Probe(Space(features[None, None], (1,), ~test), rows, groups, seed, range(replicates))

    said = student(view, weak_train).fit(one_hot).predict()
    learner = student(x, transfer)
    labels = {"naive": said, "ceiling": np.broadcast_to(one_hot, said.shape)}
    labels |= {name: of(said, one_hot, transfer, derive(seed, name)) for name, of in (methods or {}).items()}
    probs = {"floor": said[:, test]} | {name: learner.fit(targets).predict(test) for name, targets in labels.items()}
    kinds = {name: name if name in ("floor", "ceiling") else "method" for name in probs}
    scores = {name: accuracy(p, gold[test], np.ones(test.sum()), groups[test]) for name, p in probs.items()}
    kappa = shared_pool(weak_train.sum(1).mean(), transfer.sum(1).mean())
    rows = {
        row.method: asdict(row)
        for row in summarise(scores, kinds, kappa, task="planted", weak=sees, strong="linear", metric="accuracy")
    }
    costs = tuple(
        {"stage": "heads", "what": name, "seconds": 1.0 if name == "naive" else seconds, "flops": 1e9}
        for name in probs
        if kinds[name] == "method"
    )
    known = np.where(weak_train, gold, -1)
    heard = unseen([basis(view)], np.where(weak_train[..., None], one_hot, np.nan), groups)[0]
    finished = Finished(np.flatnonzero(test), rows, {}, costs, gold[test], np.ones(test.sum()), probs.__getitem__)
    votes = VoteTable(
        np.flatnonzero(test), np.zeros(test.sum(), int), said[0, test].argmax(-1), items, (sees,), ("no", "yes"), True
    )
    return Evidence(
        "planted",
        votes,
        gold=np.where(test, gold, -1),
        groups=groups,
        study=finished,
        before=Before((basis(x),), groups, known[:2], heard[:2]),
    )


def basis(x: np.ndarray) -> Basis:
    return Basis.of(torch.from_numpy(np.asarray(x, np.float32)), torch.ones(len(x), dtype=torch.bool))


def mended(share: float) -> Labels:
    """Gold in the place of a share of the labels."""

    def labels(said, gold, rows, rng):
        return np.where(rng.random(said.shape[:2])[..., None] < share, gold, said)

    return labels


def spoilt(share: float) -> Labels:
    """A coin in the place of a share of the labels."""

    def labels(said, gold, rows, rng):
        coin = np.eye(2, dtype=np.float32)[rng.integers(2, size=said.shape[:2])]
        return np.where(rng.random(said.shape[:2])[..., None] < share, coin, said)

    return labels


def committee(seed: int, views: list[slice], items: int = 300) -> Evidence:
    """Answers of logistic regressions, each on its view of WIDTH equally weighted features, trained on other items."""
    from sklearn.linear_model import LogisticRegression

    rng = derive(seed, "committee")
    x = rng.normal(size=(400 + items, WIDTH))
    gold = (x.sum(1) + 0.3 * rng.normal(size=len(x)) > 0).astype(int)
    said = np.stack([LogisticRegression().fit(x[:400, view], gold[:400]).predict(x[400:, view]) for view in views])
    count = len(views)
    votes = VoteTable(
        np.tile(np.arange(items), count),
        np.repeat(np.arange(count), items),
        said.ravel(),
        items,
        tuple(f"model {j}" for j in range(count)),
        ("no", "yes"),
        True,
    )
    return Evidence("planted", votes, gold=gold[400:])


GOODS = ("apples", "pears", "copies of you")
AMOUNTS = (1, 3, 10, 30, 100)


def prices(seed: int, itself: float, times: int = 2) -> Evidence:
    """A judge that logistic regression teaches to choose between amounts of goods, asked every pair both ways round.

    A good's amount is worth .5 of its logarithm, that of copies of the judge `itself` so much.
    """
    from sklearn.linear_model import LogisticRegression

    rng = derive(seed, "prices")
    good, amount = np.repeat(np.arange(len(GOODS)), len(AMOUNTS)), np.tile(np.log(AMOUNTS), len(GOODS))
    x = np.concatenate([np.eye(len(GOODS))[good], np.eye(len(GOODS))[good] * amount[:, None]], 1)
    worth = x @ [0.0, -1.0, 1.0, 0.5, 0.5, itself]
    a, b = rng.integers(len(x), size=(2, 2000))
    took = worth[a] - worth[b] + rng.logistic(size=2000) > 0
    judge = LogisticRegression(C=10, fit_intercept=False).fit(
        np.append(x[a] - x[b], x[b] - x[a], 0), np.append(took, ~took)
    )
    low, high = np.triu_indices(len(x), 1)
    first, second = np.append(low, high), np.append(high, low)
    wins = rng.binomial(times, judge.predict_proba(x[first] - x[second])[:, 1])
    return asked(first, second, wins, times, tuple(f"{n} {g}" for g in GOODS for n in AMOUNTS))


def asked(first: np.ndarray, second: np.ndarray, wins: np.ndarray, times: float, outcomes: tuple[str, ...]) -> Evidence:
    """A judge shown ordered pairs of outcomes so many times each, of which it took the first `wins` times."""
    count, chosen = np.append(wins, times - wins).astype(float), np.repeat([True, False], len(first))
    rows = [np.tile(v, 2)[count > 0] for v in (np.zeros_like(first), first, second)]
    return Evidence(
        "planted", choices=ForcedChoices(*rows, chosen[count > 0], count[count > 0], outcomes, ("the judge",))
    )
