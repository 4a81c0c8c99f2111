"""A table of prompts and answers as a generation task: a row an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.gold import SealedGold
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import GenerationGold, GenerationTask

SILENT = "left out: no answer in a column of --votes"
CHECKS = {"number": "arithmetic"}
"""What checks answers of a table that are compared with gold in this way, without gold."""


@final
@dataclass(frozen=True)
class Columns:
    """Which columns of a table of prompts play which role."""

    prompt: str = "prompt"
    gold: str = "answer"
    scorer: str | None = None
    """What compares an answer with gold (`scored.py`): number, letter, words, exact, json, equal; by default what fits all of gold."""
    form: str | None = None
    """What makes two answers the same one to a vote (`generation/candidates/forms.py`); by default what goes with the scorer."""
    skip_bad_rows: bool = False
    """Go on without items that have two golds, and rows whose gold its own scorer calls wrong; they are counted."""
    tokens: int = 256
    stop: tuple[str, ...] = ()
    chat: bool = False


def from_table(
    table: TableFile, columns: Columns, items: int | None, votes: Sequence[str] = ()
) -> tuple[GenerationTask, GenerationGold]:
    """A row an item; rows without prompt or answer, and prompts that come again, are left out and counted.

    Raises UserError for a prompt with two golds and for gold that its own scorer calls wrong, unless bad rows are skipped.
    """
    from outgrow.tasks.tables.structures import LAYOUTS

    written = answers(table, votes)
    if columns.scorer in LAYOUTS:
        return LAYOUTS[columns.scorer](table, items, written, columns.skip_bad_rows)
    prompts, gold = asked(table, columns)
    whole = [row for row in range(len(written)) if prompts[row] and not blank(gold[row])]
    kept = [row for row in whole if written[row] is not None]
    if not kept:
        raise UserError(
            f"{table.name}: no row has both a prompt and an answer{' and an answer in each of ' + ', '.join(votes) if votes else ''}"
        )
    sealed = SealedGold.of(
        table, {row: (prompts[row], gold[row]) for row in kept}, columns.scorer, columns.skip_bad_rows
    )
    counts = {
        "rows": len(written),
        "left out: no prompt or no answer": len(written) - len(whole),
        SILENT: len(whole) - len(kept),
        **sealed.counts,
    }
    drafts = [
        GenerationDraft(prompt, sealed.text[row], sealed.key[row], written=written[row] or {})
        for prompt, row in sealed.rows.items()
    ]
    return build_generation(
        table.name,
        drafts,
        items,
        verifier=CHECKS.get(sealed.scorer, ""),
        scorer=sealed.scorer,
        form=columns.form or sealed.form,
        tokens=columns.tokens,
        stop=columns.stop,
        chat=columns.chat,
        counts={k: n for k, n in counts.items() if n},
        source=table.source,
    )


def asked(table: TableFile, columns: Columns) -> tuple[list[str], list[Any]]:
    """Of every row what is asked ("" where nothing is) and its gold. UserError for a missing column."""
    for flag, column in (("--prompt", columns.prompt), ("--gold", columns.gold)):
        if column not in table.names:
            raise UserError(f"{table.name}: no column {column!r} for {flag}: the columns are {', '.join(table.names)}")
    return [text.strip() for text in texts(table, columns.prompt)], table.column(columns.gold)


def answers(table: TableFile, votes: Sequence[str]) -> list[dict[str, tuple[str, ...]] | None]:
    """[row] -> by column the different answers given there, one or a list of them; None where a column has none. UserError for a missing column."""
    for column in votes:
        if column not in table.names:
            raise UserError(
                f"{table.name}: no column {column!r} of recorded answers (--votes, --weak column:NAME): the columns are {', '.join(table.names)}"
            )
    columns = [table.column(column) for column in votes]
    rows = [tuple(map(_given, cells)) for cells in zip(*columns, strict=True)] if votes else [()] * len(table.lines)
    return [dict(zip(votes, row, strict=True)) if all(row) else None for row in rows]


def _given(cell: Any) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(str(one).strip() for one in (cell if isinstance(cell, list) else [cell]) if not blank(one))
    )
