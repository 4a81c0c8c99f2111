"""Label Studio: its JSON, a task an item, and JSON-MIN and CSV, a row an annotation.

JSON       id, data {text, ...}, annotations [{completed_by, was_cancelled, ground_truth, result [...]}], predictions
JSON-MIN   id, the fields of data, a column a control (`sentiment`), annotator, annotation_id, created_at, lead_time
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from outgrow.tasks.tables.exports._export import SKIPPED, UNANSWERED, Collected, Export, ExportFormat, part
from outgrow.tasks.tables.exports._rows import by_rows
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading

ROWS = ("id", "annotator", "annotation_id")
ABOUT = ("annotation_id", "created_at", "updated_at", "lead_time", "agreement")
"""Columns of JSON-MIN and CSV that are neither fields of the data nor answers."""
CLASSES = {"choices": "choices", "rating": "rating", "number": "number", "taxonomy": "taxonomy", "pairwise": "selected"}
"""The types of results that are classes of an item, and where their value lies."""
TRUTH = "ground_truth"
HINT = "controls that are read: Choices, Rating, Number, Taxonomy, Pairwise"


def _nested(table: TableFile) -> bool:
    names = set(table.names)
    return "data" in names and bool({"annotations", "completions"} & names) and _dicts(table.column("data"))


def _dicts(cells: list) -> bool:
    return any(isinstance(cell, dict) for cell in cells)


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether it is one of the three exports."""
    return _nested(table) or set(ROWS) <= set(table.names)


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where a part of it is of another form, or where several controls are answered."""
    if not _nested(table):
        return by_rows(table, reading, item="id", worker="annotator", about=ABOUT, answer=_answer)
    found = Collected(table, reading)
    for row, task in enumerate(_tasks(table)):
        data = part(table, row, task["data"], dict, "data")
        item = found.item(row + 1 if task["id"] is None else task["id"], row, data)
        for one in part(table, row, task["annotations"] or [], list, "annotations"):
            annotation = part(table, row, one, dict, "annotations")
            if annotation.get("was_cancelled") or annotation.get("skipped"):
                found.left_out[SKIPPED] += 1
                continue
            truth = TRUTH if annotation.get(TRUTH) else None
            _results(found, item, _who(annotation.get("completed_by")), annotation.get("result"), row, truth)
        for one in part(table, row, task["predictions"] or [], list, "predictions"):
            if isinstance(one, dict):
                _results(found, item, one.get("model_version") or "prediction", one.get("result"), row, None)
            else:
                found.left_out["predictions without content"] += 1
        found.left_out["drafts"] += len(part(table, row, task["drafts"] or [], list, "drafts"))
    return found.export(HINT)


def _tasks(table: TableFile) -> list[dict[str, Any]]:
    """The tasks with all the parts that are read; completions is what annotations were called once."""
    given = {name: table.column(name) for name in table.names}
    none = [None] * len(table.lines)
    parts = {name: given.get(name, none) for name in ("id", "data", "annotations", "predictions", "drafts")}
    if "annotations" not in given:
        parts["annotations"] = given["completions"]
    return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]


def _who(who: Any) -> Any:
    """The annotator: a number, or a record of the user."""
    return who.get("email") or who.get("id") if isinstance(who, Mapping) else who


def _results(found: Collected, item: str, who: Any, results: Any, row: int, truth: str | None) -> None:
    """The votes in the results of one annotation: of each control its answer."""
    said: dict[str, list[Any]] = {}
    for one in part(found.table, row, results or [], list, "result"):
        result = part(found.table, row, one, dict, "result")
        kind, value = result.get("type"), result.get("value")
        if isinstance(kind, str) and kind.lower() in CLASSES and isinstance(value, Mapping):
            said.setdefault(str(result.get("from_name")), []).extend(_values(value.get(CLASSES[kind.lower()])))
    if not said:
        found.left_out[UNANSWERED] += 1
    for control, labels in said.items():
        known = truth is not None and len(labels) == 1
        if truth is not None and known:
            found.gold(item, labels[0], row, truth)
        if not (known and found.reading.label == truth):
            # Gold that judges or teaches is no vote, or the student would be taught what it is judged by.
            found.vote(item, who, labels, row, control)


def _values(value: Any) -> list[Any]:
    """The labels of a result; the path of a taxonomy is one label."""
    listed = value if isinstance(value, list) else [value]
    return [" / ".join(map(str, one)) if isinstance(one, list) else one for one in listed if not isinstance(one, dict)]


def _answer(cell: Any) -> list[Any]:
    """The labels in a cell of JSON-MIN or CSV: a label, {"choices": [...]}, or [{"rating": 4}]; CSV holds JSON."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "["):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return [cell]
    results = cell if isinstance(cell, list) else [cell]
    return [label for one in results for label in (_held(one) if isinstance(one, Mapping) else [one])]


def _held(result: Mapping[str, Any]) -> list[Any]:
    return [label for name in CLASSES.values() if name in result for label in _values(result[name])]


LABEL_STUDIO = ExportFormat("label-studio", "an export of Label Studio", fits, read)
