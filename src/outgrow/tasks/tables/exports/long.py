"""Any table with a row an annotation: a column of annotators, and items that several rows show.

The columns are `item` or another of ITEMS, `worker` or another of WORKERS, the label, and what the item is; `id`,
`annotator` and `votes` name those that are called otherwise.
"""

from __future__ import annotations

from collections import Counter

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import Export, ExportFormat
from outgrow.tasks.tables.exports._rows import by_rows
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.long import LONG
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.rows import annotator_columns
from outgrow.tasks.tables.values import blank, id_name

ITEMS = ("item", "itemid", "task", "taskid", "example", "exampleid", "sampleid", "docid", "documentid", "textid", "id")
"""What a column of items may be called, but for case and signs."""
ABOUT = ("timestamp", "createdat", "updatedat", "leadtime", "duration", "seconds", "annotationid", "assignmentid")
"""What columns about an annotation may be called."""

IDS, TEXTS = 0.1, 0.5
"""The share of rows that must show an item again: ids hardly ever do by chance, texts may be duplicates."""


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _worker(table: TableFile, reading: Reading) -> str | None:
    """The column of annotators. Raises UserError where `annotator` names none, or where there are two."""
    if reading.annotator is not None:
        if reading.annotator not in table.names:
            raise UserError(
                f"{table.name}: no column {reading.annotator!r} for `annotator`: the columns are "
                f"{', '.join(table.names)}"
            )
        return reading.annotator
    named = annotator_columns(table.names)
    if len(named) > 1:
        raise UserError(f"{table.name}: annotators could be {' or '.join(named)}: say which with `annotator`")
    return named[0] if named else None


def _item(table: TableFile, reading: Reading) -> str | None:
    """The column of items: as asked, else one that is called so and repeats, else the text, where it does."""
    if reading.id not in (None, "none"):
        return reading.id if reading.id in table.names else None
    called = [name for of in ITEMS for name in table.names if _plain(name) == of and reading.id is None]
    texts = [name for name in (reading.text, "text", "question") if name in table.names]
    repeated = (name for name in (*called, *texts) if _repeats(table, name, IDS if name in called else TEXTS))
    return next(repeated, called[0] if called else None)


def _repeats(table: TableFile, column: str, least: float) -> bool:
    """Whether more than a share of the rows show an item that another row shows."""
    plain = [value for value in table.column(column) if not blank(value) and not isinstance(value, list | dict)]
    count = Counter(map(id_name, plain))
    return sum(n for n in count.values() if n > 1) > least * len(plain)


def fits(table: TableFile, reading: Reading) -> bool:
    """Whether rows are annotations: columns item, worker, label; or items repeat beside a column of annotators."""
    if len(reading.votes) > 1:
        return False
    worker, item = _worker(table, reading), _item(table, reading)
    if worker is None or item is None or worker == item:
        return False
    said = reading.format is not None or set(LONG) <= set(table.names)
    return said or _repeats(table, item, TEXTS if item in (reading.text, "text", "question") else IDS)


def read(table: TableFile, reading: Reading) -> Export:
    """The export. Raises UserError where the column of labels is not certain."""
    worker, item = _worker(table, reading), _item(table, reading)
    assert worker is not None and item is not None
    about = [name for name in table.names if _plain(name) in ABOUT]
    return by_rows(table, reading, item=item, worker=worker, about=about)


LONG_TABLE = ExportFormat("long", "a table with a row an annotation", fits, read, general=True)
