"""The probe against scikit-learn, and what it may and may not depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from outgrow.losses import FunctionLoss, Loss
from outgrow.losses.logconf import Logconf
from outgrow.losses.xent import Xent
from outgrow.students import linear, mlp
from outgrow.students.linear import AT_ONCE, Basis, train
from outgrow.students.probe import Probe, Space

N, D = 300, 20


def features(seed: int = 0, layers: int = 1, sides: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(D, D)) * np.exp(-np.arange(D) / 5)
    return (rng.normal(size=(layers, sides, N, D)) @ mixing + 3).astype(np.float32)


def soft(classes: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), N).astype(np.float32)


def by_scikit(x: np.ndarray, targets: np.ndarray, ridge: float, bias: bool = True) -> np.ndarray:
    """Soft targets as weighted copies of every item; C = 1 / (ridge x items) makes the two penalties the same.

    For two classes scikit-learn penalises the difference of the two weight vectors, as we do."""
    classes = targets.shape[1]
    fit = LogisticRegression(C=1 / (ridge * len(x)), tol=1e-10, max_iter=10_000, fit_intercept=bias)
    fit.fit(np.tile(x, (classes, 1)), np.repeat(np.arange(classes), len(x)), sample_weight=targets.T.ravel())
    return fit.predict_proba(x)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("ridge", [0.003, 0.1])
def test_a_linear_head_is_ridge_logistic_regression(classes, ridge):
    x, targets = features()[0, 0], soft(classes)
    basis = Basis.of(torch.from_numpy(x), torch.ones(N, dtype=torch.bool))
    heads = train(basis, torch.arange(N), torch.from_numpy(targets)[None], torch.ones(1, N), torch.tensor([ridge]))
    ours = heads.logits(basis.x)[0].softmax(-1).numpy()
    assert np.allclose(ours, by_scikit((x - x.mean(0)) / x.std(0), targets, ridge), atol=2e-3)


def test_a_head_on_differences_has_no_bias_and_is_odd():
    x = features(sides=2)
    space = Space(x, (1,), np.ones(N, bool))
    swapped = Space(x[:, ::-1].copy(), (1,), np.ones(N, bool))
    targets = soft(2)
    rows = np.ones((1, N), bool)
    one = Probe(space, rows, np.arange(N), 0, [0]).fit(targets).predict()
    other = Probe(swapped, rows, np.arange(N), 0, [0]).fit(targets[:, ::-1]).predict()
    assert np.allclose(one, other[..., ::-1], atol=1e-5)


def test_fewer_items_than_features_give_the_same_answer_as_the_full_basis():
    x, targets = features()[0, 0][:15], soft(2)[:15]
    basis = Basis.of(torch.from_numpy(x), torch.ones(15, dtype=torch.bool))
    assert basis.x.shape[1] <= 15 + 1
    heads = train(basis, torch.arange(15), torch.from_numpy(targets)[None], torch.ones(1, 15), torch.tensor([0.1]))
    expected = by_scikit((x - x.mean(0)) / x.std(0), targets, 0.1)
    assert np.allclose(heads.logits(basis.x)[0].softmax(-1).numpy(), expected, atol=2e-3)


def test_a_replicate_does_not_depend_on_its_neighbours_labels():
    space, groups = Space(features(layers=2), (1, 2), np.ones(N, bool)), np.arange(N)
    rows = np.random.default_rng(2).random((3, N)) < 0.7
    targets = np.stack([soft(2, seed) for seed in range(3)])
    together = Probe(space, rows, groups, 0, range(3)).fit(targets).predict()
    other = targets.copy()
    other[1:] = other[1:, :, ::-1]
    assert np.allclose(Probe(space, rows, groups, 0, range(3)).fit(other).predict()[0], together[0], atol=1e-4)


def test_rows_that_may_not_be_trained_on_change_nothing():
    space, groups = Space(features(), (1,), np.ones(N, bool)), np.arange(N)
    rows = np.random.default_rng(2).random((2, N)) < 0.5
    targets = np.stack([soft(2)] * 2)
    other = targets.copy()
    other[~rows] = [1, 0]
    probe = Probe(space, rows, groups, 0, range(2))
    assert (
        probe.fit(targets).predict().tobytes() == Probe(space, rows, groups, 0, range(2)).fit(other).predict().tobytes()
    )


def test_noise_labels_choose_a_strong_ridge_and_clean_labels_a_weak_one():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 1, N, D)).astype(np.float32)
    space, rows = Space(x, (1,), np.ones(N, bool)), np.ones((1, N), bool)
    clean = np.eye(2, dtype=np.float32)[(x[0, 0] @ rng.normal(size=D) > 0).astype(int)]
    noise = np.eye(2, dtype=np.float32)[rng.integers(0, 2, N)]
    probe = Probe(space, rows, np.arange(N), 0, [0])
    assert probe.fit(noise).settings.ridge[0] > 10 * probe.fit(clean).settings.ridge[0]


def test_the_layer_that_predicts_held_out_targets_is_chosen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 1, N, D)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[(x[1, 0] @ rng.normal(size=D) > 0).astype(int)]
    fitted = Probe(Space(x, (4, 8, 12), np.ones(N, bool)), np.ones((4, N), bool), np.arange(N), 0, range(4)).fit(
        targets
    )
    assert [s["layer"] for s in fitted.chosen()] == [8] * 4


def test_held_out_groups_stay_whole():
    groups = np.repeat(np.arange(N // 3), 3)
    folds = Probe(Space(features(), (1,), np.ones(N, bool)), np.ones((2, N), bool), groups, 0, range(2))._folds()
    assert all(len(set(folds[r, groups == g])) == 1 for r in range(2) for g in range(N // 3))
    assert (folds[0] != folds[1]).any()


def test_a_loss_without_an_aim_trains_by_its_gradient():
    class Squared(Loss):
        def __call__(self, logits, targets, weights, progress):
            return (logits.softmax(-1) - targets).square().sum(-1)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 1, N, D)).astype(np.float32)
    gold = (x[0, 0] @ rng.normal(size=D) > 0).astype(int)
    fitted = Probe(Space(x, (1,), np.ones(N, bool)), np.ones((1, N), bool), np.arange(N), 0, [0]).fit(
        np.eye(2, dtype=np.float32)[gold], loss=Squared()
    )
    assert (fitted.predict()[0].argmax(-1) == gold).mean() > 0.95


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in the plane and whether they are far from the middle: no line tells."""
    x = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
    return x, (np.square(x).sum(1) > 1.4).astype(np.int64)


def test_a_small_network_learns_what_no_line_can():
    x, label = rings(600, 3)
    space = Space(x[None, None], (1,), np.ones(600, bool))
    rows = np.tile(np.arange(600) < 400, (2, 1))
    targets = np.eye(2, dtype=np.float32)[label]
    right = {
        head: (
            Probe(space, rows, np.arange(600), 0, range(2), head).fit(targets).predict(~rows[0]).argmax(-1)
            == label[400:]
        ).mean()
        for head in ("linear", "mlp")
    }
    assert right["mlp"] > 0.85 > 0.7 > right["linear"]


@pytest.mark.parametrize(
    "loss", [Xent(), Logconf(), FunctionLoss(lambda z, t, p: (z.softmax(-1) - t).square().sum(-1))]
)
@pytest.mark.parametrize("classes", [2, 3])
def test_heads_that_share_targets_are_those_with_targets_of_their_own(classes, loss):
    basis = Basis.of(torch.from_numpy(features()[0, 0]), torch.ones(N, dtype=torch.bool))
    rows, ridges = torch.arange(N), torch.tensor([0.01, 0.01, 0.3, 0.3])
    targets = torch.stack([torch.from_numpy(soft(classes, seed)) for seed in (1, 2)])
    weights = torch.rand(2, N, generator=torch.Generator().manual_seed(1))
    shared = train(basis, rows, targets, weights, ridges, loss)
    for h in range(4):
        own = train(basis, rows, targets[h % 2 :][:1], weights[h % 2 :][:1], ridges[:1].expand(1), loss)
        if ridges[h] == ridges[0]:
            assert torch.allclose(shared.weights[h], own.weights[0], atol=1e-5)
    seeds = [5, 9, 5, 9]
    networks = mlp.train(basis, rows, targets, weights, ridges, seeds, loss, steps=10)
    repeated = mlp.train(basis, rows, targets.repeat(2, 1, 1), weights.repeat(2, 1), ridges, seeds, loss, steps=10)
    assert torch.allclose(networks.logits(basis.x), repeated.logits(basis.x), atol=1e-5)


def test_ridges_taken_one_at_a_time_give_the_heads_of_all_at_once():
    classes = 40
    basis = Basis.of(torch.from_numpy(features()[0, 0]), torch.ones(N, dtype=torch.bool))
    targets, weights = torch.from_numpy(soft(classes)).expand(120, -1, -1), torch.ones(120, N)
    ridges = torch.tensor([0.01, 0.1, 1.0]).repeat_interleave(120)
    # 120 heads x 40 classes x 300 items are 1.4 million scores, three times that more than AT_ONCE.
    assert 2 * 120 * classes * N < AT_ONCE < 3 * 120 * classes * N
    heads = train(basis, torch.arange(N), targets, weights, ridges, steps=5, snapshots=True)
    for at, ridge in ((0, 0.01), (120, 0.1), (359, 1.0)):
        # Step sizes come from the smallest ridge, so that the single head is trained beside it.
        alone = train(
            basis, torch.arange(N), targets[:1], weights[:1], torch.tensor([0.01, ridge]), steps=5, snapshots=True
        )
        assert torch.allclose(heads.weights[at], alone.weights[1], atol=1e-6)
        assert torch.allclose(heads.snapshots[2][1].weights[at], alone.snapshots[2][1].weights[1], atol=1e-6)


def test_descent_keeps_to_the_device_of_the_features():
    x, targets, weights = (torch.rand(shape, device="meta") for shape in ((9, 4), (2, 9, 3), (2, 9)))
    one = torch.rand(2, 1, 4, device="meta")
    pull = linear._Pull(Xent(), targets, weights, 4)(torch.rand(4, 3, 9, device="meta"), 0.5)
    assert pull.device.type == "meta" and pull.shape == (4, 3, 9)
    assert linear._largest(x, weights.unsqueeze(1), one, one).device.type == "meta"


def test_networks_trained_together_are_those_trained_alone_step_by_step():
    x, targets = torch.from_numpy(features()[0, 0]), torch.from_numpy(soft(3))
    basis = Basis.of(x, torch.ones(N, dtype=torch.bool))
    weights = torch.rand(2, N, generator=torch.Generator().manual_seed(1))
    rows, ridges = torch.arange(N), torch.tensor([0.01, 0.3])
    both = mlp.train(basis, rows, targets.repeat(2, 1, 1), weights, ridges, [5, 9], steps=20)
    for h, seed in enumerate((5, 9)):
        first, second = (part.clone().requires_grad_() for part in mlp._start(seed, basis.x.shape[1], 3))
        optimiser = torch.optim.Adam([first, second], lr=mlp.LEARNING_RATE)
        for step in range(40):
            optimiser.param_groups[0]["lr"] = mlp.LEARNING_RATE * (1 - step / 40)
            optimiser.zero_grad()
            cross = torch.nn.functional.cross_entropy((basis.x @ first).tanh() @ second, targets, reduction="none")
            # The last column is the bias, which ridge leaves alone.
            size = first[:-1].square().sum() + second.square().sum()
            ((cross * weights[h]).sum() / weights[h].sum() + ridges[h] / 2 * size).backward()
            optimiser.step()
        alone = ((basis.x @ first).tanh() @ second).softmax(-1)
        assert torch.allclose(both.logits(basis.x)[h].softmax(-1), alone, atol=1e-4)


def test_a_network_on_differences_is_odd():
    x = features(sides=2)
    targets = soft(2)
    first, second = (
        Probe(Space(sides, (1,), np.ones(N, bool)), np.ones((1, N), bool), np.arange(N), 0, [0], "mlp")
        .fit(wanted)
        .predict()
        for sides, wanted in ((x, targets), (x[:, ::-1].copy(), targets[:, ::-1]))
    )
    assert np.allclose(first, second[..., ::-1], atol=1e-4)


def test_each_view_is_the_student_that_has_no_other():
    x, groups = features(layers=3), np.arange(N)
    space = Space(x, (1, 2, 2), np.ones(N, bool), poolings=("last", "last", "mean"))
    student, targets = Probe(space, np.ones((2, N), bool), groups, 0, range(2)), soft(3)
    for at, one in enumerate(student.views()):
        alone = Probe(Space(x[[at]], (1,), space.reference), student.train, groups, 0, range(2))
        assert np.allclose(one.fit(targets).predict(), alone.fit(targets).predict(), atol=1e-5)
        assert [found["pooling"] for found in one.fit(targets).chosen()] == [space.poolings[at]] * 2


def test_what_a_view_tells_is_the_share_of_held_out_entropy_that_it_explains():
    x = features(layers=2)
    gold = (x[0, 0, :, 0] > np.median(x[0, 0, :, 0])).astype(int)
    student = Probe(Space(x, (1, 2), np.ones(N, bool)), np.ones((1, N), bool), np.arange(N), 0, [0])
    told, fold = student.told(np.eye(2, dtype=np.float32)[gold]), student._folds()[0]
    # Four folds of 60 hold 200 items and more, so that the fifth is not held out; half of each class is log 2 an item.
    for layer, z in enumerate((x[:, 0] - x[:, 0].mean(1, keepdims=True)) / x[:, 0].std(1, keepdims=True)):
        lost = []
        for ridge in linear.RIDGES:
            lost.append(0.0)
            for k in range(4):
                fit = LogisticRegression(C=1 / (ridge * (fold != k).sum()), max_iter=10_000)
                p = fit.fit(z[fold != k], gold[fold != k]).predict_proba(z[fold == k])
                lost[-1] -= np.log(p[np.arange(len(p)), gold[fold == k]]).sum()
        assert told[layer, 0] == pytest.approx(1 - min(lost) / (240 * np.log(2)), abs=0.03)
    assert told[0, 0] > 0.5 > 0.1 > told[1, 0]


def test_the_student_of_a_view_keeps_it_on_other_rows():
    rows = np.random.default_rng(0).random((1, N)) < 0.7
    student = Probe(Space(features(layers=3), (1, 2, 3), np.ones(N, bool)), np.ones((1, N), bool), np.arange(N), 0, [0])
    assert [one.on(rows).fit(soft(2)).settings.layer.tolist() for one in student.views()] == [[0], [1], [2]]
