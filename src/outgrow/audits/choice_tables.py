"""Tables of what was chosen, as evidence: verdicts in both orders, minimal pairs, forced choices between outcomes."""

from __future__ import annotations

import re

import numpy as np

from outgrow.audits.evidence import TIE, Evidence, ForcedChoices, Judgements, Minimal
from outgrow.core.errors import UserError, unknown
from outgrow.tasks.tables.classes import silent
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.long import numbered
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import id_column
from outgrow.tasks.tables.values import blank, class_name

RIGHT = {"1": True, "true": True, "right": True, "0": False, "false": False, "wrong": False, "": False}
VERDICTS = {"0": 0, "1": 1, "tie": TIE, "": -1}
WRITE = "write the option chosen, 0 or 1, whichever was shown first; tie; or nothing"


def verdicts(table: TableFile, reading: Reading) -> Evidence:
    """A row a judge and item: judge, item, forward, swapped; the better option in `gold`, `truth` or `label`."""
    (item, ids), (judge, names) = numbered(table, key_of(table, reading, "verdicts")), numbered(table, "judge")
    _complete(table, item, judge)
    _, first, times = np.unique(np.stack([item, judge]), axis=1, return_index=True, return_counts=True)
    if (twice := first[times > 1]).size:
        raise UserError(
            f"{table.name}: judge {names[judge[twice[0]]]!r} judges item {ids[item[twice[0]]]!r} more than once: give "
            "every way of asking a judge of its own"
        )
    known = next((name for name in ("gold", "truth", "label") if name in table.names), None)
    forward, swapped = (_said(table, name, reading) for name in ("forward", "swapped"))
    gold = None if known is None else _said(table, known, reading)
    every = np.concatenate([said for said in (forward, swapped, gold) if said is not None])
    if not (every == 0).any() and (every == 1).any():
        raise UserError(
            f"{table.name}: no verdict is 0, so that 1 could be the second option or, counted from 1, the first: "
            f"{WRITE}"
        )
    return Evidence(
        table.source,
        ids=ids,
        judgements=Judgements(item, judge, forward, swapped, ids, names, gold, group_of(table, reading)),
    )


def group_of(table: TableFile, reading: Reading) -> np.ndarray | None:
    """(V,) the group of every row, a row without one alone; None where the table has none."""
    column = reading.group or "group"
    if column == "none" or column not in table.names:
        if reading.group not in (None, "none"):
            raise unknown("column for `group`", column, table.names)
        return None
    group, names = numbered(table, column)
    return np.where(group < 0, len(names) + np.arange(len(group)), group)


def key_of(table: TableFile, reading: Reading, what: str) -> str:
    key = id_column(table, reading)
    if key is None:
        raise UserError(f"{table.name}: {what} are of items: name their column with `id`")
    return key


def _complete(table: TableFile, item: np.ndarray, judge: np.ndarray) -> None:
    if (bad := np.flatnonzero((item < 0) | (judge < 0))).size:
        raise UserError(
            f"{table.name}: no item or no judge in {table.places(bad.tolist())}: mend the rows, or leave them out"
        )


def _said(table: TableFile, column: str, reading: Reading) -> np.ndarray:
    """(V,) 0, 1, TIE, or -1 where there is none."""
    said = ["" if silent(v, reading) else class_name(v).lower() for v in table.column(column)]
    if bad := [i for i, word in enumerate(said) if word not in VERDICTS]:
        two = ", a tie or the second option counted from 1" if said[bad[0]] == "2" else ""
        raise UserError(f"{table.name}: column {column!r} holds {said[bad[0]]!r} in {table.places(bad)}{two}: {WRITE}")
    return np.array([VERDICTS[word] for word in said])


def minimal(table: TableFile, reading: Reading) -> Evidence:
    """A row a pair (and judge): item, present, removed [, judge].

    The two hold 1 where the answer was right and 0 where not, or, beside columns gold_present and gold_removed, the
    answers in words, which are right where they name their own gold alone.
    """
    item, ids = numbered(table, key_of(table, reading, "pairs"))
    judge, names = (
        numbered(table, "judge") if "judge" in table.names else (np.zeros(len(item), np.int64), ("the answers",))
    )
    _complete(table, item, judge)
    said = [["" if blank(v) else class_name(v) for v in table.column(name)] for name in ("present", "removed")]
    answered = np.array([bool(a and b) for a, b in zip(*said, strict=True)])
    if not answered.any():
        raise UserError(
            f"{table.name}: no pair is answered: write the answers to both texts into the columns 'present' and "
            "'removed'"
        )
    if {"gold_present", "gold_removed"} <= set(table.names):
        gold = [[class_name(v) for v in table.column(name)] for name in ("gold_present", "gold_removed")]
        right = [
            np.array([_names(a, mine, other) for a, mine, other in zip(said[k], gold[k], gold[1 - k], strict=True)])
            for k in (0, 1)
        ]
    else:
        right = [_right(table, name, words) for name, words in zip(("present", "removed"), said, strict=True)]
    texts = (
        tuple(str(v) for v, keep in zip(table.column("text_present"), answered, strict=True) if keep)
        if "text_present" in table.names
        else None
    )
    group = group_of(table, reading)
    told = Minimal(
        item[answered],
        judge[answered],
        right[0][answered],
        right[1][answered],
        ids,
        names,
        texts,
        None if group is None else group[answered],
    )
    return Evidence(table.source, ids=ids, minimal=told)


def _names(answer: str, mine: str, other: str) -> bool:
    """Whether an answer is the one option, or names it and not the other."""
    if answer.casefold() in (mine.casefold(), other.casefold()):
        return answer.casefold() == mine.casefold()
    named = [re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer, re.IGNORECASE) is not None for word in (mine, other)]
    return named == [True, False]


def _right(table: TableFile, column: str, said: list[str]) -> np.ndarray:
    if bad := [i for i, word in enumerate(said) if word.lower() not in RIGHT]:
        raise UserError(
            f"{table.name}: column {column!r} holds {said[bad[0]]!r} in {table.places(bad)}: write 1 for right and 0 "
            "for wrong, or give the gold of both texts as gold_present and gold_removed"
        )
    return np.array([RIGHT[word.lower()] for word in said])


def choices(table: TableFile, reading: Reading) -> Evidence:
    """A row a question (or `count` equal ones): first, second, chosen [, judge, count].

    `chosen` names one of the two; a row without a choice is left out.
    """
    outcomes: dict[str, int] = {}
    shown = [[class_name(v) for v in table.column(name)] for name in ("first", "second")]
    first, second = (np.array([outcomes.setdefault(name, len(outcomes)) for name in names]) for names in shown)
    named = {name for names in shown for name in names}
    said = [
        "" if blank(v) or (class_name(v) not in named and silent(v, reading)) else class_name(v)
        for v in table.column("chosen")
    ]
    took = [
        1 if word in (a, "first") else 0 if word in (b, "second") else -1 if word in ("", "tie") else -2
        for word, a, b in zip(said, *shown, strict=True)
    ]
    chosen = np.array(took)
    if (bad := np.flatnonzero((chosen == -2) | (first == second))).size:
        raise UserError(
            f"{table.name}: no choice between two outcomes in {table.places(bad.tolist())}: "
            "'chosen' holds one of 'first' and 'second', which differ; or nothing"
        )
    judge, names = (
        numbered(table, "judge") if "judge" in table.names else (np.zeros(len(first), np.int64), ("the judge",))
    )
    _complete(table, first, judge)
    count = numbers(table, "count") if "count" in table.names else np.ones(len(first))
    if (bad := np.flatnonzero(~((count >= 0) & np.isfinite(count)))).size:
        raise UserError(
            f"{table.name}: column 'count' holds no number in {table.places(bad.tolist())}: write how often the choice "
            "was made"
        )
    kept = (chosen >= 0) & (count > 0)
    if not kept.any():
        raise UserError(f"{table.name}: no row holds a choice: column 'chosen' is empty")
    group = group_of(table, reading)
    told = ForcedChoices(
        judge[kept],
        first[kept],
        second[kept],
        chosen[kept] == 1,
        count[kept],
        tuple(outcomes),
        names,
        None if group is None else group[kept],
    )
    return Evidence(table.source, choices=told)


def numbers(table: TableFile, column: str) -> np.ndarray:
    """(V,) float64, NaN where a cell holds none."""

    def number(value: object) -> float:
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return float("nan")

    return np.array([number(v) for v in table.column(column)])
