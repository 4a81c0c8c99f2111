"""Selections against slow and obvious second implementations; and students on part of the labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from outgrow import methods, selection
from outgrow.core.worlds import World, plant
from outgrow.label_models import Belief
from outgrow.selection.agreement import agreement
from outgrow.selection.confidence import confidence
from outgrow.selection.margin import margin
from outgrow.selection.neighbours import neighbourhood, neighbours
from outgrow.selection.overlap import overlap, signs
from outgrow.students.crossfit import answers, crossfit, folds
from outgrow.students.probe import Probe, Space
from planted import resources

N = 90
SILENT = slice(0, 7)


def drawn(classes: int = 3, replicates: int = 2, seed: int = 0):
    """A belief with silent items, features that differ between replicates, and a second opinion."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.linspace(0.5, 2, classes), (replicates, N)).astype(np.float32)
    probs[:, SILENT] = np.nan
    features = [(rng.normal(size=(N, 5)) * np.arange(1, 6) + 3).astype(np.float32) for _ in range(replicates)]
    return Belief.of(probs), features, rng.dirichlet(np.ones(classes), (replicates, N)).astype(np.float32)


def weights_of_all(belief, features, opinion) -> dict[str, np.ndarray]:
    return {
        "agreement": agreement(belief, opinion),
        "confidence": confidence(belief, 0.5),
        "margin": margin(belief),
        "neighbours": neighbours(belief, features, 5),
        "overlap": overlap(belief, features, opinion, 0.5, 5),
    }


@pytest.mark.parametrize("classes", [2, 3])
def test_every_selection_gives_weights_and_none_to_an_item_without_a_label(classes):
    found = weights_of_all(*drawn(classes))
    assert set(found) == set(selection.registry())
    for name, weights in found.items():
        assert weights.shape == (2, N) and weights.dtype == np.float32, name
        assert (weights[:, SILENT] == 0).all() and (weights >= 0).all() and (weights <= 1).all(), name
        assert (weights.sum(1) > 0).all(), name


def test_what_silent_items_look_like_changes_no_weight():
    belief, features, opinion = drawn()
    before = weights_of_all(belief, features, opinion)
    for x in features:
        x[SILENT] += 100
    opinion[:, SILENT] = opinion[:, SILENT][..., ::-1]
    after = weights_of_all(belief, features, opinion)
    assert all(np.array_equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_share_kept_of_every_class_is_what_was_asked(share):
    belief, features, opinion = drawn()
    for weights in (confidence(belief, share), overlap(belief, features, opinion, share, 5)):
        for r in range(2):
            for c in range(3):
                named = np.array([not np.isnan(p).any() and p.argmax() == c for p in belief.probs[r]])
                assert weights[r, named].sum() == 1 + math.floor(share * (named.sum() - 1) + 1e-9)
                # the quantile of n scores at 1 - share is at (n - 1)(1 - share): all from there on are kept


def test_items_that_score_as_the_last_one_kept_are_kept_with_it():
    belief = Belief(np.tile(np.float32([0.9, 0.1]), (1, 4, 1)), np.float32([[0.1, 0.7, 0.7, 0.7]]))
    assert confidence(belief, 0.25).tolist() == [[0, 1, 1, 1]]


def test_the_margin_weight_is_the_papers_formula():
    belief, _, _ = drawn(2)
    p = belief.probs[0, 7:].astype(float)
    expected = [2 * (1 / (1 + math.exp(-abs(math.log(a) - math.log(b)))) - 0.5) for a, b in p]
    assert np.allclose(margin(belief)[0, 7:], expected, atol=1e-6)
    assert np.allclose(margin(belief), belief.confidence, atol=1e-6), "of two classes it is how far from even odds"
    certain = Belief.of(np.float32([[[1, 0, 0], [0.5, 0.5, 0], [0.6, 0.3, 0.1]]]))
    assert np.allclose(margin(certain), [[1, 0, 1 / 3]])


@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize("k", [1, 4])
def test_neighbourhoods_are_those_of_a_search_item_by_item(block, k):
    rng = np.random.default_rng(1)
    x, values = rng.normal(size=(40, 6)).astype(np.float32), rng.random((40, 3))
    means, reach = neighbourhood(x, values, k, block)
    for i in range(40):
        far = [(math.dist(x[i], x[j]), j) for j in range(40) if j != i]
        nearest = sorted(far)[:k]
        assert reach[i] == pytest.approx(nearest[-1][0], abs=1e-6)
        assert np.allclose(means[i], sum(values[j] for _, j in nearest) / k)


def test_neighbours_at_one_distance_all_count_in_whatever_order():
    x = np.float32([[0, 0], [1, 0], [-1, 0], [0, 1], [5, 5]])
    values = np.eye(5)
    means, reach = neighbourhood(x, values, 2)
    assert np.allclose(means[0], [0, 1 / 3, 1 / 3, 1 / 3, 0]) and reach[0] == 1
    order = np.array([4, 2, 0, 3, 1])
    turned, _ = neighbourhood(x[order], values[order], 2)
    assert np.allclose(turned, means[order])
    assert np.allclose(neighbourhood(x[:3], values[:3], 15)[0][0], [0, 0.5, 0.5, 0, 0]), "fewer items than neighbours"


def test_neighbours_are_asked_for_more_than_the_classes_share():
    belief, features, _ = drawn()
    kept = neighbours(belief, features, 5)
    for r, x in enumerate(features):
        spoken = [i for i in range(N) if not np.isnan(belief.probs[r, i]).any()]
        prior = np.mean([belief.probs[r, i] for i in spoken], 0, dtype=float)
        for i in spoken:
            near = sorted((j for j in spoken if j != i), key=lambda j: math.dist(x[i], x[j]))[:5]
            lift = np.mean([belief.probs[r, j] for j in near], 0, dtype=float) / prior
            assert kept[r, i] == (belief.probs[r, i].argmax() == lift.argmax())


def test_the_signs_of_overlap_one_item_at_a_time():
    belief, features, opinion = drawn()
    w, x, f = belief.probs[1, 7:].astype(float), features[1][7:], opinion[1, 7:].astype(float)
    prior, entropies = w.mean(0), [-sum(p * math.log(p) for p in row if p > 0) for row in w]
    rows = []
    for i, row in enumerate(w):
        y = row.argmax()
        near = sorted((j for j in range(len(w)) if j != i), key=lambda j: math.dist(x[i], x[j]))[:4]
        ratio = math.log(f[i, y] / (1 - f[i, y]) / (prior[y] / (1 - prior[y])))
        medium = -abs(entropies[i] - sorted(entropies)[len(w) // 2])
        rows.append([ratio, np.mean([w[j, y] for j in near]), -math.dist(x[i], x[near[-1]]), medium])
    expected = np.array(rows).T
    expected = (expected - expected.mean(1, keepdims=True)) / expected.std(1, keepdims=True)
    assert len(w) % 2 == 1, "the median is an item's"
    assert np.allclose(signs(belief.probs[1, 7:], x, opinion[1, 7:], 4), expected, atol=1e-5)


def test_a_sign_that_says_the_same_of_all_items_says_nothing():
    hard = np.eye(2)[np.arange(20) % 2]
    found = signs(hard, np.random.default_rng(2).normal(size=(20, 3)), np.full((20, 2), 0.5), 3)
    assert np.array_equal(found[[0, 3]], np.zeros((2, 20))) and np.isfinite(found).all()


def student(replicates: int = 3) -> tuple[Probe, np.ndarray]:
    """A student of items in groups of two, and its weak labels."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 1, N, 8)).astype(np.float32)
    targets = rng.dirichlet(np.ones(2), (replicates, N)).astype(np.float32)
    train = rng.random((replicates, N)) < 0.7
    targets[:, SILENT] = np.nan
    return Probe(Space(x, (1, 2), np.ones(N, bool)), train, np.arange(N) // 2, 0, range(replicates)), targets


def test_what_is_said_of_an_item_out_of_fold_does_not_depend_on_its_label():
    probe, targets = student()
    before = crossfit(probe, targets)
    assert before.shape == targets.shape and np.allclose(before.sum(-1), 1, atol=1e-5)
    for i in np.flatnonzero(probe.train.any(0))[7:40:6]:
        changed = targets.copy()
        group = probe.groups == probe.groups[i]
        changed[:, group] = 1 - changed[:, group]
        after = crossfit(probe, changed)
        assert after[:, group].tobytes() == before[:, group].tobytes()
        assert not np.array_equal(after, before), "others' answers do depend on it"


def test_out_of_fold_is_a_fit_on_the_other_folds():
    probe, targets = student()
    out, fold = crossfit(probe, targets), folds(probe, "crossfit", 5)
    for k in range(5):
        alone = probe.on(probe.train & (fold != k)).fit(targets).predict()
        assert np.allclose(out[fold == k], alone[fold == k], atol=1e-6)


def test_folds_are_whole_groups_of_even_size_and_no_replicates_are_alike():
    probe, _ = student()
    fold = folds(probe, "crossfit", 5)
    assert (fold[:, ::2] == fold[:, 1::2]).all()
    assert all(set(np.bincount(row)) == {18} for row in fold)
    assert not np.array_equal(fold[0], fold[1])
    assert not np.array_equal(fold, folds(probe, "fold", 5)), "the student's own"


def test_folds_follow_items_in_another_order():
    probe, _ = student()
    order = np.random.default_rng(4).permutation(N)
    turned = Probe(probe.space, probe.train[:, order], probe.groups[order], probe.seed, probe.replicates)
    assert np.array_equal(folds(turned, "crossfit", 5), folds(probe, "crossfit", 5)[:, order])


def test_answers_have_the_balance_of_the_targets():
    probe, targets = student()
    found = answers(crossfit(probe, targets), targets)
    assert np.isnan(found[:, SILENT]).all()
    assert np.array_equal(np.nansum(found, 1), np.round(np.nansum(targets, 1)))


@pytest.mark.parametrize(
    "name", ["confidence_weight", "agreement_filter", "knn_filter", "overlap", "trust", "curriculum", "iterate"]
)
def test_a_method_that_chooses_trains_more_on_what_is_right(name, monkeypatch):
    found = resources(plant(methods.find(name).wins, 0, 4))
    fit, given = Probe.fit, []

    def watched(self, targets, *, weights=None, **more):
        given.append((targets, weights))
        return fit(self, targets, weights=weights, **more)

    monkeypatch.setattr(Probe, "fit", watched)
    methods.find(name).fit(found)
    targets, weights = given[-1]
    right = targets.argmax(-1) == found.gold
    used = ~np.isnan(found.weak.beliefs).any(-1)
    for r in range(4):
        naively = (found.weak.beliefs[r].argmax(-1) == found.gold)[used[r]].mean()
        assert np.average(right[r, used[r]], weights=weights[r, used[r]]) > naively + 0.02


def test_trust_sees_where_the_supervisor_is_right():
    """All errors, 40% of the items, lie in one half of the space that the supervisor's features show: 80% of it."""
    found = resources(plant(World(rate=0.4, errors="region", weak_width=12), 0, 2))
    given = []
    found.student.fit = lambda targets, weights: given.append(weights)
    methods.find("trust").fit(found)
    right = found.weak.beliefs.argmax(-1) == found.gold
    for r, used in enumerate(found.student.train):
        trusted = given[0][r, used]
        assert trusted[right[r, used]].mean() > trusted[~right[r, used]].mean() + 0.2
        assert trusted.mean() == pytest.approx(right[r, used].mean(), abs=0.05), "it is a probability"
