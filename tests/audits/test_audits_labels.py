"""Audits of labels and of how sure supervisors are: suspected label errors, calibration."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.audits import registry
from outgrow.audits._statistics import wilson
from outgrow.audits.errors import confident
from outgrow.audits.evidence import Evidence, VoteTable
from outgrow.core.worlds import World, plant

DATA = Path(__file__).parents[3] / "shared" / "data"


def asked(code: str, evidence: Evidence):
    (found,) = registry()[code](evidence)
    return found


def votes_of(answers: np.ndarray, classes: int, names=("model",)) -> VoteTable:
    """Of one supervisor or several, answers (J, N)."""
    count, items = answers.shape
    return VoteTable(
        np.tile(np.arange(items), count),
        np.repeat(np.arange(count), items),
        answers.ravel(),
        items,
        tuple(names),
        tuple(map(str, range(classes))),
    )


def labelled(flipped: float, seed: int, items: int = 300, classes: int = 2) -> tuple[Evidence, np.ndarray]:
    """Features and labels, of which a share is wrong; and which."""
    world = plant(World(items=items, width=6, classes=classes, gap=0.3), seed, 1)
    rng = np.random.default_rng(seed)
    wrong = rng.random(items) < flipped
    given = np.where(wrong, (world.gold + rng.integers(1, classes, items)) % classes, world.gold)
    return Evidence("planted", votes_of(world.gold[None], classes), features=world.x, gold=given), wrong


def test_confident_learning_is_what_a_slow_count_says():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.4, 0.6, 0.8], 200)
    given = np.array([rng.choice(3, p=row) for row in p])
    limit = [np.mean([p[i, k] for i in range(200) if given[i] == k]) for k in range(3)]
    counts = np.zeros((3, 3))
    for i in range(200):
        above = [k for k in range(3) if p[i, k] >= limit[k]]
        if above:
            counts[given[i], max(above, key=lambda k: p[i, k])] += 1
    expected = sum(counts[g, k] / counts[g].sum() * np.mean(given == g) for g in range(3) for k in range(3) if g != k)
    share, opinion, margin = confident(given, p)
    assert abs(share - expected) < 1e-12 and (margin[opinion == given] == 0).all()
    assert [(given[opinion == k] == g).sum() for g in range(3) for k in range(3)] == counts.ravel().tolist()


@pytest.mark.parametrize("classes", [2, 4])
def test_planted_label_errors_are_found_by_heads_that_have_not_seen_them(classes):
    evidence, wrong = labelled(0.12, 0, 1200, classes)
    found = asked("ERRORS", evidence)
    assert found.severity == "warning" and found.ci[0] < wrong.mean() < found.ci[1]
    assert wrong[[int(item["item"]) for item in found.items]].mean() >= 0.9


def test_what_the_label_model_believes_is_suspected_where_heads_know_better():
    """Three voters of .8 leave a tenth of the beliefs wrong; of the surest suspects most are."""
    evidence, _ = labelled(0, 1, 1200)
    rng = np.random.default_rng(0)
    said = np.where(rng.random((3, 1200)) < 0.8, evidence.gold, 1 - evidence.gold)
    found = asked("ERRORS", replace(evidence, votes=votes_of(said, 2, "abc"), gold=None))
    assert found.severity == "warning" and "the label model believes" in found.says
    believed = (said.sum(0) > 1).astype(int)
    assert np.mean([believed[int(i["item"])] != evidence.gold[int(i["item"])] for i in found.items]) >= 0.8


def test_of_200_clean_sets_at_most_five_in_a_hundred_are_suspected():
    said = [asked("ERRORS", labelled(0, seed)[0]) for seed in range(200)]
    assert sum(found.severity in ("warning", "stop") for found in said) <= 10


@pytest.mark.shared_data
def test_label_errors_of_cifar10_that_people_confirm():
    if not (DATA / "label_errors").exists() or not (DATA / "cifar10").exists():
        pytest.skip("needs ../shared/data/label_errors and cifar10")
    images = pl.read_parquet(
        DATA / "cifar10" / "cifar10.parquet", columns=["split", "index", "label", "net_probs"]
    ).filter(split="test")
    p, given = np.array(images["net_probs"].to_list(), np.float32), images["label"].to_numpy()
    evidence = Evidence(
        "cifar10",
        votes_of(p.argmax(1)[None], 10),
        tuple(map(str, images["index"])),
        gold=given.astype(np.int64),
        probs=p,
    )
    found = asked("ERRORS", evidence)
    checked = pl.read_parquet(DATA / "label_errors" / "label_errors.parquet").filter(dataset="cifar10")
    verdict = {row["item_id"]: json.loads(row["votes"])["given"] <= 2 for row in checked.to_dicts()}
    _, opinion, margin = confident(given, p)
    ranked = [str(images["index"][int(i)]) for i in np.argsort(margin) if opinion[i] not in (-1, given[i])]
    known = [verdict[i] for i in ranked if i in verdict]
    low, high = wilson(np.array(known))
    assert len(known) > 100 and low < 0.25 < high and found.severity == "note"
    assert f"{len(ranked)} of 5,000 gold labels are suspected" in found.says


def head(seed: int, sharpened: float = 1.0, items: int = 2500) -> Evidence:
    """Evidence of a logistic regression in a world that is one, trained on a thousand items and judged on the rest."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(items, 4))
    y = (rng.random(items) < 1 / (1 + np.exp(-x @ [1.5, -1, 1, 0.5]))).astype(int)
    p = LogisticRegression().fit(x[:1000], y[:1000]).predict_proba(x[1000:])
    p = p**sharpened / (p**sharpened).sum(1, keepdims=True)
    return Evidence("planted", votes_of(p.argmax(1)[None], 2), gold=y[1000:], probs=p.astype(np.float32))


def test_a_supervisor_that_is_too_sure_is_flagged_and_its_temperature_found():
    found = asked("CALIBRATION", head(0, sharpened=4))
    assert found.severity == "warning" and found.ci[0] > 0.05 and "too sure" in found.says and found.items
    row = found.sheets[0].rows[0]
    assert (
        float(row[6]) == pytest.approx(4, rel=0.25)
        and "to the power 0.2" in found.do
        and "14.7% to 2.3%" in found.do
        and row[7] == "2.3%"
    )


def test_of_200_trained_heads_at_most_five_in_a_hundred_are_called_ill_calibrated():
    said = [asked("CALIBRATION", head(seed, items=1300)) for seed in range(200)]
    assert sum(found.severity in ("warning", "stop") for found in said) <= 10


@pytest.mark.shared_data
def test_calibration_of_a_net_on_cifar10():
    if not (DATA / "cifar10").exists():
        pytest.skip("needs ../shared/data/cifar10")
    images = pl.read_parquet(
        DATA / "cifar10" / "cifar10.parquet", columns=["split", "index", "label", "net_probs"]
    ).filter(split="test")
    p = np.array(images["net_probs"].to_list(), np.float32)
    found = asked(
        "CALIBRATION",
        Evidence("cifar10", votes_of(p.argmax(1)[None], 10), gold=images["label"].to_numpy().astype(np.int64), probs=p),
    )
    row = found.sheets[0].rows[0]
    assert found.severity == "ok" and 0.02 < found.ci[0] < found.value < found.ci[1] < 0.045
    assert "too sure" in found.says and float(row[6]) > 1.3 and row[7] == "0.7%"


@pytest.mark.shared_data
def test_label_errors_of_imdb_that_people_confirm():
    """Of 110 reviews with five readers, suspected ones are read as the other class twice as often as others."""
    if not (DATA / "label_errors").exists() or not (DATA / "imdb").exists():
        pytest.skip("needs ../shared/data/label_errors and imdb")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    reviews = pl.read_parquet(DATA / "imdb" / "imdb.parquet")
    x, given = (
        TfidfVectorizer(sublinear_tf=True, min_df=5).fit_transform(reviews["text"]),
        reviews["label"].to_numpy().astype(np.int64),
    )
    fold, p = np.random.default_rng(0).permutation(len(given)) % 3, np.zeros((len(given), 2), np.float32)
    for k in range(3):
        p[fold == k] = LogisticRegression(C=5).fit(x[fold != k], given[fold != k]).predict_proba(x[fold == k])
    evidence = Evidence("imdb", votes_of(p.argmax(1)[None], 2), tuple(reviews["id"]), gold=given, probs=p)
    assert asked("ERRORS", evidence).severity == "note"
    checked = pl.read_parquet(DATA / "label_errors" / "label_errors.parquet").filter(dataset="imdb")
    votes = {row["item_id"]: json.loads(row["votes"]) for row in checked.to_dicts()}
    _, opinion, _ = confident(given, p)
    suspected = dict(zip(reviews["id"], (opinion >= 0) & (opinion != given), strict=True))
    yes, no = ([votes[i]["guessed"] > votes[i]["given"] for i in votes if suspected.get(i) == s] for s in (True, False))
    assert min(len(yes), len(no)) > 30 and np.mean(yes) > 1.4 * np.mean(no)
