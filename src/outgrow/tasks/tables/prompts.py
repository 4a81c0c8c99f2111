"""A table of prompts and answers as a generation task: a row an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.gold import read_gold
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import GenerationGold, GenerationTask

SILENT = "left out: no answer in a column of --votes"
CHECKS = {"number": "arithmetic"}
"""Scorer -> the verifier that checks answers to such items without gold."""
Recorded = dict[str, tuple[str, ...]] | None
"""Recorded answers to one item by column, different ones; None: a column has none."""


@final
@dataclass(frozen=True)
class Columns:
    """Which columns of a table of prompts play which role, and how answers are sampled and compared."""

    prompt: str = "prompt"
    gold: str = "answer"
    scorer: str | None = None
    """What compares an answer with gold: number, letter, words, exact, json, equal; by default what fits it."""
    form: str | None = None
    """What makes two answers the same one to a vote (`generation/candidates/forms.py`); by default as the scorer."""
    skip_bad_rows: bool = False
    """Go on without items that have two golds, and rows whose gold its own scorer calls wrong; they are counted."""
    tokens: int = 256
    stop: tuple[str, ...] = ()


def from_table(
    table: TableFile, columns: Columns, items: int | None, votes: Sequence[str] = ()
) -> tuple[GenerationTask, GenerationGold]:
    """The generation task in a table.

    Rows without prompt or answer, and prompts that come again, are left out and counted.

    Args:
        table: Any table.
        columns: Which of its columns play which role.
        items: At most so many items, in whole groups.
        votes: Columns of recorded answers.

    Raises:
        UserError: A column is missing; a prompt has two golds, or gold is wrong by its own scorer, unless bad rows are
            skipped.
    """
    from outgrow.tasks.tables.structures import LAYOUTS

    written = recorded(table, votes)
    if columns.scorer in LAYOUTS:
        return LAYOUTS[columns.scorer](table, items, written, columns.skip_bad_rows)
    prompts, gold = prompts_and_gold(table, columns)
    whole = [row for row in range(len(written)) if prompts[row] and not blank(gold[row])]
    said = {row: answers for row in whole if (answers := written[row]) is not None}
    if not said:
        each = f" and an answer in each of {', '.join(votes)}" if votes else ""
        raise UserError(f"{table.name}: no row has both a prompt and an answer{each}")
    found = read_gold(table, {row: (prompts[row], gold[row]) for row in said}, columns.scorer, columns.skip_bad_rows)
    drafts = [
        GenerationDraft(prompt, found.text[row], found.key[row], written=said[row])
        for prompt, row in found.rows.items()
    ]
    counts = {
        "rows": len(written),
        "left out: no prompt or no answer": len(written) - len(whole),
        SILENT: len(whole) - len(said),
        **found.counts,
    }
    return build_generation(
        table.name,
        drafts,
        items,
        verifier=CHECKS.get(found.scorer, ""),
        scorer=found.scorer,
        form=columns.form or found.form,
        tokens=columns.tokens,
        stop=columns.stop,
        counts={why: n for why, n in counts.items() if n},
        source=table.source,
    )


def prompts_and_gold(table: TableFile, columns: Columns) -> tuple[list[str], list[Any]]:
    """Of every row its prompt ("" where it has none) and its gold. Raises UserError for a missing column."""
    for parameter, column in (("`prompt`", columns.prompt), ("`gold`", columns.gold)):
        if column not in table.names:
            raise UserError(
                f"{table.name}: no column {column!r} for {parameter}: the columns are {', '.join(table.names)}"
            )
    return [text.strip() for text in texts(table, columns.prompt)], table.column(columns.gold)


def recorded(table: TableFile, votes: Sequence[str]) -> list[Recorded]:
    """Of every row the recorded answers in these columns. Raises UserError for a missing column."""
    for column in votes:
        if column not in table.names:
            raise UserError(
                f"{table.name}: no column {column!r} of recorded answers (`votes`, `weak` = column:NAME): the columns "
                f"are {', '.join(table.names)}"
            )
    columns = [table.column(column) for column in votes]
    rows = [tuple(map(_answers, cells)) for cells in zip(*columns, strict=True)] if votes else [()] * len(table.lines)
    return [dict(zip(votes, row, strict=True)) if all(row) else None for row in rows]


def _answers(cell: Any) -> tuple[str, ...]:
    """The different answers in a cell, one or a list of them."""
    answers = cell if isinstance(cell, list) else [cell]
    return tuple(dict.fromkeys(str(one).strip() for one in answers if not blank(one)))
