"""Losses of pairs against trl and slow loops of their own, and a model that learns what is better."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation.local import Local
from outgrow.generation.preference import Dpo, PreferencePair, Wspo, confidence
from outgrow.store import Store
from outgrow.training import causal as tuning
from outgrow.training import checkpoint, classifier, loop
from outgrow.training.causal import Example

pytestmark = pytest.mark.usefixtures("float32")

PAIRS = [
    PreferencePair("the city of", "lyon is in france", "rome no"),
    PreferencePair("rome is", "in spain not", "so so so so so", confidence=0.25),
    PreferencePair("a very", "yes", "an : an"),
    PreferencePair("so : paris is in france", "true true", "maybe", confidence=2.0),
]


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def base(causal, store) -> models.Model:
    return models.resolve(str(causal), store)


def tuned(base: models.Model, store: Store, side: str = "rejected") -> models.Model:
    return tuning.tune(
        base,
        [Example(pair.prompt, getattr(pair, side)) for pair in PAIRS],
        kind="full",
        seed=0,
        store=store,
        epochs=4,
        rate=1e-2,
    )


def choices(base: models.Model, store: Store, loss, weak=()) -> tuning.AnswerPairs:
    texts = [
        tuning.read(base, [(pair.prompt, getattr(pair, side)) for pair in PAIRS], False)
        for side in ("chosen", "rejected")
    ]
    return tuning.AnswerPairs(
        base,
        texts[: 1 + loss.both],
        weak,
        np.array([pair.confidence for pair in PAIRS]),
        loss,
        1,
        0,
        store,
        "pairs",
    )


@functools.cache
def slow(model: models.Model):
    from transformers import AutoModelForCausalLM

    return Local(model), AutoModelForCausalLM.from_pretrained(
        model.path, dtype=torch.float64, attn_implementation="eager"
    ).eval()


def slow_logprobs(model: models.Model, prompt: str, answer: str) -> list[float]:
    """float64, a token at a time, no batch, the end among them."""
    local, net = slow(model)
    ids, found = local.encode(prompt, False), []
    for token in [*local.after(answer), local._tokenizer.eos_token_id]:
        with torch.no_grad():
            z = net(input_ids=torch.tensor([ids])).logits[0, -1].tolist()
        found.append(z[token] - math.log(sum(math.exp(v) for v in z)))
        ids = [*ids, token]
    return found


def margins(model: models.Model) -> np.ndarray:
    """log p(chosen) - log p(rejected) of every pair."""
    local, prompts = Local(model), [pair.prompt for pair in PAIRS]
    said = [local.logprobs(prompts, [getattr(pair, side) for pair in PAIRS]) for side in ("chosen", "rejected")]
    return np.array([float(a.sum() - b.sum()) for a, b in zip(*said, strict=True)])


def test_plain_and_conservative_losses_are_their_formulas():
    rng = np.random.default_rng(3)
    difference = rng.normal(1, 4, 50)
    for beta, eps in ((0.1, 0.0), (5.0, 0.1), (0.7, 0.5)):
        found = Dpo(beta, eps).loss(torch.from_numpy(difference)).numpy()
        for d, loss in zip(difference.tolist(), found, strict=True):
            right = 1 / (1 + math.exp(-beta * d))
            assert loss == pytest.approx(
                -(1 - eps) * math.log(right) - eps * math.log(1 / (1 + math.exp(beta * d))), rel=1e-9
            )
    assert Dpo(1.0).loss(torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(math.log(2))
    assert torch.isfinite(Dpo(5.0, 0.1).loss(torch.tensor([-1e4, 1e4]))).all()


def test_at_half_the_loss_is_symmetric_and_at_a_tenth_it_is_least_where_the_odds_are_nine():
    d = torch.from_numpy(np.random.default_rng(4).normal(size=40))
    assert torch.allclose(Dpo(2.0, 0.5).loss(d), Dpo(2.0, 0.5).loss(-d))
    assert not torch.allclose(Dpo(2.0, 0.1).loss(d), Dpo(2.0, 0.1).loss(-d))
    grid = torch.linspace(-5, 5, 100_001, dtype=torch.float64)
    # d/dD = 0 where sig(beta D) = 1 - eps, that is D = log(.9 / .1) / 2
    assert grid[Dpo(2.0, 0.1).loss(grid).argmin()].item() == pytest.approx(math.log(9) / 2, abs=1e-4)


def test_a_confidence_is_what_its_formula_says():
    for m in (-3.0, -0.2, 0.0, 0.7, 40.0):
        assert confidence(m) == pytest.approx(2 * (1 / (1 + math.exp(-abs(m))) - 0.5))


@pytest.mark.parametrize("loss", [Dpo(0.3), Dpo(0.8, 0.2), Wspo(0.4)], ids=repr)
def test_the_batch_loss_is_that_of_a_slow_loop(base, store, monkeypatch, loss):
    monkeypatch.setitem(classifier.PART_TOKENS, "cpu", 24)
    policy = tuned(base, store)
    weak = () if loss.both else (tuned(base, store, "chosen"), base)
    stage, net = choices(base, store, loss, weak), tuning.CausalNetwork(policy, "full", 1, derive(0))
    with torch.no_grad():
        parts = list(stage.losses(net, np.arange(len(PAIRS)), 0.0))
    assert len(parts) > 1
    total = 0.0
    for pair in PAIRS:
        r = [
            [
                new - old
                for new, old in zip(
                    slow_logprobs(policy, pair.prompt, text), slow_logprobs(base, pair.prompt, text), strict=True
                )
            ]
            for text in (pair.chosen, pair.rejected)
        ]
        if loss.both:
            right = 1 / (1 + math.exp(-loss.beta * (sum(r[0]) - sum(r[1]))))
            value = -(1 - loss.eps) * math.log(right) - loss.eps * math.log(1 - right)
        else:
            after, before = (slow_logprobs(one, pair.prompt, pair.chosen) for one in weak)
            value = sum((loss.beta * s - (v - w)) ** 2 for s, v, w in zip(r[0], after, before, strict=True)) / len(r[0])
        total += pair.confidence * value / len(PAIRS)
    assert float(sum(parts)) == pytest.approx(total, rel=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_losses_are_those_of_trl_where_trl_is_right(base, store, tmp_path, capfd):
    """`sigmoid` is plain DPO, whatever its label_smoothing; `aot` on a single pair is the conservative loss."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    policy = tuned(base, store)
    tokenizer = AutoTokenizer.from_pretrained(base.path)

    def theirs(pair: int, loss_type: str, beta: float, smoothing: float) -> float:
        nets = [AutoModelForCausalLM.from_pretrained(m.path, dtype=torch.float32) for m in (policy, base)]
        rows = Dataset.from_list([{"prompt": "a", "chosen": " yes", "rejected": " no"}])
        options = DPOConfig(
            str(tmp_path / "trl"),
            beta=beta,
            loss_type=[loss_type],
            label_smoothing=smoothing,
            report_to=[],
            use_cpu=True,
            bf16=False,
        )
        trainer = DPOTrainer(
            model=nets[0], ref_model=nets[1], args=options, train_dataset=rows, processing_class=tokenizer
        )
        sides = [texts[pair] for texts in choices(base, store, Dpo()).texts]
        ids = torch.zeros(2, max(len(text.ids) for text in sides), dtype=torch.int64)
        mask, answer = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, text in enumerate(sides):
            ids[row, : len(text.ids)], mask[row, : len(text.ids)] = torch.from_numpy(text.ids), 1
            answer[row, text.start : len(text.ids)] = 1
        with torch.no_grad():
            return float(
                trainer._compute_loss(
                    trainer.model, {"input_ids": ids, "attention_mask": mask, "completion_mask": answer}, False
                )
            )

    net = tuning.CausalNetwork(policy, "full", 1, derive(0))

    def ours(pair: int, loss: Dpo) -> float:
        with torch.no_grad():
            return float(sum(choices(base, store, loss).losses(net, np.array([pair]), 0.0))) / PAIRS[pair].confidence

    for pair in (0, 3):
        assert theirs(pair, "sigmoid", 0.3, 0.0) == pytest.approx(ours(pair, Dpo(0.3)), rel=1e-4)
        assert theirs(pair, "aot", 0.3, 0.1) == pytest.approx(ours(pair, Dpo(0.3, 0.1)), rel=1e-4)
    assert theirs(0, "sigmoid", 0.3, 0.4) == theirs(0, "sigmoid", 0.3, 0.0)
    assert ours(0, Dpo(0.3, 0.4)) != pytest.approx(ours(0, Dpo(0.3)), rel=1e-2)
    capfd.readouterr()


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_it_raises_the_margins_and_a_pair_of_no_confidence_is_nothing(base, store, kind):
    def learn(pairs: list[PreferencePair]) -> models.Model:
        return tuning.prefer(base, pairs, Dpo(), kind=kind, seed=0, store=store, epochs=8, rate=2e-3)

    preferred = learn(PAIRS)
    assert (margins(preferred) > margins(base) + 1).all()
    assert tuning.spent(preferred).steps == 8
    more = learn([*PAIRS, PreferencePair("a", "no", "yes", confidence=0)])
    assert (more.path / "model.safetensors").read_bytes() == (preferred.path / "model.safetensors").read_bytes()


def test_before_the_first_step_the_symmetric_loss_pulls_nowhere(base, store):
    net = tuning.CausalNetwork(base, "full", 1, derive(0))

    def pull(loss) -> float:
        found = loop.gradients(choices(base, store, loss).losses(net, np.arange(len(PAIRS)), 0.0), net.weights)
        return max(float(gradient.abs().max()) for gradient in found)

    assert pull(Dpo(eps=0.5)) < 1e-5 * pull(Dpo())


def test_by_wspo_a_model_moves_as_a_weak_one_did(base, store):
    aligned = tuned(base, store, "chosen")
    moved = tuning.prefer(base, PAIRS, Wspo(beta=1.0), seed=0, store=store, epochs=40, rate=5e-3, weak=(aligned, base))

    def likely(model: models.Model) -> np.ndarray:
        return np.array([sum(slow_logprobs(model, pair.prompt, pair.chosen)) for pair in PAIRS])

    assert np.abs(likely(moved) - likely(aligned)).max() < np.abs(likely(base) - likely(aligned)).max() / 10
    still = tuning.CausalNetwork(base, "full", 1, derive(0))
    with torch.no_grad():
        losses = choices(base, store, Wspo(), (aligned, aligned)).losses(still, np.arange(len(PAIRS)), 0.0)
        assert float(sum(losses)) < 1e-9, "a weak model that has not moved moves nothing"


def test_defaults_are_those_of_the_papers():
    assert (Dpo().beta, Dpo().eps, Wspo().beta) == (0.1, 0.0, 0.1)
    assert tuning.PREFERENCE_RATES == {"full": 1e-6, "lora": 1e-5}


def test_a_training_on_pairs_that_stops_goes_on_to_the_same_bytes(causal, tmp_path, monkeypatch):
    def learn(name: str) -> bytes:
        kept = Store(tmp_path / name)
        made = tuning.prefer(models.resolve(str(causal), kept), PAIRS, Dpo(), seed=0, store=kept, epochs=6, rate=1e-3)
        return (made.path / "model.safetensors").read_bytes()

    expected = learn("a")
    monkeypatch.setattr(checkpoint.Checkpoint, "due", True)
    done, drawn = [], loop.drawn

    def stopped(*given):
        done.append(given[4])
        if len(done) in (3, 6):
            raise KeyboardInterrupt
        return drawn(*given)

    monkeypatch.setattr(loop, "drawn", stopped)
    read, logits = [], Local.logits
    monkeypatch.setattr(Local, "logits", lambda *given: read.append(1) or logits(*given))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            learn("b")
    before = len(read)
    assert learn("b") == expected
    assert done == [0, 1, 2, 2, 3, 4, 4, 5] and len(read) == before > 0, "the reference is read once"


def test_bad_pairs_are_refused(base, store, tmp_path):
    def prefer(pairs, loss=Dpo(), **more):  # noqa: B008
        tuning.prefer(base, pairs, loss, seed=0, store=store, **more)

    with pytest.raises(UserError, match="no pairs"):
        prefer([PreferencePair("a", "yes", "no", confidence=0)])
    with pytest.raises(UserError, match="needs weak models"):
        prefer(PAIRS, Wspo())
    with pytest.raises(UserError, match="takes no weak models"):
        prefer(PAIRS, weak=(base, base))
    with pytest.raises(UserError, match="unknown kind"):
        prefer(PAIRS, kind="none")
    with pytest.raises(UserError, match="different vocabularies"):
        prefer(PAIRS, Wspo(), weak=(other(base, store, tmp_path), base))


def other(base: models.Model, store: Store, folder) -> models.Model:
    """The same model with two of its words exchanged."""
    import shutil

    shutil.copytree(base.path, folder / "other")
    file = folder / "other" / "tokenizer.json"
    text = file.read_text()
    file.write_text(text.replace('"lyon"', '"@"').replace('"rome"', '"lyon"').replace('"@"', '"rome"'))
    return models.resolve(str(folder / "other"), store)
