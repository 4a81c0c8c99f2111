"""What a saved student is given in Python: a data frame with its columns, a series, or a list of items."""

from __future__ import annotations

from typing import Any

from outgrow.students import inputs
from outgrow.students.saved import SavedStudent
from outgrow.students.saved_text import SavedGenerator
from outgrow.tasks.tables.frames import of_frame
from outgrow.tasks.tables.options import Reading


def items_of(student: SavedStudent | SavedGenerator, given: Any) -> Any:
    """The items for the student: of a data frame by its columns, of a series its values, others as they are.

    Raises:
        UserError: the frame lacks a column that the student reads, or a row has nothing to read.
        TypeError: one item is given in the place of a list.
    """
    import narwhals as nw

    if isinstance(given, str | bytes):
        what = "prompts" if isinstance(student, SavedGenerator) else "items"
        raise TypeError(f"{what}: give a list of {what}, not one {what[:-1]}")
    found = nw.from_native(given, pass_through=True, allow_series=True)
    if isinstance(found, nw.Series):
        return found.to_list()
    if not isinstance(found, nw.DataFrame | nw.LazyFrame):
        return given
    if isinstance(student, SavedGenerator):
        return inputs.prompted(student, of_frame(given), Reading()).items
    if student.reads == "features":
        return (found.collect() if isinstance(found, nw.LazyFrame) else found).to_numpy()
    return inputs.labelled(student, of_frame(given), Reading(), None).items
