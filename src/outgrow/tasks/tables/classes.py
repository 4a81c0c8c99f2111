"""What a cell of a column of gold or of votes is: a class, an abstention, or neither. Every verb asks here.

class         one of `classes`, else one that gold names, else one that the votes name
abstention    an empty cell, NaN, -1 however it is written, a word of ABSTENTIONS or of `abstain` that names no class
neither       an error of one line with the rows and the flag that settles it
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, class_name, numeric

ABSTENTIONS = (
    "na",
    "n/a",
    "#n/a",
    "<na>",
    "nan",
    "nat",
    "none",
    "null",
    "skip",
    "skipped",
    "?",
    "abstain",
    "abstained",
)
"""Words that abstain, in any case, beside empty cells, NaN and -1."""
MISSING = ("NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "NaT", "None", "null", "NULL")
"""What software writes where a value is missing: in a column of gold such a word is asked about."""
SHOWN = 3
_PRINTED = re.compile(
    r"\[.*\]|\{.*\}|\(.*,.*\)|b'.*'|b\".*\"|(np\.\w+|numpy\.\w+|array|tensor|Decimal|Timestamp)\(.*\)", re.DOTALL
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?")


def asked(reading: Reading) -> tuple[str, ...]:
    """The classes of `classes`. UserError where one is named twice, or among the words that abstain."""
    return _asked(tuple(reading.classes), tuple(reading.abstain))


@cache
def _asked(classes: tuple[str, ...], abstain: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(map(class_name, classes))
    for name in names:
        if not name or names.count(name) > 1:
            raise UserError(
                f"`classes` = {' '.join(map(repr, classes))}: "
                f"{'name every class once' if name else 'a class needs a name'}"
            )
        if name.casefold() in _words(abstain):
            raise UserError(f"contradictory flags: {name!r} is both in `classes` and in `abstain`")
    return names


@cache
def _words(abstain: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in abstain)


def silent(value: object, reading: Reading) -> bool:
    """Whether a cell says nothing, unless a class is called so."""
    if blank(value):
        return True
    name = class_name(value)
    return unknown_gold(name, reading) or name.casefold() in ABSTENTIONS


def unknown_gold(name: str, reading: Reading) -> bool:
    """Whether a name in a column of gold says that gold is unknown: "", -1 or a word of --abstain, but no class."""
    if name in asked(reading):
        return False
    return empty(name, reading) or _minus_one(name)


def empty(value: object, reading: Reading) -> bool:
    """Whether a cell holds nothing, or a word of `abstain`."""
    return blank(value) or class_name(value).casefold() in _words(tuple(reading.abstain))


def printed(value: object, opened: bool = False) -> bool:
    """Whether a cell is no single value: a list, record, bytes or date, or such a thing as Python prints it.

    Args:
        value: The cell.
        opened: Whether text may hold anything.
    """
    if isinstance(value, str):
        return not opened and _PRINTED.fullmatch(value.strip()) is not None
    return value is not None and not isinstance(value, bool | int | float | Decimal)


@lru_cache(4096)
def near(name: str) -> str:
    """The form of a name without case, blanks, hyphens, Unicode's normal form and the way a number is written.

    Example:
        >>> near("Not-Spam"), near(" not spam"), near("1.0"), near("True")
        ('not spam', 'not spam', '1', '1')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    folded = "".join(c for c in folded if unicodedata.category(c) != "Cf").strip()
    folded = {"true": "1", "false": "0"}.get(folded, folded)
    if _NUMBER.fullmatch(folded):
        return f"{Decimal(folded).normalize() + 0:f}"
    return re.sub(r"[\s_-]+", " ", folded).strip() or name


def find(value: object, names: Sequence[str], reading: Reading) -> str | None:
    """The class that a cell names, "" where it abstains, None where it is neither.

    With `classes`, a spelling that is near one class alone is that class; so is "None" beside a class "none".
    """
    if blank(value):
        return ""
    name = class_name(value)
    if name in names:
        return name
    if empty(name, reading):
        return ""
    alike = [known for known in names if near(known) == near(name)]
    if not alike and silent(name, reading):
        return ""
    return alike[0] if reading.classes and len(alike) == 1 else None


def gold(table: TableFile, column: str, rows: Sequence[int], reading: Reading, opened: bool = False) -> list[str]:
    """The name in every row of a column of gold, "" where gold is unknown.

    Args:
        table: Any table.
        column: The column of gold.
        rows: The rows that count; what is returned for others means nothing.
        reading: Classes and words that abstain.
        opened: Whether these are open answers, which may be fractions and near one another.

    Raises:
        UserError: A cell is no name; two names are near one another; a word that software writes where a value is
            missing could be a class, and neither `classes` nor `abstain` says what it is.
    """
    raw, named = table.column(column), asked(reading)
    _refuse_values(table, column, rows, named, opened)
    names = ["" if blank(value) else class_name(value) for value in raw]
    if named:
        return each(names, lambda name: name if (known := find(name, named, reading)) is None else known)
    unknown = empty if opened else unknown_gold
    names = each(names, lambda name: "" if unknown(name, reading) else name)
    if not opened:
        _refuse_missing_words(table, column, [i for i in rows if names[i] in MISSING], names)
        where: dict[str, list[int]] = {}
        for i in rows:
            if names[i]:
                where.setdefault(names[i], []).append(i)
        refuse_near(table, where)
    return names


def _refuse_values(table: TableFile, column: str, rows: Sequence[int], named: Sequence[str], opened: bool) -> None:
    """Raises UserError for containers and, where answers are not open, fractions in a column of gold."""
    raw = table.column(column)
    for i in rows:
        value = raw[i]
        fraction = isinstance(value, float) and value % 1 > 0 and not opened
        if fraction or (printed(value, opened) and class_name(value) not in named):
            raise UserError(
                f"column {column!r} is no label: it holds {short(value)} in {table.places([i])}; write one class a cell"
            )


def _refuse_missing_words(table: TableFile, column: str, rows: Sequence[int], names: Sequence[str]) -> None:
    if rows:
        word = names[rows[0]]
        raise UserError(
            f"{table.name}: column {column!r} holds {word!r} in {table.places(rows)}, a class or no gold: "
            f"name all classes with `classes`, or say `abstain` = {word}"
        )


def by_votes(table: TableFile, said: Mapping[str, Mapping[int, str]]) -> set[str]:
    """The classes that votes name, where neither gold nor `classes` does.

    Args:
        table: Any table.
        said: annotator -> row -> name.

    Raises:
        UserError: They could be something else: names near one another, a name that a single annotator uses, numbers
            that may be scores.
    """
    rows: dict[str, list[int]] = {}
    users: dict[str, set[str]] = {}
    for annotator, names in said.items():
        for row, name in names.items():
            rows.setdefault(name, []).append(row)
            users.setdefault(name, set()).add(annotator)
    refuse_near(table, rows)
    alone = sorted((name for name in users if len(users[name]) == 1), key=lambda name: len(rows[name]))
    if alone and sum(map(bool, said.values())) > 1:
        (annotator,) = users[alone[0]]
        raise UserError(
            f"{table.name}: {alone[0]!r} is what only {annotator} votes, in {table.places(rows[alone[0]])}: "
            f"if it is a class, name all with `classes` = {_listed(rows)}; if not, say `abstain` = {alone[0]}"
        )
    if len(rows) > 2 and all(map(numeric, rows)):
        raise UserError(
            f"{table.name}: the votes are the numbers {_listed(rows)}, classes or scores: where they are classes say "
            f"`classes` = {_listed(rows)}; `threshold` cuts scores into two classes"
        )
    return set(rows)


def refuse_near(table: TableFile, rows: Mapping[str, Sequence[int]]) -> None:
    """Raises UserError where two names (name -> rows) are near one another."""
    alike: dict[str, list[str]] = {}
    for name in rows:
        alike.setdefault(near(name), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            most, *others = sorted(names, key=lambda name: (-len(rows[name]), name))
            kept = [max(group, key=lambda name: (len(rows[name]), name)) for group in alike.values()]
            raise UserError(
                f"{table.name}: {others[0]!r} in {table.places(sorted(set(rows[others[0]])))} and {most!r} differ in "
                f"spelling alone: where they are one class say `classes` = {_listed(kept)}; "
                "where not, name both with `classes`"
            )


def stray(values: Iterable[object], names: Sequence[str] | None) -> str:
    """What to do about votes that are none of the classes `names` (None: no classes can be named), in words."""
    found = list(dict.fromkeys(class_name(value) for value in values))
    shown = "there: " + ", ".join(map(short, found[:SHOWN])) + (", ..." if len(found) > SHOWN else "")
    if names is None:
        return f"{shown}; `abstain` names words that abstain"
    if any(near(name) in map(near, names) for name in found):
        near_one = "reads spellings that differ in case, blanks or normal form as the class"
        return f"{shown}; `classes` = {_listed(names)} {near_one}"
    return f"{shown}; `classes` names all classes, `abstain` words that abstain"


def ordered(names: Sequence[str], reading: Reading, categories: Sequence[str] = ()) -> bool:
    """Whether the order of the classes is beyond doubt: that of `classes`, the data set's own, or 0, 1, ...

    Probabilities are read by it.
    """
    return bool(reading.classes or categories) or tuple(names) in (
        tuple(map(str, range(len(names)))),
        ("false", "true"),
    )


def each(values: Sequence[Any], read: Callable[[Any], Any]) -> list:
    """`read` of every value, asked once of values that are the same."""
    known = {key: read(key[1]) for key in {(type(value), value) for value in values}}
    return [known[type(value), value] for value in values]


def short(value: object) -> str:
    """A cell as an error shows it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _minus_one(name: str) -> bool:
    try:
        return len(name) < 16 and float(name.replace("\N{MINUS SIGN}", "-")) == -1
    except ValueError:
        return False


def _listed(names: Iterable[str]) -> str:
    shown = sorted(names, key=lambda name: (not numeric(name), int(float(name)) if numeric(name) else 0, name))
    return " ".join(f"'{name}'" if re.search(r"[^\w.-]", name) else name for name in shown[:20]) + (
        " ..." if len(shown) > 20 else ""
    )
