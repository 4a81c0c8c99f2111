"""The user's own label columns: hard votes, probabilities, lists of either; missing = abstained."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.tables import soft
from outgrow.tasks.tables.classes import asked, find, printed, short, silent, stray
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.preferences import SIDES, verdicts
from outgrow.tasks.tables.probabilities import beliefs, columns_of
from outgrow.tasks.tables.roles import vote_columns
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


Read = Callable[[object, Options], Belief]


@final
@dataclass(frozen=True)
class _Votes:
    """The values of a column, or of one annotator of it, in some rows."""

    table: TableFile
    name: str
    kind: Kind
    rows: Sequence[int]
    values: list[Any]
    options: Sequence[Options]
    reading: Reading

    def error(self, said: str) -> UserError:
        return UserError(f"{self.table.name}: column {self.name!r} {said}")


def read_votes(
    table: TableFile, column: str, kind: Kind, rows: Sequence[int], options: Sequence[Options], reading: Reading
) -> dict[str, list[Belief]]:
    """What each annotator of a column believes about each of the rows.

    A value is an option: a class (`classify`), "chosen" or "rejected", 1 or 0 (`prefer`), or a choice by text, index or
    letter (`choose`). In the first two kinds, with two options, fractions are probabilities of the second one.
    A list holds one annotator an entry (`column[0]`, ...), or, where it holds fractions, the probabilities of the
    options; in a row without one all annotators abstain. An object holds the probability or the votes of each class.
    Where columns of probabilities stand beside the column, they are its votes.

    Raises:
        UserError: Values are none of these, or could be two of them; the message lists their rows.
    """
    if kind == "compare":
        told = verdicts(table, column, rows, reading)
        return {column: [None if p is None else dict(zip(SIDES, (p, 1 - p), strict=True)) for p in told]}
    if kind == "classify" and (objects := _objects(table, column, rows, reading)) is not None:
        return {column: _checked(_Votes(table, column, kind, rows, objects, options, reading), _soft)}
    if kind == "classify" and rows and (probs := columns_of(table.names, column)):
        return {column: beliefs(table, probs, rows, options[0].texts)}
    values = _values(table, column, rows, options, reading)
    votes = _Votes(table, column, kind, rows, values, options, reading)
    _refuse_unnamed_classes(votes)
    if any(_probability(x, options) for value in values if isinstance(value, list) for x in value):
        return {column: _distributions(votes)}
    _refuse_one_hot(votes)
    return {
        name: _checked(one := replace(votes, name=name, values=cast), _reader(one))
        for name, cast in _annotators(column, values, reading).items()
    }


def named_by_votes(table: TableFile, reading: Reading, rows: Sequence[int]) -> dict[str, dict[int, str]]:
    """annotator -> row -> the name that it votes; abstentions and columns of probabilities are left out."""
    found = {}
    for column in vote_columns(table, reading.votes):
        if _objects(table, column, rows, reading) is not None:
            continue
        values = _values(table, column, rows, [Options(asked(reading))] * len(rows), reading)
        if any(map(_fraction, _entries(values))):
            continue
        for name, cast in _annotators(column, values, reading).items():
            found[name] = {i: class_name(v) for i, v in zip(rows, cast, strict=True) if not silent(v, reading)}
    return found


def named_by_objects(table: TableFile, reading: Reading, rows: Sequence[int]) -> set[str]:
    """The classes that objects of probabilities name."""
    held = (_objects(table, column, rows, reading) for column in vote_columns(table, reading.votes))
    return {name for values in held if values is not None for name in soft.names(values)}


def _objects(table: TableFile, column: str, rows: Sequence[int], reading: Reading) -> list[Any] | None:
    """The objects in a column of probabilities, None where there is none; None of any other column."""
    if column not in table.names:
        return None
    raw = table.column(column)
    if not any(map(soft.may_be, raw)):
        return None
    values = [soft.opened(raw[i]) for i in rows]
    if not soft.all_objects(table, column, values, reading):
        return None
    return [value if isinstance(value, dict) and not soft.silent(value) else None for value in values]


def _soft(value: object, among: Options) -> Belief:
    return soft.distribution(value, among.texts)


def _entries(values: Sequence[Any]) -> Iterator[Any]:
    """The values, and of lists their entries."""
    for value in values:
        yield from value if isinstance(value, list) else [value]


def _values(
    table: TableFile, column: str, rows: Sequence[int], options: Sequence[Options], reading: Reading
) -> list[Any]:
    """The column's values, lists opened. Raises UserError for what is neither an option's name, a value nor a list."""
    if column not in table.names:
        raise UserError(f"no column {column!r} for `votes`: the columns are {', '.join(table.names)}")
    raw = table.column(column)
    named = [isinstance(raw[i], str) and raw[i].strip() in o.texts for i, o in zip(rows, options, strict=True)]
    values = [raw[i] if name else _opened(raw[i]) for i, name in zip(rows, named, strict=True)]
    odd = [
        i
        for i, value, name in zip(rows, values, named, strict=True)
        if not name and any(map(printed, _entries([value])))
    ]
    if odd:
        raise UserError(
            f"{table.name}: column {column!r} for `votes` holds {short(raw[odd[0]])} in {table.places(odd)}: "
            "write one class a cell, or a list of classes as JSON, one entry an annotator"
        )
    return values


def _annotators(column: str, values: list[Any], reading: Reading) -> dict[str, list[Any]]:
    """annotator -> its values: the column, or an entry of its lists each."""
    lists = [v for v in values if isinstance(v, list)]
    if not lists:
        return {column: values}
    if any(not isinstance(v, list) and not silent(v, reading) for v in values) or len({len(v) for v in lists}) > 1:
        raise UserError(f"column {column!r} for `votes`: every row needs a list of the same length, or none")
    return {f"{column}[{j}]": [v[j] if isinstance(v, list) else None for v in values] for j in range(len(lists[0]))}


def _distributions(votes: _Votes) -> list[Belief]:
    """The beliefs in lists that are probabilities of the options."""
    if votes.kind == "prefer":
        raise votes.error("for `votes` holds lists of fractions: write the probability of the chosen text alone")
    if votes.kind == "classify":
        _refuse_doubtful_order(votes)
    return _checked(votes, _distribution)


def _checked(votes: _Votes, read: Read) -> list[Belief]:
    """The beliefs as `read` reads them. Raises UserError for votes that are no option."""
    silent = [_abstains(v, o, votes.reading) for v, o in zip(votes.values, votes.options, strict=True)]
    beliefs = [None if no else read(v, o) for no, v, o in zip(silent, votes.values, votes.options, strict=True)]
    wrong = [at for at, (no, belief) in enumerate(zip(silent, beliefs, strict=True)) if belief is None and not no]
    if wrong:
        names = None if votes.kind == "choose" else votes.options[0].texts
        known = "the row's choices" if names is None else ", ".join(names)
        hint = stray([votes.values[at] for at in wrong], names if votes.kind == "classify" else None)
        raise UserError(
            f"{votes.table.name}: votes in column {votes.name!r} that are none of {known} in "
            f"{votes.table.places([votes.rows[at] for at in wrong])}: mend them, or leave them empty to abstain "
            f"({hint})"
        )
    return beliefs


def _abstains(value: object, among: Options, reading: Reading) -> bool:
    if isinstance(value, list):
        return all(map(blank, value))
    return not _fraction(value) and find(value, among.texts, reading) == ""


def _reader(votes: _Votes) -> Read:
    """How one annotator's values are read."""
    if votes.kind == "choose":
        return _choice_reader(votes)
    first = votes.options[0].texts
    if len(first) == 2 and any(_probability(value, votes.options) for value in votes.values):
        if votes.kind == "classify":
            _refuse_doubtful_order(votes)
            _refuse_other_name(votes)
        return _second
    if votes.kind == "prefer":
        known = {text: text for text in first} | {str(c): text for c, text in enumerate(first)}
        return lambda value, among: _certain(known.get(class_name(value)), among)
    return lambda value, among: _certain(find(value, among.texts, votes.reading), among)


def _choice_reader(votes: _Votes) -> Read:
    cells = zip(votes.values, votes.options, strict=True)
    cast = [(value, among) for value, among in cells if not _abstains(value, among, votes.reading)]
    pick = chooser(votes.name, [value for value, _ in cast], [among for _, among in cast])
    return lambda value, among: _certain(pick(value, among), among)


def _refuse_unnamed_classes(votes: _Votes) -> None:
    """Raises UserError for probabilities of classes that neither gold nor `classes` names."""
    if votes.kind == "classify" and not votes.options[0].texts and any(map(_fraction, _entries(votes.values))):
        raise votes.error(
            "holds fractions, probabilities of classes that nothing names: say `classes`, of two the one last that a "
            "fraction is the probability of"
        )


def _refuse_doubtful_order(votes: _Votes) -> None:
    """Raises UserError where it is not certain which class a column's probabilities are of."""
    names = votes.options[0].texts
    if not votes.options[0].ordered:
        raise votes.error(
            f"holds fractions, probabilities of {' or '.join(names)}: say the order with `classes` = "
            f"{' '.join(names)}; "
            "a fraction alone is the probability of the last of two"
        )


def _refuse_other_name(votes: _Votes) -> None:
    """Raises UserError for single probabilities in a column that is called like another class, or like a certainty.

    They are read as the probability of the last class. With `classes` a certainty is taken for that.
    """
    names, column = votes.options[0].texts, votes.name.casefold()
    words = {name: f" {' '.join(re.findall(_WORD, name.casefold()))}" for name in names}
    own = [name for name in names if f" {' '.join(re.findall(_WORD, column))}".endswith(words[name])]
    if own and max(own, key=len) != names[-1]:
        raise votes.error(
            f"holds fractions and is called like the class {own[0]!r}, but a fraction is the probability of the last "
            f"class, {names[-1]!r}: leave the column out, or say `classes` = {names[1]} {names[0]}"
        )
    if not own and not votes.reading.classes and column.endswith(SURE):
        raise votes.error(
            f"holds fractions, how sure a vote is or the probability of {names[-1]!r}: where it is the latter say "
            f"`classes` = {' '.join(names)}; the former goes into `certainty` of a long table"
        )


def _refuse_one_hot(votes: _Votes) -> None:
    """Raises UserError for lists that could be votes of annotators or the whole probabilities of the options."""
    names = votes.options[0].texts
    if votes.kind == "classify" and not set(names) <= set(map(str, range(len(names)))):
        return
    lists = [
        (list(map(_number, value)), len(among.texts))
        for value, among in zip(votes.values, votes.options, strict=True)
        if isinstance(value, list) and not all(map(blank, value))
    ]
    if lists and all(_one_hot(value, count) for value, count in lists):
        raise UserError(
            f"{votes.table.name}: every list in column {votes.name!r} has one 1 and is 0 elsewhere, probabilities or "
            f"votes of {lists[0][1]} annotators: write the one that is voted for itself, or a column an annotator"
        )


def _one_hot(values: list[float | None], count: int) -> bool:
    return len(values) == count > 1 and values.count(1.0) == 1 and values.count(0.0) == count - 1


def _certain(picked: str | None, among: Options) -> Belief:
    return {text: float(text == picked) for text in among.texts} if picked in among.texts else None


def _second(value: object, among: Options) -> Belief:
    p = _number(value)
    return dict(zip(among.texts, (1 - p, p), strict=True)) if p is not None and 0 <= p <= 1 else None


def _distribution(value: object, among: Options) -> Belief:
    found = [p for x in value if (p := _number(x)) is not None and 0 <= p <= 1] if isinstance(value, list) else []
    whole = isinstance(value, list) and len(value) == len(found) == len(among.texts)
    if not whole or abs(sum(found) - 1) > 1e-3:
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
    if value is None:
        return None
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
