"""Label models: their laws, planted crowds whose truth is known, and slow second implementations."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from outgrow import label_models
from outgrow.label_models import Belief, WeakLabels
from outgrow.label_models._em import em, fitted
from outgrow.label_models._skill import HIGH, LOW, PRIOR, _descended, agreement, skill
from outgrow.label_models._votes import Votes, replicates
from outgrow.label_models.blocks import found

MODELS = sorted(label_models.registry())
NEW = ["accuracy", "bayesian", "blocks", "dawid_skene"]


def believed(name: str, probs: np.ndarray, skill: np.ndarray | None = None) -> Belief:
    names = tuple(f"weak {j}" for j in range(probs.shape[1]))
    return WeakLabels(np.asarray(probs, np.float32), names, name, skill).belief


@cache
def crowd(classes: int = 3, items: int = 300, soft: bool = True) -> np.ndarray:
    """(2, 5, items, classes): five supervisors, right on 50-80%, silent on a tenth."""
    rng = np.random.default_rng(classes)
    gold = rng.integers(0, classes, items)
    said = np.empty((2, 5, items, classes), np.float32)
    for r in range(2):
        for j, right in enumerate(np.linspace(0.5, 0.8, 5)):
            answer = np.where(rng.random(items) < right, gold, rng.integers(0, classes, items))
            sure = rng.uniform(0.5, 0.95, items)[:, None] if soft else 1
            said[r, j] = np.eye(classes)[answer] * sure + (1 - sure) / classes
            said[r, j, rng.random(items) < 0.1] = np.nan
    return said


def copied(rate: float, seed: int, items: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """(9, items) and gold: nine who are right on 60, 63.75, .. 90%; the next three copy the weakest at that rate."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 2, items)
    said = np.stack([np.where(rng.random(items) < right, gold, 1 - gold) for right in np.linspace(0.6, 0.9, 9)])
    for j in (1, 2, 3):
        said[j] = np.where(rng.random(items) < rate, said[0], said[j])
    return said, gold


def test_files_that_begin_with_an_underscore_are_no_label_models():
    assert MODELS == ["accuracy", "bayesian", "blocks", "dawid_skene", "majority", "mean"]


@pytest.mark.parametrize("soft", [True, False], ids=["soft", "hard"])
@pytest.mark.parametrize("name", MODELS)
def test_rows_sum_to_one_and_silence_is_no_belief(name, soft):
    probs = crowd(soft=soft).copy()
    probs[1, :, :7] = np.nan
    belief = believed(name, probs)
    assert belief.probs.dtype == belief.confidence.dtype == np.float32
    silent = np.isnan(probs).any(-1).all(1)
    assert silent[1, :7].all()
    assert np.array_equal(np.isnan(belief.probs).any(-1), silent)
    assert np.allclose(belief.probs[~silent].sum(-1), 1, atol=1e-5)
    assert (belief.confidence[silent] == 0).all()
    assert (belief.confidence >= 0).all() and (belief.confidence <= 1).all()


@pytest.mark.parametrize("known", [False, True], ids=["skill unknown", "skill known"])
@pytest.mark.parametrize("name", MODELS)
def test_order_of_supervisors_items_and_classes_does_not_matter(name, known):
    probs, rng = crowd(), np.random.default_rng(3)
    right = np.array([[0.5, 0.6, np.nan, 0.7, 0.8], [0.55, 0.6, 0.6, np.nan, 0.8]]) if known else None
    who, where, what = (rng.permutation(n) for n in probs.shape[1:])
    straight = believed(name, probs, right)
    turned = believed(name, probs[:, who][:, :, where][..., what], right if right is None else right[:, who])
    assert np.allclose(turned.probs, straight.probs[:, where][..., what], atol=1e-5, equal_nan=True)
    assert np.allclose(turned.confidence, straight.confidence[:, where], atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_replicate_is_believed_the_same_alone(name):
    probs = crowd()
    assert np.array_equal(believed(name, probs).probs[1:], believed(name, probs[1:]).probs, equal_nan=True)


@pytest.mark.parametrize("name", MODELS)
def test_an_item_on_which_all_abstain_is_an_item_that_is_not_there(name):
    probs = crowd().copy()
    probs[:, :, 100:] = np.nan
    assert np.allclose(
        believed(name, probs).probs[:, :100], believed(name, probs[:, :, :100]).probs, atol=1e-5, equal_nan=True
    )


@pytest.mark.parametrize("soft", [True, False], ids=["soft", "hard"])
@pytest.mark.parametrize("name", MODELS)
def test_three_who_say_the_same_say_what_one_says(name, soft):
    one = crowd(soft=soft)[:, :1]
    spoke = ~np.isnan(one[:, 0]).any(-1)
    alone, thrice = believed(name, one), believed(name, np.repeat(one, 3, 1))
    assert np.array_equal(alone.probs, one[:, 0], equal_nan=True)
    assert np.array_equal(thrice.probs[spoke].argmax(-1), one[:, 0][spoke].argmax(-1))


@pytest.mark.parametrize("name", ["accuracy", "bayesian", "blocks"])
def test_an_echo_of_every_word_does_not_turn_the_belief_of_five(name):
    said, gold = copied(0, 0)
    clean, echoed = said[[0, 4, 5, 6, 7]], said[[0, 0, 0, 4, 5, 6, 7]]
    scores = [(believed(name, np.eye(2)[v][None]).probs[0].argmax(-1) == gold).mean() for v in (clean, echoed)]
    assert scores[1] > scores[0] - 0.03


def test_a_table_of_votes_gives_the_same_as_the_dense_array():
    probs = crowd(soft=False)[:1]
    worker, item = np.nonzero(~np.isnan(probs[0]).any(-1))
    votes = Votes.table(item, worker, probs[0, worker, item].argmax(-1))
    for name in NEW:
        assert np.allclose(label_models.find(name)(votes).probs, believed(name, probs).probs, atol=1e-6, equal_nan=True)


def test_an_em_of_two_hundred_thousand_votes_needs_no_dense_array():
    rng = np.random.default_rng(0)
    gold, right = rng.integers(0, 2, 70_000), np.linspace(0.6, 0.95, 200)
    item = np.repeat(np.arange(70_000), 3)
    worker = rng.integers(0, 200, len(item))
    label = np.where(rng.random(len(item)) < right[worker], gold[item], 1 - gold[item])
    votes = Votes.table(item, worker, label)
    odds = np.log(right / (1 - right))[worker, None] * votes.said
    q, share, best = em(votes, 0.1, steps=30), votes.mean, votes.sum(odds)  # best: by Bayes' rule, all accuracies known
    scores = [(belief.argmax(1) == gold).mean() for belief in (share, q, best)]
    assert scores[0] < scores[1] > scores[2] - 0.005


def test_dawid_skene_recovers_planted_confusions():
    rng = np.random.default_rng(0)
    gold = rng.choice(3, 4000, p=[0.5, 0.3, 0.2])
    planted = 0.6 * np.eye(3) + 0.4 * rng.dirichlet([1, 1, 1], (6, 3))  # (worker, true, said)
    said = (rng.random((6, 4000, 1)) > planted.cumsum(-1)[:, gold]).sum(-1)
    votes = replicates(WeakLabels(np.eye(3, dtype=np.float32)[said][None], tuple("abcdef")))[0]
    prior, confusion, _ = fitted(votes, em(votes, 0.1), 0.1)
    assert np.abs(np.exp(confusion).swapaxes(1, 2) - planted).max() < 0.06
    assert np.abs(np.exp(prior) - [0.5, 0.3, 0.2]).max() < 0.03


def slow_dawid_skene(said: np.ndarray, smoothing: float, steps: int) -> np.ndarray:
    """(N, C) from soft votes (J, N, C), in loops and plain products."""
    voters, items, classes = said.shape
    heard = ~np.isnan(said[..., 0])
    q = np.array([said[heard[:, i], i].mean(0) for i in range(items)])
    for _ in range(steps):
        prior, confusion = q.mean(0), np.full((voters, classes, classes), smoothing)
        for j in range(voters):
            for i in np.flatnonzero(heard[j]):
                confusion[j] += np.outer(q[i], said[j, i])
            confusion[j] /= confusion[j].sum(1, keepdims=True)
        for i in range(items):
            q[i] = prior
            for j in np.flatnonzero(heard[:, i]):
                q[i] *= np.prod(confusion[j] ** said[j, i], 1)
            q[i] /= q[i].sum()
    return q


@pytest.mark.parametrize("soft", [True, False], ids=["soft", "hard"])
def test_dawid_skene_agrees_with_a_slow_one(soft):
    said = crowd(items=120, soft=soft)[:1].astype(float)
    said = said[:, :, ~np.isnan(said[0, ..., 0]).all(0)]
    votes = replicates(WeakLabels(said, tuple("abcde")))[0]
    assert np.allclose(em(votes, 0.1, steps=12), slow_dawid_skene(said[0], 0.1, 12), atol=1e-9)


def test_dawid_skene_agrees_with_crowd_kit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = pytest.importorskip("crowdkit.aggregation", reason="crowd-kit is not installed", exc_type=ImportError)
        import pandas as pd

        said = crowd(soft=False)[0]
        worker, item = np.nonzero(~np.isnan(said).any(-1))
        label = said[worker, item].argmax(-1)
        table = pd.DataFrame({"task": item, "worker": worker, "label": label})
        theirs = oracle.DawidSkene(n_iter=20, tol=-np.inf).fit(table).probas_.sort_index().sort_index(axis=1)
    ours = em(Votes.table(item, worker, label), 1e-10, steps=20)
    assert np.allclose(ours[theirs.index], theirs.to_numpy(), atol=1e-8)


def test_three_hundred_supervisors_do_not_underflow():
    said = np.eye(2, dtype=np.float32)[np.random.default_rng(0).integers(0, 2, 40)]
    voices = np.repeat(said[None, None], 300, 1)
    voices[0, 0, 0] = 1 - voices[0, 0, 0]
    for name in NEW:
        assert np.array_equal(believed(name, voices).probs[0].argmax(-1), said.argmax(-1))


def test_skill_is_found_without_gold():
    said, gold = copied(0, 1, items=4000)
    votes = replicates(WeakLabels(np.eye(2, dtype=np.float32)[said][None], tuple("abcdefghi")))[0]
    assert np.abs((1 + skill(votes)) / 2 - (said == gold).mean(1)).max() < 0.03


def test_a_step_towards_skill_is_that_of_sums_over_every_pair_in_turn():
    said, _ = copied(0.4, 3)
    votes = replicates(WeakLabels(np.eye(2, dtype=np.float32)[said][None], tuple("abcdefghi")))[0]
    pairs = agreement(votes)
    a, precision = 2 * pairs.same / pairs.common - 1, pairs.common / 4.0
    s = np.linspace(0.2, 0.8, 9)
    above, below, off = np.full(9, PRIOR / 2), np.full(9, float(PRIOR)), []
    for j, m, agreed, sure in zip(pairs.j, pairs.m, a, precision, strict=True):
        weight = sure / (1 + sure * (agreed - s[j] * s[m]) ** 2 / 9) ** 2
        for one, other in ((j, m), (m, j)):
            above[one] += weight * agreed * s[other]
            below[one] += weight * s[other] ** 2
    stepped = (s + (above / below).clip(LOW, HIGH)) / 2
    for j, m, agreed, sure in zip(pairs.j, pairs.m, a, precision, strict=True):
        z = sure * (agreed - stepped[j] * stepped[m]) ** 2
        off.append(z / (1 + z / 9))
    value, found = _descended(s, pairs.j, pairs.m, a, precision, steps=1)
    assert np.allclose(found, stepped, rtol=1e-12)
    assert np.isclose(value, sum(off) + PRIOR * ((stepped - 0.5) ** 2).sum(), rtol=1e-12)


def test_a_vote_takes_one_number_whatever_the_number_of_classes():
    rng = np.random.default_rng(0)
    votes = Votes.table(np.arange(900) // 3, rng.integers(9, size=900), rng.integers(150, size=900), 150)
    # An annotator may have two votes on one item, on two classes or the same.
    assert votes.matrix.nnz <= 900 < votes.matrix.shape[1]
    assert np.array_equal(votes.matrix.toarray().reshape(300, 9, 150).sum(1), votes.sum(votes.said))


def test_skill_is_found_under_copying():
    for seed in range(5):
        said, gold = copied(0.7, seed)
        votes = replicates(WeakLabels(np.eye(2, dtype=np.float32)[said][None], tuple("abcdefghi")))[0]
        assert np.abs((1 + skill(votes)) / 2 - (said == gold).mean(1)).max() < 0.06


def test_known_skill_is_used_as_it_is():
    votes = replicates(WeakLabels(crowd(2)[:1], tuple("abcde"), skill=np.array([[0.5, 0.75, 0.6, 0.9, 1.0]])))[0]
    assert np.allclose(skill(votes), [0.02, 0.5, 0.2, 0.8, 0.98])  # (0.75 - 0.5) / 0.5 = 0.5; ends are cut


def test_one_good_supervisor_outvotes_two_poor_ones():
    said = np.eye(2, dtype=np.float32)[[[0, 1, 0], [1, 0, 0], [1, 0, 0]]][None]
    belief = believed("accuracy", said, np.array([[0.9, 0.6, 0.6]]))
    # odds of class 0 on the first item: 0.9 / 0.1 against (0.6 / 0.4)^2 = 9 / 2.25 = 4, so 4 / 5
    assert np.allclose(belief.probs[0, 0], [0.8, 0.2], atol=1e-6)


def test_agreement_counts_common_items_and_shares_ties():
    votes = Votes.table([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0, 0, 1, 0, 1])
    pairs = agreement(votes)
    assert [part.tolist() for part in (pairs.j, pairs.m, pairs.common, pairs.same)] == [[0], [1], [2], [1]]


@pytest.mark.parametrize("rate", [0.0, 0.4, 0.7])
def test_blocks_hold_where_dawid_skene_falls_off_the_cliff(rate):
    drawn = [copied(rate, seed) for seed in range(5)]
    probs = np.stack([np.eye(2)[said] for said, _ in drawn])
    gold = np.stack([gold for _, gold in drawn])
    score = {name: float((believed(name, probs).probs.argmax(-1) == gold).mean()) for name in MODELS}
    assert score["blocks"] > 0.94
    assert score["blocks"] > score["dawid_skene"] - 0.01
    if rate == 0.7:
        assert score["dawid_skene"] < 0.65 < score["majority"] < 0.9


def test_the_copiers_are_named_and_nobody_else():
    for rate, sizes in ((0.0, [1] * 9), (0.7, [4, 1, 1, 1, 1, 1])):
        for seed in range(5):
            votes = replicates(
                WeakLabels(np.eye(2, dtype=np.float32)[copied(rate, seed)[0]][None], tuple("abcdefghi"))
            )[0]
            block = found(votes)
            assert np.bincount(block).tolist() == sizes and len(set(block[:4])) == (1 if rate else 4)


def test_three_independent_supervisors_beat_the_best_and_bayes_is_no_worse_than_the_mean():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 6000)
    right = rng.random((3, 6000)) < 0.65
    sure = np.where(right, rng.beta(4, 3, right.shape), rng.beta(3, 4, right.shape))[..., None] * 0.45 + 0.52
    said = np.eye(2)[np.where(right, gold, 1 - gold)] * sure + np.eye(2)[np.where(right, 1 - gold, gold)] * (1 - sure)
    score = {name: (believed(name, said[None]).probs[0].argmax(-1) == gold).mean() for name in MODELS}
    assert (
        score["bayesian"] >= score["mean"] >= right.mean(1).max() + 0.04
    )  # 0.65^3 + 3 0.65^2 0.35 = 0.718 by majority


def test_vacuity_is_higher_where_supervisors_disagree():
    said = np.eye(2, dtype=np.float32)[[[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 1, 1]]][None]
    belief = believed("bayesian", said, np.full((1, 3), 0.7))
    vacuity = 1 - belief.confidence[0]
    assert vacuity[0] < vacuity[1] == pytest.approx(vacuity[2]) and vacuity[3] == pytest.approx(vacuity[1])
    # all three vote for class 0: alpha = ((0.7 / 0.3)^3, 1), vacuity 2 / (alpha_0 + 1)
    # two against one: alpha = (0.7 / 0.3, 1)
    assert vacuity[0] == pytest.approx(2 / ((7 / 3) ** 3 + 1), abs=1e-6)
    assert vacuity[1] == pytest.approx(2 / (7 / 3 + 1), abs=1e-6)


def test_evidence_that_cancels_is_none():
    said = np.eye(2, dtype=np.float32)[[[0, 0], [1, 0]]][None]
    belief = believed("bayesian", said, np.full((1, 2), 0.8))
    assert belief.confidence[0, 0] == pytest.approx(0) and np.allclose(belief.probs[0, 0], 0.5)


def test_a_rule_that_only_ever_names_one_class_speaks_by_silence():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 2000)
    said = np.full((1, 6, 2000, 2), np.nan, np.float32)
    for j in range(6):  # three rules a class: each finds 40% of its class, and 8% of the other by mistake
        fires = rng.random(2000) < np.where(gold == j % 2, 0.4, 0.08)
        said[0, j, fires] = np.eye(2, dtype=np.float32)[j % 2]
    weak = WeakLabels(said, tuple("abcdef"))
    heard = ~np.isnan(said[0]).all((0, 2))
    likely = np.zeros((2000, 2))  # Bayes, with the true rates
    for k in range(2):
        for j in range(6):
            rate = 0.4 if j % 2 == k else 0.08
            likely[:, k] += np.where(np.isnan(said[0, j, :, 0]), np.log(1 - rate), np.log(rate))
    best = (likely.argmax(1) == gold)[heard].mean()
    assert (label_models.find("dawid_skene")(weak).probs[0].argmax(-1) == gold)[heard].mean() > best - 0.01
    # Where nobody said that they saw every item, silence says nothing, and one-sided votes nothing of the class.
    item, worker = np.nonzero(~np.isnan(said[0, ..., 0]).T)
    missing = Votes(item, worker, said[0, worker, item].astype(float), 2000, 6)
    assert missing.silence.nnz == 0
    assert (label_models.find("dawid_skene")(missing).probs[0].argmax(-1) == gold)[heard].mean() < best - 0.1
    assert replicates(replace(weak, asked_all=False))[0].silence.nnz == 0


def test_rules_that_name_one_class_each_earn_no_trust_by_agreeing():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 3000)
    said = np.full((1, 7, 3000, 2), np.nan, np.float32)
    for j in range(
        7
    ):  # three rules for class 0, each right on half of the items it fires on; four for class 1, each on 90%
        fires = rng.random(3000) < (0.3 if j < 3 else np.where(gold == 1, 0.36, 0.04))
        said[0, j, fires] = np.eye(2, dtype=np.float32)[int(j >= 3)]
    votes = replicates(WeakLabels(said, tuple("abcdefg")))[0]
    assert votes.one_sided.all() and np.allclose(skill(votes), 0.5)
    assert found(votes).tolist() == list(range(7))
    majority = label_models.find("majority")(WeakLabels(said, tuple("abcdefg"))).probs
    for name in ("accuracy", "bayesian"):
        assert np.array_equal(label_models.find(name)(votes).probs.argmax(-1), majority.argmax(-1))


@pytest.mark.parametrize("sure", [0.6, 0.8, 0.9, 1.0])
def test_votes_that_are_half_sure_do_not_fade_away(sure):
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 2400)
    said = np.eye(2)[np.where(rng.random((3, 2400)) < 0.7, gold, 1 - gold)] * (2 * sure - 1) + 1 - sure
    for name in ("dawid_skene", "blocks"):
        assert (
            believed(name, said[None]).probs[0].argmax(-1) == gold
        ).mean() > 0.75  # .7^3 + 3 .7^2 .3 = .784 by majority
