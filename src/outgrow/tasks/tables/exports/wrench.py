"""WRENCH: a JSON object of items, each with its text, its gold and a list of what labelling functions say of it."""

from __future__ import annotations

from dataclasses import replace

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import Export, ExportFormat, part
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading

VOTES = "weak_labels"


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows have data and weak labels."""
    names = set(table.names)
    return {"data", VOTES} <= names and any(isinstance(cell, dict) for cell in table.column("data"))


def read(table: TableFile, reading: Reading) -> Export:
    """The set as a table with a column of lists, an annotator an entry. Raises UserError where a part is missing."""
    if reading.votes not in ((), (VOTES,)):
        raise UserError(f"{table.name}: `votes` = {' '.join(reading.votes)}: labelling functions lie in {VOTES!r}")
    data = [part(table, row, cell, dict, "data") for row, cell in enumerate(table.column("data"))]
    lists = [part(table, row, cell, list, VOTES) for row, cell in enumerate(table.column(VOTES))]
    if len({len(one) for one in lists}) > 1:
        raise UserError(f"{table.name}: lists of {VOTES!r} differ in length: give every item the same functions")
    fields = dict.fromkeys(name for one in data for name in one)
    columns = {name: [one.get(name) for one in data] for name in fields}
    kept = replace(table, names=tuple(name for name in table.names if name != "data"))
    said = f"{len(lists):,} items, {len(lists[0]):,} labelling functions"
    return Export(kept.with_columns(columns), None, replace(reading, votes=(VOTES,), format=None), said)


WRENCH = ExportFormat("wrench", "a set of WRENCH", fits, read)
