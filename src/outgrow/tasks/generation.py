"""Tasks of kind `generate`: items that are answered in words. Gold lies in an object of its own.

task, gold = load("sudoku:6")       a source (`source.py`) and where its dial stands, or a table of prompts and answers
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError, unknown
from outgrow.core.seeding import hashed
from outgrow.metrics import text as scorers
from outgrow.tasks.source import generation_sources
from outgrow.tasks.tables.files import READERS, TableFile, read_file
from outgrow.tasks.tables.gold import SealedGold
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import FREE

SILENT = "left out: no answer in a column of --votes"
CHECKS = {"number": "arithmetic"}
"""What checks answers of a table that are compared with gold in this way, without gold."""
ITEMS = 200
"""Items of a generated task, where nobody says how many."""


@final
@dataclass(frozen=True)
class GenerationTask:
    """N items in the order of their hashed ids; nothing in here depends on gold."""

    name: str
    ids: tuple[str, ...]
    """32 hex digits each, ascending, unique."""
    prompts: tuple[str, ...]
    groups: np.ndarray
    """(N,) int64: items with the same number stay on one side of every split and are resampled together."""
    side: np.ndarray
    """(N,) int8: FREE, or POOL or TEST where the data's own split says so."""
    shown: tuple[Mapping[str, Any], ...]
    """Per item what a verifier may see: visible tests, the puzzle, a schema, ..."""
    verifier: str
    """The name of the check that is the task's own ("" where it has none)."""
    scorer: str
    """What compares an answer with gold (`scored.py`): a verifier, or a scorer of `metrics/text.py`."""
    tokens: int
    """Room for an answer."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these."""
    chat: bool = False
    """Prompts are what a user says; else texts to be continued."""
    form: str = "words"
    """What makes two answers the same one, for a vote (`generation/candidates/forms.py`)."""
    written: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """[column][item]: answers that somebody gave, different ones, at least one each."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows read and rows left out, each with its reason: nothing is dropped in silence."""
    source: str = ""
    """Where the items came from, in words that let somebody else get the same."""
    digest: str = ""
    """sha256 over everything that influences a study, gold included by its own digest."""

    def __len__(self) -> int:
        return len(self.ids)


@final
@dataclass(frozen=True)
class GenerationGold:
    """The sealed part: per item a right answer in words, and what a scorer needs to judge any answer."""

    answers: tuple[str, ...]
    """One right answer each, to be learned from: weak-train, ceiling and measures alone may open it."""
    keys: tuple[Any, ...]
    """What the scorer compares an answer with: hidden tests, the number, the slots."""


@final
@dataclass(frozen=True)
class GenerationDraft:
    """One item before it has its place."""

    prompt: str
    answer: str
    """A right one."""
    key: Any
    shown: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Answers that somebody gave, by column; every draft has the same columns."""
    group: Hashable = None
    """Drafts with the same stay together; None: those with the same prompt."""
    side: int = FREE
    name: str = ""
    """The item's own id where it has one, else its prompt is."""


def build(
    name: str, drafts: Sequence[GenerationDraft], items: int | None = None, **more: Any
) -> tuple[GenerationTask, GenerationGold]:
    """Drafts as a task, whole groups beyond `items` left out; `more` are the other fields of `GenerationTask`.

    ValueError where two drafts have one id.
    """
    ids = [hashed(name, d.name or d.prompt) for d in drafts]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{name}: two items have the same id")
    named = [hashed(name, "group", d.prompt if d.group is None else d.group) for d in drafts]
    order = sorted(range(len(drafts)), key=ids.__getitem__)
    if items is not None and items < len(order):
        sizes = {g: named.count(g) for g in sorted(set(named))}
        reach = np.cumsum(list(sizes.values()))
        kept = set(np.array(list(sizes))[: max(1, int((reach <= items).sum()))])
        order = [i for i in order if named[i] in kept]
        more["counts"] = {**more.get("counts", {}), "items left out: over --items": len(drafts) - len(order)}
    drafts = [drafts[i] for i in order]
    groups = np.unique([named[i] for i in order], return_inverse=True)[1].astype(np.int64)
    side = np.array([d.side for d in drafts], np.int8)
    groups.flags.writeable = side.flags.writeable = False
    gold = GenerationGold(tuple(d.answer for d in drafts), tuple(d.key for d in drafts))
    said = {
        f.name: more[f.name] for f in fields(GenerationTask) if f.name in more and f.name not in ("counts", "source")
    }
    what = [
        name,
        said,
        [(ids[i], d.prompt, d.shown, d.side) for i, d in zip(order, drafts, strict=True)],
        groups.tolist(),
        gold.answers,
        gold.keys,
    ]
    written = {column: tuple(d.written[column] for d in drafts) for column in drafts[0].written}
    if written:
        what.append(written)
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return GenerationTask(
        name=name, ids=tuple(ids[i] for i in order), prompts=tuple(d.prompt for d in drafts), groups=groups, side=side,
        shown=tuple(d.shown for d in drafts), written=written, digest=digest, **more,
    ), gold  # fmt: skip


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


def load(
    name: str, items: int | None = None, seed: int = 0, columns: Columns | None = None, votes: Sequence[str] = ()
) -> tuple[GenerationTask, GenerationGold]:
    """The task of that name, NAME or NAME:DIAL, or of a table file with a column of prompts and one of answers.

    votes: columns of the table with answers that somebody gave.

    Raises UserError, one line, for what the user can mend.
    """
    if items is not None and items < 1:
        raise UserError(f"--items {items}: give a number above 0")
    if Path(name).suffix.lower() in READERS:
        return from_table(read_file(Path(name).expanduser()), columns or Columns(), items, votes)
    plain, colon, turned = name.partition(":")
    known = {s.name: s for s in generation_sources()}
    if plain not in known:
        raise unknown("generation task", plain, known)
    source = known[plain]
    if source.dial is None:
        if colon:
            raise UserError(f"task {name!r}: {plain} has nothing to set: leave {colon + turned!r} out")
        return _right(source.load(items, seed))
    dial = source.dial
    if colon and not (turned.isdecimal() and dial.low <= int(turned) <= dial.high):
        raise UserError(f"task {name!r}: after the colon stands the number of {dial.what}, {dial.low} to {dial.high}")
    return _right(source.load(items, seed, int(turned) if colon else dial.default))


def _right(made: tuple[GenerationTask, GenerationGold]) -> tuple[GenerationTask, GenerationGold]:
    """The task. Raises ValueError where its scorer calls its gold wrong: such a source is at fault, not its user."""
    task, gold = made
    for answer, key in zip(gold.answers, gold.keys, strict=True) if task.scorer in scorers.SCORERS else ():
        if not scorers.right(task.scorer, answer, key):
            raise ValueError(f"{task.name}: gold is wrong by its own scorer ({task.scorer}): {answer!r:.60}")
    return made


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
    return build(
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


def distinct(items: int | None, draw: Callable[[], GenerationDraft], name: str) -> list[GenerationDraft]:
    """`items` drafts of different prompts, ITEMS where nobody says; UserError where there are too few."""
    items = items or ITEMS
    found: dict[str, GenerationDraft] = {}
    for _ in range(50 * items):
        if len(found) == items:
            break
        made = draw()
        found.setdefault(made.prompt, made)
    if len(found) < items:
        raise UserError(
            f"task {name!r} has fewer than {items} different items of this kind: give a smaller --items, or more after the colon"
        )
    return list(found.values())
