"""TF-IDF with logistic regression as a student of soft labels."""

import numpy as np

from outgrow.students.tfidf import crossed

RNG = np.random.default_rng(0)
GOLD = RNG.integers(3, size=240)
TEXTS = tuple((" ".join([("red", "green", "blue")[g], *RNG.choice(["a", "b", "c", "d"], 3)]),) for g in GOLD)
FOLD = 1 + np.arange(240) % 3
TEACH = np.stack([np.ones(240, bool), *(k != FOLD for k in (1, 2, 3))])
JUDGE = np.stack([np.zeros(240, bool), *(k == FOLD for k in (1, 2, 3))])


def learned(targets: np.ndarray, texts=TEXTS, judge=JUDGE):
    rngs = [np.random.default_rng(r) for r in range(4)]
    return crossed(texts, np.broadcast_to(targets, (4, *targets.shape)), TEACH, judge, np.arange(240), rngs)


def test_it_learns_words_from_soft_labels_and_every_item_from_the_other_folds() -> None:
    soft = np.full((240, 3), 0.2)
    soft[np.arange(240), GOLD] = 0.6
    probs = learned(soft)
    assert (probs.argmax(1) == GOLD).mean() > 0.95 and np.allclose(probs.sum(1), 1, atol=1e-5)
    moved = soft.copy()
    moved[FOLD == 2] = np.roll(soft[FOLD == 2], 1, axis=1)
    assert np.array_equal(learned(moved)[FOLD == 2], probs[FOLD == 2]), "labels of a fold do not reach its own judge"


def test_items_without_labels_do_not_teach_and_items_that_are_not_judged_have_none() -> None:
    hard = np.eye(3)[GOLD]
    hard[::2] = np.nan
    some = JUDGE & (np.arange(240) < 60)
    probs = learned(hard, judge=some)
    assert np.isnan(probs[60:]).all() and (probs[:60].argmax(1) == GOLD[:60]).mean() > 0.9


def test_without_a_word_that_stands_in_two_texts_there_is_no_such_student() -> None:
    assert learned(np.eye(3)[GOLD], texts=tuple((f"w{i}",) for i in range(240))) is None


def test_labels_of_one_class_alone_are_given_back() -> None:
    assert (learned(np.eye(3)[np.ones(240, int)]).argmax(1) == 1).all()


def test_of_two_texts_the_better_one_is_learned_from_their_difference() -> None:
    better = GOLD % 2
    pairs = tuple(("good x", "bad x") if b == 0 else ("bad x", "good x") for b in better)
    probs = crossed(
        pairs,
        np.broadcast_to(np.eye(2)[better], (4, 240, 2)),
        TEACH,
        JUDGE,
        np.arange(240),
        [np.random.default_rng(r) for r in range(4)],
    )
    assert (probs.argmax(1) == better).all()
