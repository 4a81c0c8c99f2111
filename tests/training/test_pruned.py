"""Smaller siblings of tiny random checkpoints."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import families
import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation.local import Local
from outgrow.store import Store
from outgrow.training import causal, pruned
from outgrow.training.causal import Text

pytestmark = pytest.mark.usefixtures("float32")

PARAGRAPHS = pruned.paragraphs


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    return families.save(tmp_path_factory.mktemp("parent"), seed=1, depth=5)


@pytest.fixture(scope="module")
def small(parent, store):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruned, "paragraphs", lambda: tiny_models.texts(72, longest=12))  # 48 of them are held out
        yield pruned.resolve(f"sibling:{parent}:3", store)


def test_evenly_spaced_blocks_keep_the_first_and_the_last() -> None:
    assert pruned.evenly(30, 4) == [0, 10, 19, 29]
    assert pruned.evenly(5, 2) == [0, 4]


def test_blocks_that_change_least_go_first_but_never_an_end() -> None:
    assert pruned.most_changing([0.0, 0.1, 0.5, 0.3, 0.2, 0.0], 4) == [0, 2, 3, 5]


def test_the_change_of_a_block_is_that_of_its_hidden_states(parent, store) -> None:
    model = models.resolve(str(parent), store)
    texts = [Text(np.array(ids), 1) for ids in ([4, 7, 9, 5], [4, 8, 10, 11, 12, 5])]
    net = Local(model)._net
    each = [[] for _ in range(5)]
    for ids in (text.ids[:-1].tolist() for text in texts):
        with torch.no_grad():
            states = [
                s[0].numpy() for s in net.model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
            ]
        # transformers hands out the last state only after the final norm: the last block is left to the other test
        for block in range(4):
            x, y = states[block], states[block + 1]
            each[block] += [1 - (a @ b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(x, y, strict=True)]
    assert np.allclose(pruned.changes(model, texts)[:4], [np.mean(c) for c in each[:4]], atol=1e-5)


def test_a_sibling_without_healing_is_the_parent_with_blocks_left_out(parent, store) -> None:
    model = models.resolve(str(parent), store)
    small = Local(pruned._pruned(model, [0, 2, 4], store))
    net = Local(model)._net
    ids = [4, 7, 9, 11]
    net.model.layers = torch.nn.ModuleList([net.model.layers[block] for block in (0, 2, 4)])
    net.model.config.num_hidden_layers = 3
    with torch.no_grad():
        plain = net(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
    assert torch.allclose(small.begin([ids]).logits[0], plain, atol=1e-5)


def test_a_sibling_is_a_checkpoint_of_fewer_blocks_and_the_same_tokens(parent, store, small) -> None:
    big, made = Local(models.resolve(str(parent), store)), Local(small)
    assert small.depth == 3 and small.parameters < models.resolve(str(parent), store).parameters
    assert made.vocabulary == big.vocabulary
    again = models.resolve(str(small.path), store)
    assert (again.depth, again.parameters, again.kind) == (3, small.parameters, "causal")


def test_healing_brings_it_closer_to_its_parent_on_texts_that_it_did_not_see(parent, store, small) -> None:
    big = models.resolve(str(parent), store)
    texts = causal.read(big, [("", text) for text in pruned.paragraphs()])[:48]
    facts = json.loads((small.path / "record.json").read_text())["meta"]
    bare = Local(pruned._pruned(big, facts["blocks"], store))

    def divergence(model: Local) -> float:
        each = []
        for text in texts:
            begun, then = text.ids[: text.start].tolist(), text.ids[text.start :].tolist()
            p, q = (torch.log_softmax(one.logits([begun], [then])[0].double(), 1) for one in (Local(big), model))
            each += (p.exp() * (p - q)).sum(1).tolist()
        return float(np.mean(each))

    assert divergence(Local(small)) < divergence(bare)
    learned = causal.read(big, [("", text) for text in pruned.paragraphs()])[48:]
    assert facts["tokens"] == pruned.EPOCHS * sum(len(text.ids) for text in learned)
    assert facts["pruned"] == min(choice["loss"] for choice in facts["choices"])
    assert (
        f"loss a token: parent {facts['parent']:.2f}; pruned {facts['pruned']:.2f}; healed {facts['healed']:.2f}"
        in small.revision
    )


def test_the_divergence_it_learns_is_that_of_the_two_distributions(parent, store) -> None:
    big = models.resolve(str(parent), store)
    texts = [Text(np.array(ids), 1) for ids in ([4, 7, 9, 5], [4, 8, 10, 11, 12, 5])]
    network = causal.CausalNetwork(pruned._pruned(big, [0, 4], store), "full", 64, np.random.default_rng(0))
    found = sum(part.item() for part in pruned.Healing(Local(big), texts).losses(network, np.array([0, 1]), 0.5))
    slowly = []
    for text in texts:
        for t in range(1, len(text.ids)):
            ids = torch.tensor(text.ids[None, :t])
            p, q = (
                torch.log_softmax(net(input_ids=ids).logits[0, -1].double(), 0)
                for net in (Local(big)._net, network.net)
            )
            slowly.append((p.exp() * (p - q)).sum().item())
    assert found == pytest.approx(np.mean(slowly), abs=1e-4)


def test_paragraphs_are_prose_that_comes_once() -> None:
    found = PARAGRAPHS()
    assert 300 < len(found) == len(set(found)) <= 560
    assert all(text[0].isalpha() and "\n" not in text for text in found)


def test_a_sibling_is_made_once(parent, store, small, monkeypatch) -> None:
    monkeypatch.setattr(pruned, "_healed", None)
    assert pruned.resolve(f"sibling:{parent}:3", store) == small


def test_a_name_without_a_depth_or_with_an_impossible_one_is_refused(parent, store) -> None:
    for name in ("sibling:smollm2-135m", f"sibling:{parent}:many"):
        with pytest.raises(UserError, match="give sibling:PARENT:DEPTH"):
            pruned.resolve(name, store)
    with pytest.raises(UserError, match="with 5 blocks: give 2 to 4"):
        pruned.resolve(f"sibling:{parent}:5", store)
