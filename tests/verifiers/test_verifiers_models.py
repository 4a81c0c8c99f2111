"""Models as judges, and several weak judges as one."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, registry
from outgrow.verifiers.weaver import binarised, weave


class Judge:
    """A language model that finds texts likely by a function of (prompt, text)."""

    name, digest, engine = "judge", "0", "none"

    def __init__(self, likes) -> None:
        self.likes, self.asked = likes, []

    def sample(self, prompts, n, how, seeds):
        raise NotImplementedError

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: object = None) -> list[np.ndarray]:
        self.asked += list(zip(prompts, texts, strict=True))
        # Two tokens a word, whose log-probabilities must be added up.
        return [
            np.full(2, self.likes(prompt, text) / 2, np.float32) for prompt, text in zip(prompts, texts, strict=True)
        ]


def test_the_critics_score_is_how_much_likelier_it_finds_yes_than_no() -> None:
    # log p(yes) = -1 and log p(no) = -2 for the answer 4, the reverse for 5: 1 / (1 + e^-1) = .731, 1 / (1 + e) = .269.
    judge = Judge(lambda prompt, text: -1 if ("answer:\n4" in prompt) == (text.strip().lower() == "yes") else -2)
    asked = [Attempt("2 + 2?", "4"), Attempt("2 + 2?", "5"), Attempt("2 + 2?", "4")]
    verdicts = registry()["critic"].run(asked, judge)
    assert [verdict.sound for verdict in verdicts] == [True, False, True]
    assert [verdict.score for verdict in verdicts] == pytest.approx(
        [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 1 / (1 + np.exp(-1))]
    )
    assert len(judge.asked) == 4, "what is asked twice is asked once"
    assert {text for _, text in judge.asked} == {" yes", " no"}
    assert [verdict.sound for verdict in registry()["critic"].run(asked, judge, threshold=0.8)] == [False, False, False]
    judge.asked.clear()
    registry()["critic"].run(asked, judge, chat=True)
    assert {text for _, text in judge.asked} == {"Yes", "No"}


def test_a_critic_that_tells_nothing_cannot_tell() -> None:
    assert registry()["critic"].run([Attempt("q", "a")], Judge(lambda *_: np.nan))[0].sound is None


def by_length(prompt: str, text: str) -> float:
    """Prefers the longer answer, wherever it stands."""
    first, second = prompt.split("Answer A:\n")[1].split("\n\nWhich")[0].split("\n\nAnswer B:\n")
    longer = "A" if len(first) > len(second) else "B"
    return -0.1 if text.strip() == longer else -3.0


def test_copelands_score_is_the_share_of_others_that_an_answer_beats() -> None:
    asked = [Attempt("p", "aaa"), Attempt("p", "a"), Attempt("q", "bb"), Attempt("p", "aa"), Attempt("p", "a")]
    verdicts = registry()["compare"].run(asked, Judge(by_length))
    # aaa beats aa, a, a: 3 / 3; aa beats a, a: 2 / 3; an a is even with its copy: .5 / 3; bb stands alone.
    assert [verdict.score for verdict in verdicts] == pytest.approx([1, 0.5 / 3, 0.5, 2 / 3, 0.5 / 3])
    assert all(verdict.sound is None for verdict in verdicts)


def test_a_judge_that_always_likes_the_first_ranks_nothing() -> None:
    judge = Judge(lambda prompt, text: -0.1 if text.strip() == "A" else -3.0)
    assert [
        verdict.score for verdict in registry()["compare"].run([Attempt("p", str(n)) for n in range(4)], judge)
    ] == [0.5] * 4


def test_copelands_score_agrees_with_every_pair_counted_by_hand() -> None:
    rng = np.random.default_rng(5)
    answers = [f"answer {n}" for n in range(6)]
    taste = {(a, b): rng.normal() for a, b in itertools.permutations(answers, 2)}

    def likes(prompt: str, text: str) -> float:
        first, second = prompt.split("Answer A:\n")[1].split("\n\nWhich")[0].split("\n\nAnswer B:\n")
        return taste[first, second] / 2 if text.strip() == "A" else -taste[first, second] / 2

    scores = {}
    for a in answers:
        won = [
            1.0 if taste[a, b] > 0 > taste[b, a] else 0.0 if taste[a, b] < 0 < taste[b, a] else 0.5
            for b in answers
            if b != a
        ]
        scores[a] = sum(won) / 5
    verdicts = registry()["compare"].run([Attempt("p", answer) for answer in answers], Judge(likes))
    assert [verdict.score for verdict in verdicts] == pytest.approx([scores[a] for a in answers])


def planted(seed: int, answers: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Who is right, and what five independent verifiers with planted hits and rejections say; a tenth is missing."""
    rng = np.random.default_rng(seed)
    right = rng.random(answers) < 0.4
    hits, rejections = np.array([0.9, 0.8, 0.7, 0.65, 0.75]), np.array([0.7, 0.85, 0.6, 0.65, 0.9])
    said = np.where(right[:, None], rng.random((answers, 5)) < hits, rng.random((answers, 5)) > rejections).astype(
        float
    )
    said[rng.random(said.shape) < 0.1] = np.nan
    return right, said, hits, rejections


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_accuracies_are_recovered_without_gold(seed: int) -> None:
    right, said, hits, rejections = planted(seed)
    woven = weave(said)
    # accuracy = .4 t + .6 n: .78, .83, .64, .65, .84
    assert np.abs(woven.accuracy - (0.4 * hits + 0.6 * rejections)).max() < 0.03
    assert abs(woven.prior - 0.4) < 0.05
    weighed, mean = (woven.posterior > 0.5) == right, (np.nanmean(said, 1) > 0.5) == right
    assert weighed.mean() > mean.mean() + 0.01


def test_errors_that_verifiers_share_are_taken_for_the_truth() -> None:
    rng = np.random.default_rng(8)
    right, said, _, _ = planted(7)
    wrong_together = right ^ (rng.random(len(right)) < 0.35)
    copies = np.where(rng.random((len(right), 4)) < 0.95, wrong_together[:, None], ~wrong_together[:, None]).astype(
        float
    )
    woven = weave(np.hstack([copies, said[:, [1, 4]]]))
    truly = (copies == right[:, None]).mean(0)
    # Each copy is right on about .65 .95 + .35 .05 = .635, and is taken to be right on more than .9.
    assert np.all(truly < 0.66) and np.all(woven.accuracy[:4] > 0.9)
    assert ((woven.posterior > 0.5) == right).mean() < (said[:, 4] == right)[~np.isnan(said[:, 4])].mean() - 0.1


def test_verifiers_that_nearly_always_say_the_same_are_dropped() -> None:
    _, said, *_ = planted(3)
    always = np.ones((len(said), 1))
    woven = weave(np.hstack([said, always, np.full_like(always, np.nan)]))
    assert woven.kept.tolist() == [True] * 5 + [False, False]
    assert np.isnan(woven.hits[5:]).all()
    np.testing.assert_array_equal(woven.posterior, weave(said).posterior)


def test_scores_of_any_scale_become_votes() -> None:
    scores = np.array([[0.0, -50.0, 3.0], [1.0, 100.0, 3.0], [1.0, 90.0, np.nan], [0.0, -40.0, 3.0]])
    np.testing.assert_array_equal(binarised(scores), [[0, 0, 0], [1, 1, 0], [1, 1, np.nan], [0, 0, 0]])


def test_verdicts_of_others_are_woven_and_silence_stays_silence() -> None:
    right, said, *_ = planted(4, 500)
    said[0] = np.nan
    verdicts = {f"v{j}": [Verdict(None if np.isnan(v) else bool(v)) for v in said[:, j]] for j in range(5)}
    asked = [Attempt("p", str(n)) for n in range(500)]
    woven = registry()["weaver"].run(asked, verdicts)
    assert woven[0].sound is None
    np.testing.assert_allclose([verdict.score for verdict in woven[1:]], weave(said).posterior[1:])
    assert np.mean([verdict.sound == bool(r) for verdict, r in zip(woven[1:], right[1:], strict=True)]) > 0.85
    with pytest.raises(UserError, match="from three verifiers on"):
        registry()["weaver"].run(asked, {"v0": verdicts["v0"]})


@pytest.mark.checkpoint
def test_a_real_model_judges() -> None:
    from outgrow.store import Store
    from outgrow.training import names

    model = names.named("smollm2-135m", Store.default())
    asked = [Attempt("What is the capital of France?", "Paris"), Attempt("What is the capital of France?", "Potato")]
    for chat in (False, True):
        critic = registry()["critic"].run(asked, model, chat=chat)
        ranked = registry()["compare"].run(asked, model, chat=chat)
        assert all(0 < verdict.score < 1 for verdict in critic)
        assert sum(verdict.score for verdict in ranked) == 1
    assert critic == registry()["critic"].run(asked, model, chat=True)
