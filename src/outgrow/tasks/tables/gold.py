"""Gold of generation tasks in a table: what compares answers with it, and whether it is right by its own scorer.

Where nobody says what compares them, gold does:

    all of it numbers                 scorer number
    all of it single letters          scorer letter
    none of it a number               scorer words
    some of it numbers, some not      the user is asked
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.metrics import final_answer
from outgrow.metrics import text as scorers
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.values import class_name

WRONG = "left out: gold is wrong by its own scorer"
PLAIN = ("number", "letter", "words", "exact")
"""Scorers that compare texts with texts."""
READABLE = 0.9
"""Share of recorded answers that must come to a number for a vote to compare numbers, where no gold tells."""
_FITS: dict[str, Callable[[str], bool]] = {
    "number": final_answer.whole,
    "letter": lambda text: len(text.strip(" ().")) == 1 and final_answer.letter(text) is not None,
}
GoldCells = Mapping[int, tuple[str, Any]]
"""By row the item and the cell of its gold."""


@final
@dataclass(frozen=True)
class AnswerGold:
    """Gold of the items of a table."""

    scorer: str
    form: str
    """What makes two answers the same to a vote, where nobody says."""
    rows: Mapping[str, int]
    """Of every item the row whose gold counts, the last of several that are alike."""
    text: Mapping[int, str]
    key: Mapping[int, Any]
    """What the scorer compares an answer with."""
    counts: Mapping[str, int]
    """Rows left out, each with its reason."""


def read_gold(table: TableFile, gold: GoldCells, scorer: str | None, skip: bool) -> AnswerGold:
    """The gold of a table.

    Args:
        table: Where it stands, for messages.
        gold: The cells.
        scorer: What compares answers with gold; None: what fits it.
        skip: Whether items with two golds, and gold that is wrong by its own scorer, are left out instead of refused.

    Raises:
        UserError: No scorer fits the gold, or more than one; what `skip` leaves out is there; nothing is left.
    """
    text = _texts(table, gold, scorer)
    scorer = scorer or fitting(table, text)
    key = {row: _key(table, row, scorer, value, text[row]) for row, (_, value) in gold.items()}
    rows, two = _one_each(table, gold, scorer, text, key, skip)
    wrong = [row for item, row in rows.items() if item not in two and _is_wrong(scorer, text[row], key[row])]
    refuse(table, scorer, wrong, text.__getitem__, skip)
    bad = {gold[row][0] for row in wrong}
    rows = {item: row for item, row in rows.items() if item not in two | bad}
    if not rows:
        raise UserError(f"{table.name}: no row is left whose gold its own scorer ({scorer}) calls right")
    of_two, of_bad = (sum(item in names for item, _ in gold.values()) for names in (two, bad))
    counts = {
        "left out: two golds": of_two,
        WRONG: of_bad,
        "left out: the prompt comes again": len(gold) - of_two - of_bad - len(rows),
    }
    return AnswerGold(scorer, _form(scorer, text[next(iter(rows.values()))]), rows, text, key, counts)


def _texts(table: TableFile, gold: GoldCells, scorer: str | None) -> dict[int, str]:
    lists = {row for row, (_, value) in gold.items() if isinstance(value, list | dict | bytes)}
    if lists and (scorer is None or scorer in PLAIN):
        first = next(row for row in gold if row in lists)
        raise UserError(
            f"{table.name}: gold is a {type(gold[first][1]).__name__} in "
            f"{table.places([row for row in gold if row in lists])}, not a text or a number: mend it"
        )
    return {
        row: value if isinstance(value, str) else json.dumps(value) if row in lists else class_name(value)
        for row, (_, value) in gold.items()
    }


def _one_each(
    table: TableFile, gold: GoldCells, scorer: str, text: Mapping[int, str], key: Mapping[int, Any], skip: bool
) -> tuple[dict[str, int], set[str]]:
    """Of every item its last row; and the items with two golds."""
    first: dict[str, int] = {}
    rows: dict[str, int] = {}
    twice: set[int] = set()
    for row, (item, _) in gold.items():
        one = first.setdefault(item, row)
        rows[item] = row
        if key[row] != key[one] and not (scorer in PLAIN and scorers.right(scorer, text[row], text[one])):
            twice |= {one, row}
    if twice and not skip:
        raise UserError(
            f"{table.name}: an item has two golds, in {table.places(sorted(twice))}: give it one, or go on without "
            "with `skip_bad_rows`"
        )
    return rows, {gold[row][0] for row in twice}


def _is_wrong(scorer: str, text: str, key: Any) -> bool:
    return scorer in scorers.SCORERS and not scorers.right(scorer, text, key)


def _form(scorer: str, text: str) -> str:
    if scorer == "number" or (scorer == "equal" and _FITS["number"](text)):
        return "number"
    return "letter" if scorer == "letter" else "words"


def fitting(table: TableFile, gold: Mapping[int, str]) -> str:
    """The scorer that fits gold by row. Raises UserError where it could be more than one."""
    for name, fits in _FITS.items():
        if all(map(fits, gold.values())):
            return name
    numbers = [row for row, text in gold.items() if final_answer.whole(text)]
    if not numbers:
        return "words"
    others = [row for row in gold if row not in set(numbers)]
    fewer, what = (sorted(numbers), "numbers") if len(numbers) < len(others) else (others, "no numbers")
    raise UserError(
        f"{table.name}: of {len(gold)} golds {len(numbers)} are numbers; {table.places(fewer)} "
        f"hold{'' if len(fewer) > 1 else 's'} {what} ({gold[fewer[0]]!r:.60}): mend them, or say how to compare with "
        "`scorer` = number, letter, words or exact"
    )


def form(answers: Sequence[str]) -> str:
    """What makes recorded answers the same to a vote, where verdicts stand instead of gold."""
    said = [answer for answer in answers if answer.strip()]
    for name in ("letter", "number"):
        if said and all(map(_FITS[name], said)):
            return name
    numbers = sum(final_answer.number(text) is not None for text in said)
    return "number" if said and numbers >= READABLE * len(said) else "words"


def refuse(table: TableFile, scorer: str, rows: Sequence[int], shown: Callable[[int], Any], skip: bool) -> None:
    """Raises UserError for rows whose gold is wrong by its own scorer, unless they are to be skipped."""
    if rows and not skip:
        raise UserError(
            f"{table.name}: gold is wrong by its own scorer ({scorer}) in {table.places(rows)} "
            f"({shown(rows[0])!r:.60}): mend it, compare otherwise with `scorer`, or go on without with `skip_bad_rows`"
        )


def _key(table: TableFile, row: int, scorer: str, value: Any, text: str) -> Any:
    if scorer in ("slots", "calls"):
        raise UserError(
            f"{table.name}: `scorer` = {scorer} has columns of its own and is for `outgrow run`: give number, letter, "
            "words, exact, json or equal"
        )
    if scorer == "json":
        return _json(table, row, text) if isinstance(value, str) else value
    if scorer in scorers.SCORERS:
        return text
    if scorer != "equal" and not isinstance(value, Mapping):
        raise UserError(
            f"{table.name}: `scorer` = {scorer} checks more than a column of texts can say: give number, letter, "
            "words, "
            "exact, json or equal"
        )
    return value if isinstance(value, Mapping) else {"value": text}


def _json(table: TableFile, row: int, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(
            f"{table.name}: gold is no JSON in {table.places([row])}: mend it, or compare otherwise with `scorer`"
        ) from None
