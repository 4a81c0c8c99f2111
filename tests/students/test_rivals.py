"""Rivals: how many of them are right, whether they oppose one another, and what `auto` and `ccs` make of that."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import methods, tasks
from outgrow.core.worlds import World, plant
from outgrow.metrics.accuracy import choice
from outgrow.metrics.intervals import ScoreTable
from outgrow.pipeline.class_cell import ClassCell
from outgrow.students.rivals import exclusive, likeliest, moran, opposed, prior
from outgrow.tasks import POOL, Reading
from planted import gain, resources

OPPOSED = World(pairs=True, rate=0.25, width=60)
QUESTIONS = World(fours=True, rate=0.25, width=40)
STRANGERS = World(authors=0.0, rate=0.25, width=40)
AUTHORS = World(authors=0.5, rate=0.25, width=40)


def odds(p):
    return np.stack([1 - p, p], -1)


def test_beliefs_of_four_candidates_become_those_of_exactly_one_being_right():
    rng = np.random.default_rng(0)
    p, rivals = rng.uniform(0.05, 0.95, (2, 8)), np.array([3, 1, 3, 3, 1, 3, 1, 1])
    heard = np.ones((2, 8), bool)
    heard[1, 4] = False  # it has the odds of one of four, 1 : 3
    found = exclusive(odds(p), rivals, heard) - np.log(3)
    for r in range(2):
        for group in (1, 3):
            its = np.flatnonzero(rivals == group)
            q = np.where(heard[r, its], p[r, its], 0.25)
            ways = {one: np.prod(np.where(np.arange(4) == one, q, 1 - q)) for one in range(4)}
            for one, i in enumerate(its):
                if heard[r, i]:
                    slow = ways[one] / (sum(ways.values()) - ways[one])
                    assert found[r, i] == pytest.approx(np.log(slow), abs=1e-8)
    assert found[1, 4] == pytest.approx(-np.log(3)), "what is not heard stays at one of four"


def test_the_prior_is_the_form_s_where_it_says_one_and_else_what_is_believed():
    labels = odds(np.array([[0.2, 0.4, 0.6, 0.4, np.nan]]))
    rivals, told = np.array([5, 5, 5, 5, 5]), np.array([1, 1, 1, 1, 1])
    assert np.allclose(prior(labels, rivals, told), np.log(0.2 / 0.8)), "one of five"
    assert np.allclose(prior(labels, rivals, -told), np.log(0.4 / 0.6)), "(.2 + .4 + .6 + .4) / 4 = .4"


def test_the_chosen_of_rivals_is_the_likeliest_and_equals_are_all_chosen():
    z = np.array([[1.0, 3.0, 2.0, 2.0, -1.0, -1.0]])
    assert likeliest(z, np.array([0, 0, 4, 1, 7, 7])).tolist() == [[False, True, True, True, True, True]]


def test_moran_is_what_its_formula_says_and_its_mean_and_deviation_those_of_dealing_the_values_out():
    rng = np.random.default_rng(0)
    z, rivals = rng.normal(size=30) ** 3, np.repeat([4, 9, 1, 0, 7, 8, 2], [1, 2, 3, 4, 5, 7, 8])
    u = (z - z.mean()) / z.std()
    near = [(i, j) for i, j in itertools.permutations(range(30), 2) if rivals[i] == rivals[j]]
    value, mean, deviation = moran(z, rivals)
    assert value == pytest.approx(np.mean([u[i] * u[j] for i, j in near]))
    dealt = [moran(rng.permutation(z), rivals)[0] for _ in range(20_000)]
    assert mean == pytest.approx(np.mean(dealt), abs=4 * deviation / 20_000**0.5)
    assert deviation == pytest.approx(np.std(dealt), rel=0.03)
    assert moran(np.ones(30), rivals) == moran(z, np.arange(30)) == moran(z[:3], rivals[:3]) == (0, 0, 0)


@pytest.mark.parametrize("sizes", [[2] * 60, [4] * 30, [1, 2, 3, 24] * 6])
@pytest.mark.parametrize("tails", [1, 3])
def test_strangers_are_hardly_ever_called_opposed(sizes, tails):
    rng, rivals = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    z = rng.normal(size=(4000, len(rivals))) ** tails
    # Three deviations: .13% of a normal's values; 4,000 draws of .5% lie below .5% + 3 sqrt(.005 / 4000) = .83%.
    assert opposed(z, rivals, np.ones(z.shape, bool)).mean() < 0.0083


def test_sides_of_which_one_is_right_are_called_opposed_and_those_of_one_author_never():
    rng, rivals = np.random.default_rng(0), np.repeat(np.arange(200), 2)
    side = np.tile([1.0, -1.0], 200) + rng.normal(0, 1.5, (200, 400))
    alike = np.repeat(rng.normal(size=(200, 200)), 2, 1) + rng.normal(size=(200, 400))
    everyone = np.ones(side.shape, bool)
    assert opposed(side, rivals, everyone).mean() > 0.95 and not opposed(alike, rivals, everyone).any()


@pytest.mark.parametrize("world", [STRANGERS, AUTHORS], ids=["strangers", "one author's"])
@pytest.mark.parametrize("name, otherwise", [("auto", "views"), ("ccs", "naive")])
def test_rivals_that_are_not_opposed_are_not_contrasted(name, otherwise, world):
    given = resources(plant(world, 0, 16), 0)
    got, plain = (methods.find(one).fit(given).predict(given.test) for one in (name, otherwise))
    assert got.tobytes() == plain.tobytes()


def test_auto_gains_where_rivals_are_opposed_though_no_form_says_so():
    assert gain("auto", OPPOSED)[0].ci[0] > 0.03


@pytest.mark.parametrize("name", ["auto", "ccs"])
def test_where_exactly_one_of_four_is_right_it_gains(name):
    found = resources(plant(QUESTIONS, 0, 8))
    gold, question = found.gold[found.test], found.groups[found.test]
    assert (np.bincount(found.groups, found.gold) == 1).all()
    scores = {
        n: choice(methods.find(n).fit(found).predict(found.test), gold, question, question) for n in ("naive", name)
    }
    table = ScoreTable.of(scores, 0.0)
    assert table.estimate(table.weights({name: 1, "naive": -1})).ci[0] > 0


def questions(tmp_path: Path, answers: np.ndarray) -> tuple[tasks.Task, tasks.Gold]:
    rows = [
        {
            "question": f"what is {i}?",
            "choices": [f"{i} is {c}" for c in "wxyz"],
            "answer": int(a),
            "v": i % 3,
            "split": ("train", "test")[i % 5 == 0],
        }
        for i, a in enumerate(answers)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "q.parquet")
    return tasks.load(str(tmp_path / "q.parquet"), Reading(votes=("v",)))


def test_nothing_that_a_method_is_given_of_a_pool_of_questions_depends_on_gold(tmp_path):
    rng = np.random.default_rng(0)
    answers = rng.integers(4, size=300)
    moved = np.where(np.arange(300) % 5 == 0, answers, rng.integers(4, size=300))
    (task, gold), (other, other_gold) = questions(tmp_path, answers), questions(tmp_path, moved)
    assert (gold.labels != other_gold.labels)[task.side == POOL].sum() > 200

    def given(task, gold):
        return ClassCell(task, gold, "column:v", "none", 0, 0, None, None, {})

    one, two = given(task, gold), given(other, other_gold)
    for name in ("rivals", "rights", "answers"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert np.array_equal(one.splits.transfer, two.splits.transfer) and np.array_equal(one.known, two.known)
    assert (
        task.texts == other.texts
        and np.array_equal(task.ids, other.ids)
        and np.array_equal(task.votes["v"], other.votes["v"])
    )
    assert (np.bincount(task.question) == 4).all(), "no candidate is left out"


def test_how_many_rivals_are_right_is_known_of_questions_alone(tmp_path):
    task, gold = questions(tmp_path, np.zeros(300, int))
    pair = ClassCell(task, gold, "column:v", "none", 0, 0, None, None, {})
    assert (pair.rights == 1).all()
    assert (replace(pair, task=replace(task, question=None)).rights == -1).all()


def test_a_candidate_is_called_right_where_it_is_likelier_so_than_one_of_its_question(tmp_path):
    task, _ = questions(tmp_path, np.zeros(300, int))
    rows = np.arange(len(task)) < 3
    # Odds 1 : 3, 1 : 1 and 1 : 9 grow threefold, for three of four are wrong: 1 : 1, 3 : 1 and 1 : 3.
    assert np.allclose(task.even(odds(np.array([0.25, 0.5, 0.1])), rows)[:, 1], [0.5, 0.75, 0.25])
    plain = odds(np.array([0.25, 0.5, 0.1]))
    assert replace(task, question=None).even(plain, rows) is plain
