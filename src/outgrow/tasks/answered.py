"""Answers that were recorded somewhere else, with gold: what a committee needs where there is no model.

    long    a row an answer: item, model, answer, and gold or correct; prompt and draw where there are any
    wide    a row an item: a prompt, gold, and a column of answers for each model
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.errors import UserError
from outgrow.rng import hashed
from outgrow.tasks.table import Table
from outgrow.tasks.values import blank
from outgrow.tasks.writing import Columns, Draft, Writing, WritingGold, build

LONG = ("item", "model", "answer")


@final
@dataclass(frozen=True)
class Answered:
    """Items with the answers of J models."""

    task: Writing
    gold: WritingGold
    models: tuple[str, ...]
    answers: list[list[list[str]]]
    """[j][i][k]: the k-th answer of model j to item i, as many as there are."""
    correct: list[list[list[bool]]] | None
    """The same of a column `correct`; None: a scorer is to compare them with gold."""


def is_long(table: Table) -> bool:
    """Whether a row of it is an answer."""
    return set(LONG) <= set(table.names) and ("correct" in table.names or "gold" in table.names)


def long(table: Table, columns: Columns) -> Answered:
    """A row an answer. UserError for what is missing in a row."""
    item, model, answer = (table.column(name) for name in LONG)
    judged = "correct" in table.names
    told = table.column("correct" if judged else "gold")
    draw = table.column("draw") if "draw" in table.names else range(len(item))
    prompt = table.column("prompt") if "prompt" in table.names else item
    if bad := [i for i, row in enumerate(zip(item, model, told, strict=True)) if any(map(blank, row))]:
        raise UserError(f"{table.name}: no item, model or {'correct' if judged else 'gold'} in {table.places(bad)}: mend the rows, or leave them out")
    rows = sorted(range(len(item)), key=lambda i: draw[i])
    drafts = {str(item[i]): Draft(str(prompt[i] or item[i]), "" if judged else str(told[i]), "" if judged else str(told[i]), name=str(item[i])) for i in rows}
    task, gold = _built(table, list(drafts.values()), columns, {"rows": len(item)})
    models = tuple(dict.fromkeys(str(m) for m in model))
    place = {identity: at for at, identity in enumerate(task.ids)}
    at = {name: place[hashed(table.name, name)] for name in drafts}
    answers: list[list[list[Any]]] = [[[] for _ in task.ids] for _ in models]
    correct: list[list[list[bool]]] = [[[] for _ in task.ids] for _ in models]
    for i in rows:
        j = models.index(str(model[i]))
        answers[j][at[str(item[i])]].append("" if blank(answer[i]) else str(answer[i]))
        correct[j][at[str(item[i])]].append(str(told[i]).lower() in ("true", "1", "1.0"))
    return Answered(task, gold, models, answers, correct if judged else None)


def wide(table: Table, names: Sequence[str], columns: Columns) -> Answered:
    """A row an item, answers in the columns `names`. Rows without prompt, gold or any answer are left out; of a prompt that comes again the last row counts."""
    for flag, column in (("--prompt", columns.prompt), ("--gold", columns.gold), *(("--answers", name) for name in names)):
        if column not in table.names:
            raise UserError(f"{table.name}: no column {column!r} for {flag}: the columns are {', '.join(table.names)}")
    prompt, gold = table.column(columns.prompt), table.column(columns.gold)
    said = [table.column(name) for name in names]
    whole = [i for i in range(len(prompt)) if not any(map(blank, (prompt[i], gold[i], *(column[i] for column in said))))]
    if not whole:
        raise UserError(f"{table.name}: no row has a prompt, gold and an answer in each of {', '.join(names)}")
    last = {str(prompt[i]): i for i in whole}
    counts = {"rows": len(prompt), "left out: no prompt, gold or answer": len(prompt) - len(whole), "left out: the prompt comes again": len(whole) - len(last)}
    drafts = [Draft(p, str(gold[i]), str(gold[i])) for p, i in last.items()]
    task, sealed = _built(table, drafts, columns, {k: n for k, n in counts.items() if n})
    return Answered(task, sealed, tuple(names), [[[str(column[last[p]])] for p in task.prompts] for column in said], None)


def _built(table: Table, drafts: list[Draft], columns: Columns, counts: dict[str, int]) -> tuple[Writing, WritingGold]:
    return build(table.name, drafts, verifier="", scorer=columns.scorer, form=columns.form, tokens=columns.tokens, counts=counts, source=table.source)
