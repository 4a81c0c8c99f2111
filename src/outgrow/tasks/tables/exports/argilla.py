"""Argilla: records as JSON or as data sets of the hub; suggestions of models are annotators like people.

nested    id, fields {text}, responses {question: [{value, user_id}]}, suggestions {question: {value, agent}}
          of version 1 responses [{user_id, values {question: {value}}, status}], suggestions [{question_name, value}]
hub, 1    external_id, the fields, question [{user_id, value, status}], question-suggestion and its metadata
flat      id, the fields, question.responses, question.responses.users, question.responses.status, question.suggestion
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outgrow.tasks.tables.exports._export import Collected, Export, ExportFormat, part
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading

RESPONSES, SUGGESTION = ".responses", ".suggestion"
ABOUT = "-suggestion-metadata"
"""What a column about suggestions ends with in data sets of version 1."""
MODEL = "suggestion"
"""The annotator of a suggestion that names no agent."""
HINT = "answers to questions of labels and ratings are read"
Answers = Iterator[tuple[str, Any, Any, str | None]]
"""Question, annotator, value, and the status of a response."""


def _nested(table: TableFile) -> bool:
    names = set(table.names)
    held = "fields" in names and bool({"responses", "suggestions"} & names)
    return held and any(isinstance(cell, dict) for cell in table.column("fields"))


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows are records, nested or flat."""
    return _nested(table) or any(name.endswith((RESPONSES, SUGGESTION, ABOUT)) for name in table.names)


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where a part of it is of another form, or where several questions are answered."""
    found = Collected(table, reading)
    columns, nested = {name: table.column(name) for name in table.names}, _nested(table)
    for row in range(len(table.lines)):
        record = {name: of[row] for name, of in columns.items()}
        key = next((record[name] for name in ("id", "external_id") if record.get(name) is not None), row + 1)
        if nested:
            item = found.item(key, row, part(table, row, record["fields"], dict, "fields"))
            answers = _of_nested(table, row, record)
        else:
            fields = {name: value for name, value in record.items() if not isinstance(value, list | dict)}
            item = found.item(key, row, {name: v for name, v in fields.items() if not _own(name)})
            answers = _of_flat(table, row, record)
        for question, who, value, status in answers:
            if status in ("discarded", "draft", "pending"):
                found.left_out[status] += 1
            else:
                found.vote(item, who, value if isinstance(value, list) else [value], row, question)
    return found.export(HINT)


def _own(name: str) -> bool:
    """Whether a column of flat records is the tool's own, and no field."""
    return name[:1] == "_" or "." in name or name.endswith(("-suggestion", ABOUT))


def _of_nested(table: TableFile, row: int, record: dict[str, Any]) -> Answers:
    responses, suggestions = record.get("responses") or {}, record.get("suggestions") or {}
    if isinstance(responses, list):
        for one in responses:
            given = part(table, row, one, dict, "responses")
            for question, answer in part(table, row, given.get("values") or {}, dict, "responses").items():
                yield question, given.get("user_id"), _value(answer), given.get("status")
    else:
        for question, answers in part(table, row, responses, dict, "responses").items():
            for one in part(table, row, answers or [], list, "responses"):
                given = part(table, row, one, dict, "responses")
                yield question, given.get("user_id"), _value(given), given.get("status")
    if isinstance(suggestions, list):
        suggestions = {str(one.get("question_name")): one for one in suggestions if isinstance(one, dict)}
    for question, one in part(table, row, suggestions, dict, "suggestions").items():
        if isinstance(one, dict):
            yield question, one.get("agent") or MODEL, _value(one), None


def _of_flat(table: TableFile, row: int, record: dict[str, Any]) -> Answers:
    for name, cell in record.items():
        if name.endswith(RESPONSES) and cell is not None:
            values = part(table, row, cell, list, name)
            who, status = (record.get(f"{name}.{of}") or [None] * len(values) for of in ("users", "status"))
            for at, value in enumerate(values):
                yield name.removesuffix(RESPONSES), _at(who, at), value, _at(status, at)
        elif name.endswith(SUGGESTION) and cell is not None:
            yield name.removesuffix(SUGGESTION), record.get(f"{name}.agent") or MODEL, cell, None
        elif name.endswith(ABOUT):
            question, suggested = name.removesuffix(ABOUT), record.get(name.removesuffix("-metadata"))
            for one in part(table, row, record.get(question) or [], list, question):
                given = part(table, row, one, dict, question)
                yield question, given.get("user_id"), _value(given), given.get("status")
            if suggested is not None:
                yield question, (cell.get("agent") if isinstance(cell, dict) else None) or MODEL, suggested, None


def _at(values: Any, at: int) -> Any:
    return values[at] if isinstance(values, list) and at < len(values) else None


def _value(answer: Any) -> Any:
    """The value of an answer; a rank is none."""
    value = answer.get("value") if isinstance(answer, dict) else answer
    return [] if isinstance(value, list) and any(isinstance(one, dict) for one in value) else value


ARGILLA = ExportFormat("argilla", "records of Argilla", fits, read)
