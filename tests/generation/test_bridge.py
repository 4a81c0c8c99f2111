"""The word bridge and the targets of sequences: their laws, and slow second implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.special import digamma, gammaln

import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation import Answer, Sampling, bridge, targets
from outgrow.generation.local import Local
from outgrow.generation.preference import PreferencePair
from outgrow.generation.targets import Bayesian, Hard, Soft
from outgrow.losses.evidential import misleading
from outgrow.models import loader
from outgrow.store import Store
from outgrow.training import causal as tuning

TEXTS = [
    "lyon is in france",
    " the  city\n\nof   rome",
    "naïve – 東京 is 🇫🇷 not\trome",
    "a",
    "   ",
    "",
    "yes.no , so:true  ",
]


def slow(text, weak, said, student, own):
    """Letter by letter: who stands on it, who joins it to the next; then sums of words."""
    letters = [at for at, character in enumerate(text) if not character.isspace()]
    group = {at: at for at in letters}

    def root(at):
        return at if group[at] == at else root(group[at])

    for one, two in itertools.pairwise(letters):
        together = two == one + 1 or any(start <= one and two < stop for start, stop in [*weak, *student])
        if together:
            group[root(two)] = root(one)

    def word(span):
        inside = [at for at in letters if span[0] <= at < span[1]]
        after = [at for at in letters if at >= span[1]]
        return root((inside or after or [letters[-1]])[0]) if letters else None

    out = []
    for k, span in enumerate(student):
        score = sum(float(p) for p, other in zip(said, weak, strict=True) if word(other) == word(span))
        doubts = [math.exp(-math.exp(own[j]) / 0.3) for j, other in enumerate(student) if word(other) == word(span)]
        out.append(score * math.exp(-math.exp(own[k]) / 0.3) / sum(doubts))
    return np.array(out), [word(span) for span in student]


def cut(text: str, rng: np.random.Generator, share: float) -> list[tuple[int, int]]:
    """A random tokenizer's spans, which cover the text."""
    ends = [at for at in range(1, len(text)) if rng.random() < share] + [len(text)]
    return list(zip([0, *ends[:-1]], ends, strict=True)) if text else []


def test_every_word_keeps_its_log_probability_however_it_is_cut():
    rng = np.random.default_rng(0)
    for text, shares, _ in itertools.product(TEXTS, ((0.2, 0.7), (0.9, 0.1), (1.0, 1.0)), range(10)):
        weak, student = (cut(text, rng, share) for share in shares)
        said, own = -rng.exponential(2, len(weak)), -rng.exponential(1, len(student))
        found = bridge.bridge(text, weak, said, student, own)
        expected, word = slow(text, weak, said, student, own)
        assert np.allclose(found, expected)
        assert found.sum() == pytest.approx(said.sum())
        assert len(word) == len(found) and (found <= 0).all()


def test_where_the_student_doubts_most_of_the_weak_doubt_comes_to_stand():
    """Two tokens of .9 and .1: exp(-3) and exp(-1/3), shares .0650 and .9350."""
    found = bridge.bridge("rome", [(0, 4)], np.array([-2.0]), [(0, 2), (2, 4)], np.log([0.9, 0.1]))
    share = math.exp(-3) / (math.exp(-3) + math.exp(-1 / 3))
    assert np.allclose(found, [-2 * share, -2 * (1 - share)]) and share == pytest.approx(0.0650, abs=1e-4)


def test_words_are_joined_where_a_token_reaches_across():
    apart, across = [(0, 3), (3, 8)], [(0, 5), (5, 8)]
    assert bridge.words("the city", apart) == [0, 4]
    assert bridge.words("the city", across) == [0]
    assert bridge.words("  the city", [(0, 5), (5, 10)]) == [0, 6], "what stands before the first word belongs to it"


def pieces(folder):
    """A random causal model whose tokenizer cuts words into pieces of letters and bytes."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("l", "y"), ("ly", "o"), ("Ġ", "i"), ("Ġi", "s"), ("i", "n"), ("r", "o"), ("Ġ", "ro")]
    vocabulary = {token: at for at, token in enumerate(["</s>", *letters, *(a + b for a, b in merges)])}
    made = Tokenizer(kinds.BPE(vocabulary, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tiny_models.save(folder, encoder=False)
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig.from_pretrained(folder)
    config.vocab_size, config.eos_token_id, config.bos_token_id = len(vocabulary), 0, None
    with torch.random.fork_rng():
        torch.manual_seed(1)
        LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>").save_pretrained(folder)
    return folder


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def both(causal, tmp_path, store, monkeypatch) -> tuple[Local, Local]:
    monkeypatch.setattr(loader, "chosen_precision", lambda asked=None: asked or "float32")
    return Local(models.resolve(str(causal), store)), Local(models.resolve(str(pieces(tmp_path / "pieces")), store))


def test_between_real_tokenizers_words_keep_their_log_probabilities(both):
    weak, student = both
    for text in ("lyon is in rome", " the city of rome", "naïve 東京 is 🇫🇷 not"):
        said, own = (model.logprobs(["the city"], [text])[0] for model in (weak, student))
        found = bridge.across(text, weak, said, student, own)
        assert (
            len(found)
            == len(student.after(text))
            == len(student.spans(text))
            > len(weak.after(text))
            == len(weak.spans(text))
        )
        assert found.sum() == pytest.approx(said.sum(), rel=1e-5)
        if text == "lyon is in rome":
            assert [text[a:b].strip() for a, b in weak.spans(text)] == text.split()
            at = [next(w for w, word in enumerate(weak.spans(text)) if b <= word[1]) for _, b in student.spans(text)]
            assert np.allclose(np.bincount(at, found), said, atol=1e-5)
        same = bridge.across(text, weak, said, weak, said)
        assert np.allclose(same, said), "over a bridge to itself every token of a word of one token comes back"


def test_a_student_learns_what_came_over_the_bridge(both, store):
    weak, student = both
    (said,), (own,) = (model.logprobs(["rome"], ["is in"]) for model in (weak, student))
    scores = tuple(np.exp(bridge.across("is in", weak, said, student, own)).tolist())
    taught = tuning.tune(
        student.model,
        [tuning.Example("rome", "is in", targets=scores)],
        kind="full",
        seed=0,
        store=store,
        epochs=80,
        rate=1e-2,
        loss=Soft(),
    )
    assert np.allclose(np.exp(Local(taught).logprobs(["rome"], ["is in"])[0]), scores, atol=0.03)


def test_supervisors_that_disagree_teach_what_most_of_them_say(both, store):
    """Two weak models say "is in", one "lyon": weights 1, 1 and 1 teach the former, weights 1, 1 and 4 the latter."""
    _, student = both

    def learned(last: float) -> list[str]:
        said = [
            tuning.Example("rome", "is in"),
            tuning.Example("rome", "is in"),
            tuning.Example("rome", "lyon", weight=last),
        ]
        taught = tuning.tune(
            student.model, said, kind="full", seed=0, store=store, epochs=30, rate=1e-2, loss=Bayesian(0.3)
        )
        return [
            answer.text for answer in Local(taught).sample(["rome"], 1, Sampling(tokens=8, temperature=0), [[0]])[0]
        ]

    assert (learned(1), learned(4)) == (["is in"], ["lyon"])


def test_a_tokenizer_that_does_not_tell_where_its_tokens_stand_is_refused(both, monkeypatch):
    weak, student = both
    monkeypatch.setattr(type(weak), "spans", lambda self, text: [(0, 0)] * len(self.after(text)))
    with pytest.raises(UserError, match="does not give the positions"):
        bridge.across("rome is", weak, np.zeros(2), student, np.zeros(5))


def test_joint_decoding_takes_what_all_supervisors_together_find_likeliest():
    beams = [
        [Answer("a", (-1.0,), (), "stop", 0), Answer("b", (-2.0, 0.0), (), "stop", 0)],
        [Answer("c", (-0.1,), (), "stop", 0), Answer("a", (-0.5,), (), "stop", 0)],
    ]
    assert targets.pooled(beams) == ["a", "b", "c"]
    assert [targets.best(beam).text for beam in beams] == ["a", "c"]
    scores = np.array([[-1.0, -2.0, -9.0], [-0.5, -0.8, -0.1]])
    assert targets.ranked(scores, np.array([0.5, 0.5])).tolist() == [0, 1, 2]  # -.75, -1.4, -4.55
    assert targets.ranked(scores, np.array([0.0, 1.0])).tolist() == [2, 0, 1]
    assert targets.ranked(scores, np.array([0.02, 0.98]))[0] == 2  # -.51, -.824, -.278
    rng = np.random.default_rng(5)
    scores, weights = -rng.exponential(3, (3, 6)), rng.random(3)
    total = [sum(weights[j] * scores[j, k] for j in range(3)) for k in range(6)]
    assert targets.ranked(scores, weights).tolist() == sorted(range(6), key=lambda k: -total[k])


def random(n: int = 5, classes: int = 7, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    return (
        torch.tensor(rng.normal(0, 2, (n, classes))),
        torch.tensor(rng.integers(0, classes, n)),
        torch.tensor(rng.random(n)),
    )


def test_soft_is_cross_entropy_to_its_target_up_to_what_has_no_gradient():
    logits, tokens, scores = random()
    logits.requires_grad_()
    y = targets.soft(logits.detach(), tokens, scores)
    assert torch.allclose(y.sum(1), torch.ones(5, dtype=y.dtype)) and torch.allclose(
        y.gather(1, tokens[:, None])[:, 0], scores
    )
    (found,) = torch.autograd.grad(Soft()(logits, tokens, scores, 0.0).sum(), logits)
    (expected,) = torch.autograd.grad(-(y * logits.log_softmax(1)).sum(), logits)
    assert torch.allclose(found, expected)


@pytest.mark.parametrize("self_term", [0.0, 0.5])
def test_bayesian_is_its_formula_written_out(self_term, monkeypatch):
    monkeypatch.setitem(targets.TOGETHER, "cpu", 14)  # two tokens at a time
    logits, tokens, scores = random()
    found = Bayesian(self_term)(logits, tokens, scores, 0.3)
    for row in range(5):
        z = logits[row].numpy()
        p = np.exp(z) / np.exp(z).sum()
        alpha = np.exp(z - z.mean()) + 1
        total = 0.0
        for k in range(7):
            y = float(scores[row]) if k == tokens[row] else (1 - float(scores[row])) * p[k] / (1 - p[tokens[row]])
            y = (1 - self_term) * y + self_term * (k == z.argmax())
            at = np.where(np.arange(7) == k, 1.0, alpha)
            kl = (
                gammaln(at.sum())
                - gammaln(7)
                - gammaln(at).sum()
                + ((at - 1) * (digamma(at) - digamma(at.sum()))).sum()
            )
            total += y * (np.log(alpha.sum()) - np.log(alpha[k]) + 0.3 / 7 * kl)
        assert found[row].item() == pytest.approx(total)


def test_the_gradient_of_bayesian_is_that_of_the_classifiers_formula(monkeypatch):
    """Small and large evidence, logits beyond the bound, any weights; the loss by autograd through `misleading`."""
    monkeypatch.setitem(targets.TOGETHER, "cpu", 80)
    logits, tokens, scores = random(6, 40, 3)
    logits[4] *= 12
    logits.requires_grad_()
    weights = torch.linspace(0.5, 2, 6, dtype=torch.float64)
    y = 0.7 * targets.soft(logits.detach(), tokens, scores) + 0.3 * torch.nn.functional.one_hot(logits.argmax(1), 40)
    bound = targets.BOUND + math.log(40)
    alpha = (logits - logits.mean(1, keepdim=True)).clamp(-bound, bound).exp() + 1
    expected = (y * (alpha.sum(1, keepdim=True).log() - alpha.log() + 0.6 / 40 * misleading(alpha))).sum(1)
    assert (logits[4] - logits[4].mean()).abs().max() > bound
    found = Bayesian(0.3)(logits, tokens, scores, 0.6)
    assert torch.allclose(found, expected, rtol=1e-9)
    gradients = [torch.autograd.grad((weights * loss).sum(), logits)[0] for loss in (found, expected)]
    assert torch.allclose(*gradients, rtol=1e-7, atol=1e-10)


def test_bayesian_without_evidence_for_others_pays_nothing_for_it_and_an_offset_is_nothing():
    assert torch.allclose(
        misleading(torch.ones(3, 9, dtype=torch.float64)), torch.zeros(1, dtype=torch.float64), atol=1e-12
    )
    logits, tokens, scores = random()
    assert torch.allclose(Bayesian()(logits, tokens, scores, 0.5), Bayesian()(logits + 30, tokens, scores, 0.5))


def test_bayesian_teaches_a_large_vocabulary_as_cross_entropy_does():
    """With more evidence than classes alpha / S is softmax: the gradient of a token with evidence is p - y again."""
    rng = np.random.default_rng(1)
    logits = torch.tensor(rng.normal(0, 3, (4, 5000)), requires_grad=True)
    with torch.no_grad():
        logits[range(4), range(4)] += 12
        logits[2:, 7:9] = 3.0
    tokens, ones = torch.tensor([0, 1, 7, 8]), torch.ones(4, dtype=torch.float64)
    (found,) = torch.autograd.grad(Bayesian()(logits, tokens, ones, 0.0).sum(), logits)
    (hard,) = torch.autograd.grad(Hard()(logits, tokens, ones, 0.0).sum(), logits)
    assert torch.nn.functional.cosine_similarity(found, hard).min() > 0.9
    (late,) = torch.autograd.grad(Bayesian()(logits, tokens, ones, 1.0).sum(), logits)
    assert (late - found).norm(dim=1).max() < hard.norm(dim=1).max(), "the KL does not drown what is taught"


@pytest.mark.parametrize("loss", [Hard(), Soft(), Bayesian(0.5)], ids=repr)
def test_three_identical_supervisors_are_one(both, loss):
    _, student = both
    (text,) = tuning.read(student.model, [("rome", "is in")])
    scores = np.linspace(0.2, 1, len(text.ids) - text.start).astype(np.float32)
    net = tuning.CausalNetwork(student.model, "full", 1, derive(0))

    def total(weights: np.ndarray) -> float:
        lessons = tuning.Lessons(
            [text] * len(weights), [scores] * len(weights), weights / weights.mean(), loss, 1, 0, ""
        )
        with torch.no_grad():
            return float(sum(lessons.losses(net, np.arange(len(weights)), 0.4)))

    assert total(np.array([0.2, 0.5, 0.3])) == pytest.approx(total(np.ones(1)), rel=1e-5)


def test_weights_of_supervisors_weight_their_losses(both):
    """L = (u_1 sum of loss over tokens of 1 + u_2 sum over tokens of 2) / (mean u times the tokens of both)."""
    _, student = both
    texts = tuning.read(student.model, [("rome", "is in"), ("rome", "lyon")])
    net = tuning.CausalNetwork(student.model, "full", 1, derive(0))
    weights = np.array([0.7, 0.3])
    with torch.no_grad():
        ones = [np.ones(len(text.ids) - text.start, np.float32) for text in texts]
        alone = [
            float(sum(tuning.Lessons([t], [one], np.ones(1), Bayesian(), 1, 0, "").losses(net, np.arange(1), 0.4)))
            * len(one)
            for t, one in zip(texts, ones, strict=True)
        ]
        both_ = float(
            sum(
                tuning.Lessons(texts, ones, weights / weights.mean(), Bayesian(), 1, 0, "").losses(
                    net, np.arange(2), 0.4
                )
            )
        )
    assert both_ == pytest.approx((0.7 * alone[0] + 0.3 * alone[1]) / 0.5 / sum(map(len, ones)), rel=1e-5)


def test_a_pair_is_made_of_the_best_and_the_worst_of_a_beam():
    texts, scores = ["a", "b", "c"], np.array([[-3.0, -1.0, -2.0], [-1.0, -4.0, -4.0]])
    order = targets.ranked(scores, np.array([0.9, 0.1]))
    assert PreferencePair("x", texts[order[0]], texts[order[-1]]) == PreferencePair("x", "b", "a")  # -2.8, -1.3, -2.2
