"""Gold of answers in words: what compares answers with it where nobody says, and whether it is right by its own scorer.

all of it numbers                 scorer number
all of it single letters          scorer letter
none of it a number               scorer words
some of it numbers, some not      asked about
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.metrics import final_answer
from outgrow.metrics import text as written
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.values import class_name

WRONG = "left out: gold is wrong by its own scorer"
PLAIN = ("number", "letter", "words", "exact")
"""Scorers that compare texts with texts."""
READABLE = 0.9
"""Share of recorded answers that come to a number where numbers are what a vote compares and there is no gold to tell."""
_FITS: dict[str, Callable[[str], bool]] = {
    "number": final_answer.whole,
    "letter": lambda text: len(text.strip(" ().")) == 1 and final_answer.letter(text) is not None,
}


@final
@dataclass(frozen=True)
class SealedGold:
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

    @classmethod
    def of(cls, table: TableFile, gold: Mapping[int, tuple[str, Any]], scorer: str | None, skip: bool) -> SealedGold:
        """Of (item, gold) by row.

        Raises UserError, one line, for gold that no scorer or more than one fits, and, unless they are to be skipped, for items with two golds
        and for gold that is wrong by its own scorer.
        """
        lists = [row for row, (_, value) in gold.items() if isinstance(value, list | dict | bytes)]
        if lists and scorer in (None, *PLAIN):
            raise UserError(
                f"{table.name}: gold is a {type(gold[lists[0]][1]).__name__} in {table.places(lists)}, not a text or a number: mend it"
            )
        text = {
            row: value if isinstance(value, str) else json.dumps(value) if row in set(lists) else class_name(value)
            for row, (_, value) in gold.items()
        }
        scorer = scorer or fitting(table, text)
        key = {row: _key(table, row, scorer, value, text[row]) for row, (_, value) in gold.items()}
        first: dict[str, int] = {}
        rows: dict[str, int] = {}
        twice = set()
        for row, (item, _) in gold.items():
            one = first.setdefault(item, row)
            rows[item] = row
            if key[row] != key[one] and not (scorer in PLAIN and written.right(scorer, text[row], text[one])):
                twice |= {one, row}
        if twice and not skip:
            raise UserError(
                f"{table.name}: an item has two golds, in {table.places(sorted(twice))}: give it one, or go on without with --skip-bad-rows"
            )
        two = {gold[row][0] for row in twice}
        wrong = [
            row
            for item, row in rows.items()
            if item not in two and scorer in written.SCORERS and not written.right(scorer, text[row], key[row])
        ]
        refuse(table, scorer, wrong, text.__getitem__, skip)
        out = two | {gold[row][0] for row in wrong}
        rows = {item: row for item, row in rows.items() if item not in out}
        if not rows:
            raise UserError(f"{table.name}: no row is left whose gold its own scorer ({scorer}) calls right")
        double, bad = (sum(item in names for item, _ in gold.values()) for names in (two, out - two))
        counts = {
            "left out: two golds": double,
            WRONG: bad,
            "left out: the prompt comes again": len(gold) - double - bad - len(rows),
        }
        numbers = scorer == "number" or (scorer == "equal" and _FITS["number"](text[next(iter(rows.values()))]))
        return cls(
            scorer, "number" if numbers else "letter" if scorer == "letter" else "words", rows, text, key, counts
        )


def fitting(table: TableFile, gold: Mapping[int, str]) -> str:
    """The scorer that fits gold by row. UserError, one line, where it could be more than one."""
    numbers = {row for row, text in gold.items() if final_answer.whole(text)}
    for name, fits in _FITS.items():
        if all(map(fits, gold.values())):
            return name
    if not numbers:
        return "words"
    fewer, what = (
        (sorted(numbers), "numbers")
        if 2 * len(numbers) < len(gold)
        else ([row for row in gold if row not in numbers], "no numbers")
    )
    raise UserError(
        f"{table.name}: of {len(gold)} golds {len(numbers)} are numbers; {table.places(fewer)} hold{'' if len(fewer) > 1 else 's'} {what} "
        f"({gold[fewer[0]]!r:.60}): mend them, or say how to compare with --scorer number, letter, words or exact"
    )


def form(answers: Sequence[str]) -> str:
    """What makes recorded answers the same to a vote, where verdicts stand instead of gold."""
    said = [answer for answer in answers if answer.strip()]
    for name in ("letter", "number"):
        if said and all(map(_FITS[name], said)):
            return name
    return (
        "number"
        if said and sum(final_answer.number(text) is not None for text in said) >= READABLE * len(said)
        else "words"
    )


def refuse(table: TableFile, scorer: str, rows: Sequence[int], shown: Callable[[int], Any], skip: bool) -> None:
    """Raises UserError for rows whose gold is wrong by its own scorer, unless they are to be skipped."""
    if rows and not skip:
        raise UserError(
            f"{table.name}: gold is wrong by its own scorer ({scorer}) in {table.places(rows)} ({shown(rows[0])!r:.60}): mend it, compare otherwise "
            "with --scorer, or go on without with --skip-bad-rows"
        )


def _key(table: TableFile, row: int, scorer: str, value: Any, text: str) -> Any:
    if scorer in ("slots", "calls"):
        raise UserError(
            f"{table.name}: --scorer {scorer} has columns of its own and is for `outgrow run`: give number, letter, words, exact, json or equal"
        )
    if scorer == "json":
        try:
            return json.loads(text) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            raise UserError(
                f"{table.name}: gold is no JSON in {table.places([row])}: mend it, or compare otherwise with --scorer"
            ) from None
    if scorer in written.SCORERS:
        return text
    if scorer != "equal" and not isinstance(value, Mapping):
        raise UserError(
            f"{table.name}: --scorer {scorer} checks more than a column of texts can say: give number, letter, words, exact, json or equal"
        )
    return value if isinstance(value, Mapping) else {"value": text}
