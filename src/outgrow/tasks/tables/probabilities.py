"""Columns of probabilities, one a class, beside a column of labels: what `outgrow label` writes of an annotator.

    NAME    NAME p(CLASS)    NAME p(CLASS)        the label, and the probability of every class; empty: abstained

A table with such columns says by itself who votes, what the classes are and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, class_name

CLOSE = 1e-2
"""Largest difference from 1 of the sum of a row's probabilities."""


def column_of(annotator: str, name: str) -> str:
    """The column of an annotator's probabilities of a class.

    Example:
        >>> column_of("gemma3-270m", "spam")
        'gemma3-270m p(spam)'
    """
    return f"{annotator} p({name})"


def columns_of(names: Sequence[str], annotator: str) -> dict[str, str]:
    """Class -> column of the annotator's probabilities, among columns of these names; fewer than two are none.

    Example:
        >>> columns_of(["text", "me", "me p(ham)", "me p(spam)"], "me")
        {'ham': 'me p(ham)', 'spam': 'me p(spam)'}
    """
    before = f"{annotator} p("
    found = {name[len(before) : -1]: name for name in names if name.startswith(before) and name.endswith(")")}
    return found if len(found) > 1 else {}


def annotator_of(names: Sequence[str], column: str) -> str | None:
    """Whose probabilities of a class a column holds, among columns of these names.

    Example:
        >>> annotator_of(["me p(ham)", "me p(spam)", "p(ham)"], "me p(spam)")
        'me'
    """
    annotator = column.rpartition(" p(")[0]
    return annotator if annotator and column in columns_of(names, annotator).values() else None


def recognised(table: TableFile, reading: Reading) -> Reading:
    """The reading with the annotators whose probabilities the table holds as its votes, and with their classes.

    Votes and classes that the user named stay as they are.
    """
    votes = reading.votes or tuple(name for name in table.names if columns_of(table.names, name))
    classes = reading.classes or next((tuple(c) for name in votes if (c := columns_of(table.names, name))), ())
    return replace(reading, votes=votes, classes=classes)


def beliefs(
    table: TableFile, columns: Mapping[str, str], rows: Sequence[int], options: Sequence[str]
) -> list[dict[str, float] | None]:
    """What an annotator's columns of probabilities say about rows.

    Args:
        table: the table.
        columns: class -> column.
        rows: numbers of rows.
        options: the classes.

    Returns:
        For each row the probability of every class, or None where all cells are empty.

    Raises:
        UserError: the columns are of other classes, a cell is no probability, a row does not sum to 1, or the label
            beside it is none of the likeliest classes, as where it was corrected by hand.
    """
    annotator = next(iter(columns.values())).rpartition(" p(")[0]
    if set(columns) != set(options):
        raise UserError(
            f"{table.name}: {annotator!r} has probabilities of {', '.join(columns)}, and the classes are "
            f"{', '.join(options)}: say `classes` = {' '.join(columns)}, or leave the annotator out"
        )
    cells = {name: table.column(column) for name, column in columns.items()}
    labels = table.column(annotator) if annotator in table.names else None
    found: list[dict[str, float] | None] = []
    wrong, other = [], []
    for i in rows:
        if all(blank(of[i]) for of in cells.values()):
            found.append(None)
            if labels is not None and not blank(labels[i]):
                other.append(i)
            continue
        p = {name: _probability(cells[name][i]) for name in options}
        total = sum(p.values())
        if not abs(total - 1) <= CLOSE:
            wrong.append(i)
        elif labels is not None and p.get(class_name(labels[i]), 0.0) < max(p.values()) - CLOSE:
            other.append(i)
        found.append({name: value / total for name, value in p.items()} if total else None)
    if wrong:
        raise UserError(
            f"{table.name}: the probabilities of {annotator!r} in {table.places(wrong)} are no numbers from 0 to 1 "
            "that sum to 1: mend them, or leave all of a row empty to abstain"
        )
    if other:
        raise UserError(
            f"{table.name}: column {annotator!r} and its probabilities disagree in {table.places(other)}: mend both, "
            f"or take the columns {', '.join(columns.values())} out, so that the labels alone count"
        )
    return found


def _probability(cell: object) -> float:
    """A cell as a probability, NaN where it is none."""
    try:
        p = float(class_name(cell))
    except ValueError:
        return float("nan")
    return p if 0 <= p <= 1 else float("nan")
