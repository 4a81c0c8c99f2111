"""Which column of a table plays which role, and so in which of three layouts a table is read."""

from __future__ import annotations

from dataclasses import dataclass

from outgrow.core.errors import UserError
from outgrow.tasks.tables.options import Reading, flag
from outgrow.tasks.task import Kind

ROLES = ("text", "text2", "image", "context", "question", "choices", "answer", "label", "chosen", "rejected", "prompt")


@dataclass(frozen=True)
class Layout:
    """Which column plays which role."""

    kind: Kind
    columns: dict[str, str]
    """Role -> column."""


@dataclass(frozen=True)
class _Shape:
    needs: tuple[str, ...]
    may: tuple[str, ...]
    either: tuple[str, ...] = ()
    """One of these is needed, too."""


SHAPES: dict[Kind, _Shape] = {
    "classify": _Shape(needs=("label",), may=("text2", "context", "answer"), either=("text", "question", "image")),
    "choose": _Shape(needs=("question", "choices", "answer"), may=("context",)),
    "prefer": _Shape(needs=("chosen", "rejected"), may=("prompt",)),
}


def detect(names: tuple[str, ...], reading: Reading) -> Layout:
    """The layout that the columns and the flags agree on. UserError where there is none, or more than one."""
    given = {role: column for role in ROLES if (column := getattr(reading, role)) is not None}
    for name in (*ROLES, "id", "split", "group"):
        column = getattr(reading, name)
        if column is not None and column not in names and not (column == "none" and name in ("id", "split", "group")):
            raise missing(column, name, names)
    twice = [r for r, c in given.items() if list(given.values()).count(c) > 1]
    if twice:
        raise UserError(f"{' and '.join(map(flag, twice))} name the same column {given[twice[0]]!r}: give one each")

    legal = {k: s for k, s in SHAPES.items() if not set(given) - {*s.needs, *s.may, *s.either}}
    if not legal:
        shown = " ".join(f"{flag(r)} {c}" for r, c in given.items())
        raise UserError(f"contradictory flags {shown}: {_layouts()}")
    has = {role: given.get(role, role) for role in ROLES if given.get(role, role) in names}
    fits = {k: s for k, s in legal.items() if not _lacks(s, has, reading)}
    if not fits:
        kind, shape = max(legal.items(), key=lambda entry: len(set(entry[1].needs + entry[1].either) & set(has)))
        lack = _lacks(shape, has, reading)
        raise UserError(
            f"no column {' or '.join(map(repr, lack))} for the layout {kind!r}: name yours with "
            f"{' or '.join(map(flag, lack))}; the columns are {', '.join(names)}"
        )
    if len(fits) > 1:
        ways = [f"{flag(s.needs[-1] if k != 'choose' else 'choices')} ({k})" for k, s in fits.items()]
        raise UserError(f"the columns {', '.join(names)} fit more than one layout: say which with {' or '.join(ways)}")
    kind, shape = next(iter(fits.items()))
    columns = {role: column for role, column in has.items() if role in shape.needs + shape.may + shape.either}
    if kind == "classify" and {"text", "question"} <= set(columns) and reading.template is None:
        if ("text" in given) == ("question" in given):
            raise UserError(
                "both 'text' and 'question' could be the text: say which with --text, --question or --template"
            )
        del columns["text" if "question" in given else "question"]
    if (
        "image" in columns
        and "image" not in given
        and ({"text", "question"} & set(columns) or reading.template is not None)
    ):
        del columns["image"]  # a table of texts may well have a column of that name
    return Layout(kind, columns)


def missing(column: str, field: str, names: tuple[str, ...]) -> UserError:
    """An error for a flag that names a column which is not there."""
    return UserError(f"no column {column!r} for {flag(field)}: the columns are {', '.join(names)}")


def _lacks(shape: _Shape, has: dict[str, str], reading: Reading) -> list[str]:
    """The first roles that a shape lacks; with a template of its own `classify` needs no text column."""
    lack = [role for role in shape.needs if role not in has][:1]
    if not lack and shape.either and reading.template is None and not set(shape.either) & set(has):
        lack = list(shape.either)
    return lack


def _layouts() -> str:
    shown = []
    for kind, shape in SHAPES.items():
        needs = [*(["/".join(map(flag, shape.either))] if shape.either else []), *map(flag, shape.needs)]
        shown.append(f"{kind} takes {' '.join(needs)} [{' '.join(map(flag, shape.may))}]")
    return "; ".join(shown)
