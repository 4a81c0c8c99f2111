"""Tables of what was chosen, as evidence: verdicts in both orders, minimal pairs, forced choices between outcomes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from outgrow.audits.evidence import TIE, Evidence, ForcedChoices, Judgements, Minimal
from outgrow.core.errors import UserError, unknown
from outgrow.store import disk
from outgrow.tasks.builtin.minimal import ITEMS, pairs
from outgrow.tasks.tables import annotations
from outgrow.tasks.tables.annotations import numbered
from outgrow.tasks.tables.classes import silent
from outgrow.tasks.tables.files import TableFile as File
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, class_name

RIGHT = {"1": True, "true": True, "right": True, "0": False, "false": False, "wrong": False, "": False}
VERDICTS = {"0": 0, "1": 1, "tie": TIE, "": -1}
WRITE = "write the option chosen, 0 or 1, whichever was shown first; tie; or nothing"


def verdicts(file: File, reading: Reading) -> Evidence:
    """A row a judge and item: judge, item, forward, swapped; the better option in a column `gold`, `truth` or `label`."""
    (item, ids), (judge, names) = numbered(file, key_of(file, reading, "verdicts")), numbered(file, "judge")
    _complete(file, item, judge)
    _, first, times = np.unique(np.stack([item, judge]), axis=1, return_index=True, return_counts=True)
    if (twice := first[times > 1]).size:
        raise UserError(
            f"{file.name}: judge {names[judge[twice[0]]]!r} judges item {ids[item[twice[0]]]!r} more than once: give every way of asking a judge of its own"
        )
    known = next((name for name in ("gold", "truth", "label") if name in file.names), None)
    forward, swapped, gold = (
        None if name is None else _said(file, name, reading) for name in ("forward", "swapped", known)
    )
    every = np.concatenate([said for said in (forward, swapped, gold) if said is not None])
    if not (every == 0).any() and (every == 1).any():
        raise UserError(
            f"{file.name}: no verdict is 0, so that 1 could be the second option or, counted from 1, the first: {WRITE}"
        )
    return Evidence(
        file.source,
        ids=ids,
        judgements=Judgements(item, judge, forward, swapped, ids, names, gold, group_of(file, reading)),
    )


def group_of(file: File, reading: Reading) -> np.ndarray | None:
    """(V,) the group of every row, a row without one alone; None where the table has none."""
    column = reading.group or "group"
    if column == "none" or column not in file.names:
        if reading.group not in (None, "none"):
            raise unknown("column for `group`", column, file.names)
        return None
    group, names = numbered(file, column)
    return np.where(group < 0, len(names) + np.arange(len(group)), group)


def key_of(file: File, reading: Reading, what: str) -> str:
    key = annotations.id_column(file, reading)
    if key is None:
        raise UserError(f"{file.name}: {what} are of items: name their column with `id`")
    return key


def _complete(file: File, item: np.ndarray, judge: np.ndarray) -> None:
    if (bad := np.flatnonzero((item < 0) | (judge < 0))).size:
        raise UserError(
            f"{file.name}: no item or no judge in {file.places(bad.tolist())}: mend the rows, or leave them out"
        )


def _said(file: File, column: str, reading: Reading) -> np.ndarray:
    """(V,) 0, 1, TIE, or -1 where there is none."""
    said = ["" if silent(v, reading) else class_name(v).lower() for v in file.column(column)]
    if bad := [i for i, word in enumerate(said) if word not in VERDICTS]:
        two = ", a tie or the second option counted from 1" if said[bad[0]] == "2" else ""
        raise UserError(f"{file.name}: column {column!r} holds {said[bad[0]]!r} in {file.places(bad)}{two}: {WRITE}")
    return np.array([VERDICTS[word] for word in said])


def minimal(file: File, reading: Reading) -> Evidence:
    """A row a pair (and judge): item, present, removed [, judge]. The two hold 1 where the answer was right and 0 where not, or,
    beside columns gold_present and gold_removed, the answers in words, which are right where they name their own gold alone."""
    item, ids = numbered(file, key_of(file, reading, "pairs"))
    judge, names = (
        numbered(file, "judge") if "judge" in file.names else (np.zeros(len(item), np.int64), ("the answers",))
    )
    _complete(file, item, judge)
    said = [["" if blank(v) else class_name(v) for v in file.column(name)] for name in ("present", "removed")]
    answered = np.array([bool(a and b) for a, b in zip(*said, strict=True)])
    if not answered.any():
        raise UserError(
            f"{file.name}: no pair is answered: write the answers to both texts into the columns 'present' and 'removed'"
        )
    if {"gold_present", "gold_removed"} <= set(file.names):
        gold = [[class_name(v) for v in file.column(name)] for name in ("gold_present", "gold_removed")]
        right = [
            np.array([_names(a, mine, other) for a, mine, other in zip(said[k], gold[k], gold[1 - k], strict=True)])
            for k in (0, 1)
        ]
    else:
        right = [_right(file, name, words) for name, words in zip(("present", "removed"), said, strict=True)]
    texts = (
        tuple(str(v) for v, keep in zip(file.column("text_present"), answered, strict=True) if keep)
        if "text_present" in file.names
        else None
    )
    group = group_of(file, reading)
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
    return Evidence(file.source, ids=ids, minimal=told)


def _names(answer: str, mine: str, other: str) -> bool:
    """Whether an answer is the one option, or names it and not the other."""
    if answer.casefold() in (mine.casefold(), other.casefold()):
        return answer.casefold() == mine.casefold()
    named = [re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer, re.IGNORECASE) is not None for word in (mine, other)]
    return named == [True, False]


def _right(file: File, column: str, said: list[str]) -> np.ndarray:
    if bad := [i for i, word in enumerate(said) if word.lower() not in RIGHT]:
        raise UserError(
            f"{file.name}: column {column!r} holds {said[bad[0]]!r} in {file.places(bad)}: write 1 for right and 0 for wrong, or give the gold of both texts as gold_present and gold_removed"
        )
    return np.array([RIGHT[word.lower()] for word in said])


def write_pairs(kind: str, file: Path, items: int | None = None, seed: int = 0) -> int:
    """Write minimal pairs (outgrow.tasks.builtin.minimal) into a .csv, .jsonl or .parquet file, to be answered in its empty columns; how many.

    Raises UserError for an unknown kind, or a file that is there already or cannot be written.
    """
    import polars as pl

    rows = pairs(kind, items or ITEMS, seed)
    texts = ("item", "text_present", "gold_present", "text_removed", "gold_removed")
    table = pl.DataFrame(
        [(p.item, p.present, p.harder, p.removed, p.easy, None, None) for p in rows],
        orient="row",
        schema=dict.fromkeys((*texts, "present", "removed"), pl.String),
    )
    write = {".csv": table.write_csv, ".jsonl": table.write_ndjson, ".parquet": table.write_parquet}.get(
        file.suffix.lower()
    )
    if write is None:
        raise UserError(f"cannot write {str(file)!r}: give a .csv, .jsonl or .parquet file")
    if file.exists():
        raise UserError(f"{file} is there already: give a new file")
    try:
        disk.write(file, write)
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}") from None
    return len(rows)


def choices(file: File, reading: Reading) -> Evidence:
    """A row a question (or `count` equal ones): first, second, chosen [, judge, count]; chosen names one of the two. No choice: left out."""
    outcomes: dict[str, int] = {}
    shown = [[class_name(v) for v in file.column(name)] for name in ("first", "second")]
    first, second = (np.array([outcomes.setdefault(name, len(outcomes)) for name in names]) for names in shown)
    named = {name for names in shown for name in names}
    said = [
        "" if blank(v) or (class_name(v) not in named and silent(v, reading)) else class_name(v)
        for v in file.column("chosen")
    ]
    took = [
        1 if word in (a, "first") else 0 if word in (b, "second") else -1 if word in ("", "tie") else -2
        for word, a, b in zip(said, *shown, strict=True)
    ]
    chosen = np.array(took)
    if (bad := np.flatnonzero((chosen == -2) | (first == second))).size:
        raise UserError(
            f"{file.name}: no choice between two outcomes in {file.places(bad.tolist())}: `chosen` holds one of `first` and `second`, which differ; or nothing"
        )
    judge, names = (
        numbered(file, "judge") if "judge" in file.names else (np.zeros(len(first), np.int64), ("the judge",))
    )
    _complete(file, first, judge)
    count = numbers(file, "count") if "count" in file.names else np.ones(len(first))
    if (bad := np.flatnonzero(~((count >= 0) & np.isfinite(count)))).size:
        raise UserError(
            f"{file.name}: column 'count' holds no number in {file.places(bad.tolist())}: write how often the choice was made"
        )
    kept = (chosen >= 0) & (count > 0)
    if not kept.any():
        raise UserError(f"{file.name}: no row holds a choice: column 'chosen' is empty")
    group = group_of(file, reading)
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
    return Evidence(file.source, choices=told)


def numbers(file: File, column: str) -> np.ndarray:
    """(V,) float64, NaN where a cell holds none."""

    def number(value: object) -> float:
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return float("nan")

    return np.array([number(v) for v in file.column(column)])


READERS: dict[tuple[str, ...], Callable[[File, Reading], Evidence]] = {
    ("judge", "forward", "swapped"): verdicts,
    ("present", "removed"): minimal,
    ("first", "second", "chosen"): choices,
}
"""Columns that tell such a table -> what reads it."""
