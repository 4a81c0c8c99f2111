"""One set of votes as each labelling tool exports it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ITEMS, PEOPLE = 90, ("ann", "bob", "eve")
CLASSES = ("ham", "spam")
TEXTS = [f"message {i} says {'buy now' if i % 2 else 'see you'} – café \U0001f600" for i in range(ITEMS)]


def said(i: int, person: int) -> str:
    """The label of a person for an item: wrong for one item in five, of another residue for each person."""
    return CLASSES[(i % 2) ^ (i % 5 == person)]


def silent(i: int, person: int) -> bool:
    """Whether the person skipped the item."""
    return i % 9 == person


VOTES = {(i, j): said(i, j) for i in range(ITEMS) for j in range(len(PEOPLE)) if not silent(i, j)}
KEYS = [f"k{i:03}" for i in range(ITEMS)]
Rows = list[dict[str, Any]]


def as_csv(rows: Rows, delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL) -> str:
    made = io.StringIO()
    writer = csv.DictWriter(made, list(rows[0]), delimiter=delimiter, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue()


def as_lines(rows: Rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def long_rows() -> Rows:
    """The clean long table."""
    return [{"item": KEYS[i], "worker": PEOPLE[j], "label": VOTES[i, j], "text": TEXTS[i]} for i, j in VOTES]


def long_csv(folder: Path) -> Path:
    path = folder / "long.csv"
    path.write_text(as_csv(long_rows()), encoding="utf-8")
    return path


def label_studio(folder: Path) -> Path:
    """JSON: a task an item; one annotator of the tool is a model, whose predictions are votes."""

    def result(label: str) -> Rows:
        value = {"choices": [label]}
        shown = {"id": "x1", "from_name": "kind", "to_name": "text", "origin": "manual"}
        return [{**shown, "type": "choices", "value": value}]

    def by(i: int, j: int) -> dict[str, Any]:
        return {
            "id": 1000 * j + i, "completed_by": {"id": j, "email": PEOPLE[j]}, "was_cancelled": silent(i, j),
            "ground_truth": False, "result": [] if silent(i, j) else result(said(i, j)), "lead_time": 2.5,
        }  # fmt: skip

    tasks = [
        {
            "id": KEYS[i],
            "annotations": [by(i, j) for j in (0, 1)],
            "drafts": [],
            "predictions": [] if silent(i, 2) else [{"model_version": "eve", "result": result(said(i, 2)), "score": 1}],
            "data": {"text": text, "row": i},
            "meta": {},
            "total_annotations": 2,
        }
        for i, text in enumerate(TEXTS)
    ]
    path = folder / "project-1.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def _annotations() -> Rows:
    return [
        {
            "text": TEXTS[i], "row": i, "id": KEYS[i], "kind": VOTES[i, j], "annotator": PEOPLE[j],
            "annotation_id": 1000 * j + i, "created_at": f"2026-01-01T00:{i % 60:02}:0{j}Z",
            "updated_at": "2026-01-02T00:00:00Z", "lead_time": 1.5 + j,
        }
        for i, j in VOTES
    ]  # fmt: skip


def label_studio_min(folder: Path) -> Path:
    path = folder / "project-1-min.json"
    path.write_text(json.dumps(_annotations(), ensure_ascii=False), encoding="utf-8")
    return path


def label_studio_csv(folder: Path) -> Path:
    rows = [{name: row[name] for name in sorted(row)} for row in _annotations()]
    path = folder / "project-1.csv"
    path.write_text(as_csv(rows), encoding="utf-8")
    return path


def argilla(folder: Path) -> Path:
    """Records as JSON; the model's suggestion is a vote."""
    records = [
        {
            "id": KEYS[i],
            "fields": {"text": text},
            "metadata": {"row": i},
            "suggestions": {} if silent(i, 2) else {"kind": {"value": said(i, 2), "score": 0.8, "agent": "eve"}},
            "responses": {
                "kind": [{"value": said(i, j), "user_id": PEOPLE[j]} for j in (0, 1) if not silent(i, j)],
            },
            "vectors": {},
            "_server_id": f"s{i}",
        }
        for i, text in enumerate(TEXTS)
    ]
    path = folder / "records.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def argilla_flat(folder: Path) -> Path:
    """Records as rows of a data set of the hub; a response that was discarded is no vote."""
    records = [
        {
            "id": KEYS[i], "text": text, "row": i, "status": "completed",
            "kind.responses": [said(i, j) for j in range(3)],
            "kind.responses.users": list(PEOPLE),
            "kind.responses.status": ["discarded" if silent(i, j) else "submitted" for j in range(3)],
            "_server_id": f"s{i}",
        }
        for i, text in enumerate(TEXTS)
    ]  # fmt: skip
    path = folder / "records.jsonl"
    path.write_text(as_lines(records), encoding="utf-8")
    return path


def _prodigy(i: int, j: int) -> dict[str, Any]:
    return {
        "text": TEXTS[i], "_input_hash": KEYS[i], "_task_hash": 100 + i, "_timestamp": 1, "_view_id": "choice",
        "_annotator_id": PEOPLE[j], "_session_id": PEOPLE[j], "meta": {"row": i},
    }  # fmt: skip


def prodigy_choice(folder: Path) -> Path:
    rows = [
        _prodigy(i, j)
        | {"options": [{"id": name, "text": name.title()} for name in CLASSES], "config": {"choice_style": "single"}}
        | {"accept": [] if silent(i, j) else [said(i, j)], "answer": "ignore" if silent(i, j) else "accept"}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = folder / "choice.jsonl"
    path.write_text(as_lines(rows), encoding="utf-8")
    return path


def prodigy_binary(folder: Path) -> Path:
    """Each item was asked for its true kind, and a rejection is a vote for the other one."""
    rows = [
        _prodigy(i, j)
        | {"label": CLASSES[i % 2]}
        | {"answer": "ignore" if silent(i, j) else "accept" if said(i, j) == CLASSES[i % 2] else "reject"}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = folder / "binary.jsonl.gz"
    path.write_bytes(gzip.compress(as_lines(rows).encode()))
    return path


def doccano(folder: Path) -> Path:
    """The archive of a project whose annotators work apart."""
    path = folder / "doccano.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for j, name in enumerate(PEOPLE):
            rows = [
                {"id": KEYS[i], "text": text, "label": [] if silent(i, j) else [said(i, j)], "Comments": [], "row": i}
                for i, text in enumerate(TEXTS)
            ]
            archive.writestr(f"{name}.jsonl", as_lines(rows))
    return path


def _assignment(i: int, j: int) -> dict[str, Any]:
    return {
        "HITId": KEYS[i], "HITTypeId": "3T", "Title": "Which kind?", "Reward": "$0.05", "AssignmentId": f"A{i}_{j}",
        "WorkerId": PEOPLE[j], "AssignmentStatus": "Rejected" if silent(i, j) else "Approved",
        "WorkTimeInSeconds": "12", "LifetimeApprovalRate": "100% (3/3)", "Input.text": TEXTS[i], "Input.row": str(i),
    }  # fmt: skip


def mturk(folder: Path) -> Path:
    rows = [
        _assignment(i, j) | {"Answer.kind.label": said(i, j), "Approve": "", "Reject": ""}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = folder / "Batch_1_batch_results.csv"
    path.write_text(as_csv(rows, quoting=csv.QUOTE_ALL), encoding="utf-8")
    return path


def mturk_json(folder: Path) -> Path:
    """Answers of crowd elements, as JSON: options that are true or false."""
    rows = [
        _assignment(i, j)
        | {"Answer.taskAnswers": json.dumps([{"kind": {name: name == said(i, j) for name in CLASSES}}])}
        for i in range(ITEMS)
        for j in range(3)
    ]
    path = folder / "Batch_2_batch_results.csv"
    path.write_text(as_csv(rows, quoting=csv.QUOTE_ALL), encoding="utf-8")
    return path


def long_tsv(folder: Path) -> Path:
    """A row an annotation, under other names, packed, as tab-separated UTF-16."""
    rows = [
        {"task_id": row["item"], "text": row["text"], "rater_id": row["worker"], "kind": row["label"]}
        for row in long_rows()
    ]
    path = folder / "annotations.tsv.gz"
    path.write_bytes(gzip.compress(as_csv(rows, "\t").encode("utf-16")))
    return path


def long_json(folder: Path) -> Path:
    path = folder / "long.json"
    path.write_text(json.dumps(long_rows()), encoding="utf-8")
    return path


EXPORTS: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "label studio": (label_studio, {}),
    "label studio, short": (label_studio_min, {"votes": ("kind",)}),
    "label studio, csv": (label_studio_csv, {}),
    "argilla": (argilla, {}),
    "argilla, flat": (argilla_flat, {}),
    "prodigy, choice": (prodigy_choice, {}),
    "prodigy, binary": (prodigy_binary, {"classes": CLASSES}),
    "doccano": (doccano, {}),
    "mturk": (mturk, {}),
    "mturk, json": (mturk_json, {}),
    "long, tsv": (long_tsv, {}),
    "long, json": (long_json, {}),
}
"""By name what writes an export into a folder, and what has to be said to read it."""


def matrix() -> np.ndarray:
    """(items, functions) the votes as numbers of classes, -1 where there is none."""
    return np.array([[CLASSES.index(VOTES[i, j]) if (i, j) in VOTES else -1 for j in range(3)] for i in range(ITEMS)])
