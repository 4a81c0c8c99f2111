"""Losses in records: found again by the registry or by module and class, also in records of earlier versions."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import forked
from outgrow.core.errors import UserError
from outgrow.losses import LOSSES, FunctionLoss, Loss, as_loss
from outgrow.losses._names import loss_of, record_of
from outgrow.losses.evidential import Evidential
from outgrow.losses.gce import GCE
from outgrow.losses.logconf import Logconf
from outgrow.losses.xent import Xent


def squared(logits, targets, progress):
    return ((logits.softmax(-1) - targets) ** 2).sum(-1)


@pytest.mark.parametrize("loss", [GCE(0.4), Logconf(0.5, 0.1, "repository"), Evidential(), Xent()])
def test_a_loss_of_the_registry_is_named_and_found_with_its_fields(loss):
    record = json.loads(json.dumps(record_of(loss)))
    assert LOSSES.find(record["loss"]).kind is type(loss) and loss_of(record) == loss


def test_records_of_earlier_versions_are_read():
    assert loss_of({"file": "gce", "class": "GCE", "fields": {"q": 0.3}}) == GCE(0.3)
    assert (
        type(loss_of({"file": "adaptconf", "class": "AdaptConf", "fields": {"temperature": 2.0}})).__name__
        == "Adaptconf"
    )


OWN = '''
from dataclasses import dataclass
from outgrow.losses import Loss

@dataclass(frozen=True)
class Halved(Loss):
    """Half of the cross-entropy, at half of the logits."""

    share: float = 0.5

    def __call__(self, logits, targets, weights, progress):
        return -self.share * (targets * logits.log_softmax(-1)).sum(-1)

    def read(self, logits):
        return (self.share * logits).softmax(-1)
'''


def test_an_own_loss_is_found_by_module_and_class_in_another_process(tmp_path: Path, monkeypatch):
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_losses import Halved  # type: ignore[import-not-found]

    record = record_of(Halved(0.25))
    assert record == {"loss": "own_losses:Halved", "fields": {"share": 0.25}}
    script = (
        "import sys, json, torch\nsys.path.insert(0, sys.argv[1])\nfrom outgrow.losses._names import loss_of\n"
        "print(loss_of(json.loads(sys.argv[2])).read(torch.tensor([4.0, 0.0])).tolist())"
    )
    command = [sys.executable, "-c", script, str(tmp_path), json.dumps(record)]
    done = forked.run(command)
    # softmax of 0.25 * (4, 0)
    assert json.loads(done.stdout) == pytest.approx([1 / (1 + 2.718281828**-1), 1 / (1 + 2.718281828)], abs=1e-6)


def test_what_cannot_be_found_again_is_one_line():
    @dataclass(frozen=True)
    class Inner(Loss):
        def __call__(self, logits, targets, weights, progress):
            return logits.sum(-1)

    class Reading(Inner):
        def read(self, logits):
            return logits.sigmoid()

    # What reads logits as cross-entropy does is not needed to predict.
    assert loss_of(record_of(Inner())) == Xent()
    with pytest.raises(UserError, match="cannot be saved: make it a frozen dataclass at the top of a module"):
        record_of(Reading())
    with pytest.raises(UserError, match="the loss gone:Halved of the student cannot be imported"):
        loss_of({"loss": "gone:Halved", "fields": {}})
    with pytest.raises(UserError, match="json:loads of the student is no loss"):
        loss_of({"loss": "json:loads", "fields": {}})
    with pytest.raises(UserError, match="unknown loss 'gcee': did you mean 'gce'"):
        loss_of({"loss": "gcee", "fields": {}})


def test_a_function_is_a_loss_whose_logits_mean_what_those_of_cross_entropy_do():
    loss = as_loss(squared)
    logits, targets = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    # (1/2 - 1)^2 + (1/2 - 0)^2
    assert loss(logits, targets, torch.ones(1), 0.0).tolist() == [0.5]
    assert repr(loss) == f"FunctionLoss({__name__}:squared)" and loss.code == (loss, squared)
    assert loss_of(record_of(loss)).read(logits).tolist() == [[0.5, 0.5]]
    assert as_loss(None) == Xent() and as_loss(loss) is loss and isinstance(loss, FunctionLoss)
