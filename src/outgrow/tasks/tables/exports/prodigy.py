"""Prodigy: JSONL of `db-out`, a row an annotation.

choice     options [{id, text}], accept [id], answer accept | reject | ignore
binary     label, and answer says whether it fits: of one label the classes are it and "not it", of two each other's

A choice that was rejected or ignored is an abstention.
"""

from __future__ import annotations

from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import Collected, Export, ExportFormat
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, class_name

ANSWERS = {"accept": "accepted", "reject": "rejected", "ignore": "ignored"}
"""What an answer may be, and what it makes of a row, in words."""
HASHES = ("_input_hash", "_task_hash")
OWN = ("answer", "accept", "options", "label", "meta", "tokens", "spans", "config")
"""Fields of a row that are no fields of its item, beside those that begin with an underscore."""


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows have an answer and a hash."""
    if "answer" not in table.names or not set(HASHES) & set(table.names):
        return False
    return any(answer in ANSWERS for answer in table.column("answer") if isinstance(answer, str))


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where it asks for no class, or where rejections of several labels mean no class."""
    columns = {name: table.column(name) for name in table.names}
    rows = [{name: of[i] for name, of in columns.items()} for i in range(len(table.lines))]
    found = Collected(table, reading)
    rejected = _rejected(table, reading, rows)
    for i, row in enumerate(rows):
        fields = {name: value for name, value in row.items() if name not in OWN and not name.startswith("_")}
        fields |= row["meta"] if isinstance(row.get("meta"), dict) else {}
        hashes = (row[name] for name in HASHES if not blank(row.get(name)))
        item = found.item(next(hashes, row.get("text")), i, fields)
        who = row.get("_annotator_id") or row.get("_session_id")
        if not isinstance(row["answer"], str) or row["answer"] not in ANSWERS:
            raise UserError(
                f"{table.name}: 'answer' holds {row['answer']!r:.40} in {table.places([i])}: it is one of "
                f"{', '.join(ANSWERS)}"
            )
        if row["answer"] == "ignore" or (row["answer"] == "reject" and _choice(row)):
            found.left_out[ANSWERS[row["answer"]]] += 1
        elif _choice(row):
            found.vote(item, who, _listed(table, row["accept"], i), i)
        elif blank(row.get("label")) or isinstance(row["label"], list | dict):
            found.left_out["without a label"] += 1
        elif row["answer"] == "accept":
            found.vote(item, who, [row["label"]], i)
        elif (other := rejected.get(class_name(row["label"]))) is not None:
            found.vote(item, who, [other], i)
        else:
            found.left_out["rejected, which leaves several labels open"] += 1
    return found.export("choices, and accepted or rejected labels, are read; spans are not", question="")


def _choice(row: dict[str, Any]) -> bool:
    return "accept" in row and row["accept"] is not None


def _listed(table: TableFile, accepted: Any, row: int) -> list[Any]:
    if not isinstance(accepted, list) or any(isinstance(one, list | dict) for one in accepted):
        raise UserError(
            f"{table.name}: 'accept' holds {accepted!r:.40} in {table.places([row])}, no list of options: export again"
        )
    return accepted


def _rejected(table: TableFile, reading: Reading, rows: list[dict[str, Any]]) -> dict[str, str]:
    """By label what its rejection votes for. Raises UserError where two labels may fit an item both."""
    binary = [row for row in rows if not _choice(row) and not blank(row.get("label"))]
    labels = dict.fromkeys(class_name(row["label"]) for row in binary if not isinstance(row["label"], list | dict))
    names = tuple(map(class_name, reading.classes)) or tuple(labels)
    if len(labels) == 1 and not reading.classes:
        return {label: f"not {label}" for label in labels}
    if len(names) == 2 and reading.classes:
        return {names[0]: names[1], names[1]: names[0]}
    if len(names) == 2 and any(row["answer"] == "reject" for row in binary):
        raise UserError(
            f"{table.name}: labels {' and '.join(names)} were rejected, which is a vote for the other one only if one "
            f"of both always fits: then say `classes` = {' '.join(names)}"
        )
    return {}


PRODIGY = ExportFormat("prodigy", "an export of Prodigy", fits, read)
