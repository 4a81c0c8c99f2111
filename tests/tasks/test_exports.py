"""Exports of labelling tools: recognised, read as the clean long table is, and refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import exported
from exported import CLASSES, EXPORTS, ITEMS, KEYS, PEOPLE, TEXTS, VOTES
from outgrow.audits import examine
from outgrow.audits.tables import read as evidence
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.annotators import Annotations
from outgrow.tasks.tables.exports import FORMATS, opened

NAMES = list(EXPORTS)


def votes_of(given: Annotations) -> dict[tuple[int, int], str]:
    """By item and annotator the label."""
    found = {}
    for name, column in given.task.votes.items():
        for n in np.flatnonzero(~np.isnan(column).any(-1)):
            item = TEXTS.index(given.task.texts[n][0])
            found[item, PEOPLE.index(name.removeprefix("worker "))] = given.task.classes[column[n].argmax()]
    return found


def says(path: Path, reading: Reading | None = None) -> str:
    """The line that reading ends with."""
    with pytest.raises(UserError) as raised:
        annotators.load(str(path), reading or Reading())
    line = str(raised.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", NAMES)
def test_an_export_holds_the_votes_of_the_clean_long_table(tmp_path: Path, name: str) -> None:
    write, reading = EXPORTS[name]
    clean = annotators.load(str(exported.long_csv(tmp_path)), Reading())
    found = annotators.load(str(write(tmp_path)), Reading(**reading))
    assert votes_of(found) == votes_of(clean) == VOTES
    assert found.task.classes == clean.task.classes == CLASSES and len(found.task) == ITEMS
    assert found.task.texts == clean.task.texts and not found.complete
    assert [np.nan_to_num(v).tolist() for v in found.task.votes.values()] == [
        np.nan_to_num(v).tolist() for v in clean.task.votes.values()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_audit_of_an_export_finds_what_an_audit_of_the_clean_long_table_finds(tmp_path: Path, name: str) -> None:
    write, reading = EXPORTS[name]
    clean = examine(evidence(str(exported.long_csv(tmp_path)), Reading()))
    found = examine(evidence(str(write(tmp_path)), Reading(**reading)))
    assert {(f.code, f.severity, figure(f.figure), f.items) for f in found} == {
        (f.code, f.severity, figure(f.figure), f.items) for f in clean
    }
    assert len(clean) > 5


def figure(value: Any) -> str:
    return repr(value)


def test_what_was_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    opened(str(exported.label_studio(tmp_path)), Reading())
    # Each person skips one item in nine, 10 of 90 (the model says nothing there), and so 240 votes are left of 270.
    assert capsys.readouterr().err == (
        "project-1 is read as an export of Label Studio: 90 items, 3 annotators, 240 votes on 'kind' "
        "(ham 120, spam 120); left out: 20 skipped\n"
    )
    assert [sum(label == name for label in VOTES.values()) for name in CLASSES] == [120, 120]


def test_every_form_is_read_by_one_of_the_exports(tmp_path: Path) -> None:
    said = {write(tmp_path): reading for write, reading in EXPORTS.values()}
    tables = {path: opened(str(path), Reading(**reading)) for path, reading in said.items()}
    assert all(found.votes is not None and len(found.votes.lines) == len(VOTES) for found in tables.values())
    assert set(FORMATS.all()) == {"argilla", "doccano", "label-studio", "long", "mturk", "prodigy", "wrench"}


# what has to be said, and how


def long(folder: Path, **columns: Callable[[int, int], Any]) -> Path:
    """A row an annotation."""
    rows = [{name: value(i, j) for name, value in columns.items()} for i, j in VOTES]
    path = folder / "rows.jsonl"
    path.write_text(exported.as_lines(rows))
    return path


def item(i: int, _: int) -> str:
    return KEYS[i]


def text(i: int, _: int) -> str:
    return TEXTS[i]


def who(_: int, j: int) -> str:
    return PEOPLE[j]


def vote(i: int, j: int) -> str:
    return VOTES[i, j]


def other(i: int, j: int) -> str:
    return ("short", "long")[(i + j) % 2]


def test_two_columns_of_labels_are_asked_about_and_votes_names_one(tmp_path: Path) -> None:
    path = long(tmp_path, id=item, text=text, annotator=who, kind=vote, length=other)
    assert says(path) == ("rows: a row is an annotation, and its label could be kind or length: say which with `votes`")
    assert votes_of(annotators.load(str(path), Reading(votes=("kind",)))) == VOTES
    assert "no column 'kid' for `votes`" in says(path, Reading(votes=("kid",)))


def test_a_column_that_is_the_same_in_all_rows_of_an_item_is_no_label(tmp_path: Path) -> None:
    path = long(tmp_path, id=item, text=text, annotator=who, kind=vote, source=lambda i, _: ("web", "mail")[i % 2])
    assert votes_of(annotators.load(str(path), Reading())) == VOTES


def test_items_without_ids_are_told_apart_by_their_text(tmp_path: Path) -> None:
    path = long(tmp_path, text=text, rater=who, label=vote, id=lambda i, j: f"{i}-{j}")
    assert votes_of(annotators.load(str(path), Reading())) == VOTES


def test_an_annotator_under_another_name_is_named(tmp_path: Path) -> None:
    path = long(tmp_path, item=item, text=text, by=who, kind=vote)
    assert "name the columns that hold your votes" in says(path)
    assert votes_of(annotators.load(str(path), Reading(annotator="by"))) == VOTES
    assert says(path, Reading(annotator="bye")).startswith("rows: no column 'bye' for `annotator`")


def test_duplicates_beside_a_column_about_annotators_are_no_annotations(tmp_path: Path) -> None:
    rows = [
        {"text": TEXTS[i % 70], "annotator": PEOPLE[i % 3], "rule": CLASSES[i % 2]}  # 20 texts twice, 40 of 90 rows
        for i in range(ITEMS)
    ]
    path = tmp_path / "wide.csv"
    path.write_text(exported.as_csv(rows))
    assert len(annotators.load(str(path), Reading(votes=("rule",))).task) == ITEMS
    assert "`format` = long" in says(path)


def test_a_list_of_votes_is_no_list_of_labels(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    lists = [[exported.said(i, j) for j in range(3)] for i in range(ITEMS)]
    path.write_text(exported.as_lines([{"id": i, "text": TEXTS[i], "votes": one} for i, one in enumerate(lists)]))
    assert list(annotators.load(str(path), Reading(votes=("votes",))).task.votes) == [
        "votes[0]",
        "votes[1]",
        "votes[2]",
    ]
    path.write_text(exported.as_lines([{"id": i, "text": TEXTS[i], "labels": one} for i, one in enumerate(lists)]))
    assert "name the columns that hold your votes" in says(path)


def test_one_annotation_an_item_is_long_only_where_the_user_says_so(tmp_path: Path) -> None:
    rows = [{"id": KEYS[i], "text": TEXTS[i], "annotator": PEOPLE[i % 3], "kind": CLASSES[i % 2]} for i in range(ITEMS)]
    path = tmp_path / "rows.csv"
    path.write_text(exported.as_csv(rows))
    assert "`format` = long" in says(path)
    given = annotators.load(str(path), Reading(format="long"))
    assert votes_of(given) == {(i, i % 3): CLASSES[i % 2] for i in range(ITEMS)}


def test_a_wide_table_with_a_column_about_annotators_stays_wide(tmp_path: Path) -> None:
    rows = [
        {"text": TEXTS[i], "annotator": PEOPLE[i % 3], "a": exported.said(i, 0), "b": exported.said(i, 1)}
        for i in range(ITEMS)
    ]
    path = tmp_path / "wide.csv"
    path.write_text(exported.as_csv(rows))
    assert list(annotators.load(str(path), Reading(votes=("a", "b"))).task.votes) == ["a", "b"]


def test_a_file_that_two_tools_could_have_written_is_asked_about(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in exported.prodigy_choice(tmp_path).read_text().splitlines()]
    rows = [row | {"HITId": row["_input_hash"], "WorkerId": "w", "Answer.kind": "ham"} for row in rows]
    path = tmp_path / "both.jsonl"
    path.write_text(exported.as_lines(rows))
    assert says(path) == (
        "both could be results of Mechanical Turk or an export of Prodigy: say which with `format` = mturk or prodigy, "
        "or wide for a table with a row an item"
    )
    assert votes_of(annotators.load(str(path), Reading(format="prodigy"))) == VOTES


def test_a_format_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    path = exported.mturk(tmp_path)
    assert "`format` = prodigy: it has not the columns of an export of Prodigy" in says(path, Reading(format="prodigy"))
    assert "did you mean 'prodigy'" in says(path, Reading(format="prodogy"))
    assert "name the columns that hold your votes" in says(path, Reading(format="wide", text="Input.text"))


def test_flags_of_exports_that_say_nothing_are_one_line(tmp_path: Path) -> None:
    rows = [{"id": KEYS[i], "text": TEXTS[i], "who": PEOPLE[i % 3], "rule": CLASSES[i % 2]} for i in range(ITEMS)]
    path = tmp_path / "rows.csv"
    path.write_text(exported.as_csv(rows))
    assert "and this is one with a row an item" in says(path, Reading(annotator="who", votes=("rule",)))
    assert "and this is an export of Label Studio" in says(exported.label_studio(tmp_path), Reading(annotator="id"))
    votes = str(exported.long_csv(tmp_path))
    for reading in (Reading(format="long"), Reading(annotator="who")):
        with pytest.raises(UserError, match="with a `votes_table` a row is an item"):
            annotators.load(str(path), reading, votes)


def test_two_controls_of_label_studio_are_asked_about(tmp_path: Path) -> None:
    tasks = json.loads(exported.label_studio(tmp_path).read_text())
    stars = {"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": 4}}
    tasks[0]["annotations"][1]["result"].append(stars)
    path = tmp_path / "two.json"
    path.write_text(json.dumps(tasks))
    assert says(path) == "two: 2 questions, kind, stars: say which with `votes`"
    assert votes_of(annotators.load(str(path), Reading(votes=("kind",)))) == VOTES


@pytest.mark.parametrize("mark", ["was_cancelled", "skipped"])
def test_an_annotation_that_was_skipped_is_no_vote(tmp_path: Path, mark: str) -> None:
    tasks = json.loads(exported.label_studio(tmp_path).read_text())
    tasks[0]["annotations"][0][mark] = True
    path = tmp_path / "skipped.json"
    path.write_text(json.dumps(tasks))
    assert votes_of(annotators.load(str(path), Reading())) == {key: v for key, v in VOTES.items() if key != (0, 0)}


def test_an_annotation_that_is_ground_truth_is_gold_of_its_item(tmp_path: Path) -> None:
    tasks = json.loads(exported.label_studio(tmp_path).read_text())
    for i in range(20, 26):
        tasks[i]["annotations"][0]["ground_truth"] = True
    path = tmp_path / "gold.json"
    path.write_text(json.dumps(tasks))
    given = annotators.load(str(path), Reading(label="ground_truth"))
    known = {TEXTS.index(given.task.texts[n][0]): given.gold.labels[n] for n in np.flatnonzero(given.gold.labels >= 0)}
    golden = {(i, 0) for i in range(20, 26) if (i, 0) in VOTES}
    assert known == {i: CLASSES.index(VOTES[i, j]) for i, j in golden}
    assert votes_of(given) == {key: said for key, said in VOTES.items() if key not in golden}, "gold is no vote"
    assert votes_of(annotators.load(str(path), Reading())) == VOTES, "where gold is not asked for, it is one"


def test_gold_of_a_long_table_is_a_column_that_is_the_same_in_all_rows_of_an_item(tmp_path: Path) -> None:
    path = long(tmp_path, item=item, text=text, worker=who, label=vote, gold=lambda i, _: CLASSES[i % 2])
    given = annotators.load(str(path), Reading(label="gold"))
    assert [CLASSES[g] for g in given.gold.labels] == [CLASSES[TEXTS.index(t[0]) % 2] for t in given.task.texts]
    assert evidence(str(path), Reading()).gold is not None
    some = long(
        tmp_path, item=item, text=text, worker=who, label=vote, gold=lambda i, j: "ham" if i < 20 and j else None
    )
    known = annotators.load(str(some), Reading(label="gold", classes=CLASSES)).gold.labels >= 0
    assert known.sum() == len({i for i, j in VOTES if i < 20 and j})
    two = long(tmp_path, item=item, text=text, worker=who, label=vote, gold=lambda i, j: CLASSES[j % 2])
    assert "item 'k000' has two golds, in line" in says(two, Reading(label="gold"))


def test_a_rejected_label_is_a_vote_against_it_where_it_is_the_only_one(tmp_path: Path) -> None:
    rows = [
        exported._prodigy(i, j) | {"label": "spam", "answer": "accept" if VOTES[i, j] == "spam" else "reject"}
        for i, j in VOTES
    ]
    path = tmp_path / "one.jsonl"
    path.write_text(exported.as_lines(rows))
    given = annotators.load(str(path), Reading())
    assert given.task.classes == ("not spam", "spam")
    assert {k: {"not spam": "ham"}.get(v, v) for k, v in votes_of(given).items()} == VOTES
    two = tmp_path / "two.jsonl"
    two.write_text(exported.as_lines([row | {"label": CLASSES[i % 2]} for i, row in enumerate(rows)]))
    assert "then say `classes` = " in says(two)


def test_several_labels_of_one_annotation_are_left_out_and_counted(tmp_path: Path, capsys: Any) -> None:
    rows = [json.loads(line) for line in exported.prodigy_choice(tmp_path).read_text().splitlines()]
    rows[-1] |= {"accept": list(CLASSES), "answer": "accept"}
    path = tmp_path / "several.jsonl"
    path.write_text(exported.as_lines(rows))
    given = annotators.load(str(path), Reading())
    assert votes_of(given) == {key: label for key, label in VOTES.items() if key != (ITEMS - 1, 2)}
    assert "left out: 30 ignored, 1 with several labels\n" in capsys.readouterr().err


def test_an_annotator_who_answers_an_item_twice_and_otherwise_is_one_line(tmp_path: Path) -> None:
    rows = exported.long_rows()
    rows.append(rows[0] | {"label": "spam" if rows[0]["label"] == "ham" else "ham"})
    path = tmp_path / "twice.csv"
    path.write_text(exported.as_csv(rows))
    line = says(path)
    assert line.startswith(f"twice: a worker votes on an item again, and otherwise, in line {len(rows) + 1}: keep one")
    assert votes_of(annotators.load(str(path), Reading(skip_bad_rows=True))) == VOTES


def test_an_item_with_two_texts_is_one_line(tmp_path: Path) -> None:
    rows = exported.long_rows()
    rows[1] |= {"text": "another"}
    path = tmp_path / "texts.csv"
    path.write_text(exported.as_csv(rows))
    assert says(path).startswith("texts: item 'k000' has two texts, in lines 2, 3: give every text an id of its own")


def test_fields_of_which_several_hold_text_are_asked_about(tmp_path: Path) -> None:
    tasks = json.loads(exported.label_studio(tmp_path).read_text())
    for task in tasks:
        task["data"] = {"review": task["data"]["text"], "shop": "books", "row": 1}
    path = tmp_path / "fields.json"
    path.write_text(json.dumps(tasks))
    assert says(path).startswith("fields: no column of texts: name it with `text`")
    assert says(path).endswith("the columns are id, review, shop, row") and evidence(str(path), Reading()).votes
    assert votes_of(annotators.load(str(path), Reading(text="review"))) == VOTES
    for task in tasks:
        del task["data"]["shop"]
    path.write_text(json.dumps(tasks))
    assert votes_of(annotators.load(str(path), Reading())) == VOTES


def test_another_field_is_the_id_where_it_is_named(tmp_path: Path) -> None:
    rows = [
        exported._assignment(i, j) | {"HITId": f"H{i}", "Input.id": KEYS[i], "Answer.kind": exported.said(i, j)}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = tmp_path / "batch.csv"
    path.write_text(exported.as_csv(rows))
    clean = annotators.load(str(exported.long_csv(tmp_path)), Reading())
    for name in ("id", "Input.id"):
        given = annotators.load(str(path), Reading(id=name))
        assert given.task.ids.tolist() == clean.task.ids.tolist() and votes_of(given) == VOTES
    assert annotators.load(str(path), Reading()).task.ids.tolist() != clean.task.ids.tolist()


def test_options_of_mechanical_turk_may_have_a_column_each(tmp_path: Path) -> None:
    rows = [
        exported._assignment(i, j)
        | {f"Answer.kind.{name}": str(name == exported.said(i, j)).lower() for name in CLASSES}
        | {"Answer.comment": "" if i else "fine"}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = tmp_path / "batch.csv"
    path.write_text(exported.as_csv(rows))
    assert says(path) == "batch: 2 questions, comment, kind: say which with `votes`"
    assert votes_of(annotators.load(str(path), Reading(votes=("kind",)))) == VOTES


def test_assignments_that_a_requester_is_about_to_reject_are_left_out(tmp_path: Path) -> None:
    rows = [exported._assignment(i, j) | {"Reject": "" if j else "a guess"} for i in range(ITEMS) for j in range(3)]
    path = tmp_path / "batch.csv"
    path.write_text(exported.as_csv([row | {"Answer.kind": CLASSES[0]} for row in rows]))
    votes = annotators.load(str(path), Reading(classes=CLASSES)).task.votes
    assert len(votes) == 2 and f"worker {PEOPLE[0]}" not in votes


def test_older_forms_of_doccano_and_argilla(tmp_path: Path) -> None:
    rows = [
        {"id": i, "text": text, "meta": {}, "annotations": [
            {"label": exported.said(i, j), "user": PEOPLE[j]} for j in range(3) if (i, j) in VOTES
        ]}
        for i, text in enumerate(TEXTS)
    ]  # fmt: skip
    path = tmp_path / "doccano.jsonl"
    path.write_text(exported.as_lines(rows))
    assert votes_of(annotators.load(str(path), Reading())) == VOTES
    records = [
        {"external_id": KEYS[i], "fields": {"text": text}, "suggestions": [], "metadata": {}, "responses": [
            {"user_id": PEOPLE[j], "values": {"kind": {"value": exported.said(i, j)}},
             "status": "submitted" if (i, j) in VOTES else "draft"}
            for j in range(3)
        ]}
        for i, text in enumerate(TEXTS)
    ]  # fmt: skip
    flat = [
        {"external_id": KEYS[i], "text": text, "metadata": "{}", "kind-suggestion": None, "kind-suggestion-metadata": {
            "type": None, "score": None, "agent": None,
        }, "kind": [
            {"user_id": PEOPLE[j], "value": exported.said(i, j), "status": "submitted"}
            for j in range(3) if (i, j) in VOTES
        ]}
        for i, text in enumerate(TEXTS)
    ]  # fmt: skip
    flat[-1]["kind-suggestion"] = "ham"
    path = tmp_path / "hub.jsonl"
    path.write_text(exported.as_lines(flat))
    given = annotators.load(str(path), Reading(text="text"))
    assert sum(int((~np.isnan(v).any(-1)).sum()) for v in given.task.votes.values()) == len(VOTES) + 1
    path = tmp_path / "feedback.json"
    path.write_text(json.dumps(records))
    assert votes_of(annotators.load(str(path), Reading())) == VOTES


def test_a_file_of_one_annotator_is_an_export_too(tmp_path: Path) -> None:
    rows = [{"id": i, "text": text, "label": [exported.said(i, 1)]} for i, text in enumerate(TEXTS)]
    path = tmp_path / "bob.jsonl"
    path.write_text(exported.as_lines(rows))
    assert votes_of(annotators.load(str(path), Reading())) == {(i, 1): exported.said(i, 1) for i in range(ITEMS)}


def test_pairs_of_label_studio_are_compared(tmp_path: Path) -> None:
    tasks = json.loads(exported.label_studio(tmp_path).read_text())
    for i, task in enumerate(tasks):
        task["data"] = {"one": f"first {i}", "two": f"second {i}"}
        for annotation in (*task["annotations"], *task["predictions"]):
            for result in annotation["result"]:
                side = {"ham": "left", "spam": "right"}[result["value"]["choices"][0]]
                result |= {"type": "pairwise", "value": {"selected": side}}
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(tasks))
    given = annotators.load(str(path), Reading(first="one", second="two"))
    assert given.task.kind == "prefer" and len(given.task) == ITEMS
    for pair, told in zip(given.task.texts, given.task.votes["worker ann"], strict=True):
        i, left = int(pair[0].split()[1]), pair.index(f"first {pair[0].split()[1]}")
        assert np.isnan(told).all() if (i, 0) not in VOTES else told[left] == (VOTES[i, 0] == "ham")


def test_spans_are_no_classes_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text(exported.as_lines([{"id": 1, "text": "a b", "label": [[0, 1, "NAME"]]}] * 2))
    assert "'label' holds spans of the text in line 1: students learn classes" in says(path)


# matrices


@pytest.mark.parametrize("form", ["npy", "npz", "sparse"])
def test_a_matrix_of_votes_lies_beside_its_table(tmp_path: Path, form: str) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(exported.as_csv([{"text": one} for one in TEXTS]))
    matrix, votes = exported.matrix(), str(tmp_path / f"L.{'npy' if form == 'npy' else 'npz'}")
    if form == "npy":
        np.save(votes, matrix)
    elif form == "npz":
        np.savez(votes, L=matrix)
    else:
        sparse.save_npz(votes, sparse.csr_matrix(matrix))
    given = annotators.load(str(path), Reading(), votes)
    assert given.complete and given.task.classes == ("0", "1")
    for j in range(3):
        column = given.task.votes[f"rule {j}"]
        for n in range(ITEMS):
            told = matrix[TEXTS.index(given.task.texts[n][0]), j]
            assert np.isnan(column[n]).all() if told < 0 else column[n].argmax() == told


def test_a_matrix_alone_can_be_audited(tmp_path: Path) -> None:
    np.save(tmp_path / "L.npy", exported.matrix())
    found = evidence(str(tmp_path / "L.npy"), Reading())
    assert found.votes is not None and len(found.votes.item) == len(VOTES) and found.votes.complete


def test_what_a_sparse_matrix_does_not_store_is_asked_about_where_it_could_be_either(tmp_path: Path) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text(exported.as_csv([{"text": one} for one in TEXTS]))
    votes = str(tmp_path / "L.npz")
    sparse.save_npz(votes, sparse.csr_matrix(exported.matrix() + 1))  # 0 abstains, 1 and 2 are classes
    with pytest.raises(UserError, match="what is not stored could abstain or be class 0: say `abstain` = 0"):
        annotators.load(str(texts), Reading(), votes)
    given = annotators.load(str(texts), Reading(abstain=("0",)), votes)
    assert given.task.classes == ("1", "2")
    assert sum(int((~np.isnan(v).any(-1)).sum()) for v in given.task.votes.values()) == len(VOTES)


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (lambda path: np.save(path, exported.matrix()[:50]), "texts has 90 rows and L 50: give a row of votes"),
        (lambda path: np.save(path, exported.matrix()[:, 0]), "L is an array of 90, no matrix of votes"),
        (lambda path: np.save(path, exported.matrix() / 3), "L holds values of type float64: give a whole number"),
        (lambda path: np.save(path, np.array([["a"], ["b"]])), "L holds values of type <U1"),
        (lambda path: np.save(path, np.array([{}, None])), "cannot read"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01"), "cannot read"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': ('<i8'"), "cannot read"),
        (lambda path: path.write_bytes(b""), "cannot read"),
        (lambda path: None, "no file"),
    ],
)
def test_what_is_no_matrix_of_votes_is_one_line(tmp_path: Path, write: Callable[[Path], object], line: str) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text(exported.as_csv([{"text": one} for one in TEXTS]))
    write(tmp_path / "L.npy")
    with pytest.raises(UserError) as raised:
        annotators.load(str(texts), Reading(), str(tmp_path / "L.npy"))
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)


def test_a_set_of_wrench_is_read_with_its_gold(tmp_path: Path) -> None:
    rows = {
        str(i): {"label": i % 2, "weak_labels": [int(v) for v in exported.matrix()[i]], "data": {"text": TEXTS[i]}}
        for i in range(ITEMS)
    }
    path = tmp_path / "train.json"
    path.write_text(json.dumps(rows))
    given = annotators.load(str(path), Reading())
    assert given.task.classes == ("0", "1") and given.complete and (given.gold.labels >= 0).all()
    assert [f"weak_labels[{j}]" for j in range(3)] == list(given.task.votes)
    assert sum(int((~np.isnan(v).any(-1)).sum()) for v in given.task.votes.values()) == len(VOTES)


# damaged exports

unhurried = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
often = settings(max_examples=60, deadline=None, suppress_health_check=unhurried)
WRONG = st.sampled_from([None, 0, 1.5, "", "x", "\U0001f600", [], [None], [[]], {}, {"id": None}, True, -1, "{", "[1"])


def refusals(path: Path, reading: Reading) -> list[str]:
    """What learning and an audit say of a file that they do not read; nothing of one that they read."""
    said = []
    for read in (lambda: annotators.load(str(path), reading), lambda: evidence(str(path), reading)):
        try:
            read()
        except UserError as error:
            said.append(str(error))
    return said


def one_line_each(said: list[str]) -> bool:
    return all(line.strip() and "\n" not in line for line in said)


@pytest.mark.parametrize("name", NAMES)
def test_an_export_that_is_cut_off_is_read_or_is_one_line(tmp_path: Path, name: str) -> None:
    write, reading = EXPORTS[name]
    path = write(tmp_path)
    whole = path.read_bytes()
    assert refusals(path, Reading(**reading)) == []
    for share in (0.0, 0.01, 0.3, 0.5, 0.77, 0.999):
        path.write_bytes(whole[: int(share * len(whole))])
        said = refusals(path, Reading(**reading))
        assert one_line_each(said)
        assert len(said) == 2 or share >= 0.3, "of nothing, and of a beginning, nothing is made"


def test_lists_in_the_place_of_names_are_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    record = {"id": "1", "fields": {"text": "a"}, "responses": [], "suggestions": [{"question_name": ["x"]}]}
    path.write_text(exported.as_lines([record]))
    assert "no vote is left" in says(path)
    path.write_text(exported.as_lines([{"id": 1, "text": "a", "annotations": [{"label": "ham", "user": [1]}]}]))
    assert "the votes name ham" in says(path)


@often
@given(
    st.sampled_from(
        ["label studio", "label studio, short", "argilla", "argilla, flat", "prodigy, choice", "long, json"]
    ),
    st.data(),
)
def test_an_export_with_any_wrong_cell_is_read_or_is_one_line(tmp_path: Path, name: str, data: Any) -> None:
    write, reading = EXPORTS[name]
    path = write(tmp_path)
    body = path.read_text(encoding="utf-8")
    rows = json.loads(body) if path.suffix == ".json" else [json.loads(line) for line in body.splitlines()]
    rows = rows[:12]
    for _ in range(data.draw(st.integers(1, 3))):
        _spoil(data, rows[data.draw(st.integers(0, len(rows) - 1))])
    path.write_text(json.dumps(rows) if path.suffix == ".json" else exported.as_lines(rows), encoding="utf-8")
    assert one_line_each(refusals(path, Reading(**reading)))


def _spoil(data: Any, node: Any) -> None:
    """Puts a wrong value somewhere into nested lists and objects, or leaves one out."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        _spoil(data, node[key])
    elif data.draw(st.booleans()):
        node[key] = data.draw(WRONG)
    else:
        del node[key]


def test_frames_of_annotations_are_read_as_files_are() -> None:
    from outgrow.tasks.tables.frames import of_frame

    frame = pl.DataFrame(exported.long_rows())
    assert votes_of(annotators.load(of_frame(frame), Reading())) == VOTES
