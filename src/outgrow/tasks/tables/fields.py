"""What a model reads of a row: the columns that play a role, others that a template names, and the template itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from outgrow.core.errors import UserError
from outgrow.tasks.tables import template as templates
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import GOLD, TEXT, Layout
from outgrow.tasks.tables.values import texts

SHARED = ("context", "prompt", "question", "text")
"""Roles whose text, where two rows have the same, makes them one group: the first of these that a row has."""


@final
@dataclass(frozen=True)
class Fields:
    """Texts of a table, by row."""

    template: templates.Template
    roles: dict[str, list[str]]
    """Of the columns that play a role, by role."""
    others: dict[str, list[str]]
    """Of further columns that the template names."""

    def text(self, i: int, option: str = "") -> str:
        """What a model reads of row i, with one of its options where the layout has any."""
        return self.template.render({field: self._cell(field, i, option) for field in self.template.fields})

    def content(self, i: int) -> tuple[str, ...]:
        """The texts of row i that make it the item that it is."""
        return tuple(of[i] for of in self.roles.values()) or (self.text(i),)

    def shared(self, i: int) -> str | None:
        """The text that row i may share with others of its group; None where it has none."""
        of_row = (self.roles[role][i] for role in SHARED if role in self.roles)
        return next((text for text in of_row if text.strip()), None)

    def _cell(self, field: str, i: int, option: str) -> str:
        of = self.roles.get(field) or self.others.get(field)
        return option if of is None else of[i]


def read_fields(table: TableFile, layout: Layout, reading: Reading) -> Fields:
    """The fields of a table. Raises UserError for a template that does not fit it."""
    template = _template(table, layout, reading)
    roles = {role: texts(table, column) for role, column in layout.columns.items() if role in TEXT[layout.kind]}
    options = templates.OPTION.values()
    others = {f: texts(table, f) for f in template.fields if f not in roles and f not in options}
    return Fields(template, roles, others)


def _template(table: TableFile, layout: Layout, reading: Reading) -> templates.Template:
    """The user's template, checked, or the default one."""
    roles = [role for role in layout.columns if role in TEXT[layout.kind]]
    if reading.template is None:
        return templates.default(layout.kind, roles)
    template, option = templates.compiled(reading.template), templates.OPTION.get(layout.kind)
    _check(template, table, layout, [*roles, *([option] if option else [])])
    if option and option not in template.fields:
        raise UserError(f"`template` lacks the field {{{option}}}: the {option} to judge")
    if not template.fields:
        raise UserError(f"`template` = {reading.template!r} has no {{column}} field")
    return template


def _check(template: templates.Template, table: TableFile, layout: Layout, own: list[str]) -> None:
    """Raises UserError for a field that is no column, or holds the gold; `own`: the roles and the option."""
    gold = [layout.columns[role] for role in GOLD[layout.kind]]
    known = {*table.names, *own}
    for field in template.fields:
        if field not in known:
            raise UserError(
                f"`template` has a field {{{field}}} that is no column: known are {', '.join(sorted(known))}"
            )
        if field in gold and field not in own:
            option = templates.OPTION.get(layout.kind)
            instead = f"; {{{option}}} is the text to judge" if option else ""
            raise UserError(f"`template` has the field {{{field}}}, which holds the gold: leave it out{instead}")
