"""`outgrow steer`: the gap closed and its interval, halves and knowledge, and tiny models from end to end."""

from __future__ import annotations

import copy
import functools
import json

import numpy as np
import pytest

import families
from outgrow import models
from outgrow.cli import app
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation.local import Local
from outgrow.metrics import text as written
from outgrow.metrics.accuracy import Score
from outgrow.metrics.gap import Resamples
from outgrow.pipeline import knowledge, steering
from outgrow.report import proxy_tuning as page
from outgrow.store import Store
from outgrow.tasks import generation
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import POOL, TEST
from outgrow.training import causal, pruned
from outgrow.workflows import proxy_tuning

PLACES = ("france", "spain", "rome", "paris")


def planted(rng: np.random.Generator, replicates: int, groups: int, **shares: float) -> dict[str, Score]:
    """Scores of so many groups of two items, each right with its share; items of a group are right together."""
    labels = np.repeat(np.arange(groups), 2)
    return {
        name: Score((rng.random((replicates, groups)) < p).astype(float)[:, labels], np.ones(2 * groups), labels)
        for name, p in shares.items()
    }


def test_the_gap_closed_is_a_ratio_of_means_over_replicates() -> None:
    groups = np.arange(8)
    before, steered_, tuned = (Score(np.array(rows, float), np.ones(8), groups) for rows in (
        [[0, 0, 0, 0, 0, 0, 1, 1]],
        [[1, 1, 0, 0, 0, 0, 1, 1], [1, 1, 1, 0, 0, 0, 1, 1]],
        [[1, 1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 1, 1]],
    ))  # fmt: skip
    found = Resamples({"a": before, "b": steered_, "c": tuned}, derive(0)).closed("b", "a", "c")
    # (4.5/8 - 2/8) / (7/8 - 2/8)
    assert found.value == pytest.approx(0.5) and found.gap == pytest.approx(0.625)


def test_its_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(0), 0
    for trial in range(150):
        scores = planted(rng, 1, 120, strong=0.2, proxy=0.5, tuned=0.7)
        found = Resamples(scores, derive(trial), count=400).closed("proxy", "strong", "tuned")
        held += found.ci[0] <= (0.5 - 0.2) / (0.7 - 0.2) <= found.ci[1]
    assert 0.9 <= held / 150 <= 0.99


def test_its_interval_is_where_the_difference_is_not_clearly_on_one_side_of_zero() -> None:
    resamples = Resamples(planted(np.random.default_rng(1), 5, 60, strong=0.2, proxy=0.5, tuned=0.7), derive(3))
    low, high = resamples.closed("proxy", "strong", "tuned").ci
    drawn = resamples.drawn
    for p, inside in ((low - 0.02, False), (low + 0.02, True), (high - 0.02, True), (high + 0.02, False)):
        d = drawn["proxy"] - drawn["strong"] - p * (drawn["tuned"] - drawn["strong"])
        assert (np.quantile(d, 0.025) <= 0 <= np.quantile(d, 0.975)) == inside


def test_resamples_redraw_whole_groups_and_from_four_on_replicates() -> None:
    for replicates in (3, 4):
        num = np.zeros((replicates, 40))
        num[0] = 1
        drawn = Resamples({"a": Score(num, np.ones(40), np.arange(40))}, derive(0)).drawn["a"]
        # Every item is alike within a replicate: only redrawing replicates can move the mean.
        assert (drawn.std() > 1e-9) == (replicates == 4)
    halves = Score((np.arange(40) < 20).astype(float)[None], np.ones(40), np.arange(40) // 20)
    assert set(np.round(Resamples({"a": halves}, derive(0)).drawn["a"], 6)) == {0, 0.5, 1}


def test_a_gap_that_is_not_resolved_is_not_divided_by() -> None:
    rng = np.random.default_rng(2)
    same = Resamples(planted(rng, 1, 50, strong=0.5, proxy=0.9, tuned=0.5), derive(0)).closed(
        "proxy", "strong", "tuned"
    )
    assert (same.value, same.ci, same.status) == (None, None, "gap not resolved")
    worse = Resamples(planted(rng, 1, 50, strong=0.9, proxy=0.9, tuned=0.1), derive(0)).closed(
        "proxy", "strong", "tuned"
    )
    assert (worse.value, worse.status) == (None, "ceiling below floor")
    few = Resamples(planted(rng, 1, 3, strong=0.0, proxy=1.0, tuned=1.0), derive(0)).closed("proxy", "strong", "tuned")
    assert (few.value, few.status) == (None, "too few test groups")


def test_a_score_that_all_items_share_has_an_exact_interval() -> None:
    found = Resamples(planted(np.random.default_rng(0), 1, 50, none=0.0, all=1.0), derive(0))
    edge = 0.025 ** (1 / 50)
    assert found.ci({"none": 1.0}) == (0.0, pytest.approx(1 - edge)) and found.ci({"all": 1.0}) == (
        pytest.approx(edge),
        1.0,
    )


def writing_task(count: int, sides=None):
    drafts = [
        GenerationDraft(f"prompt {i}", "yes", "yes", group=i // 3, side=0 if sides is None else sides[i])
        for i in range(count)
    ]
    return build_generation("t", drafts, verifier="", scorer="exact", tokens=4)[0]


def test_halves_share_no_group_and_hold_every_item() -> None:
    task = writing_task(130)
    train, test = steering.halves(task, 5)
    assert sorted([*train, *test]) == list(range(130)) and not set(task.groups[train]) & set(task.groups[test])
    assert abs(len(train) - 65) <= 3
    assert steering.halves(task, 6)[0].tolist() != train.tolist()


def test_the_data_s_own_test_side_is_the_test_half() -> None:
    task = writing_task(90, [TEST if i < 30 else POOL for i in range(90)])
    train, test = steering.halves(task, 0)
    assert {task.prompts[i] for i in test} == {f"prompt {i}" for i in range(30)} and len(train) == 60


def test_too_few_items_are_refused() -> None:
    with pytest.raises(UserError, match="15 items to train on and 15 to test on: give at least 20"):
        steering.halves(writing_task(30), 0)


def test_statements_begin_alike_and_one_of_them_is_true() -> None:
    found = knowledge.statements("cities", 40)
    assert len(found.true) == 40 and all(
        text.startswith("The city of ") and text.endswith(" is") for text in found.prefixes
    )
    assert all(a != b and a.startswith(" in ") for a, b in zip(found.true, found.false, strict=True))
    assert len(set(found.groups.tolist())) == 40
    assert len(knowledge.statements("translations").true) >= 20


def test_knowledge_is_how_often_the_true_statement_is_likelier(tmp_path) -> None:
    class Told:
        name, digest, engine = "told", "d", "e"

        def logprobs(self, prompts, texts, prompting=None):
            return [np.array([len(text), -3.0]) for text in texts]

    asked = knowledge.Statements(
        "s", ("a is", "b is", "c is"), (" xx", " y", " same"), (" x", " yy", " emas"), np.arange(3)
    )
    assert knowledge.knows(Told(), asked, Store(tmp_path)).tolist() == [1, 0, 0.5]


def test_json_is_right_as_an_object_and_readable_by_its_names() -> None:
    key = {"city": "Lyon", "country": "France"}
    said = [
        '```json\n{"country":"France",\n "city": "Lyon"}\n```',
        '{"city": "Lyon", "country": "FR"}',
        '{"city": "Lyon"}',
        "France",
        "}{",
    ]
    found = written.scores("json", [said], [key] * 5, np.arange(5))
    assert found["accuracy"].num.tolist() == [[1, 0, 0, 0, 0]] and found["readable"].num.tolist() == [[1, 1, 0, 0, 0]]


def test_places_are_asked_once_each_and_answered_in_json() -> None:
    task, gold = generation.load("places")
    assert len(set(task.prompts)) == len(task) > 400
    assert all(json.loads(answer) == key for answer, key in zip(gold.answers, gold.keys, strict=True))
    countries = [key["country"] for key in gold.keys]
    assert max(map(countries.count, countries)) <= 4
    assert all(key["country"] not in json.dumps(shown) for key, shown in zip(gold.keys, task.shown, strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A task for a tiny model, a strong and a small model of one vocabulary, and few statements of knowledge."""
    root = tmp_path_factory.mktemp("steer")
    rows = [
        {"prompt": f"the city of {a} {b} {c} is in", "answer": PLACES[i % 4]}
        for i, a in enumerate(("lyon", "very", "maybe", "no"))
        for b in families.tiny_models.WORDS[:6]
        for c in ("a", "an", "so")
    ]
    (root / "task.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(root / "store"))
        patch.setattr(knowledge, "statements", functools.partial(knowledge.statements, count=20))
        patch.setattr(generation, "Columns", lambda: COLUMNS)
        # Random models have more to learn than real ones.
        tune = causal.tune
        patch.setattr(causal, "tune", lambda *given, **more: tune(*given, **more | LONG))
        yield {
            "task": str(root / "task.jsonl"),
            "strong": str(families.save(root / "strong", 1, 4, max_position_embeddings=128)),
            "small": str(families.save(root / "small", 2, 2, max_position_embeddings=128)),
            "root": root,
        }


LONG = {"kind": "full", "rate": 1e-2, "epochs": 25}
COLUMNS = Columns(scorer="exact", form="words", tokens=4)


@pytest.fixture(scope="module")
def found(world):
    return proxy_tuning.steer(
        world["task"], strong=world["strong"], small=world["small"], seeds=2, out=world["root"] / "out"
    )


def test_every_row_is_what_that_model_writes_and_scores(world, found) -> None:
    task, gold = generation.load(world["task"])
    test = steering.halves(task, 0)[1]
    rows = {row["name"]: row for row in found.facts["rows"]}
    assert (
        list(rows) == list(steering.ROWS)
        and found.facts["test"] == len(test)
        and found.facts["train"] == len(task) - len(test)
    )
    for name in ("strong", "small"):
        model = Local(models.resolve(world[name], Store.default()))
        asked = [
            model.sample([task.prompts[i]], 1, steering.Sampling(tokens=4, temperature=0), [[0]])[0][0].text
            for i in test
        ]
        assert rows[name]["score"] == np.mean(
            [a.split() == gold.keys[i].split() for a, i in zip(asked, test, strict=True)]
        )
    # Steered, a model that could not do it follows the small one that learned it.
    assert rows["tuned small"]["score"] > rows["small"]["score"] + 0.2
    assert rows["tuned strong"]["score"] > rows["strong"]["score"] + 0.2
    assert rows["proxy"]["score"] > rows["strong"]["score"]
    gap = rows["tuned strong"]["score"] - rows["strong"]["score"]
    assert found.facts["closed"]["value"] == pytest.approx((rows["proxy"]["score"] - rows["strong"]["score"]) / gap)
    assert rows["proxy"]["knowledge_change"] == pytest.approx(rows["proxy"]["knowledge"] - rows["strong"]["knowledge"])
    assert rows["strong"]["knowledge_change"] is None
    assert {model["prompting"] for model in found.facts["models"].values()} == {"plain"}, "they have no chat template"
    assert found.page.read_text().count("parameters), asked to continue plain text: ") == 2


def test_a_study_that_is_asked_again_ends_with_the_same_bytes_and_computes_nothing(world, found, monkeypatch) -> None:
    monkeypatch.setattr(Local, "sample", None)
    monkeypatch.setattr(Local, "logprobs", None)
    proxy_tuning.steer(
        world["task"], strong=world["strong"], small=world["small"], seeds=2, out=world["root"] / "again"
    )
    for name in ("steer.json", "steer.html"):
        assert (world["root"] / "again" / name).read_bytes() == (world["root"] / "out" / name).read_bytes()


def test_weak_labels_are_what_the_weak_model_writes_and_are_called_so(world, found) -> None:
    taught = proxy_tuning.pruned.resolve(world["small"], Store.default())
    task, gold = generation.load(world["task"])
    train, test = steering.halves(task, 0)
    lessons, labels = steering.lessons(task, gold, train, None, 0, Store.default())
    teacher = causal.tune(taught, lessons, seed=1, store=Store.default(), epochs=25)
    weak, said = steering.lessons(task, gold, train, str(teacher.path), 0, Store.default())
    assert labels == {"kind": "gold"} and (said["kind"], said["name"]) == ("weak", str(teacher.path))
    right = {task.prompts[i]: gold.answers[i] for i in train}
    assert said["right"] == pytest.approx(np.mean([one.answer.split() == right[one.prompt].split() for one in weak]))
    assert not {one.prompt for one in weak} & {task.prompts[i] for i in test}


def test_models_of_different_vocabularies_are_refused_before_anything_is_tuned(world, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(causal, "tune", None)
    other = families.save(tmp_path / "other", 4, 2, families.tiny_models.WORDS[:-1])
    with pytest.raises(UserError, match="take models of one vocabulary"):
        proxy_tuning.steer(world["task"], strong=world["strong"], small=str(other))


def test_the_small_model_may_be_a_sibling_made_for_it(world, tmp_path, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(
        pruned, "sibling", lambda big, depth, store: asked.append(depth) or models.resolve(world["small"], store)
    )
    facts = proxy_tuning.steer(world["task"], strong=world["strong"], out=tmp_path).facts
    # Two thirds of five blocks.
    assert asked == [3] and facts["models"]["small"]["name"] == world["small"]


def test_a_task_of_no_true_and_false_statements_asks_for_no_knowledge(monkeypatch) -> None:
    task, gold = knowledge.tasks.load("cities", knowledge.tasks.Reading(items=40))
    monkeypatch.setattr(
        knowledge.tasks,
        "load",
        lambda name, reading: (
            copy.replace(task, classes=("no", "yes")) if hasattr(copy, "replace") else _other(task),
            gold,
        ),
    )
    with pytest.raises(UserError, match="`knowledge` = mine: its items are not pairs"):
        knowledge.statements("mine")


def _other(task):
    from dataclasses import replace

    return replace(task, classes=("no", "yes"))


def test_the_command_prints_the_answer_and_where_the_page_is(world, found, capsys) -> None:
    app(
        [
            "steer",
            world["task"],
            "--strong",
            world["strong"],
            "--small",
            world["small"],
            "--seeds",
            "2",
            "--out",
            str(world["root"] / "told"),
        ]
    )
    said = capsys.readouterr().out
    assert page.headline(found.facts).label in said and f"report: {world['root'] / 'told' / 'steer.html'}" in said


def with_closed(facts: dict, value: float | None, ci, status: str = "ok") -> dict:
    return {
        **facts,
        "closed": {
            "value": value,
            "ci": ci,
            "gap": 0.3,
            "gap_ci": [-0.1, 0.7] if value is None else [0.1, 0.5],
            "status": status,
        },
    }


@pytest.mark.parametrize(
    ("value", "ci", "status", "verdict", "label"),
    [
        (0.6, [0.4, 0.8], "ok", "yes", "Steering closes 60% of the gap"),
        (-0.3, [-0.5, -0.1], "ok", "no", "Steering does not help"),
        (0.2, [-0.1, 0.5], "ok", "unclear", "Not clear whether steering helps"),
        (None, None, "gap not resolved", "unclear", "There is no gap to close"),
        (None, None, "ceiling below floor", "unclear", "Tuning the strong model makes it worse"),
    ],
)
def test_the_headline_says_what_the_interval_allows(found, value, ci, status, verdict, label) -> None:
    answer = page.headline(with_closed(found.facts, value, ci, status))
    assert (answer.verdict, answer.label) == (verdict, label)
    if value is None:
        assert status in answer.plain and "+30.0 points [−10.0, +70.0]" in answer.plain.replace("\xa0", " ")


def test_the_page_says_who_taught_what_and_fetches_nothing(found) -> None:
    html = page.render({**found.facts, "labels": {"kind": "weak", "name": "teacher", "right": 0.75}})
    assert "weak labels: what teacher writes, right on 75.0% of them" in html
    assert "for these very tunings" in html and "http" not in html.replace("http-equiv", "").replace(
        "http://www.w3.org", ""
    )
    for row in found.facts["rows"]:
        assert page.NAMES[row["name"]] in html


def test_where_no_item_tells_two_scores_apart_the_interval_says_how_far_apart_they_may_be() -> None:
    nothing, some = np.zeros((1, 120)), (np.arange(120) < 32).astype(float)[None]
    scores = {
        name: Score(num, np.ones(120), np.arange(120)) for name, num in (("a", nothing), ("b", nothing), ("c", some))
    }
    found = Resamples(scores, derive(0))
    most = 1 - 0.025 ** (1 / 120)  # of 120 groups none differing: at most 3.0% do
    assert found.ci({"b": 1.0, "a": -1.0}) == (-most, most)
    assert found.ci({"a": 1.0}) == (0.0, most)
    closed = found.closed("b", "a", "c")
    assert closed.value == 0 and closed.ci == pytest.approx(
        (-most / closed.gap_ci[0], most / closed.gap_ci[0]), rel=0.02
    )
