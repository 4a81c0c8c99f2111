"""Any table as evidence: what it holds is told by its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from outgrow.audits.choice_tables import choices, minimal, verdicts
from outgrow.audits.evidence import Evidence
from outgrow.audits.vote_tables import ANSWERS, GOLD, answers, long_votes, wide_votes
from outgrow.core.errors import UserError
from outgrow.store import disk
from outgrow.tasks.builtin.minimal import ITEMS, pairs
from outgrow.tasks.tables import exports, files
from outgrow.tasks.tables.exports import Export
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.long import LONG, with_gold
from outgrow.tasks.tables.matrices import beside, is_matrix, read_matrix
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.probabilities import recognised
from outgrow.tasks.tables.roles import renamed
from outgrow.tasks.tables.values import id_name


@final
@dataclass(frozen=True)
class TableReader:
    """What reads a table that has certain columns."""

    columns: tuple[str, ...]
    read: Callable[[TableFile, Reading, str | None], Evidence]
    """Of the table, what the user said about it, and the model that reads texts."""
    parameters: tuple[str, ...]
    """What may be said about such a table."""


def _textless(read: Callable[[TableFile, Reading], Evidence]) -> Callable[[TableFile, Reading, str | None], Evidence]:
    """The reader of a table that has no texts for a model to read."""
    return lambda table, reading, strong: read(table, reading)


READERS = (
    TableReader(
        LONG, _textless(long_votes), ("group", "classes", "abstain", "threshold", "skip_bad_rows", "gold_table")
    ),
    TableReader(ANSWERS, answers, ("strong",)),
    TableReader(("judge", "forward", "swapped"), _textless(verdicts), ("id", "group", "abstain", "gold_table")),
    TableReader(("present", "removed"), _textless(minimal), ("id", "group", "abstain", "gold_table")),
    TableReader(("first", "second", "chosen"), _textless(choices), ("id", "group", "abstain", "gold_table")),
)
"""The first whose columns a table has reads it."""


def read(
    source: str | TableFile,
    reading: Reading,
    votes_table: str | TableFile | None = None,
    strong: str | None = None,
    columns: Sequence[str] = (),
    gold_table: str | TableFile | None = None,
) -> Evidence:
    """The evidence in a table: a long table, one with columns of votes, or what a labelling tool exported.

    Args:
        source: A table file, or an open table.
        reading: What the user said about it.
        votes_table: A long table of votes on the items of `source`.
        strong: A model that reads items and answers.
        columns: "NAME=COLUMN": what columns are called here that go by other names.
        gold_table: A table of items that holds their gold.

    Raises:
        UserError: One line, for what the user can mend.
    """
    if is_matrix(source):
        table = read_matrix(source, reading)
        return wide_votes(table.with_columns({"id": list(table.lines)}), reading.with_votes(table.names), None, strong)
    table = renamed(files.read(source), columns)
    reader = next((one for one in READERS if set(one.columns) <= set(table.names)), None)
    if votes_table is None and (reader is None or reading.format is not None):
        found = exports.opened(table, reading)
        if found.votes is not None:
            return _exported(found, found.votes, gold_table, strong)
        table, reading = found.items, found.reading
    if gold_table is not None:
        table = with_gold(table, files.read(gold_table), reading, (*GOLD, "label"))
    reading = recognised(table, reading)
    if votes_table is None and not reading.votes:
        if reader is None:
            kinds = "; ".join(", ".join(one.columns) for one in READERS)
            raise UserError(
                f"{table.name}: name columns of votes with `votes`, or by `columns` = NAME=COLUMN those of one of: "
                f"{kinds}; "
                f"the columns are {', '.join(table.names)}"
            )
        given = (*reading.given(), *(["strong"] if strong else []), *(["gold_table"] if gold_table else []))
        if idle := [name for name in given if name not in reader.parameters]:
            raise UserError(
                f"{table.name} is read by its columns {', '.join(reader.columns)}: leave "
                f"{', '.join(f'`{name}`' for name in idle)} out"
            )
        return reader.read(table, reading, strong)
    refuse_parameters(columns, gold_table, "a table with columns of votes")
    if votes_table is not None and is_matrix(votes_table):
        return wide_votes(*beside(table, reading, votes_table), None, strong)
    return wide_votes(table, reading, None if votes_table is None else files.read(votes_table), strong)


def _exported(found: Export, votes: TableFile, gold_table: str | TableFile | None, strong: str | None) -> Evidence:
    """The evidence in an export: as in a long table of its votes, or with `strong` in a table of its items."""
    items, reading = found.items, found.reading
    if gold_table is not None:
        items = with_gold(items, files.read(gold_table), reading, (*GOLD, "label"))
    label = reading.label or next((name for name in GOLD if name in items.names), None)
    if strong is not None:
        return wide_votes(items, replace(reading, label=label), votes, strong)
    of_item = {GOLD[0]: label, reading.group or "group": reading.group}
    key = list(map(id_name, items.column(reading.id or exports.KEY)))
    beside_votes = {
        name: list(map(dict(zip(key, items.column(column), strict=True)).__getitem__, votes.column(LONG[0])))
        for name, column in of_item.items()
        if column not in (None, "none")
    }
    return long_votes(votes.with_columns(beside_votes), reading)


def refuse_parameters(columns: Sequence[str], gold_table: str | TableFile | None, what: str) -> None:
    """Raises UserError for `columns` and `gold_table` where they do not apply."""
    if given := [f"`{name}`" for name, value in (("columns", columns), ("gold_table", gold_table)) if value]:
        raise UserError(
            f"{' and '.join(given)}: {what} is read without: leave {'it' if len(given) == 1 else 'them'} out"
        )


def write_pairs(kind: str, file: Path, items: int | None = None, seed: int = 0, overwrite: bool = False) -> int:
    """Writes minimal pairs (`tasks/builtin/minimal.py`) into a table, to be answered in its empty columns.

    Args:
        kind: Which pairs: errands, cities or translations.
        file: A .csv, .jsonl or .parquet file.
        items: How many pairs at most.
        seed: Names the pairs.
        overwrite: Whether a file of that name may go.

    Returns:
        How many pairs were written.

    Raises:
        UserError: An unknown kind, or a file that is there already or cannot be written.
    """
    import polars as pl

    rows = pairs(kind, items or ITEMS, seed)
    texts = ("item", "text_present", "gold_present", "text_removed", "gold_removed")
    table = pl.DataFrame(
        [(p.item, p.present, p.harder, p.removed, p.easy, None, None) for p in rows],
        orient="row",
        schema=dict.fromkeys((*texts, "present", "removed"), pl.String),
    )
    writers: dict[str, Callable[[Path], object]] = {
        ".csv": table.write_csv,
        ".jsonl": table.write_ndjson,
        ".parquet": table.write_parquet,
    }
    write = writers.get(file.suffix.lower())
    if write is None:
        raise UserError(f"cannot write {str(file)!r}: give a .csv, .jsonl or .parquet file")
    if file.exists() and not overwrite:
        raise UserError(f"{file} is there already: give a new file, or `overwrite=True` if it may go")
    try:
        disk.write(file, write)
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from None
    return len(rows)
