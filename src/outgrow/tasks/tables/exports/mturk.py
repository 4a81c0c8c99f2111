"""Amazon Mechanical Turk: the results of a batch as CSV, a row an assignment.

Input.text                the fields of the item, whose id is HITId
Answer.kind               the answer to `kind`; Answer.kind.label of a crowd-classifier
Answer.kind.spam          true or false, a column an option
Answer.taskAnswers        JSON: [{"kind": {"label": "spam"}}], or [{"kind": {"spam": true, "ham": false}}]

Assignments that were rejected are left out, as are those with a reason in the column Reject, which is uploaded.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import Collected, Export, ExportFormat
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import OPTIONAL, ROLES
from outgrow.tasks.tables.values import blank, class_name

INPUT, ANSWER, TASK = "Input.", "Answer.", "Answer.taskAnswers"
TRUTHS = {"true": True, "on": True, "false": False, "": False}


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows are assignments of workers."""
    return {"HITId", "WorkerId"} <= set(table.names) and any(name.startswith(ANSWER) for name in table.names)


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where an answer is damaged, or several questions were answered."""
    columns = {name: table.column(name) for name in table.names}
    found = Collected(table, _plain(reading))
    options = _options(columns)
    for row in range(len(table.lines)):
        record = {name: of[row] for name, of in columns.items()}
        held = {name.removeprefix(INPUT): value for name, value in record.items() if name.startswith(INPUT)}
        item = found.item(record["HITId"], row, held)
        if record.get("AssignmentStatus") == "Rejected" or not blank(record.get("Reject")):
            found.left_out["rejected"] += 1
            continue
        for question, labels in _answers(table, row, record, options).items():
            found.vote(item, record["WorkerId"], labels, row, question)
    return found.export(f"columns {ANSWER}... hold the answers")


def _plain(reading: Reading) -> Reading:
    """What the user said, columns without the prefix of the batch."""
    said = {name: reading.column(name) for name in (*ROLES, *OPTIONAL)}
    named: dict[str, Any] = {name: value.removeprefix(INPUT) for name, value in said.items() if value is not None}
    votes = tuple(name.removeprefix(ANSWER).removesuffix(".label") for name in reading.votes)
    return replace(reading, votes=votes, **named)


def _options(columns: dict[str, list]) -> dict[str, dict[str, str]]:
    """By question the columns of its options, each of which is true or false throughout."""
    found: dict[str, dict[str, str]] = {}
    for name, of in columns.items():
        question, dot, option = name.removeprefix(ANSWER).partition(".")
        if name.startswith(ANSWER) and dot and all("" if blank(v) else class_name(v).lower() in TRUTHS for v in of):
            found.setdefault(question, {})[option] = name
    return {question: names for question, names in found.items() if len(names) > 1}


def _answers(
    table: TableFile, row: int, record: dict[str, Any], options: dict[str, dict[str, str]]
) -> dict[str, list[Any]]:
    """The labels of one assignment, by question."""
    chosen = {name for names in options.values() for name in names.values()}
    found: dict[str, list[Any]] = {}
    for name, value in record.items():
        if name == TASK:
            found |= {question: _labels(answer) for question, answer in _opened(table, row, value).items()}
        elif name.startswith(ANSWER) and name not in chosen:
            found[name.removeprefix(ANSWER).removesuffix(".label")] = [value]
    for question, names in options.items():
        found[question] = [option for option, name in names.items() if _true(record[name])]
    return found


def _opened(table: TableFile, row: int, value: Any) -> dict[str, Any]:
    """The answers in a cell of JSON. Raises UserError where it is none."""
    if blank(value):
        return {}
    try:
        opened = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        opened = None
    forms = opened if isinstance(opened, list) else [opened]
    if len(forms) != 1 or not isinstance(forms[0], dict):
        raise UserError(
            f"{table.name}: {TASK!r} holds {value!r:.60} in {table.places([row])}, no answers as JSON: download the "
            "results again"
        )
    return forms[0]


def _labels(answer: Any) -> list[Any]:
    """The labels in an answer: {"label": x}, {"labels": [...]}, {x: true, y: false}, or x itself."""
    if not isinstance(answer, dict):
        return answer if isinstance(answer, list) else [answer]
    if "label" in answer or "labels" in answer:
        return _labels(answer.get("label", answer.get("labels")))
    return [option for option, value in answer.items() if _true(value)]


def _true(value: Any) -> bool:
    return not blank(value) and TRUTHS.get(class_name(value).lower(), False)


MTURK = ExportFormat("mturk", "results of Mechanical Turk", fits, read)
