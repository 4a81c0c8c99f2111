"""Methods of several rounds or with further resources: what holds for each beyond the laws of all."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from outgrow import methods
from outgrow.core.worlds import World, plant
from outgrow.methods.auxiliary import trunk
from outgrow.methods.em_posterior import posterior
from outgrow.metrics.accuracy import accuracy, choice
from outgrow.metrics.intervals import ScoreTable
from outgrow.pipeline.baselines import registry
from outgrow.students.crossfit import crossfit, folds
from outgrow.students.ensemble import Pool
from outgrow.students.rivals import NARROW, NEAREST, SHRUNK, contrasted, debiased, likeness, with_rivals
from planted import resources

SMALL = World(items=360, rate=0.3, telling=0.3)


def given(world: World = SMALL, replicates: int = 2):
    return resources(plant(world, 0, replicates))


def predict(name: str, found, **parameters) -> np.ndarray:
    return methods.find(name).fit(found, **parameters).predict(found.test)


def difference(found, better: np.ndarray, worse: np.ndarray):
    """Accuracy of one minus the other's on the test items, with its interval."""
    gold = found.gold[found.test]
    scores = {
        n: accuracy(p, gold, np.ones(len(gold)), found.groups[found.test]) for n, p in (("a", better), ("b", worse))
    }
    table = ScoreTable.of(scores, 0.0)
    return table.estimate(table.weights({"a": 1, "b": -1}))


def test_bootstrap_without_a_rung_is_naive():
    found = given()
    found.ladder = []
    assert np.array_equal(predict("bootstrap", found), predict("naive", found))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_likelihood_never_falls_in_em(classes):
    found = given(replace(SMALL, classes=classes, errors="region"))
    prior = methods.find("naive").fit(found).predict()
    rows = ~np.isnan(found.weak.beliefs[0]).any(-1)
    q, seen = posterior(found.features[0][rows], found.weak.beliefs[0][rows], prior[0][rows], 30, 0.01)
    assert np.diff(seen).min() > -1e-9 and seen[-1] > seen[0] + 0.05
    assert np.allclose(q.sum(-1), 1)


def test_a_channel_that_says_nothing_leaves_the_prior():
    rng = np.random.default_rng(0)
    prior = rng.dirichlet(np.ones(2), 50)
    q, _ = posterior(rng.normal(size=(50, 3)), np.full((50, 2), 0.5), prior, 5, 0.01)
    assert np.allclose(q, prior, atol=1e-6)


def test_em_finds_where_the_supervisor_errs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    gold = (x[:, 0] > 0).astype(int)
    wrong = (x[:, 1] > 0) & (rng.random(4000) < 0.5)
    said = np.eye(2)[np.where(wrong, 1 - gold, gold)]
    prior = np.stack([1 / (1 + np.exp(4 * x[:, 0])), 1 / (1 + np.exp(-4 * x[:, 0]))], -1)
    q, _ = posterior(x, said, prior, 30, 0.001)
    near = (np.abs(x[:, 0]) < 0.1) & (x[:, 1] < -1)  # prior undecided, supervisor reliable: its word counts
    assert (q.argmax(-1) == gold)[near].mean() > 0.95
    far = (np.abs(x[:, 0]) > 0.5) & (x[:, 1] > 1)
    assert (q.argmax(-1) == gold)[far].mean() > 0.95


def test_ccs_is_naive_where_the_sides_of_pairs_are_not_opposed():
    found = given(World(pairs=True, rate=0.3, width=40))
    assert not np.array_equal(predict("ccs", found), predict("naive", found))
    found.rivals = np.random.default_rng(0).permutation(found.rivals)
    assert np.array_equal(predict("ccs", found), predict("naive", found))


def test_beliefs_of_a_pair_become_those_of_exactly_one_being_true():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, (3, 6))
    rivals = np.array([7, 3, 9, 3, 7, 5])
    heard = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0]], bool)
    count = with_rivals(rivals, heard)
    assert [np.flatnonzero(row).tolist() for row in count] == [[0, 1, 3, 4], [1, 3], []]
    found = 1 / (1 + np.exp(-contrasted(np.stack([1 - p, p], -1), rivals, count)))
    for r in range(3):
        for a, b in ((1, 3), (0, 4)):
            if count[r, a]:  # Bayes: only (1, 0) and (0, 1) can be
                first = p[r, a] * (1 - p[r, b]) / (p[r, a] * (1 - p[r, b]) + p[r, b] * (1 - p[r, a]))
                assert np.allclose(found[r, [a, b]], [first, 1 - first])


def test_what_a_whole_group_shares_falls_out_of_contrasted_beliefs():
    rng = np.random.default_rng(0)
    z, rivals = rng.normal(size=(2, 30)), np.repeat(np.arange(5), 6)
    shared = z + rng.normal(size=5)[rivals]
    everyone = np.ones((2, 30), bool)
    plain, moved = (
        contrasted(np.stack([1 - p, p], -1), rivals, everyone) for p in (1 / (1 + np.exp(-v)) for v in (z, shared))
    )
    assert np.allclose(plain, moved) and np.abs(plain).max() > 1
    slow = [
        [row[i] - np.mean([row[j] for j in range(30) if rivals[j] == rivals[i] and j != i]) for i in range(30)]
        for row in z
    ]
    assert np.allclose(plain, slow, atol=1e-8)


def test_shares_by_likeness_are_what_their_formula_says():
    rng = np.random.default_rng(0)
    rivals, x, count = np.repeat([5, 1, 3], [4, 26, 40]), rng.normal(size=(70, 6)), rng.random((2, 70)) < 0.95
    count[:, :4] = True
    x[10:40] = x[10]  # as like one another as can be: one is a whole group's, NEAREST of them would be drawn by order
    slow = np.zeros((2, 70, 70))
    for r in range(2):
        for i in np.flatnonzero(count[r]):
            its = [j for j in np.flatnonzero(count[r]) if rivals[j] == rivals[i]]
            about = x[its] - x[its].mean(0)
            cosines = (
                (about @ about[its.index(i)]) / np.linalg.norm(about, axis=1) / np.linalg.norm(about[its.index(i)])
            )
            known = {j: np.exp(c / NARROW) for j, c in zip(its, cosines, strict=True) if j != i}
            last = sorted(known.values())[-NEAREST:][0]
            slow[r, i, list(known)] = [w if w >= last * (1 - 1e-9) else 0 for w in known.values()]
    slow /= np.maximum(slow.sum(-1, keepdims=True), 1e-12)
    shares = [w.toarray() for w in likeness(rivals, count, [x, x], block=7)]
    assert np.allclose(shares, slow) and (np.sum(shares, -1)[count] > 0.999).all()
    order = rng.permutation(70)
    moved = [w.toarray() for w in likeness(rivals[order], count[:, order], [x[order]] * 2)]
    assert np.allclose(moved, np.array(shares)[:, order][:, :, order])

    p = rng.uniform(0.05, 0.95, (2, 70))
    z = np.log(p / (1 - p))
    found = contrasted(np.stack([1 - p, p], -1), rivals, count, likeness(rivals, count, [x, x]))
    assert np.allclose(found, np.where(count, z - np.einsum("rij,rj->ri", slow, z), 0), atol=1e-8)


def topical(share: bool, replicates: int = 4):
    """Groups of six pairs, whose supervisor errs by a topic that both sides share, or by one of each side."""
    made = plant(World(pairs=True, rate=0.15, width=10, items=1800), 0, replicates)
    rng, n = np.random.default_rng(0), len(made.x)
    topic = rng.normal(size=(n // 2, 40)).repeat(2, 0) if share else rng.normal(size=(n, 40))
    z = np.log(made.said[..., 1].clip(0.05, 0.95) / made.said[..., 0].clip(0.05, 0.95)) + 2 * topic[:, 0]
    said = np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], -1).astype(np.float32)
    made = replace(
        made, x=np.concatenate([made.x, topic.astype(np.float32)], 1), said=said, world=replace(made.world, width=50)
    )
    found = resources(made)
    found.rivals = found.groups // 6
    return found


@pytest.mark.parametrize("share", [True, False])
def test_auto_weighs_an_item_against_rivals_like_it_where_that_is_the_more_reliable(share, monkeypatch):
    found = topical(share)
    # Of groups of twelve whose topics are shared it cannot be told that they are opposed.
    monkeypatch.setattr("outgrow.students.rivals.opposed", lambda *_: True)
    by_choice, naive = predict("auto", found), predict("naive", found)
    monkeypatch.setattr("outgrow.students.rivals.likeness", lambda *_: None)
    evenly = predict("auto", found)
    if share:
        assert difference(found, by_choice, evenly).ci[0] > 0.05
        assert difference(found, by_choice, naive).ci[0] > 0.05
    else:
        assert abs(difference(found, by_choice, evenly).value) < 0.01
        assert difference(found, by_choice, naive).value > -0.01


def test_what_is_thought_of_an_answer_is_taken_from_all_that_give_it():
    rng = np.random.default_rng(0)
    z, answers, count = rng.normal(size=(2, 60)), rng.integers(20, size=60), rng.random((2, 60)) < 0.9
    slow = z.copy()
    for r, i in np.argwhere(count):
        others = [z[r, j] for j in np.flatnonzero(count[r]) if answers[j] == answers[i] and j != i]
        slow[r, i] -= sum(others) / (len(others) + SHRUNK)
    assert np.allclose(debiased(z, answers, count), slow, atol=1e-8)
    assert np.array_equal(debiased(z, np.arange(60), count), z), "an answer that nobody else gives"
    order = rng.permutation(60)
    assert np.array_equal(debiased(z[:, order], answers[order], count[:, order]), debiased(z, answers, count)[:, order])


def liked(replicates: int = 8):
    """Pairs of two of 24 answers, which show in the features; the supervisor prefers some of them."""
    made = plant(World(pairs=True, rate=0.1, width=20, items=1800), 0, replicates)
    rng, n = np.random.default_rng(0), len(made.x)
    answers = np.stack([rng.permutation(24)[:2] for _ in range(n // 2)]).ravel()
    z = (
        np.log(made.said[..., 1].clip(0.05, 0.95) / made.said[..., 0].clip(0.05, 0.95))
        + rng.normal(0, 1.5, 24)[answers]
    )
    said = np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], -1).astype(np.float32)
    made = replace(
        made,
        x=np.concatenate([made.x, np.eye(24, dtype=np.float32)[answers] * 2], 1),
        said=said,
        world=replace(made.world, width=44),
    )
    return resources(made), answers


def test_auto_takes_away_that_some_answers_are_liked_more_than_others():
    found, answers = liked()
    unknown, naive = predict("auto", found), predict("naive", found)
    found.answers = answers
    known = predict("auto", found)
    assert difference(found, known, naive).ci[0] > 0.05
    assert difference(found, known, unknown).ci[0] > 0.02
    found.answers = np.random.default_rng(1).permutation(answers)
    assert difference(found, predict("auto", found), unknown).value > -0.01, "answers that mean nothing"


@pytest.mark.parametrize("several", [False, True])
def test_auto_is_what_its_formula_says(several):
    found = given(World(pairs=True, rate=0.25, width=60))
    if several:
        found.answers = np.random.default_rng(0).integers(30, size=len(found.answers))
    student, labels, rivals = found.student, found.weak.beliefs, found.rivals
    heard = ~np.isnan(labels).any(-1)

    def log_odds(probs):
        return np.log(probs[..., 1].astype(float) / probs[..., 0])

    def contrast(z):
        out = np.zeros(z.shape)
        for r, rows in enumerate(heard):
            for i in np.flatnonzero(rows):
                (other,) = (j for j in np.flatnonzero(rivals == rivals[i]) if j != i)
                out[r, i] = z[r, i] - z[r, other]
        return debiased(out, found.answers, heard)

    def targets(z):
        p = 1 / (1 + np.exp(-z))
        return np.where(heard[..., None], np.stack([1 - p, p], -1), np.nan).astype(np.float32)

    believed = np.nanmean(labels[..., 1], -1, keepdims=True)
    start = np.log(believed / (1 - believed))
    first = contrast(log_odds(np.where(heard[..., None], labels, 0.5)))
    second = crossfit(student, targets(first + start), "seconded")
    z = [log_odds(student.fit(t).predict()) for t in (labels, targets(first + contrast(log_odds(second)) + start))]
    whole, within = np.zeros((2, len(labels))), np.zeros((2, len(labels)))
    for draw in range(4):
        half = folds(student, f"auto {draw}", 2)
        parts = [student.on(student.train & (half == k)) for k in (0, 1)]
        for m, recipe in enumerate((lambda s: s.fit(labels), lambda s: s.fit(targets(first + start)))):
            a, b = (log_odds(recipe(s).predict()) - start for s in parts)
            c, d = (debiased(z, found.answers, heard) for z in (a, b))
            for i, rows in enumerate(heard):
                whole[m, i] += cohen_kappa_score(a[i][rows] > 0, b[i][rows] > 0) / 4
                within[m, i] += cohen_kappa_score(c[i][rows] > 0, d[i][rows] > 0) / 4
    r = np.sqrt(whole * within)
    odds = (r / (1 - r)) ** 2
    odds[0] += 0.1
    weight = odds / odds.sum(0)
    weight /= np.array([[z[m][i][heard[i]].std() for i in range(len(labels))] for m in (0, 1)])
    both = sum((weight[m] / weight.sum(0))[:, None] * z[m] for m in (0, 1))
    assert np.allclose(predict("auto", found)[..., 1], 1 / (1 + np.exp(-both[:, found.test])), atol=1e-4)


@pytest.mark.parametrize("world", [World(rate=0.3, width=40), World(errors="emulable")])
def test_auto_is_views_to_the_byte_where_nothing_has_rivals(world):
    found = given(world)
    assert np.array_equal(predict("auto", found), predict("views", found))


def test_auto_contrasts_beliefs_that_lean_to_one_class_as_well():
    found = given(World(pairs=True, rate=0.25, width=60), 8)
    leaning = found.weak.probs.copy()
    leaning[..., 1] *= 0.7
    leaning[..., 0] = 1 - leaning[..., 1]
    found.weak = replace(found.weak, probs=leaning)
    gold, pair = found.gold[found.test], found.groups[found.test]
    scores = {n: choice(predict(n, found), gold, pair, pair) for n in ("naive", "auto")}
    table = ScoreTable.of(scores, 0.0)
    assert table.estimate(table.weights({"auto": 1, "naive": -1})).ci[0] > 0.03


def test_auto_is_views_to_the_byte_where_rivals_are_strangers():
    found = given(World(pairs=True, rate=0.25, width=60), 8)
    truth = found.gold[found.test]
    strangers = given(World(pairs=True, rate=0.25, width=60), 8)
    strangers.rivals = np.random.default_rng(0).permutation(strangers.rivals)
    naive, rivals = ((p.argmax(-1) == truth).mean() for p in (predict("naive", found), predict("auto", found)))
    assert rivals > naive + 0.04
    assert np.array_equal(predict("auto", strangers), predict("views", strangers))


def test_of_a_choice_the_chosen_student_is_saved_and_of_a_pool_all_with_their_shares():
    from outgrow.students.saving import weights

    pool = methods.find("auto").fit(given(World(pairs=True, rate=0.25, width=60)))
    plain, other = pool.members
    for r in range(2):
        kept = weights(pool, r)
        assert [head["share"] for head in kept["heads"]] == pool.shares[:, r].tolist()
        for number, member in enumerate((plain, other.members[other.which[r]])):
            alone = weights(member, r)["arrays"]
            assert len(alone) == 3 and all(
                (kept["arrays"][f"{number}.{name[2:]}"] == value).all() for name, value in alone.items()
            )


def test_a_pool_is_the_product_of_its_members_powers_made_to_sum_to_one():
    rng = np.random.default_rng(0)
    said, shares = rng.dirichlet(np.ones(3), (2, 4, 5)).astype(np.float32), rng.random((2, 4))
    pool = Pool(shares, [SimpleNamespace(predict=lambda mask, own=own: own[:, mask]) for own in said])
    mask = np.array([True, False, True, True, False])
    for r in range(4):
        for row, i in enumerate(np.flatnonzero(mask)):
            powers = [said[0, r, i, c] ** shares[0, r] * said[1, r, i, c] ** shares[1, r] for c in range(3)]
            assert np.allclose(pool.predict(mask)[r, row], np.array(powers) / sum(powers), atol=1e-5)


def test_a_student_that_is_to_be_one_checkpoint_is_taught_what_both_say():
    found = given(World(pairs=True, rate=0.25, width=60))
    pool = methods.find("auto").fit(found)
    heads = found.student

    class Whole:
        """As a fine-tuned student: without features."""

        train, groups, seed, replicates, fit = heads.train, heads.groups, heads.seed, heads.replicates, heads.fit
        on = staticmethod(heads.on)

    found.student = Whole()
    one = methods.find("auto").fit(found)
    heard = ~np.isnan(found.weak.beliefs).any(-1, keepdims=True)
    assert np.allclose(one.predict(), heads.fit(np.where(heard, pool.predict(), np.nan)).predict(), atol=1e-5)


def test_auto_is_views_where_most_items_are_of_one_class():
    found = given(World(balance=0.15, rate=0.3, gap=0.5))
    assert np.array_equal(predict("auto", found), predict("views", found))


def test_auto_of_a_student_without_views_and_rivals_is_naive():
    found = given()
    heads = found.student
    found.student = SimpleNamespace(train=heads.train, groups=heads.groups, fit=heads.fit, on=heads.on)
    assert np.array_equal(predict("auto", found), heads.fit(found.weak.beliefs).predict(found.test))


def test_ccs_without_pairs_is_naive():
    found = given()
    assert np.array_equal(predict("ccs", found), predict("naive", found))


def test_co_supervision_by_identical_supervisors_is_that_by_one():
    alone, crowd = given(), given(SMALL)
    crowd.weak = replace(crowd.weak, probs=np.repeat(crowd.weak.probs, 3, 1), names=("a", "b", "c"))
    assert np.allclose(predict("co_supervised", crowd), predict("co_supervised", alone), atol=1e-5)


def test_co_supervision_by_one_trains_on_what_the_student_does_not_contradict():
    found = given()
    labels, f = found.weak.beliefs, methods.find("naive").fit(found).predict()
    named = np.nan_to_num(labels).argmax(-1)
    likely = np.take_along_axis(f, named[..., None], -1)[..., 0]
    base = np.take_along_axis(np.nanmean(labels, 1), named, -1)
    slow = found.student.fit(labels, weights=likely >= base).predict(found.test)
    assert np.allclose(predict("co_supervised", found, rounds=1), slow, atol=1e-6)


def test_active_without_a_budget_is_naive():
    found = given()
    assert np.array_equal(predict("active", found, budget=0), predict("naive", found))
    assert (found.oracle.spent == 0).all()


def test_active_buys_what_its_budget_allows_and_no_item_that_nobody_labelled():
    silent = plant(SMALL, 0, 2)
    silent.said[:, :, :200] = np.nan
    for query in ("disagreement", "random"):
        for name, more in (("active", {"query": query}), ("improve", {"rounds": 3})):
            found = resources(silent)
            speaking = (~np.isnan(found.weak.beliefs).any(-1)).sum(-1)
            predict(name, found, budget=20, **more)
            assert (found.oracle.spent == 20).all()
            assert not found.oracle.asked[:, :200].any()
            found.account.reopen()
            found.oracle = found.account.oracle
            predict(name, found, budget=1000, **more)
            assert (found.oracle.spent == speaking).all()


def test_gold_bought_by_disagreement_beats_as_much_bought_by_chance():
    found = given(methods.find("active").wins, 12)
    chance = SimpleNamespace(**vars(found))
    won = difference(found, predict("active", found), predict("active", chance, query="random"))
    assert won.ci[0] > 0, f"{won.value:+.3f} {won.ci}"


def test_a_query_by_chance_differs_between_replicates():
    found = given()
    predict("active", found, budget=20, query="random")
    assert not np.array_equal(*found.oracle.asked)


def test_the_trunk_is_what_the_auxiliary_heads_span():
    rng = np.random.default_rng(0)
    x, rules = rng.normal(size=(3000, 10)), rng.normal(size=(10, 2))
    shared = trunk([(x, np.eye(2)[(x @ rule > 0).astype(int)]) for rule in rules.T])
    assert shared.shape == (10, 2) and np.allclose(shared.T @ shared, np.eye(2), atol=1e-5)
    inside = shared @ (shared.T @ rules)
    assert (np.linalg.norm(inside, axis=0) / np.linalg.norm(rules, axis=0)).min() > 0.98


def test_an_unrelated_auxiliary_task_does_no_harm():
    found = given(World(rate=0.3, width=40), 16)
    rule = np.random.default_rng(0).normal(size=found.features[0].shape[1])
    found.auxiliary = [replace(found.auxiliary[0], gold=(x @ rule > 0).astype(int)) for x in found.features[:1]]
    lost = difference(found, predict("auxiliary", found), predict("naive", found))
    assert lost.value > -0.01, f"{lost.value:+.3f} {lost.ci}"


class Even:
    """A task of items alone, of which no form says how many are right."""

    def __init__(self, items: int):
        self.items = items

    def __len__(self) -> int:
        return self.items

    def even(self, probs, rows):
        return probs


def test_stopping_on_gold_takes_a_point_of_naives_path_and_no_worse_one():
    found = given()
    gold = SimpleNamespace(labels=found.gold, weights=np.ones(len(found.gold)))
    splits, task = SimpleNamespace(transfer=found.student.train), Even(len(found.gold))
    pair = SimpleNamespace(heads=found.student, weak=found.weak, gold=gold, splits=splits, test=found.test, task=task)
    stopped = registry("classes")["cheat-stop"].fit(pair).values
    path = [p for _, p in methods.find("naive").fit(found).path(found.test)]
    assert all(any(np.array_equal(stopped[r], p[r]) for p in path) for r in range(len(stopped)))
