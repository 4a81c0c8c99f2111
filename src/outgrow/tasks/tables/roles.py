"""Which column of a table plays which role, and so in which of four layouts a table is read.

classify    a text, a question or an image, and a label
choose      a question, choices, and which of them is the answer
prefer      two texts, the chosen and the rejected one
compare     two texts, the first and the second one, of which votes or a label say which is better, or that they tie
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from outgrow.core.errors import UserError, unknown
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, id_name
from outgrow.tasks.task import Kind

ROLES = (
    "text", "text2", "image", "context", "question", "choices", "answer", "label", "chosen", "rejected", "prompt",
    "first", "second",
)  # fmt: skip
OPTIONAL = ("id", "split", "group")
"""Roles of columns that a table may do without; "none" says that it does."""
TEXT: dict[Kind, tuple[str, ...]] = {
    "classify": ("context", "text", "question", "text2", "answer"),
    "choose": ("context", "question"),
    "prefer": ("prompt",),
    "compare": ("prompt",),
}
"""Roles that a model reads."""
GOLD: dict[Kind, tuple[str, ...]] = {
    "classify": ("label",),
    "choose": ("answer", "choices"),
    "prefer": ("chosen", "rejected"),
    "compare": ("label",),
}
"""Roles that tell the gold: no template and no vote may name their columns."""
PAIR = {"first": "chosen", "second": "rejected"}
"""Roles of pairs in which votes say what is better, by those of pairs of which it is known."""
READABLE = ("text", "question", "image", "chosen", "first")
"""Roles of which a table with something to read has one."""


@final
@dataclass(frozen=True)
class Layout:
    """Which column plays which role."""

    kind: Kind
    columns: dict[str, str]
    """Role -> column."""

    @property
    def read_later(self) -> dict[str, str]:
        """Role -> column, as a saved student reads other tables: of a pair it is asked whether the chosen is better."""
        return {PAIR.get(role, role): column for role, column in self.columns.items()}


@final
@dataclass(frozen=True)
class _Shape:
    needs: tuple[str, ...]
    may: tuple[str, ...]
    either: tuple[str, ...] = ()
    """One of these is needed, too."""

    @property
    def roles(self) -> tuple[str, ...]:
        return self.needs + self.may + self.either


SHAPES: dict[Kind, _Shape] = {
    "classify": _Shape(needs=("label",), may=("text2", "context", "answer"), either=("text", "question", "image")),
    "choose": _Shape(needs=("question", "choices", "answer"), may=("context",)),
    "prefer": _Shape(needs=("chosen", "rejected"), may=("prompt",)),
    "compare": _Shape(needs=("label", "first", "second"), may=("prompt",)),
}


def detect(names: Sequence[str], reading: Reading) -> Layout:
    """The layout that the columns and the flags agree on.

    Raises:
        UserError: There is none, or more than one.
    """
    for role in ("fen", "best_moves"):
        if reading.column(role) is not None:
            raise UserError(f"`{role}` is for chess puzzles, of which a study is made: leave it out here")
    given = _given(names, reading)
    has = {role: given.get(role, role) for role in ROLES if given.get(role, role) in names}
    kind = _kind(names, given, has, reading)
    columns = {role: column for role, column in has.items() if role in SHAPES[kind].roles}
    return Layout(kind, _unrivalled(columns, given, reading) if kind == "classify" else columns)


def _given(names: Sequence[str], reading: Reading) -> dict[str, str]:
    """Role -> column, as flags name them."""
    for name in (*ROLES, *OPTIONAL):
        column = reading.column(name)
        if column is not None and column not in names and not (column == "none" and name in OPTIONAL):
            raise UserError(f"no column {column!r} for `{name}`: the columns are {', '.join(names)}")
    given = {role: column for role in ROLES if (column := reading.column(role)) is not None}
    twice = [role for role, column in given.items() if list(given.values()).count(column) > 1]
    if twice:
        raise UserError(f"{' and '.join(map(_quoted, twice))} name the same column {given[twice[0]]!r}: give one each")
    return given


def _kind(names: Sequence[str], given: Mapping[str, str], has: Mapping[str, str], reading: Reading) -> Kind:
    """The one layout that takes all roles given and lacks none."""
    legal = {kind: shape for kind, shape in SHAPES.items() if set(given) <= set(shape.roles)}
    if not legal:
        shown = " ".join(f"`{role}` = {column}" for role, column in given.items())
        raise UserError(f"contradictory flags {shown}: {_layouts()}")
    fits = [kind for kind, shape in legal.items() if not _lacks(shape, has, reading)]
    if not fits:
        kind = max(legal, key=lambda kind: len(set(legal[kind].needs + legal[kind].either) & set(has)))
        lack = _lacks(legal[kind], has, reading)
        raise UserError(
            f"no column {' or '.join(map(repr, lack))} for the layout {kind!r}: name yours with "
            f"{' or '.join(map(_quoted, lack))}; the columns are {', '.join(names)}"
        )
    if len(fits) > 1 and not set(PAIR) & set(given):
        fits = [kind for kind in fits if kind != "compare"]
    if len(fits) > 1:
        ways = [f"`{'choices' if kind == 'choose' else legal[kind].needs[-1]}` ({kind})" for kind in fits]
        raise UserError(f"the columns {', '.join(names)} fit more than one layout: say which with {' or '.join(ways)}")
    return fits[0]


def _lacks(shape: _Shape, has: Mapping[str, str], reading: Reading) -> list[str]:
    """The first roles that a shape lacks; with a template of its own `classify` needs no text column."""
    lack = [role for role in shape.needs if role not in has][:1]
    if not lack and shape.either and reading.template is None and not set(shape.either) & set(has):
        lack = list(shape.either)
    return lack


def _unrivalled(columns: dict[str, str], given: Mapping[str, str], reading: Reading) -> dict[str, str]:
    """The columns without those that only happen to be called as a role: a second text, an image beside a text."""
    left_out = set()
    if {"text", "question"} <= set(columns) and reading.template is None:
        if ("text" in given) == ("question" in given):
            raise UserError(
                "both 'text' and 'question' could be the text: say which with `text`, `question` or `template`"
            )
        left_out.add("text" if "question" in given else "question")
    readable = bool({"text", "question"} & set(columns)) or reading.template is not None
    if "image" not in given and readable:
        left_out.add("image")
    return {role: column for role, column in columns.items() if role not in left_out}


def _quoted(role: str) -> str:
    return f"`{role}`"


def _layouts() -> str:
    shown = []
    for kind, shape in SHAPES.items():
        needs = [*(["/".join(map(_quoted, shape.either))] if shape.either else []), *map(_quoted, shape.needs)]
        shown.append(f"{kind} takes {' '.join(needs)} [{' '.join(map(_quoted, shape.may))}]")
    return "; ".join(shown)


def optional(table: TableFile, reading: Reading, role: str) -> str | None:
    """The column of an optional role: the one that the user named, else the one of that name, else None."""
    named = reading.column(role) or role
    return named if named in table.names else None


def id_column(table: TableFile, reading: Reading) -> str | None:
    """The column of the items' ids that other tables are joined by: the one the user named, else `id` or `item`."""
    known = (reading.id,) if reading.id else ("id", "item")
    return next((name for name in known if name in table.names), None)


def readable(table: TableFile, reading: Reading) -> bool:
    """Whether the table has something to read beside its votes."""
    return any(reading.column(role) or role in table.names for role in READABLE)


def vote_columns(table: TableFile, votes: Iterable[str]) -> tuple[str, ...]:
    """The columns that votes lie in: `votes` are columns, or entries of a column of lists, as in "rules[2]"."""
    return tuple(dict.fromkeys(v if v in table.names else v.partition("[")[0] for v in votes))


def renamed(table: TableFile, columns: Sequence[str]) -> TableFile:
    """The table with columns under the names that readers look for.

    Args:
        table: Its own columns stay.
        columns: "label=answer" calls column `answer` label; "judge=model+mode" joins two columns; commas between
            several.

    Raises:
        UserError: A word is of another form, or names a column that is not there.
    """
    more: dict[str, list] = {}
    for word in (word for words in columns for word in words.split(",")):
        name, _, of = word.partition("=")
        if not name or not of:
            raise UserError(
                f"`columns` = {word}: write NAME=COLUMN, or NAME=COLUMN+COLUMN, with commas between several"
            )
        parts = [of] if of in table.names else of.split("+")
        for part in parts:
            if part not in table.names:
                raise unknown("column for `columns`", part, table.names)
        values = [table.column(part) for part in parts]
        more[name] = values[0] if len(parts) == 1 else [_joined(row) for row in zip(*values, strict=True)]
    return table.with_columns(more)


def _joined(cells: Sequence[object]) -> str:
    return " ".join("" if blank(value) else id_name(value) for value in cells)


def columns_of(reading: Reading) -> dict[str, str]:
    """By role the columns that a reading names, for what labels other tables later."""
    return {PAIR.get(role, role): name for role in ROLES if (name := reading.column(role)) is not None}
