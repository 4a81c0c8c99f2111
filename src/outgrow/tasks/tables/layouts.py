"""A table as a task, in one of four layouts: `classify`, `choose`, `prefer`, `compare`; chess puzzles are `choose`.

    file -> columns (`files`) -> `roles` -> `rows`, `sides` -> `fields`, `targets`, `votes` -> `items` -> task

Ids, groups, sides and the order of items come from texts and options alone, in an order that gold cannot change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.drafts import Draft, build, fifth
from outgrow.tasks.tables import puzzles
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.items import TableItems, read_items
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import Layout, detect, vote_columns
from outgrow.tasks.tables.scores import cut
from outgrow.tasks.tables.targets import PARTLY
from outgrow.tasks.tables.values import numeric
from outgrow.tasks.task import POOL, TEST, Gold, Kind, Task


def from_table(table: TableFile, reading: Reading) -> tuple[Task, Gold]:
    """The task in a table.

    Raises:
        UserError: One line, for whatever the user can mend.
    """
    columns = puzzles.columns(table.names, reading)
    if columns is not None:
        table, reading = puzzles.as_questions(table, columns, reading)
    for name, value in (("format", reading.format), ("annotator", reading.annotator)):
        if value is not None:
            raise UserError(f"`{name}` = {value}: exports are for `learn` and `audit`; a study takes a row an item")
    layout = detect(table.names, reading)
    if reading.classes and layout.kind != "classify":
        raise UserError(f"`classes` is for the layout 'classify'; the columns here are read as {layout.kind!r}")
    table, reading = _cut(table, layout, reading)
    draft = DRAFTS[layout.kind](read_items(table, layout, reading))
    if columns is not None:
        draft = replace(draft, answer=None)  # a move is another answer in every position
    return build(draft, reading.items)


def from_votes(table: TableFile, reading: Reading) -> tuple[Task, Gold, np.ndarray]:
    """The task in a table of votes, whose gold may be missing in part or wholly: such items have the class -1.

    Returns:
        The task, its gold, and the table's row of every item, (N,) int64.

    Raises:
        UserError: As `from_table`; the layout is neither `classify` nor `compare`; the votes name fewer than two
            classes.
    """
    layout = detect(table.names, reading)
    if layout.kind not in PARTLY:
        raise UserError(
            f"the columns are read as {layout.kind!r}: learning from votes takes a text an item, or two to compare "
            "(`first`, `second`)"
        )
    table, reading = _cut(table, layout, reading)
    items = read_items(table, layout, reading, partly=True)
    if len(items.targets.classes) < 2:
        said = f"the votes name {' and '.join(items.targets.classes) or 'no class'}"
        raise UserError(f"{table.name}: {said}, which leaves nothing to tell apart: name two or more with `classes`")
    task, gold = build(DRAFTS[layout.kind](items), reading.items)
    row = {items.ids[i]: i for i in items.rows.kept}
    return task, gold, np.array([row[name] for name in task.ids.tolist()], np.int64)


def _cut(table: TableFile, layout: Layout, reading: Reading) -> tuple[TableFile, Reading]:
    """The table with classes in the place of scores. Raises UserError for a threshold where there are no classes."""
    if layout.kind != "classify" and reading.threshold is not None:
        raise UserError(f"`threshold` is for the layout 'classify'; the columns here are read as {layout.kind!r}")
    return cut(table, vote_columns(table, reading.votes), layout.columns.get("label"), reading)


def _classify(items: TableItems) -> Draft:
    """An item a row."""
    kept, targets = items.rows.kept, items.targets
    classes = targets.classes
    words = classes if not any(map(numeric, classes)) and not any("{" in c or "}" in c for c in classes) else ()
    votes = {
        name: np.array([[np.nan] * len(classes) if (b := of[i]) is None else [b[c] for c in classes] for i in kept])
        for name, of in items.votes.items()
    }
    return Draft(
        name=items.rows.table.name,
        kind="classify",
        classes=classes,
        ids=[items.ids[i] for i in kept],
        texts=[(items.fields.text(i),) if items.fields.template.fields else () for i in kept],
        images=[items.images[i] for i in kept] if items.images else None,
        groups=[items.groups[i] for i in kept],
        gold=[targets.gold[i] for i in kept],
        side=[items.side[i] for i in kept],
        votes=votes,
        ask=f"{{text}}\nIs this {' or '.join(words)}? Answer:" if words else "{text}\nAnswer:",
        words=words,
        counts=items.rows.counts,
        source=items.rows.table.source,
        template=items.fields.template.text,
    )


def _choose(items: TableItems) -> Draft:
    """An item a candidate, all of them on every side: which rows there are does not tell which of them is right."""
    kept, targets = items.rows.kept, items.targets
    side = {i: items.side[i] for i in kept}
    if TEST not in side.values():
        test = fifth([items.groups[i] for i in kept])
        side = {i: TEST if items.groups[i] in test else POOL for i in kept}
    pairs = [(i, option) for i in kept for option in targets.options[i]]
    right = {i: {targets.gold[i], *targets.also.get(i, ())} for i in kept}
    gold = [int(targets.options[i].index(option) in right[i]) for i, option in pairs]
    share = {i: (0.5 / max(len(targets.options[i]) - len(right[i]), 1), 0.5 / len(right[i])) for i in kept}
    votes = {
        name: np.array([[np.nan] * 2 if (b := of[i]) is None else [1 - b[option], b[option]] for i, option in pairs])
        for name, of in items.votes.items()
    }
    return Draft(
        name=items.rows.table.name,
        kind="choose",
        classes=("wrong", "right"),
        ids=[hashed(items.ids[i], option) for i, option in pairs],
        texts=[(items.fields.text(i, option),) for i, option in pairs],
        groups=[items.groups[i] for i, _ in pairs],
        gold=gold,
        side=[side[i] for i, _ in pairs],
        weights=[share[i][label] for (i, _), label in zip(pairs, gold, strict=True)],
        question=[items.ids[i] for i, _ in pairs],
        answer=[" ".join(option.casefold().split()) for _, option in pairs],
        votes=votes,
        ask="{text}\nIs this answer wrong or right? Answer:",
        words=("wrong", "right"),
        counts=items.rows.counts | {"questions": len(kept)},
        source=items.rows.table.source,
        template=items.fields.template.text,
    )


def _prefer(items: TableItems) -> Draft:
    """An item a pair; which text comes first is decided by hashes of the id and the texts, never by which is better."""
    kept, targets = items.rows.kept, items.targets
    pairs = [_shuffled(targets.options[i], items.ids[i]) for i in kept]
    gold = [pair.index(targets.options[i][targets.gold[i]]) for i, pair in zip(kept, pairs, strict=True)]
    votes = {}
    for name, of in items.votes.items():
        better = [[b["chosen"], b["rejected"]] if (b := of[i]) else [np.nan, np.nan] for i in kept]
        votes[name] = np.array([row if first == 0 else row[::-1] for row, first in zip(better, gold, strict=True)])
    return Draft(
        name=items.rows.table.name,
        kind="prefer",
        classes=("first", "second"),
        ids=[items.ids[i] for i in kept],
        texts=[tuple(items.fields.text(i, text) for text in pair) for i, pair in zip(kept, pairs, strict=True)],
        groups=[items.groups[i] for i in kept],
        gold=gold,
        side=[items.side[i] for i in kept],
        votes=votes,
        counts=items.rows.counts,
        source=items.rows.table.source,
        template=items.fields.template.text,
    )


def _compare(items: TableItems) -> Draft:
    """An item a pair, whose texts come in the order of hashes; gold and votes say which of them is better."""
    kept, targets = items.rows.kept, items.targets
    pairs = [_shuffled(targets.options[i], items.ids[i]) for i in kept]
    turned = [pair[0] != targets.options[i][0] for i, pair in zip(kept, pairs, strict=True)]
    votes = {}
    for name, of in items.votes.items():
        better = [[b[side] for side in targets.classes] if (b := of[i]) else [np.nan, np.nan] for i in kept]
        votes[name] = np.array([row[::-1] if turn else row for row, turn in zip(better, turned, strict=True)])
    return Draft(
        name=items.rows.table.name,
        kind="prefer",
        classes=("first", "second"),
        ids=[items.ids[i] for i in kept],
        texts=[tuple(items.fields.text(i, text) for text in pair) for i, pair in zip(kept, pairs, strict=True)],
        groups=[items.groups[i] for i in kept],
        gold=[targets.gold[i] ^ turn if targets.gold[i] >= 0 else -1 for i, turn in zip(kept, turned, strict=True)],
        side=[items.side[i] for i in kept],
        votes=votes,
        counts=items.rows.counts,
        source=items.rows.table.source,
        template=items.fields.template.text,
    )


def _shuffled(texts: Sequence[str], name: str) -> list[str]:
    return sorted(texts, key=lambda text: hashed(name, text))


DRAFTS: dict[Kind, Callable[[TableItems], Draft]] = {
    "classify": _classify,
    "choose": _choose,
    "prefer": _prefer,
    "compare": _compare,
}
