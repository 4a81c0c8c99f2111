"""Audits: the registry and what all of them promise, copied errors and committees, the command, and the page."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from outgrow import audits
from outgrow.audits import SEVERITIES, examine, registry
from outgrow.audits.committee import majority
from outgrow.audits.evidence import NEEDS, Evidence, VoteTable
from outgrow.cli import main
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.audit import read


def crowd(
    copying: float, seed: int = 0, items: int = 1000, known: bool = True, skill=(0.6, 0.9), count: int = 9
) -> Evidence:
    """Supervisors of two classes; 1, 2 and 3 give the answer of 0, the worst, at the rate `copying`."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(2, size=items)
    said = np.where(rng.random((count, items)) < np.linspace(*skill, count)[:, None], gold, 1 - gold)
    for j in (1, 2, 3):
        said[j] = np.where(rng.random(items) < copying, said[0], said[j])
    item, worker = np.tile(np.arange(items), count), np.repeat(np.arange(count), items)
    votes = VoteTable(item, worker, said.ravel(), items, tuple(f"voter {j}" for j in range(count)), ("no", "yes"))
    return Evidence("planted", votes, gold=gold if known else None)


def asked(code: str, evidence: Evidence):
    (found,) = registry()[code](evidence)
    return found


@pytest.mark.parametrize("code", registry())
def test_every_audit_has_a_question_and_says_what_it_needs(code):
    one = registry()[code]
    assert code.isupper() and one.question.endswith("?") and one.line.endswith(".")
    assert set(one.needs) <= set(NEEDS) and set(one.uses) <= set(Evidence.__dataclass_fields__) | {"crowd", "show"}
    nothing = one(Evidence("nothing"))
    assert [f.severity for f in nothing] == ["not applicable"] and nothing[0].code == code


@pytest.mark.parametrize("known", [True, False])
def test_copied_errors_are_found_with_gold_and_without(known):
    found = asked("COPY", crowd(0.4, known=known))
    assert found.severity == "warning" and "voter 0, voter 1, voter 2, voter 3" in found.sheets[0].rows[0][0]
    assert found.ci[0] < found.value < found.ci[1] and 0.03 < found.value < 0.09


@pytest.mark.parametrize("known", [True, False])
def test_independent_supervisors_raise_no_alarm(known):
    alarms = sum(asked("COPY", crowd(0, seed, 300, known)).severity in ("warning", "stop") for seed in range(40))
    assert alarms <= 2


def test_correlation_of_errors_is_numpys():
    evidence = crowd(0.5)
    said = evidence.votes.label.reshape(9, -1)
    expected = np.corrcoef(said != evidence.gold)
    for names, value, *_ in asked("COPY", evidence).sheets[1].rows:
        j, k = (int(name.removeprefix("voter ")) for name in names.split(" and "))
        assert abs(float(value) - expected[j, k]) < 0.006


def test_the_audit_sees_the_collapse_of_dawid_skene_coming():
    """Copied at .4 the audit warns, while Dawid-Skene is right still; at .7 it is not."""
    from outgrow.label_models import find

    def right(name: str, rate: float) -> float:
        evidence = crowd(rate, items=1000)
        probs = evidence.crowd.mean if name == "majority" else find(name)(evidence.crowd).probs[0]
        return float((probs.argmax(-1) == evidence.gold).mean())

    assert right("dawid_skene", 0.4) > 0.9 and asked("COPY", crowd(0.4, known=False)).severity == "warning"
    assert right("dawid_skene", 0.7) < 0.7 < right("majority", 0.7) < right("blocks", 0.7)


def test_equally_many_answers_share_the_majority():
    item, label = np.array([0, 0, 1, 1, 1, 2, 2]), np.array([3, 5, 2, 2, 7, 4, 4])
    which, answer, share, agree = majority(item, label, 3)
    assert (
        which.tolist() == [0, 0, 1, 2]
        and answer.tolist() == [3, 5, 2, 4]
        and share.tolist() == [0.5, 0.5, 1, 1]
        and agree.tolist() == [1, 2, 2]
    )


def test_what_a_committee_gains_is_what_a_slow_count_says():
    evidence = crowd(0.6, skill=(0.55, 0.95), count=5)
    said, gold = evidence.votes.label.reshape(5, -1), evidence.gold
    voted = np.array([np.bincount(column, minlength=2).argmax() for column in said.T])
    expected = (voted == gold).mean() - (said[4] == gold).mean()
    found = asked("GAIN", evidence)
    assert abs(found.value - expected) < 1e-9 and found.severity == "warning" and "voter 4" in found.do
    assert f"{100 * (said == gold).any(0).mean():.0f}%" in found.says


def test_the_command_prints_findings_and_writes_a_page(tmp_path, capsys):
    evidence = crowd(0.6)
    votes = evidence.votes
    table = pl.DataFrame({"item": votes.item, "worker": votes.annotator, "label": votes.label}).with_columns(
        gold=evidence.gold[votes.item]
    )
    table.write_parquet(tmp_path / "votes.parquet")
    with pytest.raises(SystemExit) as stopped:
        main(["audit", str(tmp_path / "votes.parquet")])
    printed = capsys.readouterr().out
    assert stopped.value.code == 0 and "COPY" in printed and "worker 0" not in printed.split("findings:")[1]
    folder = tmp_path / "votes-audit"
    facts = json.loads((folder / "audit.json").read_text())
    order = [SEVERITIES.index(f["severity"]) for f in facts["findings"]]
    assert order == sorted(order) and {f["code"] for f in facts["findings"]} >= {"COPY", "GAIN"}
    page = (folder / "audit.html").read_text()
    assert "What to do next" in page and "worker 0, worker 1, worker 2, worker 3" in page and "src=" not in page


@pytest.mark.parametrize(
    "table, says",
    [
        ({"item": [1, 2], "worker": ["a", "b"], "label": [None, None]}, "no row holds a vote"),
        ({"item": [1, None], "worker": ["a", "b"], "label": [0, 1]}, "no item or no worker in row 2"),
        ({"item": [1, 1], "worker": ["a", "b"], "label": [0, 1], "gold": [0, 1]}, "an item has two golds"),
        (
            {"item": [1, 2], "worker": ["a", "a"], "label": [0, 1], "certainty": [0.9, 0.2]},
            "no number from 0.5 to 1 in row 2",
        ),
        (
            {"item": [1, 2], "worker": ["a", "a"], "label": [0, 1], "probability": [0.9, None]},
            "no number from 0.5 to 1 in row 2",
        ),
    ],
)
def test_bad_votes_are_one_line(table, says, tmp_path, capsys):
    pl.DataFrame(table).write_parquet(tmp_path / "votes.parquet")
    with pytest.raises(SystemExit) as stopped:
        main(["audit", str(tmp_path / "votes.parquet")])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and says in said and said.count("\n") == 1


def test_how_sure_workers_are_and_groups_are_read_from_a_long_table(tmp_path):
    rows = {
        "item": ["p", "q", "p"],
        "worker": ["a", "a", "b"],
        "label": ["x", "y", None],
        "certainty": [0.8, 1.0, None],
        "group": ["g", "g", "g"],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "votes.parquet")
    pl.DataFrame({"item": ["q"], "gold": ["z"]}).write_parquet(tmp_path / "gold.parquet")
    evidence = read(
        str(tmp_path / "votes.parquet"), Reading(classes=("x", "y", "z")), gold_table=str(tmp_path / "gold.parquet")
    )
    assert (
        evidence.votes.classes == ("x", "y", "z")
        and evidence.gold.tolist() == [-1, 2]
        and evidence.groups.tolist() == [0, 0]
    )
    assert np.allclose(evidence.probs, [[0.8, 0.1, 0.1], [0, 1, 0]])


@pytest.mark.parametrize("flags", [["--label", "nope"], ["--strong", "minilm-l6"]])
def test_flags_that_say_nothing_to_a_table_are_refused(flags, tmp_path, capsys):
    pl.DataFrame({"item": [1, 2], "worker": ["a", "b"], "label": [0, 1]}).write_parquet(tmp_path / "votes.parquet")
    with pytest.raises(SystemExit) as stopped:
        main(["audit", str(tmp_path / "votes.parquet"), *flags])
    assert stopped.value.code == 2 and f"leave {flags[0]} out" in capsys.readouterr().err


def test_findings_are_in_order_of_gravity():
    found = examine(crowd(0.7))
    assert [f.code for f in found] and found == sorted(found, key=lambda f: audits.SEVERITIES.index(f.severity))


@pytest.mark.parametrize("seed", range(60))
def test_no_audit_stumbles_over_little_or_odd_evidence(seed):
    """Few items, one annotator, unused classes, items and pools without votes, gold on one item or of one class."""
    rng = np.random.default_rng(seed)
    items, count, classes = int(rng.integers(1, 150)), int(rng.integers(1, 6)), int(rng.integers(1, 5))
    spoke = rng.random((items, count)) < rng.choice([0.1, 0.6, 1.0], count)
    spoke[0, 0] = True
    item, worker = np.nonzero(spoke)
    label = rng.integers(rng.integers(1, classes + 1), size=len(item))
    gold = np.where(
        rng.random(items) < rng.choice([0.0, 0.02, 1.0]), rng.integers(rng.integers(1, classes + 1), size=items), -1
    )
    features, pool, groups = (
        rng.normal(size=(items, 3)).astype(np.float32),
        rng.integers(2, size=items).astype(np.int8),
        rng.integers(items, size=items),
    )
    if rng.random() < 0.5:
        kept = pool[item] == 0
        item, worker, label = (item[kept], worker[kept], label[kept]) if kept.any() else (item, worker, label)
    votes = VoteTable(
        item,
        worker,
        label,
        items,
        tuple(map(str, range(count))),
        tuple(map(str, range(classes))),
        bool(rng.integers(2)),
    )
    probs = rng.dirichlet(np.ones(classes), len(item)).astype(np.float32)

    def sometimes(thing):
        return thing if rng.random() < 0.6 else None

    evidence = Evidence(
        "odd",
        votes,
        sometimes(tuple(map(str, range(items)))),
        sometimes(tuple(["a word"] * items)),
        sometimes(groups),
        sometimes(gold),
        sometimes(probs),
        sometimes(pool),
        sometimes(features),
    )
    for finding in examine(evidence):
        assert finding.severity in SEVERITIES and finding.says
        assert finding.value is None or np.isfinite(finding.value)
        assert finding.ci is None or finding.ci[0] <= finding.value <= finding.ci[1] or finding.ci[0] <= finding.ci[1]
