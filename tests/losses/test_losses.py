"""The training losses against their formulas, written out slowly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from outgrow.losses import registry
from outgrow.losses.logconf import Logconf, hardened, prior
from outgrow.losses.product import Product
from outgrow.losses.xent import Xent


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    logits = torch.tensor(rng.normal(size=(2, 31, 2)), dtype=torch.float64)
    targets = torch.tensor(rng.dirichlet([2.0, 1.0], (2, 31)))
    weights = torch.tensor((rng.random((2, 31)) < 0.7).astype(float))
    return logits, targets, weights


def slow_logconf(logits, targets, weights, a):
    """One item at a time: the share of trained items that the weak prior calls class 1 is hardened to class 1."""
    out = np.zeros(logits.shape[:2])
    for r in range(len(logits)):
        z, w, used = logits[r].numpy(), targets[r].numpy(), weights[r].numpy() > 0
        share = w[used][:, 1].mean()
        margin = z[:, 1] - z[:, 0]
        bar = sorted(margin[used], reverse=True)[: round(share * used.sum())][-1]
        for i in range(len(z)):
            log_f = z[i] - np.log(np.exp(z[i]).sum())
            hard = 1 if margin[i] >= bar else 0
            out[r, i] = -(1 - a) * (w[i] @ log_f) - a * log_f[hard]
    return out


def test_logconf_equals_the_formula_written_out(batch):
    logits, targets, weights = batch
    got = Logconf(alpha=0.6)(logits, targets, weights, 0.9).numpy()
    used = weights.numpy() > 0
    assert np.allclose(got[used], slow_logconf(logits, targets, weights, 0.6)[used])


def test_logconf_without_strength_is_cross_entropy(batch):
    assert torch.equal(Logconf(alpha=0.0)(*batch, 0.7), Xent()(*batch, 0.7))


def test_the_papers_schedule_reaches_alpha_at_the_end_of_warm_up():
    paper, repository = Logconf(0.75, 0.2), Logconf(0.75, 0.2, "repository")
    assert paper.strength(0.1) == pytest.approx(0.375)
    assert paper.strength(0.2) == paper.strength(1.0) == 0.75
    # the published code multiplies by progress alone: just before the end of warm-up it has reached .75 x .2 = .15
    assert repository.strength(0.2 - 1e-9) == pytest.approx(0.15)
    assert repository.strength(0.2) == 0.75


def test_no_gradient_passes_through_the_hardened_answers(batch):
    logits, targets, weights = batch
    leaf = logits.clone().requires_grad_()
    Logconf(alpha=1.0, warmup=0.0)(leaf, targets, weights, 1.0).sum().backward()
    hard = hardened(logits, prior(targets, weights), weights)
    assert torch.allclose(leaf.grad, logits.softmax(-1) - hard)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_hardened_answers_keep_the_weak_balance(classes):
    rng = np.random.default_rng(classes)
    logits = torch.tensor(rng.normal(size=(3, 400, classes)) + np.arange(classes))
    targets = torch.tensor(rng.dirichlet(np.arange(1.0, classes + 1)[::-1].copy(), (3, 400)))
    weights = torch.tensor((rng.random((3, 400)) < 0.8).astype(float))
    used = weights.bool()
    for r in range(3):
        share = hardened(logits, prior(targets, weights), weights)[r][used[r]].mean(0)
        assert np.allclose(share, prior(targets, weights)[r], atol=1.5 / used[r].sum())


def test_ties_at_a_zero_head_fall_by_position():
    logits, weights = torch.zeros(1, 10, 2), torch.ones(1, 10)
    answers = hardened(logits, torch.tensor([[0.7, 0.3]]), weights)
    assert answers[0, :, 1].tolist() == [1.0] * 3 + [0.0] * 7


def test_product_is_the_normalised_product(batch):
    logits, targets, weights = batch
    f = logits.softmax(-1)
    aim = f**0.5 * targets**2
    aim = aim / aim.sum(-1, keepdim=True)
    assert torch.allclose(Product(alpha=2.0, beta=0.5).aim(logits, targets, weights, 0.3), aim, atol=1e-6)


def test_every_loss_says_what_it_is_in_a_line():
    assert {"xent", "logconf", "product"} <= set(registry())
    assert all(10 < len(line) < 140 for line in (one.line for one in registry().values()))
