"""The user's own label columns: hard votes, probabilities, lists of either; missing = abstained."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Sequence

from outgrow.core.errors import UserError
from outgrow.tasks.tables.classes import asked, find, printed, short, silent, stray
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import Options, blank, chooser, class_name
from outgrow.tasks.task import Kind

_WORD = r"[^\W_]+"
_ENTRY = r"(None|True|False|-?(0|[1-9][0-9]{0,300})(\.[0-9]*)?|'[^'\\\n]*'|\"[^\"\\\n]*\")"
_LIST = re.compile(rf"\[\s*{_ENTRY}(\s*,\s*{_ENTRY})*\s*\]")
"""As Python prints a list; numpy prints no commas."""
SURE = ("confidence", "certainty", "correct", "sure")
"""How a column may be called that says how sure a vote is."""
Belief = dict[str, float] | None
"""Probability of each option; None = abstained."""


def read_votes(
    table: TableFile, column: str, kind: Kind, rows: Sequence[int], options: Sequence[Options], reading: Reading
) -> dict[str, list[Belief]]:
    """What each annotator of a column believes about each of the rows.

    A value is an option: a class (`classify`), "chosen" or "rejected", 1 or 0 (`prefer`), or a choice by text, index or
    letter (`choose`). In the first two kinds, with two options, fractions are probabilities of the second one.
    A list holds one annotator an entry (`column[0]`, ...), or, where it holds fractions, the probabilities of the options;
    in a row without one all annotators abstain.
    UserError lists the rows whose values are none of these, or could be two of them.
    """
    values = _values(table, column, rows, options, reading)
    lists = [v for v in values if isinstance(v, list)]
    if (
        kind == "classify"
        and not options[0].texts
        and any(_fraction(x) for v in values for x in (v if isinstance(v, list) else [v]))
    ):
        raise UserError(
            f"{table.name}: column {column!r} holds fractions, probabilities of classes that nothing names: say --classes, of two the one last "
            "that a fraction is the probability of"
        )
    if lists and any(_probability(x, options) for v in lists for x in v):
        if kind == "prefer":
            raise UserError(
                f"{table.name}: column {column!r} for --votes holds lists of fractions: write the probability of the chosen text alone"
            )
        if kind == "classify":
            _certain_order(table, column, options[0].texts, options[0].ordered)
        return {column: _checked(table, column, rows, values, options, _distribution, kind, reading)}
    _no_one_hot(table, column, kind, values, options)
    return {
        name: _checked(
            table, name, rows, cast, options, _reader(table, kind, name, cast, options, reading), kind, reading
        )
        for name, cast in _annotators(column, values, reading).items()
    }


def spoken(table: TableFile, reading: Reading, rows: Sequence[int]) -> dict[str, dict[int, str]]:
    """annotator -> row -> the name that it votes; abstentions and columns of probabilities are left out."""
    found = {}
    for column in dict.fromkeys(v if v in table.names else v.partition("[")[0] for v in reading.votes):
        values = _values(table, column, rows, [Options(asked(reading))] * len(rows), reading)
        if any(_fraction(x) for v in values for x in (v if isinstance(v, list) else [v])):
            continue
        for name, cast in _annotators(column, values, reading).items():
            found[name] = {i: class_name(v) for i, v in zip(rows, cast, strict=True) if not silent(v, reading)}
    return found


def _values(table: TableFile, column: str, rows: Sequence[int], options: Sequence[Options], reading: Reading) -> list:
    """The column's values, lists opened. UserError for what is neither an option's name, nor a value, nor a list of values."""
    if column not in table.names:
        raise _no_column(table, column)
    raw = table.column(column)
    known = [isinstance(raw[i], str) and raw[i].strip() in o.texts for i, o in zip(rows, options, strict=True)]
    values = [raw[i] if name else _opened(raw[i]) for i, name in zip(rows, known, strict=True)]
    odd = [
        i
        for i, v, name in zip(rows, values, known, strict=True)
        if not name and any(map(printed, v if isinstance(v, list) else [v]))
    ]
    if odd:
        raise UserError(
            f"{table.name}: column {column!r} for --votes holds {short(raw[odd[0]])} in {table.places(odd)}: write one class a cell, "
            "or a list of classes as JSON, one entry an annotator"
        )
    return values


def _annotators(column: str, values: list, reading: Reading) -> dict[str, list]:
    """annotator -> its values: the column, or an entry of its lists each."""
    lists = [v for v in values if isinstance(v, list)]
    if not lists:
        return {column: values}
    if any(not isinstance(v, list) and not silent(v, reading) for v in values) or len({len(v) for v in lists}) > 1:
        raise UserError(f"column {column!r} for --votes: every row needs a list of the same length, or none")
    return {f"{column}[{j}]": [v[j] if isinstance(v, list) else None for v in values] for j in range(len(lists[0]))}


def _no_column(table: TableFile, column: str) -> UserError:
    return UserError(f"no column {column!r} for --votes: the columns are {', '.join(table.names)}")


Read = Callable[[object, Options], Belief]


def _checked(
    table: TableFile,
    name: str,
    rows: Sequence[int],
    values: list,
    options: Sequence[Options],
    read: Read,
    kind: Kind,
    reading: Reading,
) -> list[Belief]:
    cells = list(zip(rows, values, options, strict=True))
    beliefs = [None if _abstains(v, o, reading) else read(v, o) for _, v, o in cells]
    wrong = [(i, v) for (i, v, o), b in zip(cells, beliefs, strict=True) if b is None and not _abstains(v, o, reading)]
    if wrong:
        known = ", ".join(options[0].texts) if kind != "choose" else "the row's choices"
        raise UserError(
            f"{table.name}: votes in column {name!r} that are none of {known} in {table.places([i for i, _ in wrong])}: "
            f"mend them, or leave them empty to abstain ({stray([v for _, v in wrong], options[0].texts if kind == 'classify' else None)})"
        )
    return beliefs


def _abstains(value: object, among: Options, reading: Reading) -> bool:
    if isinstance(value, list):
        return all(map(blank, value))
    return not _fraction(value) and find(value, among.texts, reading) == ""


def _reader(
    table: TableFile, kind: Kind, name: str, values: list, options: Sequence[Options], reading: Reading
) -> Read:
    """How one annotator's values are read."""
    if kind == "choose":
        cast = [(v, o) for v, o in zip(values, options, strict=True) if not _abstains(v, o, reading)]
        pick = chooser(name, [v for v, _ in cast], [o for _, o in cast])
        return lambda value, among: _certain(pick(value, among), among)
    if len(options[0].texts) == 2 and any(_probability(v, options) for v in values):
        if kind == "classify":
            _certain_order(table, name, options[0].texts, options[0].ordered)
            _called_otherwise(table, name, options[0].texts, reading)
        return _second
    if kind == "prefer":
        known = {text: text for text in options[0].texts} | {str(c): text for c, text in enumerate(options[0].texts)}
        return lambda value, among: _certain(known.get(class_name(value)), among)
    return lambda value, among: _certain(find(value, among.texts, reading), among)


def _certain_order(table: TableFile, column: str, names: Sequence[str], ordered: bool) -> None:
    """Raises UserError where it is not certain which class a column's probabilities are of."""
    if not ordered:
        raise UserError(
            f"{table.name}: column {column!r} holds fractions, probabilities of {' or '.join(names)}: say the order with "
            f"--classes {' '.join(names)}; a fraction alone is the probability of the last of two"
        )


def _called_otherwise(table: TableFile, column: str, names: Sequence[str], reading: Reading) -> None:
    """Raises UserError for a column of single probabilities whose name ends with another class than the one they are read as,
    or with a word for how sure a vote is, unless --classes says what they are of."""
    words = {name: f" {' '.join(re.findall(_WORD, name.casefold()))}" for name in names}
    own = [name for name in names if f" {' '.join(re.findall(_WORD, column.casefold()))}".endswith(words[name])]
    if own and max(own, key=len) != names[-1]:
        raise UserError(
            f"{table.name}: column {column!r} holds fractions and is called like the class {own[0]!r}, but a fraction is the "
            f"probability of the last class, {names[-1]!r}: leave the column out, or say --classes {names[1]} {names[0]}"
        )
    if not own and not reading.classes and column.casefold().endswith(SURE):
        raise UserError(
            f"{table.name}: column {column!r} holds fractions, how sure a vote is or the probability of {names[-1]!r}: where it is the latter "
            f"say --classes {' '.join(names)}; the former goes into `certainty` of a long table"
        )


def _no_one_hot(table: TableFile, column: str, kind: Kind, values: list, options: Sequence[Options]) -> None:
    """Raises UserError for lists that could be votes of annotators or the whole probabilities of the options."""
    if kind == "classify" and not set(options[0].texts) <= set(map(str, range(len(options[0].texts)))):
        return
    cast = [
        ([_number(x) for x in v], len(o.texts))
        for v, o in zip(values, options, strict=True)
        if isinstance(v, list) and not all(map(blank, v))
    ]
    if cast and all(len(v) == count > 1 and set(v) == {0.0, 1.0} and sum(v) == 1 for v, count in cast):  # type: ignore[arg-type]
        raise UserError(
            f"{table.name}: every list in column {column!r} has one 1 and is 0 elsewhere, probabilities or votes of "
            f"{cast[0][1]} annotators: write the one that is voted for itself, or a column an annotator"
        )


def _certain(picked: str | None, among: Options) -> Belief:
    return {text: float(text == picked) for text in among.texts} if picked in among.texts else None


def _second(value: object, among: Options) -> Belief:
    p = _number(value)
    return dict(zip(among.texts, (1 - p, p), strict=True)) if p is not None and 0 <= p <= 1 else None


def _distribution(value: object, among: Options) -> Belief:
    found = [_number(x) for x in value] if isinstance(value, list) else []
    if len(found) != len(among.texts) or any(p is None or not 0 <= p <= 1 for p in found) or abs(sum(found) - 1) > 1e-3:
        return None
    belief = dict.fromkeys(among.texts, 0.0)
    for text, p in zip(among.texts, found, strict=True):
        belief[text] += p / sum(found)
    return belief


def _opened(value: object) -> object:
    """A list that csv holds as text, in JSON or as Python prints it."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return ast.literal_eval(value.strip()) if _LIST.fullmatch(value.strip()) else value


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _probability(value: object, options: Sequence[Options]) -> bool:
    """Whether a value is a fraction and no option's name."""
    return _fraction(value) and class_name(value) not in options[0].texts


def _fraction(value: object) -> bool:
    number = _number(value)
    return number is not None and math.isfinite(number) and not number.is_integer()
