"""Exports of labelling tools, one form a file: recognised by their columns and cells, read as items and votes.

A file that two forms fit is an error that names `format`; what is read is said in one line. A form of another package
is an entry point of the group `outgrow.exports`.
"""

from __future__ import annotations

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.core.registry import Registry, marked
from outgrow.tasks.tables.exports._export import KEY, Collected, Export, ExportFormat
from outgrow.tasks.tables.files import TableFile, read
from outgrow.tasks.tables.options import Reading

__all__ = ["FORMATS", "KEY", "WIDE", "Collected", "Export", "ExportFormat", "form_of", "opened"]

FORMATS: Registry[ExportFormat] = Registry("format", __name__, "outgrow.exports", marked(ExportFormat))
WIDE = "wide"
"""The format of a table with a row an item, which is no export."""


def opened(source: str | TableFile, reading: Reading) -> Export:
    """The items and votes of an export; of any other table the items alone.

    Args:
        source: A table, or its file.
        reading: What the user said about it.

    Raises:
        UserError: It cannot be read, or it fits two forms.

    Example:
        >>> import polars as pl
        >>> from outgrow.tasks.tables.frames import of_frame
        >>> rows = {"task": [1, 1, 2], "text": ["hi", "hi", "win"], "annotator": ["a", "b", "a"], "vote": ["ham"] * 3}
        >>> found = opened(of_frame(pl.DataFrame(rows)), Reading())
        >>> found.items.column("text"), found.votes.column("worker")
        (['hi', 'win'], ['a', 'b', 'a'])
    """
    table = read(source)
    form = form_of(table, reading)
    if reading.annotator is not None and (form is None or not form.general):
        what = f"{form.tool}: leave it out" if form else "one with a row an item: leave it out, or say `format` = long"
        raise UserError(
            f"{table.name}: `annotator` = {reading.annotator} is for a table with a row an annotation, and this is "
            f"{what}"
        )
    if form is None:
        return Export(table, None, reading, "")
    found = form.read(table, reading)
    say(f"{table.name} is read as {form.tool}: {found.said}")
    return found


def form_of(table: TableFile, reading: Reading) -> ExportFormat | None:
    """The form that the user named, else the one that fits; None of a table with a row an item.

    Raises:
        UserError: The form that was named does not fit, or two do.
    """
    if reading.format == WIDE:
        return None
    if reading.format is not None:
        form = FORMATS.find(reading.format)
        if not form.fits(table, reading):
            raise UserError(
                f"{table.name}: `format` = {form.name}: it has not the columns of {form.tool}, "
                f"but {', '.join(map(str, table.names))}"
            )
        return form
    for general in (False, True):
        fits = [form for form in FORMATS.all().values() if form.general == general and form.fits(table, reading)]
        if len(fits) > 1:
            raise UserError(
                f"{table.name} could be {' or '.join(form.tool for form in fits)}: say which with `format` = "
                f"{' or '.join(form.name for form in fits)}, or {WIDE} for a table with a row an item"
            )
        if fits:
            return fits[0]
    return None
