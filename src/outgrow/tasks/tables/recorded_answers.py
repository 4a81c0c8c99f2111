"""Answers that were recorded somewhere else, with gold: what a committee needs where there is no model.

    long    a row an answer: item, model, answer, and gold or correct; prompt and draw where there are any
    wide    a row an item: a prompt, gold, and a column of answers for each model

A column `correct` holds 1 and 0, or the words of one line of WORDS throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.tables import gold as golds
from outgrow.tasks.tables.files import TableFile, columns
from outgrow.tasks.tables.gold import SealedGold
from outgrow.tasks.tables.prompts import Columns, asked
from outgrow.tasks.tables.values import blank, class_name, texts
from outgrow.tasks.task import GenerationGold, GenerationTask

LONG = ("item", "model", "answer")
WORDS = (("1", "0"), ("true", "false"), ("yes", "no"), ("correct", "incorrect"), ("right", "wrong"), ("c", "i"))
"""How a column says that an answer is right, or is not; C and I as Inspect writes them."""


@final
@dataclass(frozen=True)
class RecordedAnswers:
    """Items with the answers of J models."""

    task: GenerationTask
    gold: GenerationGold
    models: tuple[str, ...]
    answers: list[list[list[str]]]
    """[j][i][k]: the k-th answer of model j to item i, as many as there are."""
    correct: list[list[list[bool]]] | None
    """The same of a column `correct`; None: a scorer is to compare them with gold."""


def is_long(table: TableFile) -> bool:
    """Whether a row of it is an answer."""
    return set(LONG) <= set(table.names) and ("correct" in table.names or "gold" in table.names)


def long(table: TableFile, given: Columns) -> RecordedAnswers:
    """A row an answer. UserError for what is missing in a row, or said twice and otherwise."""
    item, model, answer = (texts(table, name) for name in LONG)
    judged = "correct" in table.names
    told = table.column("correct" if judged else "gold")
    if bad := [i for i, row in enumerate(zip(item, model, told, strict=True)) if any(map(blank, row))]:
        raise UserError(
            f"{table.name}: no item, model or {'correct' if judged else 'gold'} in {table.places(bad)}: mend the rows, or leave them out"
        )
    prompt = (
        [said.strip() or name for said, name in zip(texts(table, "prompt"), item, strict=True)]
        if "prompt" in table.names
        else item
    )
    first = {name: i for i, name in reversed(list(enumerate(item)))}
    if two := [i for i, name in enumerate(item) if prompt[i] != prompt[first[name]]]:
        raise UserError(
            f"{table.name}: an item has two prompts, in {table.places([first[item[two[0]]], *two])}: give it one"
        )
    rows = _drawn(table, item, model, answer, told)
    if judged:
        verdict = _verdicts(table, told)
        drafts = [GenerationDraft(prompt[i], "", "", name=name) for name, i in first.items()]
        task, gold = _built(table, drafts, given, "correct", golds.form(answer), {"rows": len(item)})
    else:
        once = {(name, class_name(told[i])): i for i, name in reversed(list(enumerate(item)))}
        sealed = SealedGold.of(
            table, {i: (item[i], told[i]) for i in sorted(once.values())}, given.scorer, given.skip_bad_rows
        )
        drafts = [
            GenerationDraft(prompt[i], sealed.text[i], sealed.key[i], name=name) for name, i in sealed.rows.items()
        ]
        counts = {
            "rows": len(item),
            "rows left out: two golds, or gold that its own scorer calls wrong": sum(
                name not in sealed.rows for name in item
            ),
        }
        task, gold = _built(table, drafts, given, sealed.scorer, sealed.form, counts)
    models = tuple(dict.fromkeys(model))
    number = {name: j for j, name in enumerate(models)}
    place = {identity: at for at, identity in enumerate(task.ids)}
    at = {draft.name: place[hashed(table.name, draft.name)] for draft in drafts}
    answers: list[list[list[str]]] = [[[] for _ in task.ids] for _ in models]
    correct: list[list[list[bool]]] = [[[] for _ in task.ids] for _ in models]
    for i in rows:
        if item[i] in at:
            answers[number[model[i]]][at[item[i]]].append(answer[i])
            if judged:
                correct[number[model[i]]][at[item[i]]].append(verdict[i])
    return RecordedAnswers(task, gold, models, answers, correct if judged else None)


def wide(table: TableFile, words: Sequence[str], given: Columns) -> RecordedAnswers:
    """A row an item, answers in the columns that `words` name. Rows without prompt, gold or any answer are left out; of a prompt that comes again the last row counts.

    Raises UserError for a missing column, and as `Sealed.of` does.
    """
    names = columns(table, words, "--answers")
    prompt, gold = asked(table, given)
    said = [texts(table, name) for name in names]
    whole = [
        i
        for i in range(len(prompt))
        if prompt[i] and not blank(gold[i]) and not any(blank(column[i]) for column in said)
    ]
    if not whole:
        raise UserError(f"{table.name}: no row has a prompt, gold and an answer in each of {', '.join(names)}")
    sealed = SealedGold.of(table, {i: (prompt[i], gold[i]) for i in whole}, given.scorer, given.skip_bad_rows)
    drafts = [GenerationDraft(p, sealed.text[i], sealed.key[i]) for p, i in sealed.rows.items()]
    counts = {"rows": len(prompt), "left out: no prompt, gold or answer": len(prompt) - len(whole), **sealed.counts}
    task, sealed_gold = _built(table, drafts, given, sealed.scorer, sealed.form, counts)
    return RecordedAnswers(
        task, sealed_gold, names, [[[column[sealed.rows[p]]] for p in task.prompts] for column in said], None
    )


def _built(
    table: TableFile, drafts: list[GenerationDraft], given: Columns, scorer: str, form: str, counts: dict[str, int]
) -> tuple[GenerationTask, GenerationGold]:
    return build_generation(
        table.name, drafts, verifier="", scorer=scorer, form=given.form or form, tokens=given.tokens,
        counts={what: n for what, n in counts.items() if n}, source=table.source,
    )  # fmt: skip


def _drawn(
    table: TableFile, item: Sequence[str], model: Sequence[str], answer: Sequence[str], told: Sequence[object]
) -> list[int]:
    """The rows in the order of their draws, the same draw once."""
    if "draw" not in table.names:
        return list(range(len(item)))
    draw = [class_name(value) for value in table.column("draw")]
    if bad := [i for i, value in enumerate(draw) if not value.isdecimal() or len(value) > 9]:
        raise UserError(
            f"{table.name}: column 'draw' holds {table.column('draw')[bad[0]]!r:.40} in {table.places(bad)}: number the answers of a model to an item, or leave the column out"
        )
    first: dict[tuple[str, str, int], int] = {}
    again = [
        i for i, drawn in enumerate(zip(item, model, map(int, draw), strict=True)) if first.setdefault(drawn, i) != i
    ]
    for i in again:
        one = first[item[i], model[i], int(draw[i])]
        if (answer[i], class_name(told[i])) != (answer[one], class_name(told[one])):
            raise UserError(
                f"{table.name}: one draw of a model is there twice, and otherwise, in {table.places([one, i])}: keep one, or number them"
            )
    return sorted(first.values(), key=lambda i: int(draw[i]))


def _verdicts(table: TableFile, told: Sequence[object]) -> list[bool]:
    """Whether answers are right, as the column `correct` says. UserError for a word that says neither, or not by the same pair as the others."""
    said = [class_name(value).casefold() for value in told]
    pair = next((pair for pair in WORDS if said[0] in pair), WORDS[0])
    if bad := [i for i, word in enumerate(said) if word not in pair]:
        raise UserError(
            f"{table.name}: column 'correct' holds {str(told[bad[0]])!r:.40} in {table.places(bad)}: write 1 or 0"
        )
    return [word == pair[0] for word in said]
