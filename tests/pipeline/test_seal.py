"""Gold stays sealed: walked from every resource of every design, sold at a price, watched by canary and alarm."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import test_text_methods

import hostile
import studies
import tiny_models
from outgrow import UserError, methods, models
from outgrow.cli import main
from outgrow.generation import Sampling
from outgrow.methods import text as sequences
from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score
from outgrow.metrics.alarm import MARGIN, above
from outgrow.metrics.controls import CanaryResult
from outgrow.metrics.intervals import ScoreTable
from outgrow.pipeline import canary
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.oracle import Account
from outgrow.pipeline.seal import Seal, Sealed, Service
from outgrow.pipeline.spaces import Spaces
from outgrow.pipeline.text_cell import TextCell
from outgrow.pipeline.verdicts import VerdictAccount
from outgrow.pipeline.vote_cell import VoteCell, table_of
from outgrow.store import Store
from outgrow.students.features import space_of
from outgrow.students.generator import Writers
from outgrow.supervisors import SupervisorView
from outgrow.supervisors.text import parse
from outgrow.tasks import Reading, load
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.annotators import Annotations
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.tasks.task import GenerationGold, GenerationTask, Gold, Task
from walking import reachable, tells

CLOSED = (
    ClassCell,
    Gold,
    Task,
    Spaces,
    Account,
    Service,
    Seal,
    SupervisorView,
    VoteCell,
    Annotations,
    TextCell,
    GenerationTask,
    GenerationGold,
    VerdictAccount,
)
"""What no resource may lead to: all that holds gold, or what holds it."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    return tmp_path


def paired(folder, weak="tfidf", student="linear", **changes):
    task, gold = load(str(studies.table(folder, rows=400)))
    tiny_models.save(folder / "model", encoder=False)
    store = Store.default()
    (folder / "kin").mkdir(exist_ok=True)
    kin, kin_gold = load(str(studies.table(folder / "kin", rows=120, seed=7)))
    others = ((kin, kin_gold, Spaces(kin, store)),)
    model = str(folder / "model")
    return ClassCell(
        task,
        gold,
        weak,
        model,
        0,
        0,
        None,
        Spaces(task, store),
        {"test": 1},
        student,
        between=(model,),
        others=others,
        **changes,
    )


def given(resources: Any, names: dict[str, str]) -> dict[str, Any]:
    """Every resource of a design that is to be had, by name."""
    return {name: found for name in names if (found := getattr(resources, name)) is not None}


@pytest.mark.parametrize(
    ("weak", "student", "lacks"),
    [
        ("tfidf", "linear", {"weak_features", "generator", "tuned"}),
        ("MODEL+tfidf", "mlp", {"generator", "tuned"}),
        ("planted:features:0.3", "linear", {"weak_features", "teach", "generator", "tuned"}),
        ("tfidf", "lora", {"weak_features", "auxiliary"}),
    ],
)
def test_no_resource_of_a_study_leads_to_gold(weak, student, lacks, folder):
    pair = paired(folder, weak.replace("MODEL", str(folder / "model")), student)
    if student != "lora":
        _ = pair.gold_student.fit(pair.one_hot(pair.splits.transfer))  # the ceiling came first, as in a study
    handed = given(pair, methods.RESOURCES)
    assert handed.keys() == methods.RESOURCES.keys() - lacks
    gold, test = pair.gold.labels, pair.test
    for name, resource in handed.items():
        found = reachable(resource, *(getattr(resource, part, None) for part in ("__call__", "ask", "fit")))
        assert not [item for item in found if isinstance(item, CLOSED)], name
        # Text tells .85 of gold by the one word that says it, and no array more than a student could read off it.
        assert max(tells(item, gold, test) for item in found) <= 0.9, name
        for r, rows in enumerate(pair.splits.transfer):
            slices = [
                item[r]
                for item in found
                if isinstance(item, np.ndarray) and item.ndim > 1 and len(item) == len(pair.replicates)
            ]
            assert max((tells(item, gold, rows) for item in slices), default=0.5) < 0.99, name


def test_the_walk_sees_gold_that_is_handed_over_in_any_of_the_ways_that_count(folder):
    pair = paired(folder)
    gold, test = pair.gold.labels, pair.test

    class Box:
        __slots__ = ("inside",)

    box = Box()
    box.inside = gold
    ways = {
        "attribute": replace(pair.weak, names=(gold,)),
        "slot": box,
        "closure": lambda: gold,
        "default": lambda x=gold: x,
        "method": pair.one_hot,
        "view": gold[:],
        "one-hot": np.eye(2)[gold],
        "generator": (g for g in [gold]),
        "partial": __import__("functools").partial(print, gold),
    }
    for name, way in ways.items():
        found = reachable(way)
        assert max(tells(item, gold, test) for item in found) == 1.0, name


def test_no_resource_of_learn_leads_to_gold_of_the_test_items(folder):
    path = studies.table(folder, rows=200)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rng = np.random.default_rng(0)
    for row in rows:
        row["other"] = row["label"] if rng.random() < 0.7 else 1 - row["label"]
        row["split"] = "test" if rng.random() < 0.3 else "train"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny_models.save(folder / "model", encoder=False)
    found = annotators.load(
        str(path), Reading(text="text", label="label", votes=("vote", "other"), split="split"), None
    )
    task, gold = found.task, found.gold.labels
    space = space_of(task, str(folder / "model"), task.side != 2, Store.default())
    taught = VoteCell(found, space, table_of(task), "mean", "linear", 0, gold_use="teaches")
    handed = given(taught, methods.RESOURCES)
    assert handed.keys() == methods.RESOURCES.keys() - {
        "weak_features",
        "tuned",
        "generator",
        "ladder",
        "auxiliary",
        "oracle",
        "teach",
    }
    hidden = taught.design.fold == 0
    assert hidden.sum() > 20 and (gold[hidden] >= 0).all()
    for name, resource in handed.items():
        reached = reachable(resource, getattr(resource, "fit", None))
        assert not [item for item in reached if isinstance(item, CLOSED)], name
        assert max(tells(item, gold, hidden) for item in reached) <= 0.9, name


def replicate(folder, weak: str) -> TextCell:
    """Sums with an answer of its own each, so that an answer that is found is found by no accident."""
    rows = [
        {"prompt": f"Add up {i} and 1000.", "answer": str(1000 + i), "ann": f"I say {900 + i % 7}"} for i in range(120)
    ]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = tiny_models.save(folder / "weak", encoder=False) / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": 256}))
    task, gold = from_table(read_file(folder / "sums.jsonl"), Columns(tokens=4), None, ("ann",))
    store = Store.default()
    model = models.resolve(str(folder / "weak"), store)
    bases = tuple((one, None if one.kind == "column" else models.resolve(one.of, store)) for one in parse(weak))
    writers = Writers(store, Sampling(tokens=4))
    return TextCell(task, gold, weak, model.name, 0, 0, 8, "lora", writers, model, bases, {"test": 1})


@pytest.mark.parametrize(
    ("weak", "lacks"),
    [
        ("column:ann", {"committee", "likelihood", "sure", "aligned", "bridge"}),
        ("shots:WEAK", {"committee", "aligned"}),
    ],
)
def test_no_resource_of_a_study_of_texts_leads_to_gold(weak, lacks, folder):
    found = replicate(folder, weak.replace("WEAK", str(folder / "weak")))
    handed = given(found, sequences.RESOURCES)
    assert handed.keys() == sequences.RESOURCES.keys() - lacks
    hidden = {found.gold.answers[i] for half in (found.transfer_items, found.test_items) for i in half}
    # 24 test items, and of the 96 others half.
    assert len(hidden) == 72
    for name, resource in handed.items():
        reached = reachable(resource, *(getattr(resource, part, None) for part in ("__call__", "tune")))
        assert not [item for item in reached if isinstance(item, CLOSED)], name
        assert not hidden & {item for item in reached if isinstance(item, str)}, name
    assert hidden & {item for item in reachable(found) if isinstance(item, str)}, "the walk would have found them"


def test_what_a_supervisor_that_is_not_planted_may_look_at_leads_to_no_sealed_gold(folder, monkeypatch):
    pair, seen = paired(folder), []
    kind, argument = pair.members[0]
    pair._say(replace(kind, label=lambda view: seen.append(view) or view.gold), argument, pair._gold(pair.known))
    found = reachable(seen[0])
    assert not [item for item in found if isinstance(item, (ClassCell, Gold, Account, Service, Seal))]
    assert max(tells(item, pair.gold.labels, pair.test) for item in found) <= 0.9


def account() -> tuple[Account, np.ndarray]:
    gold = np.array([0, 1, 1, 0])
    allowed = np.array([[True, True, True, False], [False, True, True, True]])
    return Account(allowed, lambda rows: np.where(rows[..., None], np.eye(2)[gold], np.nan)), allowed


def test_what_is_bought_stays_counted_whatever_the_buyer_does():
    seller, allowed = account()
    oracle = seller.oracle
    first = np.array([[True, False, False, False], [False, True, False, False]])
    assert oracle.ask(first)[0, 0].tolist() == [1, 0] and oracle.spent.tolist() == [1, 1]
    oracle.asked[:] = False
    assert not [name for name in dir(oracle) if name in ("forget", "reopen", "recount", "close")]
    with pytest.raises(AttributeError):
        oracle._token = ""
    for one in (copy.copy(oracle), copy.deepcopy(oracle), pickle.loads(pickle.dumps(oracle))):
        one.ask(first)
    thread = threading.Thread(target=lambda: copy.copy(oracle).ask(allowed))
    thread.start()
    thread.join()
    # All three items of either replicate: what is asked twice is paid for once.
    assert seller.asked.sum(1).tolist() == oracle.spent.tolist() == [3, 3]


def test_rows_that_change_while_they_are_sold_are_sold_as_they_were_counted():
    seller, _ = account()

    class Liar(np.ndarray):
        def __and__(self, other):
            return np.zeros_like(other)

    with pytest.raises(ValueError, match="transfer items only"):
        seller.oracle.ask(np.ones((2, 4), bool).view(Liar))
    assert not seller.asked.any()


def test_an_oracle_of_before_answers_no_more():
    seller, allowed = account()
    old = seller.oracle
    seller.reopen()
    with pytest.raises(RuntimeError, match="a run that is over"):
        old.ask(allowed)
    assert seller.oracle.spent.tolist() == [0, 0]


def test_a_service_is_gone_with_whoever_held_it():
    service = Service(lambda x: x + 1)
    sealed = service.sealed
    assert sealed(1) == 2 and Sealed(sealed.token)(2) == 3
    del service
    with pytest.raises(RuntimeError, match="another process"):
        sealed(1)


def test_verdicts_are_counted_whoever_asks():
    seller = VerdictAccount(lambda items, texts: np.array([text == "a" for text in texts]))
    executor = seller.executor
    assert executor([0, 1], ["a", "b"]).tolist() == [True, False]
    pickle.loads(pickle.dumps(executor))([np.int64(1), 2], ["b", "c"])
    assert executor.spent == seller.spent == 3 and not hasattr(executor, "reopen")
    seller.reopen()
    with pytest.raises(RuntimeError):
        executor([0], ["a"])


def test_gold_is_permuted_where_it_lies_and_comes_back_whatever_happens():
    labels = np.arange(10)
    labels.flags.writeable = False
    gold, other_name = Gold(labels, np.ones(10)), labels
    seal, hidden = Seal(gold, "labels"), np.arange(10) >= 4
    with pytest.raises(KeyboardInterrupt), seal.permuted(hidden, np.random.default_rng(1)):
        assert other_name[:4].tolist() == [0, 1, 2, 3]
        assert other_name[4:].tolist() != [4, 5, 6, 7, 8, 9] and sorted(gold.labels) == list(range(10))
        assert seal.true("labels").tolist() == list(range(10))
        raise KeyboardInterrupt
    assert labels.tolist() == list(range(10)) and gold.labels is labels and not labels.flags.writeable


def test_gold_in_words_is_permuted_too():
    gold = GenerationGold(tuple("abcdef"), tuple(range(6)))
    seal = Seal(gold, "answers", "keys")
    with seal.permuted(np.arange(6) > 0, np.random.default_rng(0)):
        assert gold.answers[0] == "a" and gold.answers != tuple("abcdef")
        assert ["abcdef"[key] for key in gold.keys] == list(gold.answers), "an item's answer and key go together"
        assert seal.true("answers") == tuple("abcdef") and seal.true("keys") == tuple(range(6))
    assert gold == GenerationGold(tuple("abcdef"), tuple(range(6)))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A study of hostile methods: (its details, its summary by method, its folder)."""
    folder = tmp_path_factory.mktemp("attacked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(folder / "store"))
        # A size of its own: gold of other tests may still be among the objects of this process.
        patch.setenv("HOSTILE_TABLE", str(studies.table(folder, rows=404)))
        asked = [run.__name__ for run in hostile.CLASSES if run is not hostile.by_luck]
        with methods.METHODS.lending(*hostile.CLASSES):
            studies.study(folder, methods=[*asked, "logconf"]).run()
    (details,) = json.loads((folder / "run" / "details.json").read_text())["pairs"]
    summary = {row["method"]: row for row in json.loads((folder / "run" / "summary.json").read_text())}
    return SimpleNamespace(
        details=details,
        summary=summary,
        folder=folder,
        says=next(c for c in details["controls"] if c["name"] == "canary"),
    )


@pytest.mark.parametrize("name", ["by_teach", "by_oracle"])
def test_hostile_methods_find_nothing_through_their_resources(attacked, name):
    # They fall back on naive, to the digit.
    assert attacked.summary[name]["value"] == attacked.summary["naive"]["value"] < 0.95


def test_a_price_cannot_be_forgotten(attacked):
    assert attacked.details["bought"] == {"by_forgetting": attacked.details["n_transfer"]}
    # Bought gold through a student is the ceiling, honestly paid for.
    assert attacked.summary["by_forgetting"]["value"] == attacked.summary["ceiling"]["value"]


@pytest.mark.parametrize("name", ["by_gc", "by_frames", "by_transfer", "by_neighbours"])
def test_the_canary_fires_on_gold_that_is_read_from_memory(attacked, name):
    assert attacked.says["passed"] is False and f"{name} changed" in attacked.says["says"]


@pytest.mark.parametrize("name", ["naive", "logconf", "by_teach", "by_oracle", "by_forgetting", "by_files"])
def test_the_canary_is_quiet_about_who_reads_no_hidden_gold_from_memory(attacked, name):
    assert f"{name} " not in attacked.says["says"]


@pytest.mark.parametrize("name", ["by_gc", "by_frames", "by_files"])
def test_the_alarm_fires_on_test_gold_that_is_read_from_anywhere(attacked, name):
    assert attacked.summary[name]["value"] == 1.0 and attacked.summary[name]["above_ceiling"] is True


def test_the_alarm_is_quiet_below_the_ceiling(attacked):
    assert {
        attacked.summary[name]["above_ceiling"]
        for name in ("naive", "logconf", "by_teach", "by_oracle", "by_forgetting")
    } == {False}
    assert attacked.summary["ceiling"]["above_ceiling"] is None


def test_report_and_show_print_canary_and_alarm_first(attacked, capsys):
    with pytest.raises(SystemExit):
        main(["show", str(attacked.folder / "run")])
    shown, page = capsys.readouterr().out, (attacked.folder / "run" / "report.html").read_text()
    assert (
        "CONTROL FAILED: canary: hidden gold permuted: " in shown
        and "by_gc changed" in shown
        and "A control failed: not to be relied on" in shown
    )
    assert "Above the ceiling: by_files, by +" in shown
    body = page[page.index("<body>") :]
    assert body.index("by_gc changed") < body.index("Above the ceiling: by_files, by +") < body.index('class="answer"')


def test_a_study_of_honest_methods_says_that_the_canary_lives(folder, capsys):
    studies.table(folder)
    studies.study(folder).run()
    (details,) = json.loads((folder / "run" / "details.json").read_text())["pairs"]
    found = next(control for control in details["controls"] if control["name"] == "canary")
    # 160 items: of 128 in the pool half are weak-train, so 96 are hidden from supervisors of replicate 0.
    assert found["passed"] is True and found["value"] == 0.0
    assert found["says"] == "gold of 96 hidden items permuted, no prediction of naive, logconf changed"
    with pytest.raises(SystemExit):
        main(["show", str(folder / "run")])
    assert f"canary: {found['says']}" in capsys.readouterr().out
    assert found["says"] in (folder / "run" / "report.html").read_text()


def test_what_is_never_the_same_twice_is_not_called_a_leak(folder):
    studies.table(folder)
    with methods.METHODS.lending(hostile.by_luck):
        studies.study(folder, methods=["by_luck"]).run()
    (details,) = json.loads((folder / "run" / "details.json").read_text())["pairs"]
    found = next(control for control in details["controls"] if control["name"] == "canary")
    assert found["passed"] is None and "predictions of by_luck differ each time they are made" in found["says"]


def test_the_canary_lives_where_questions_are_answered(folder):
    rng = np.random.default_rng(0)
    rows = [
        {"question": f"the city {i} is in", "choices": ["france", "spain", "rome"], "answer": int(rng.integers(3))}
        for i in range(150)
    ]
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    strong = str(tiny_models.save(folder / "encoder", encoder=True))
    result = studies.study(
        folder, tasks=[str(folder / "quiz.jsonl")], strong=strong, seeds=1, methods=["naive"], out=folder / "quiz"
    ).run()
    controls = json.loads((result.path / "details.json").read_text())["pairs"][0]["controls"]
    assert next(control for control in controls if control["name"] == "canary")["passed"] is True


def test_an_error_under_the_canary_is_a_verdict_and_gold_is_back():
    gold = Gold(np.array([0, 1] * 8), np.ones(16))

    def fails():
        raise LookupError("no gold where it was")

    found = canary.sung(Seal(gold, "labels"), np.ones(16, bool), fails, np.zeros((4, 2)), 0, "it")
    assert found == {"permuted": 16, "changed": 1.0, "passed": False, "raised": "LookupError"}
    assert gold.labels.tolist() == [0, 1] * 8


@pytest.mark.parametrize(
    ("found", "passed", "says"),
    [
        (
            {"a": CanaryResult(9, 0.0, True), "b": CanaryResult(9, 0.0, True)},
            True,
            "gold of 9 hidden items permuted, no prediction of a, b changed",
        ),
        (
            {"a": CanaryResult(9, 0.25, False), "b": CanaryResult(9, 0.0, True)},
            False,
            "hidden gold permuted: a changed 25.0% of its predictions",
        ),
        (
            {"a": CanaryResult(9, 0.1, None), "b": CanaryResult(9, 0.0, True)},
            None,
            "predictions of a differ each time they are made",
        ),
        ({f"m{i}": CanaryResult(9, 0.0, True) for i in range(7)}, True, "no prediction of 7 methods changed"),
    ],
)
def test_the_canary_is_one_verdict_on_all_methods(found, passed, says):
    verdict = controls.canary(found)
    assert verdict.passed is passed and says in verdict.says


def test_without_a_method_there_is_no_canary():
    assert controls.canary({}) is None


def scored(rates: dict[str, float], replicates: int, items: int = 400, seed: int = 0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    draws = {name: (rng.random((replicates, items)) < rate).astype(float) for name, rate in rates.items()}
    return ScoreTable.of({name: Score(right, np.ones(items), np.arange(items)) for name, right in draws.items()}, 1.0)


@pytest.mark.parametrize("replicates", [1, 4, 8])
def test_a_method_far_above_the_ceiling_is_an_alarm_and_one_at_it_is_none(replicates):
    found = above(
        scored({"ceiling": 0.8, "cheat": 1.0, "peer": 0.8, "weak": 0.7}, replicates), ["cheat", "peer", "weak"]
    )
    assert {name: it.alarm for name, it in found.items()} == {"cheat": True, "peer": False, "weak": False}
    assert MARGIN < found["cheat"].low < found["cheat"].difference


def test_methods_at_the_ceiling_are_called_above_it_in_fewer_than_one_study_in_twenty():
    names = [f"m{i}" for i in range(10)]
    cried = [
        any(
            it.alarm for it in above(scored({"ceiling": 0.8} | dict.fromkeys(names, 0.8), 4, 100, seed), names).values()
        )
        for seed in range(200)
    ]
    # 200 draws of at most 5%: 10 and three standard deviations of 3.1.
    assert sum(cried) <= 19


def test_too_few_test_groups_are_no_alarm():
    assert above(scored({"ceiling": 0.5, "cheat": 1.0}, 4, 3), ["cheat"])["cheat"].alarm is None


def test_an_auxiliary_task_with_items_of_the_task_itself_is_refused(folder):
    table = studies.table(folder)
    part = folder / "part.jsonl"
    part.write_text("".join(table.read_text().splitlines(keepends=True)[:50]))
    with pytest.raises(UserError, match="`auxiliary` = part: 50 of its items are items of table, whose gold is sealed"):
        studies.study(folder, auxiliary=[str(part)]).run()
    assert not (folder / "run").exists()


@pytest.fixture
def in_words(folder, monkeypatch):
    studies.short_tunings(monkeypatch)
    root = folder / "words"
    root.mkdir()
    for name in ("weak", "strong"):
        config = tiny_models.save(root / name, encoder=False) / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": 256}))
    rows = [
        {
            "text": f"the city of {test_text_methods.PLACES[i % 5]} {i}",
            "slots": [{"type": "city", "filler": test_text_methods.PLACES[i % 5]}],
        }
        for i in range(100)
    ]
    (root / "places.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with sequences.TEXT_METHODS.lending(*hostile.WORDS):
        yield root


def test_canary_and_alarm_stand_in_studies_of_texts_and_fire(in_words):
    result = test_text_methods.study(in_words, methods=[*(run.__name__ for run in hostile.WORDS), "executed"]).run()
    (details,) = json.loads((result.path / "details.json").read_text())["pairs"]
    found = next(control for control in details["controls"] if control["name"] == "canary")
    assert found["passed"] is False and found["says"].startswith("hidden gold permuted: in_words_by_frames changed")
    assert not [name for name in ("in_words_by_closures", "naive", "executed") if f"{name} " in found["says"]]
    summary = {
        row["method"]: row
        for row in json.loads((result.path / "summary.json").read_text())
        if row["metric"] == "slu_f1"
    }
    assert summary["in_words_by_frames"]["value"] == 1.0 and summary["in_words_by_frames"]["above_ceiling"] is True
    page = (result.path / "report.html").read_text()
    assert "Above the ceiling: in_words_by_frames" in page and "in_words_by_frames changed" in page
    assert details["bought"].keys() == {"executed"}
