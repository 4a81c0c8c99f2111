"""doccano: JSONL of text classification, an item a row.

label          a list of labels; whose they are says the name of the file in the archive of a project in which
               annotators work apart (`alice.jsonl`), else nobody does: they are one annotator's
annotations    a list of {label, user}, of older versions
"""

from __future__ import annotations

from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import UNANSWERED, Collected, Export, ExportFormat, part
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.formats import FILE
from outgrow.tasks.tables.options import Reading

LABELS = ("label", "labels", "annotations")
OWN = (*LABELS, "Comments", "comments", "annotation_approver", FILE)


def _column(table: TableFile) -> str | None:
    return next((name for name in LABELS if name in table.names), None)


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows have an id, a text and a list of labels, none of them twice, as the votes of annotators may be."""
    column = _column(table)
    if column is None or "id" not in table.names or not {"text", "data"} & set(table.names):
        return False
    cells = [cell for cell in table.column(column) if cell is not None]
    if not cells or not all(isinstance(cell, list) and len({str(one) for one in cell}) == len(cell) for cell in cells):
        return False
    texts = table.column("text" if "text" in table.names else "data")
    return all(isinstance(text, str) for text in texts if text is not None)


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where labels are of spans of the text."""
    labels = str(_column(table))
    columns = {name: table.column(name) for name in table.names}
    found = Collected(table, reading)
    for row, cell in enumerate(columns[labels]):
        fields = {name: of[row] for name, of in columns.items() if name not in OWN}
        item = found.item(columns["id"][row], row, fields)
        by: dict[Any, list[Any]] = {}
        for one in part(table, row, cell or [], list, labels):
            if isinstance(one, list) or (isinstance(one, dict) and "start_offset" in one):
                raise UserError(
                    f"{table.name}: {labels!r} holds spans of the text in {table.places([row])}: students learn "
                    "classes of whole texts, so export a project of text classification"
                )
            who = one.get("user") if isinstance(one, dict) else columns[FILE][row] if FILE in columns else table.name
            by.setdefault(str(who) if isinstance(who, list | dict) else who, []).append(
                one.get("label") if isinstance(one, dict) else one
            )
        for who, said in by.items():
            found.vote(item, who, said, row)
        found.left_out[UNANSWERED] += not by
    return found.export("no item has a label", question="")


DOCCANO = ExportFormat("doccano", "an export of doccano", fits, read)
