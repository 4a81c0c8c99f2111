"""How a table becomes a task: what a user may say about a table, as one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import final


@final
@dataclass(frozen=True)
class Reading:
    """Everything a user may say about a table; None or () = by default.

    On the command line each field is the flag of the same name.
    """

    text: str | None = None
    """Column of the text (classify)."""
    text2: str | None = None
    """Column of a second text (classify)."""
    image: str | None = None
    """Column of an image, alone or beside a text (classify): encoded bytes, {bytes, path}, or a path relative to
    the file."""
    context: str | None = None
    """Column of what a question is about (classify, choose)."""
    question: str | None = None
    """Column of the question (classify, choose)."""
    choices: str | None = None
    """Column of the candidate answers (choose): a list, or JSON of one."""
    answer: str | None = None
    """Column of the right candidate (choose: its number, letter or text), of an answer to be judged (classify), or of
    a right one (--scorer)."""
    label: str | None = None
    """Column of the gold class (classify)."""
    chosen: str | None = None
    """Column of the better text (prefer)."""
    rejected: str | None = None
    """Column of the worse text (prefer)."""
    prompt: str | None = None
    """Column of what both texts answer (prefer, compare), or of what is to be answered (with `scorer`)."""
    first: str | None = None
    """Column of the first of two texts, of which votes or gold say which is better (compare)."""
    second: str | None = None
    """Column of the second of them (compare)."""
    fen: str | None = None
    """Column of a chess position, the side to move to find the best move (default: `fen`, beside `best_moves`)."""
    best_moves: str | None = None
    """Column of the best move of a chess position, in UCI or SAN, or a list of those that count as right (default:
    `best_moves` or `best_move`)."""
    id: str | None = None
    """Column of the items' own ids (default: `id` where there is one; "none": ids from the content)."""
    split: str | None = None
    """Column of the data's own split (default: `split` where there is one; "none": no split)."""
    group: str | None = None
    """Column of groups that stay on one side (default: `group`, else identical image, context, prompt, question or
    text)."""
    test_values: tuple[str, ...] = ()
    """Values of the split column that are test."""
    pool_values: tuple[str, ...] = ()
    """Values of the split column that are for training; rows of other values are left out and counted."""
    classes: tuple[str, ...] = ()
    """The classes in order (`classify`); a label or vote that is none of them is an error; other spellings of one are
    that class."""
    abstain: tuple[str, ...] = ()
    """Words that abstain in a column of votes, and in one of gold mean that it is unknown, beside those that always
    do."""
    threshold: float | None = None
    """Votes are scores, and those of at least so much are of the last of two classes, others of the first."""
    template: str | None = None
    """What a model reads, with {column} fields; a line whose fields are all empty is left out."""
    votes: tuple[str, ...] = ()
    """Columns with the user's own labels."""
    annotator: str | None = None
    """Column that says whose annotation a row is, of tables with a row an annotation."""
    format: str | None = None
    """The form of an export where it could be several: argilla, doccano, label-studio, long (a row an annotation),
    mturk, prodigy, wrench, or wide (a row an item)."""
    skip_bad_rows: bool = False
    """Go on without rows that lack a text or a label; they are counted."""
    items: int | None = None
    """At most so many items, in whole groups."""
    scorer: str | None = None
    """The task is a generation task, and this compares an answer with gold: number, letter, words, exact, json, slots
    (columns text, slots) or calls (question, functions, ground_truth)."""

    def column(self, role: str) -> str | None:
        """The column that the user named for a role: text, label, id, split, group, ..."""
        return vars(self)[role]

    def with_votes(self, columns: Sequence[str]) -> Reading:
        """The same with further columns of votes."""
        return replace(self, votes=tuple(dict.fromkeys((*self.votes, *columns))))

    def given(self) -> list[str]:
        """The names of the fields that differ from their defaults."""
        return [f.name for f in fields(self) if vars(self)[f.name] != f.default]
