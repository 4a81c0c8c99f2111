"""From the rows of a table to its items: content, ids, groups, sides and votes, with what each row asks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import final

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.tables import images
from outgrow.tasks.tables.fields import Fields, read_fields
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import GOLD, Layout, optional, vote_columns
from outgrow.tasks.tables.rows import Content, TableRows, keys, one_row_an_item
from outgrow.tasks.tables.sides import separate, sides, with_gold_in_test, with_votes_in_test
from outgrow.tasks.tables.targets import PARTLY, TARGETS, Targets
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.tables.votes import Belief, read_votes

Votes = dict[str, dict[int, Belief]]
"""Annotator -> row -> what it believes."""
Images = dict[int, bytes]


@final
@dataclass(frozen=True)
class TableItems:
    """The items of a table by row; every mapping means something for `rows.kept` only."""

    rows: TableRows
    targets: Targets
    fields: Fields
    ids: dict[int, str]
    groups: dict[int, str]
    side: list[int]
    votes: Votes
    images: Images | None


def read_items(table: TableFile, layout: Layout, reading: Reading, *, partly: bool = False) -> TableItems:
    """The items of a table.

    Args:
        table: Any table.
        layout: Which column plays which role.
        reading: What the user said about the table.
        partly: Whether gold may be missing (`classify`, `compare`): then the test split stays as it is, whatever it
            lacks.

    Raises:
        UserError: Whatever is wrong with the table, in the order of the steps below.
    """
    rows = TableRows(table)
    side = sides(rows, reading)
    fields = read_fields(table, layout, reading)
    if not partly:
        side = with_gold_in_test(rows, side, layout.columns[GOLD[layout.kind][0]], reading)
    targets = (PARTLY if partly else TARGETS)[layout.kind](rows, layout, fields.roles, reading)
    pictures = _images(rows, layout, reading)
    _refuse_empty(rows, layout, fields, reading)
    digests = {i: hashlib.sha256(data).hexdigest() for i, data in (pictures or {}).items()}
    content = _content(rows, layout, fields, targets, digests)
    groups = _groups(rows, reading, fields, content, digests)
    votes = _votes(rows, layout, targets, reading)
    if not partly:
        side = with_votes_in_test(rows, side, votes)
    one_row_an_item(rows, reading, content)
    ids = keys(rows, reading, content, _tie(rows, fields, targets, content, groups, side, votes))
    separate(rows, side, groups, reading)
    return TableItems(rows, targets, fields, ids, groups, side, votes, pictures)


def _images(rows: TableRows, layout: Layout, reading: Reading) -> Images | None:
    if "image" not in layout.columns:
        return None
    found, bad = images.read(rows.table, layout.columns["image"], rows.kept)
    rows.refuse(bad, reading)
    return found


def _refuse_empty(rows: TableRows, layout: Layout, fields: Fields, reading: Reading) -> None:
    """Refuses rows of which the user's own template leaves nothing to read."""
    if reading.template is not None:
        option = "" if layout.kind == "classify" else "x"
        rows.refuse({"empty text": [i for i in rows.kept if not fields.text(i, option)]}, reading)


def _content(
    rows: TableRows, layout: Layout, fields: Fields, targets: Targets, images: Mapping[int, str]
) -> dict[int, tuple[object, ...]]:
    """What makes a row the item that it is: its texts, its options, its image."""
    asks = layout.kind != "classify"
    return {
        i: (
            layout.kind,
            *fields.content(i),
            *(targets.options[i] if asks else ()),
            *((images[i],) if i in images else ()),
        )
        for i in rows.kept
    }


def _groups(
    rows: TableRows, reading: Reading, fields: Fields, content: Content, images: Mapping[int, str]
) -> dict[int, str]:
    """Hashed names of groups: of the user's column, else of the image, else of the text that rows share."""
    column = optional(rows.table, reading, "group")
    named = texts(rows.table, column) if column else None
    groups = {}
    for i in rows.kept:
        if named and not blank(named[i]):
            groups[i] = hashed("group", named[i])
        else:
            groups[i] = hashed("same", images.get(i) or fields.shared(i) or content[i])
    return groups


def _votes(rows: TableRows, layout: Layout, targets: Targets, reading: Reading) -> Votes:
    options = [targets.vote_options[i] for i in rows.kept]
    gold = [layout.columns[role] for role in GOLD[layout.kind]]
    votes: Votes = {}
    for column in vote_columns(rows.table, reading.votes):
        if column in gold:
            raise UserError(f"contradictory flags: column {column!r} holds the gold, it cannot be in `votes`")
        found = read_votes(rows.table, column, layout.kind, rows.kept, options, reading)
        votes |= {annotator: dict(zip(rows.kept, beliefs, strict=True)) for annotator, beliefs in found.items()}
    return votes


def _tie(
    rows: TableRows,
    fields: Fields,
    targets: Targets,
    content: Content,
    groups: Mapping[int, str],
    side: list[int],
    votes: Votes,
) -> Callable[[int], str]:
    """Which of several rows of the same content comes first.

    It must tell nothing about their labels and must not depend on the file's order: it hangs on all labels of the file,
    which nobody has who does not have them all.
    """

    @cache
    def salt() -> str:
        return hashed(*sorted(f"{content[i]} {targets.gold[i]}" for i in rows.kept))

    def tie(i: int) -> str:
        beliefs = [sorted(belief.items()) if (belief := of[i]) else None for of in votes.values()]
        shown = [of[i] for of in fields.others.values()]
        return hashed(side[i], groups[i], shown, beliefs, hashed(salt(), content[i], targets.gold[i]))

    return tie
