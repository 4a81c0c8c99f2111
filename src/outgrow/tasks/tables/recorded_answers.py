"""Answers that were recorded somewhere else, with gold: what a committee needs where there is no model.

    long    a row an answer: item, model, answer, and gold or correct; prompt and draw where there are any
    wide    a row an item: a prompt, gold, and a column of answers for each model

A column `correct` holds 1 and 0, or the words of one line of WORDS throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.tables.files import TableFile, columns, read
from outgrow.tasks.tables.formats import SUFFIXES, is_table
from outgrow.tasks.tables.gold import form, read_gold
from outgrow.tasks.tables.prompts import Columns, prompts_and_gold
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
    """[j][i][k]: sample k of model j for item i, as many as there are."""
    correct: list[list[list[bool]]] | None
    """Whether each is right, as a column `correct` says; None: a scorer is to compare them with gold."""


@final
@dataclass(frozen=True)
class _Rows:
    """The columns of a long table of answers."""

    table: TableFile
    item: list[str]
    prompt: list[str]
    model: list[str]
    answer: list[str]
    told: list[Any]
    """Of every row the cell of `correct`, else of `gold`."""
    judged: bool
    """Whether it is that of `correct`."""


def of_source(source: str | TableFile, names: Sequence[str], columns: Columns, models: bool) -> RecordedAnswers | None:
    """The recorded answers in a table; None where `source` is a task, or a table of prompts for models to answer.

    Args:
        source: A task's name, or a table, its path or an open one.
        names: Columns of recorded answers, a model each.
        columns: Which columns play which role.
        models: Whether models are named that are to answer.

    Raises:
        UserError: Columns of what is no table, or models beside recorded answers.
    """
    if isinstance(source, str) and not is_table(source):
        if names:
            raise UserError(f"`answers` names columns of a table, and {source!r} is none: give a {SUFFIXES} file")
        return None
    table = read(source)
    if not names and (models or not is_long(table)):
        return None
    if models:
        raise UserError("the answers are recorded already: leave `weak` and `strong` out")
    return wide(table, names, columns) if names else long(table, columns)


def is_long(table: TableFile) -> bool:
    """Whether a row of it is an answer."""
    return set(LONG) <= set(table.names) and ("correct" in table.names or "gold" in table.names)


def long(table: TableFile, given: Columns) -> RecordedAnswers:
    """A row an answer.

    Raises:
        UserError: A row lacks something, an item has two prompts, a sample is there twice and otherwise, or as
            `read_gold`.
    """
    rows = _rows(table)
    samples = _samples(rows)
    correct = _verdicts(table, rows.told) if rows.judged else None
    drafts, task, gold = _judged(rows, given) if rows.judged else _compared(rows, given)
    models = tuple(dict.fromkeys(rows.model))
    number = {name: j for j, name in enumerate(models)}
    place = {name: at for at, name in enumerate(task.ids.tolist())}
    at = {draft.name: place[hashed(table.name, draft.name)] for draft in drafts}
    answers: list[list[list[str]]] = [[[] for _ in range(len(task))] for _ in models]
    right: list[list[list[bool]]] = [[[] for _ in range(len(task))] for _ in models]
    for i in samples:
        if rows.item[i] in at:
            j, n = number[rows.model[i]], at[rows.item[i]]
            answers[j][n].append(rows.answer[i])
            if correct is not None:
                right[j][n].append(correct[i])
    return RecordedAnswers(task, gold, models, answers, None if correct is None else right)


def _rows(table: TableFile) -> _Rows:
    item, model, answer = (texts(table, name) for name in LONG)
    judged = "correct" in table.names
    told = table.column("correct" if judged else "gold")
    if bad := [i for i, row in enumerate(zip(item, model, told, strict=True)) if any(map(blank, row))]:
        raise UserError(
            f"{table.name}: no item, model or {'correct' if judged else 'gold'} in {table.places(bad)}: "
            "mend the rows, or leave them out"
        )
    prompt = item
    if "prompt" in table.names:
        prompt = [said.strip() or name for said, name in zip(texts(table, "prompt"), item, strict=True)]
    first = _first(item)
    if two := [i for i, name in enumerate(item) if prompt[i] != prompt[first[name]]]:
        raise UserError(
            f"{table.name}: an item has two prompts, in {table.places([first[item[two[0]]], *two])}: give it one"
        )
    return _Rows(table, item, prompt, model, answer, told, judged)


def _first(names: Sequence[Any]) -> dict[Any, int]:
    """name -> its first row."""
    first: dict[Any, int] = {}
    for i, name in enumerate(names):
        first.setdefault(name, i)
    return first


def _judged(rows: _Rows, given: Columns) -> tuple[list[GenerationDraft], GenerationTask, GenerationGold]:
    """The items where a column says which answers are right."""
    drafts = [GenerationDraft(rows.prompt[i], "", "", name=name) for name, i in _first(rows.item).items()]
    counts = {"rows": len(rows.item)}
    return drafts, *_built(rows.table, drafts, given, "correct", form(rows.answer), counts)


def _compared(rows: _Rows, given: Columns) -> tuple[list[GenerationDraft], GenerationTask, GenerationGold]:
    """The items where a scorer compares answers with gold."""
    once = _first([(name, class_name(gold)) for name, gold in zip(rows.item, rows.told, strict=True)])
    cells = {i: (rows.item[i], rows.told[i]) for i in sorted(once.values())}
    found = read_gold(rows.table, cells, given.scorer, given.skip_bad_rows)
    drafts = [GenerationDraft(rows.prompt[i], found.text[i], found.key[i], name=name) for name, i in found.rows.items()]
    left_out = sum(name not in found.rows for name in rows.item)
    counts = {"rows": len(rows.item), "rows left out: two golds, or gold that its own scorer calls wrong": left_out}
    return drafts, *_built(rows.table, drafts, given, found.scorer, found.form, counts)


def wide(table: TableFile, words: Sequence[str], given: Columns) -> RecordedAnswers:
    """A row an item.

    Rows without prompt, gold or any answer are left out; of a prompt that comes again the last row counts.

    Args:
        table: Any table.
        words: The columns of answers, blanks or commas between them.
        given: Which other columns play which role.

    Raises:
        UserError: A column is missing, or as `read_gold`.
    """
    names = columns(table, words, "`answers`")
    prompt, gold = prompts_and_gold(table, given)
    answers = [texts(table, name) for name in names]
    answered = [not any(map(blank, row)) for row in zip(*answers, strict=True)]
    whole = [i for i, full in enumerate(answered) if full and prompt[i] and not blank(gold[i])]
    if not whole:
        raise UserError(f"{table.name}: no row has a prompt, gold and an answer in each of {', '.join(names)}")
    found = read_gold(table, {i: (prompt[i], gold[i]) for i in whole}, given.scorer, given.skip_bad_rows)
    drafts = [GenerationDraft(prompt, found.text[i], found.key[i]) for prompt, i in found.rows.items()]
    counts = {"rows": len(prompt), "left out: no prompt, gold or answer": len(prompt) - len(whole), **found.counts}
    task, sealed = _built(table, drafts, given, found.scorer, found.form, counts)
    rows = [found.rows[prompt] for prompt in task.prompts]
    return RecordedAnswers(task, sealed, names, [[[column[i]] for i in rows] for column in answers], None)


def _built(
    table: TableFile, drafts: list[GenerationDraft], given: Columns, scorer: str, form: str, counts: dict[str, int]
) -> tuple[GenerationTask, GenerationGold]:
    return build_generation(
        table.name,
        drafts,
        verifier="",
        scorer=scorer,
        form=given.form or form,
        tokens=given.tokens,
        counts={what: n for what, n in counts.items() if n},
        source=table.source,
    )


def _samples(rows: _Rows) -> list[int]:
    """The rows in the order of their samples, the same sample once."""
    table = rows.table
    if "draw" not in table.names:
        return list(range(len(rows.item)))
    draw = [class_name(value) for value in table.column("draw")]
    if bad := [i for i, value in enumerate(draw) if not value.isdecimal() or len(value) > 9]:
        raise UserError(
            f"{table.name}: column 'draw' holds {table.column('draw')[bad[0]]!r:.40} in {table.places(bad)}: number "
            "the answers of a model to an item, or leave the column out"
        )
    samples = list(zip(rows.item, rows.model, map(int, draw), strict=True))
    first = _first(samples)
    for i, sample in enumerate(samples):
        one = first[sample]
        if (rows.answer[i], class_name(rows.told[i])) != (rows.answer[one], class_name(rows.told[one])):
            raise UserError(
                f"{table.name}: one draw of a model is there twice, and otherwise, in {table.places([one, i])}: keep "
                "one, or number them"
            )
    return sorted(first.values(), key=lambda i: int(draw[i]))


def _verdicts(table: TableFile, told: Sequence[object]) -> list[bool]:
    """Whether answers are right, as the column `correct` says.

    Raises UserError for a word that says neither, or not by the same pair as the others.
    """
    said = [class_name(value).casefold() for value in told]
    pair = next((pair for pair in WORDS if said[0] in pair), WORDS[0])
    if bad := [i for i, word in enumerate(said) if word not in pair]:
        raise UserError(
            f"{table.name}: column 'correct' holds {str(told[bad[0]])!r:.40} in {table.places(bad)}: write 1 or 0"
        )
    return [word == pair[0] for word in said]
