"""What theory says of weak supervision, as laws: planted errors through real students, and identities of the fit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from outgrow import methods
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive, hashed
from outgrow.core.worlds import World, plant
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.intervals import ScoreTable, shared_pool
from outgrow.metrics.pgr import Recovery, recovery
from outgrow.pipeline import baselines
from outgrow.pipeline.class_cell import ClassCell
from outgrow.store import Store
from outgrow.students.probe import Space
from outgrow.supervisors import parse, planted, registry
from outgrow.tasks.task import FREE, Gold, Task

ceiling = baselines.registry("classes")["ceiling"]
RATE = 0.3
STRUCTURES = sorted(planted.STRUCTURES)


class Given:
    """Features that are there, in the place of a model's."""

    def __init__(self, x: np.ndarray, store: Store):
        self.x, self.store = x, store

    def __call__(self, model: str, pool: np.ndarray) -> Space:
        return Space(self.x[None, None], (1,), pool)


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        yield


@cache
def pair(structure: str, rate: float = RATE, classes: int = 2) -> ClassCell:
    """A supervisor with planted errors and a student that sees a planted world, where gold is a linear rule."""
    world = plant(World(items=4000, width=16, classes=classes, gap=0.3), 0, 1)
    names = [hashed("item", i) for i in range(len(world.gold))]
    order = np.argsort(names)
    words = derive(0, "lengths").integers(1, 60, len(order))
    task = Task(
        name="planted",
        kind="classify",
        classes=tuple("abcd"[:classes]),
        ids=np.array(names)[order],
        texts=tuple(("x" * n,) for n in words),
        groups=np.arange(len(order)),
        side=np.full(len(order), FREE, np.int8),
    )
    gold = Gold(world.gold[order], np.ones(len(order), np.float32))
    spaces = Given(world.x[order], Store.default())
    return ClassCell(task, gold, f"planted:{structure}:{rate}", "student", 0, 0, None, spaces, {"classes": classes})


def naive_recovers(found: ClassCell) -> Recovery:
    """The naive student's PGR."""
    test = found.test
    probs = {
        "floor": found.labels[:, 0, test],
        "ceiling": ceiling.fit(found).predict(test),
        "naive": methods.find("naive").fit(found).predict(test),
    }
    gold = found.gold.labels[test], found.gold.weights[test], found.task.groups[test]
    kappa = shared_pool(found.splits.transfer.sum(1).mean(), found.splits.weak_train.sum(1).mean())
    return recovery(ScoreTable.of({name: accuracy(p, *gold) for name, p in probs.items()}, kappa), "naive")


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_planted_errors_hit_their_rate_to_the_item_on_every_side(structure, classes):
    found = pair(structure, classes=classes)
    probs = found.labels[:, 0]
    assert np.allclose(probs.sum(-1), 1) and np.allclose(probs.max(-1), 0.9)
    wrong = probs.argmax(-1) != found.gold.labels
    for rows in (found.splits.weak_train, found.splits.transfer, found.splits.test):
        assert ((wrong & rows).sum(1) == [round(RATE * n) for n in rows.sum(1)]).all()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_replicate_draws_its_own_errors(structure):
    wrong = pair(structure).labels[:, 0].argmax(-1) != pair(structure).gold.labels
    assert len({row.tobytes() for row in wrong}) == len(wrong)


def test_the_wrong_class_is_drawn_evenly_where_a_structure_prefers_none():
    for structure in ("iid", "length", "confidence", "domain"):
        found = pair(structure, classes=3)
        shift = (found.labels[:, 0].argmax(-1) - found.gold.labels) % 3
        assert (shift == 1).sum() / (shift > 0).sum() == pytest.approx(0.5, abs=0.03)


def test_errors_lie_where_their_structure_puts_them():
    length = pair("length")
    wrong, sizes = (
        length.labels[:, 0].argmax(-1) != length.gold.labels,
        np.array([len(t[0]) for t in length.task.texts]),
    )
    for rows, err in zip(length.splits.transfer, wrong, strict=True):
        assert sizes[rows & err].min() >= sizes[rows & ~err].max()
    confidence = pair("confidence")
    doubt = 1 - ceiling.fit(confidence).predict().max(-1)
    wrong = confidence.labels[:, 0].argmax(-1) != confidence.gold.labels
    assert doubt[wrong].mean() > 5 * doubt[~wrong].mean()
    domain = pair("domain")
    wrong, x = domain.labels[:, 0].argmax(-1) != domain.gold.labels, domain.spaces.x
    for err in wrong:
        centre = x[err].mean(0)
        assert np.linalg.norm(x[err] - centre, axis=1).mean() < 0.95 * np.linalg.norm(x[~err] - centre, axis=1).mean()


def test_errors_that_the_student_can_emulate_leave_no_gap_recovered_and_iid_flips_nearly_all():
    emulable, iid = naive_recovers(pair("features")), naive_recovers(pair("iid"))
    assert emulable.gap.value == pytest.approx(iid.gap.value, abs=1e-9), "the same floor and the same ceiling"
    assert -0.1 < emulable.ci[0] < emulable.ci[1] < 0.15
    assert iid.ci[0] > 0.7


def test_planted_supervisors_alone_see_all_gold():
    found, seen = pair("iid"), []

    def spy(view, *argument):
        seen.append((view.truth is not None, view.strong))
        return view.gold

    kinds = registry().values()
    for kind in kinds:
        found._say(replace(kind, label=spy), "", found._gold(found.known))
    assert seen == [(True, "student") if kind.name == "planted" else (False, "") for kind in kinds]


def test_planted_errors_stay_whatever_is_taught_and_a_method_that_teaches_is_left_out():
    found, improve = pair("iid"), methods.find("improve")
    assert found.teach is None and improve.fit(found) is None and not found.oracle.asked.any()
    assert [lack.partition(":")[0] for lack in improve.lacks(found)] == ["teach"]
    both = replace(found, weak_name=f"{found.weak_name}+small", weak_gold=40)
    nothing = both.teach(both.oracle.ask(np.zeros_like(both.known)))
    taught = both.teach(both.oracle.ask(both.splits.transfer))
    for said in (nothing, taught):
        assert np.array_equal(said.probs[:, 0], both.weak.probs[:, 0], equal_nan=True)
    assert np.array_equal(nothing.probs, both.weak.probs, equal_nan=True)
    rows = both.splits.transfer
    before, after = ((said.probs[:, 1].argmax(-1) == both.gold.labels)[rows].mean() for said in (nothing, taught))
    assert after > before + 0.03


@pytest.mark.parametrize(
    "argument", ["iid", "iid:", ":0.3", "idd:0.3", "iid:much", "iid:0", "iid:1", "iid:nan", "iid:-0.1", "iid:0.3:x"]
)
def test_an_argument_that_means_nothing_is_one_line_with_the_choices(argument):
    with pytest.raises(UserError, match="one of iid, features, length, confidence, domain and a rate") as raised:
        parse(f"planted:{argument}")
    assert repr(f"planted:{argument}") in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["planted:", "planted", "tfidf+planted"])
def test_a_planted_supervisor_without_an_argument_says_how_it_is_written(name):
    with pytest.raises(UserError, match="write it as planted:STRUCTURE:RATE"):
        parse(name)


def errors(*pairs: tuple[np.ndarray, np.ndarray]) -> list[float]:
    return [float(((a - b) ** 2).mean()) for a, b in pairs]


@pytest.mark.parametrize("seed", range(5))
def test_misfit_of_squared_loss_on_a_linear_subspace_is_exactly_what_is_gained(seed):
    """err(student) = err(weak) - misfit(student, weak) on the items of the fit (arXiv 2405.15116, theorem 1)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 12)) * np.geomspace(1, 30, 12)
    gold = x @ rng.normal(size=12)
    weak = gold + np.sin(x[:, 0]) + x[:, 1] * rng.random() + rng.normal(size=200)
    student = x @ np.linalg.lstsq(x, weak, rcond=None)[0]
    err_student, err_weak, misfit = errors((student, gold), (weak, gold), (student, weak))
    assert err_student == pytest.approx(err_weak - misfit, rel=1e-9, abs=1e-9)
    assert 0 < err_student < err_weak


@pytest.mark.parametrize("seed", range(5))
def test_misfit_of_squared_loss_on_a_convex_class_is_at_most_what_is_gained(seed):
    """err(student) <= err(weak) - misfit(student, weak); strictly where the class ends between weak labels and gold."""
    from scipy.optimize import nnls

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 12))
    gold = x @ rng.exponential(size=12) * (seed > 0)
    weak = gold + rng.normal(size=200) * 5
    student = x @ nnls(x, weak)[0]
    err_student, err_weak, misfit = errors((student, gold), (weak, gold), (student, weak))
    assert err_student <= err_weak - misfit + 1e-9
