"""The floor is what taught: of several supervisors the best label model that needs no gold."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import tiny_models
from outgrow import label_models, tasks
from outgrow.label_models import WeakLabels
from outgrow.label_models._floor import agreeing, candidates, filled
from outgrow.label_models._votes import Votes, WeakVotes
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.pgr import counted
from outgrow.pipeline.baselines import registry, texts
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.spaces import Spaces
from outgrow.report.words import headline
from outgrow.runs import read
from outgrow.store import Store
from outgrow.tasks import Reading
from outgrow.workflows.study import ClassStudy

NAMES = ("anna", "bob", "cy")
MAJORITY = 0.8**3 + 3 * 0.8**2 * 0.2
""".896: three independent annotators of 80% are right together where two or three of them are."""


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


floor = registry("classes")["floor"].fit


def table(folder: Path, rows: int = 900, says: str = "majority", silent: float = 0.0, seed: int = 0) -> Path:
    """Three annotators, right on 80%, each with abstentions; texts that hold their majority alone, or the truth."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.5 if not silent else rng.random(rows) < 0.7).astype(int)
    votes = np.where(rng.random((3, rows)) < 0.8, truth, 1 - truth)
    word = {"majority": (votes.sum(0) > 1).astype(int), "truth": truth}[says]
    quiet = rng.random((3, rows)) < silent
    filler = [" ".join(rng.choice(tiny_models.WORDS[:10], 3)) for _ in range(rows)]
    frame = {
        "text": [
            f"{' '.join([('false', 'true')[w]] * 4)} {more} {i}"
            for i, (w, more) in enumerate(zip(word, filler, strict=True))
        ],
        "label": truth.tolist(),
    }
    frame |= {n: [None if q else int(v) for v, q in zip(votes[j], quiet[j], strict=True)] for j, n in enumerate(NAMES)}
    path = folder / f"{says}.parquet"
    pl.DataFrame(frame).write_parquet(path)
    return path


def study(path: Path, model: str, **changes) -> ClassStudy:
    asked = {
        "weak": ["+".join(f"column:{n}" for n in NAMES)],
        "strong": model,
        "methods": ["naive"],
        "seeds": 4,
        "out": path.parent / f"{path.stem}-run",
    }
    return ClassStudy(tasks=[str(path)], **(asked | changes))


def rows_of(run: Path) -> dict[str, dict]:
    return {row["method"]: row for row in json.loads((run / "summary.json").read_text()) if row["metric"] == "accuracy"}


def test_a_student_that_only_equals_the_labels_that_taught_it_has_outgrown_nothing(tmp_path, model) -> None:
    result = study(table(tmp_path), model).run()
    rows = rows_of(result.path)
    assert rows["floor"]["value"] == pytest.approx(MAJORITY, abs=0.05) and rows["floor"]["of"].startswith(
        "label model "
    )
    assert rows["best member"]["value"] == pytest.approx(0.8, abs=0.07) and rows["best member"]["kind"] == "contrast"
    members = [rows[f"supervisor:column:{n}"]["value"] for n in NAMES]
    assert rows["mean member"]["value"] == pytest.approx(np.mean(members)) and rows["best member"]["of"]
    assert rows["naive"]["value"] > max(members), "against its best member alone it would have outgrown"
    (pair,) = read.read(result.path).pairs
    found = headline(pair)
    assert found.verdict != "yes" and "outgrew" not in found.label
    assert "label model" in found.plain or rows["naive"]["pgr"] is None


def test_a_student_that_learns_the_truth_from_the_same_annotators_has_outgrown_them(tmp_path, model) -> None:
    result = study(table(tmp_path, says="truth"), model).run()
    (pair,) = read.read(result.path).pairs
    found = headline(pair)
    assert (found.verdict, found.label) == ("yes", "The student outgrew its teachers")
    assert "its teachers’ labels by label model" in found.plain


def pairs_of(path: Path, model: str, **changes) -> ClassCell:
    asked = study(path, model, **changes)
    task, gold = tasks.load(str(path), asked._reading())
    return asked.cell(task, gold, asked.weak[0], model, Spaces(task, Store.default()))


def slow_floor(pair, r: int) -> np.ndarray:
    """(n_test, C) of one replicate, in loops: every label model, scored one weak-train item after another."""
    weak, transfer, test = pair.known[r], pair.splits.transfer[r], pair.test
    probs = pair.labels[r].copy()
    probs[:, ~(weak | transfer | test)] = np.nan
    gold, count = pair.gold.labels, len(pair.task.classes)
    commonest = max(range(count), key=lambda c: sum(gold[i] == c for i in np.flatnonzero(weak)))
    best, found = -1.0, np.empty(0)
    names = [pair.label_model, *(n for n in label_models.registry() if n != pair.label_model)]
    for silence in ("guess", "commonest"):
        for name in names:
            skill = pair.skill[r][None] if name == pair.label_model else None
            belief = label_models.find(name)(WeakLabels(probs[None], pair.names, name, skill)).probs[0]
            if silence == "commonest":
                if not any(np.isnan(belief[i]).any() for i in np.flatnonzero(test)):
                    continue
                for i in range(len(belief)):
                    if np.isnan(belief[i]).any():
                        belief[i] = np.eye(count)[commonest]
            points = 0.0
            for i in np.flatnonzero(weak):
                top = [c for c in range(count) if np.isnan(belief[i]).any() or belief[i, c] == belief[i].max()]
                points += (gold[i] in top) / len(top)
            if points / weak.sum() > best + 1e-12:
                best, found = points / weak.sum(), belief[test]
    return found


@pytest.mark.parametrize("silent", [0.0, 0.5])
@pytest.mark.parametrize("label_model", ["mean", "accuracy"])
def test_the_floor_is_what_a_slow_search_on_weak_train_finds(tmp_path, model, silent, label_model) -> None:
    pair = pairs_of(table(tmp_path, rows=240, silent=silent), model, label_model=label_model)
    found = floor(pair)
    for r in range(3):
        assert np.allclose(found.values[r], slow_floor(pair, r), atol=1e-5, equal_nan=True)


def test_gold_of_transfer_and_test_items_changes_nothing_of_the_floor(tmp_path, model) -> None:
    from dataclasses import replace

    pair = pairs_of(table(tmp_path, rows=240), model)
    flipped = np.where(pair.known[0], pair.gold.labels, 1 - pair.gold.labels)
    other = replace(pair, gold=replace(pair.gold, labels=flipped))
    one, two = floor(pair), floor(other)
    assert np.array_equal(one.values[0], two.values[0]) and one.of[0] == two.of[0]


def test_with_little_gold_label_models_are_chosen_by_agreement_with_held_out_votes(tmp_path, model) -> None:
    pair = pairs_of(table(tmp_path, rows=240), model, weak_gold=4)
    assert (pair.known.sum(1) < 20).all()
    found = floor(pair)
    assert (
        accuracy(found.values, pair.gold.labels[pair.test], np.ones(pair.test.sum()), np.arange(pair.test.sum())).value
        > 0.8
    )


def test_agreement_with_held_out_votes_prefers_the_model_that_hears_the_good_annotator() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(2, size=2000)
    right = np.array([0.95, 0.9, 0.55, 0.55, 0.55, 0.55])
    said = np.where(rng.random((6, 2000)) < right[:, None], gold, 1 - gold)
    weak = WeakLabels(np.eye(2, dtype=np.float32)[said][None], tuple("abcdef"), "majority")
    score = {name: agreeing(weak, name, 0)[0] for name in candidates(weak)}
    assert score["dawid_skene"] > score["majority"]
    # A belief that is gold itself agrees with annotator j on a_j of items: mean .675, which nobody can pass by much.
    assert score["dawid_skene"] < right.mean() + 0.02


def test_silence_scores_as_a_guess_and_as_the_commonest_class_by_hand() -> None:
    # Five items, gold 1 1 1 0 0; labels 1 and 0 on the first and the fourth, abstentions where gold is 1, 1 and 0.
    nan = np.nan
    probs = np.array([[[0, 1], [nan, nan], [nan, nan], [1, 0], [nan, nan]]], np.float32)
    gold, ones = np.array([1, 1, 1, 0, 0]), np.ones(5)
    assert accuracy(probs, gold, ones, np.arange(5)).value == pytest.approx((2 + 3 * 0.5) / 5)  # .7
    assert accuracy(filled(probs, np.array([1])), gold, ones, np.arange(5)).value == pytest.approx((2 + 2) / 5)  # .8


def test_a_study_says_what_silence_is_worth_either_way(tmp_path, model) -> None:
    result = study(table(tmp_path, rows=400, silent=0.6), model, weak=["column:anna"]).run()
    rows, frame = rows_of(result.path), pl.read_parquet(tmp_path / "majority.parquet")
    row = rows["floor"]
    # silent on 60%: .4 x .8 + .6 x .5 = .62 as a guess, .4 x .8 + .6 x .7 = .74 as the commonest of 70%
    assert row["spoke"] == pytest.approx(0.4, abs=0.12)
    assert row["as_guess"] == pytest.approx(0.62, abs=0.1) and row["as_commonest"] == pytest.approx(0.74, abs=0.1)
    assert (
        row["value"] == pytest.approx(row["as_commonest"])
        and row["of"] == "column:anna, its silence as the commonest class"
    )
    assert rows["supervisor:column:anna"]["value"] == pytest.approx(row["as_guess"])
    assert rows["naive"]["as_guess"] is None and frame["anna"].null_count() > 0


def test_a_run_of_an_earlier_version_makes_no_claim_against_several(tmp_path, model) -> None:
    result = study(table(tmp_path, says="truth"), model).run()
    summary = json.loads((result.path / "summary.json").read_text())
    for row in summary:
        row.pop("of")
    (result.path / "summary.json").write_text(json.dumps(summary))
    (pair,) = read.read(result.path).pairs
    assert headline(pair).verdict == "unclear" and "run the same command again" in headline(pair).plain


def test_what_replicates_chose_is_counted() -> None:
    assert counted(["mean", "mean"]) == "mean"
    assert counted(["mean", "blocks", "mean"]) == "mean (2 of 3 replicates); blocks (1 of 3 replicates)"


@pytest.mark.parametrize("name", sorted(label_models.registry()))
def test_a_long_table_of_votes_is_believed_as_the_dense_array(name) -> None:
    rng = np.random.default_rng(1)
    probs = rng.dirichlet(np.ones(3), (2, 4, 60)).astype(np.float32)
    probs[rng.random(probs.shape[:3]) < 0.4] = np.nan
    skill = np.array([[0.5, 0.6, 0.7, np.nan], [0.4, 0.6, 0.8, 0.9]])
    tables = []
    for one in probs:
        worker, item = np.nonzero(~np.isnan(one).any(-1))
        tables.append(Votes(item, worker, one[worker, item].astype(float), 60, 4))
    for known in (None, skill):
        dense = WeakLabels(probs, tuple("abcd"), name, known)
        long = WeakVotes(tuple(tables), tuple("abcd"), name, known)
        assert np.allclose(long.beliefs, dense.beliefs, atol=1e-5, equal_nan=True)
        assert np.array_equal(long.probs, dense.probs, equal_nan=True)


def test_reading_finds_the_columns(tmp_path, model) -> None:
    assert study(table(tmp_path, rows=60), model)._reading() == Reading(votes=NAMES)


class Voice:
    """A supervisor whose answers are written down."""

    def __init__(self, name: str, said: list[str]):
        self.name, self.said = name, said

    def answers(self, items) -> list[str]:
        return [self.said[i] for i in items]


def writers(said: list[list[str]], gold: list[str], fresh: int) -> SimpleNamespace:
    """Labels of items: the first `fresh` are unseen weak-train items, then come transfer and test items."""
    third = len(gold) // 3

    def earned(answers) -> float:
        return float(np.mean([a == gold[i] for a, i in zip(answers, range(fresh), strict=True)]))

    skill = np.array([earned(row[:fresh]) for row in said]) if fresh else np.ones(len(said))
    voices = [Voice(f"w{j}", row) for j, row in enumerate(said)]
    return SimpleNamespace(
        test_items=np.arange(2 * third, len(gold)),
        supervisors=voices,
        skill=skill,
        fresh=np.arange(fresh),
        earned=earned,
        task=SimpleNamespace(form="number"),
    )


def test_of_three_writers_the_plurality_is_the_floor_where_it_earns_more_on_weak_train() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(100, size=900)
    said = [[str(g if rng.random() < 0.8 else g + rng.integers(1, 50)) for g in gold] for _ in range(3)]
    keys = [str(g) for g in gold]
    for fresh in (300, 0):
        found = registry("texts")["floor"].fit(writers(said, keys, fresh))
        right = np.mean([a == keys[600 + i] for i, a in enumerate(found.values[0])])
        # two or three right, or the first named one, right where all three differ: .896 + a little
        assert found.of == ("plurality of the supervisors",) and right == pytest.approx(MAJORITY + 0.03, abs=0.04)
    two = registry("texts")["floor"].fit(writers(said[:2], keys, 300))
    assert two.of[0] in ("w0", "w1") and registry("texts")["best member"].fit(writers(said, keys, 0)) is None


def test_where_one_writer_is_better_than_all_together_it_is_the_floor() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(100, size=900)
    wrong = [str(g + 1) for g in gold]
    keys = [str(g) for g in gold]
    good = [k if rng.random() < 0.9 else w for k, w in zip(keys, wrong, strict=True)]
    found = registry("texts")["floor"].fit(writers([wrong, wrong, good], keys, 300))
    assert found.of == ("w2",) and found.values[0].tolist() == good[600:]


def test_a_plurality_goes_by_form_and_equally_common_answers_to_the_first_named() -> None:
    answers = [["#### 1,000", "2", "no number"], ["1000", "3", "4"], ["7", "3.0", "no number"]]
    assert texts.plurality(answers, "number") == ["#### 1,000", "3", "4"]
    assert texts.plurality([["1"], ["2"], ["3"]], "number") == ["1"]
