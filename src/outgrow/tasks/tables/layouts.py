"""A table as a task, in one of three layouts: `classify`, `choose`, `prefer`.

Every layout is read into the same few things a row: fields of text, options in an order that gold cannot change, and
which of them is gold. Ids, groups, sides and the order of items come from fields and options alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.core.seeding import hashed
from outgrow.tasks.drafts import Draft, build, fifth
from outgrow.tasks.tables import images
from outgrow.tasks.tables import template as templates
from outgrow.tasks.tables.classes import unknown_gold
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.parse import PARSE, TEXT, Parsed, classify_partly
from outgrow.tasks.tables.roles import Layout, detect
from outgrow.tasks.tables.rows import TableRows, keys, optional, sides
from outgrow.tasks.tables.values import blank, class_name, numeric, texts
from outgrow.tasks.tables.votes import Belief, read_votes
from outgrow.tasks.task import FREE, POOL, TEST, Gold, Task

GOLD = {"classify": ("label",), "choose": ("answer", "choices"), "prefer": ("chosen", "rejected")}
"""Roles that a template must not name."""
ANNOTATOR = ("annotator", "annotatorid", "worker", "workerid", "rater", "raterid", "labeler", "labeller", "completedby")
"""What a column is called, but for case and signs, that says whose annotation a row is."""


@dataclass(frozen=True)
class _Read:
    """A table read; the lists go over all its rows and mean something for `rows.kept` only."""

    rows: TableRows
    parsed: Parsed
    template: templates.Template
    fields: dict[str, list[str]]
    ids: dict[int, str]
    groups: dict[int, str]
    side: list[int]
    votes: dict[str, dict[int, Belief]]
    images: dict[int, bytes] | None = None

    def text(self, i: int, option: str = "") -> str:
        return _text(self.template, self.fields, i, option)


def from_table(table: TableFile, reading: Reading) -> tuple[Task, Gold]:
    """The task in a table. UserError, one line, for whatever the user can mend."""
    layout = detect(table.names, reading)
    if reading.classes and layout.kind != "classify":
        raise UserError(f"--classes is for the layout 'classify'; the columns here are read as {layout.kind!r}")
    read = _read(table, layout, reading)
    expand = {"classify": _classify, "choose": _choose, "prefer": _prefer}[layout.kind]
    return build(expand(read), reading.items)


def from_votes(table: TableFile, reading: Reading) -> tuple[Task, Gold, np.ndarray]:
    """The same for a table of votes, whose column of gold may be empty in part or wholly: such items have the class -1.

    Beside it the table's row of every item, (N,) int64. Only the layout `classify` can lack gold.
    """
    layout = detect(table.names, reading)
    if layout.kind != "classify":
        raise UserError(f"the columns are read as {layout.kind!r}: learning from votes takes one text an item")
    read = _read(table, layout, reading, classify_partly)
    if len(read.parsed.classes) < 2:
        said = f"the votes name {' and '.join(read.parsed.classes) or 'no class'}"
        raise UserError(f"{table.name}: {said}, which leaves nothing to tell apart: name two or more with --classes")
    task, gold = build(_classify(read), reading.items)
    row = {read.ids[i]: i for i in read.rows.kept}
    return task, gold, np.array([row[name] for name in task.ids.tolist()], np.int64)


def _read(table: TableFile, layout: Layout, reading: Reading, parse: Callable[..., Parsed] | None = None) -> _Read:
    rows, kind = TableRows(table), layout.kind
    side = sides(rows, reading)
    template = _template(table, layout, reading)
    roles = {role: texts(table, column) for role, column in layout.columns.items() if role in TEXT[kind]}
    columns = {f: texts(table, f) for f in template.fields if f not in roles and f not in templates.OPTION.values()}
    if parse is None and _hidden(rows, side, layout.columns[GOLD[kind][0]], reading):
        side = _drawn(rows, side, "whose gold is unknown")
    parsed = (parse or PARSE[kind])(rows, layout, roles, reading)
    fields = roles | columns
    pictures: dict[int, bytes] | None = None
    if "image" in layout.columns:
        pictures, bad = images.read(table, layout.columns["image"], rows.kept)
        rows.refuse(bad, reading)
    if reading.template is not None:
        option = "x" if kind != "classify" else ""
        rows.refuse({"empty text": [i for i in rows.kept if not _text(template, fields, i, option)]}, reading)

    content, groups = {}, {}
    column = optional(table, reading, "group")
    named = texts(table, column) if column else None
    shared = [roles[r] for r in ("context", "prompt", "question", "text") if r in roles]
    for i in rows.kept:
        own = [of[i] for of in roles.values()] or [_text(template, fields, i)]
        content[i] = (kind, *own, *(parsed.options[i] if kind != "classify" else ()))
        picture = hashlib.sha256(pictures[i]).hexdigest() if pictures else None
        if picture:
            content[i] += (picture,)
        if named and not blank(named[i]):
            groups[i] = hashed("group", named[i])
        elif picture:
            groups[i] = hashed("same", picture)
        else:
            groups[i] = hashed("same", next((of[i] for of in shared if of[i].strip()), content[i]))
    votes: dict[str, dict[int, Belief]] = {}
    for name in dict.fromkeys(v if v in table.names else v.partition("[")[0] for v in reading.votes):
        if name in (layout.columns[role] for role in GOLD[kind]):
            raise UserError(f"contradictory flags: column {name!r} holds the gold, it cannot be in --votes")
        read = read_votes(table, name, kind, rows.kept, [parsed.voted[i] for i in rows.kept], reading)
        votes |= {voter: dict(zip(rows.kept, beliefs, strict=True)) for voter, beliefs in read.items()}
    if parse is None and (silent := [voter for voter, beliefs in votes.items() if _silent(rows, side, beliefs)]):
        say(
            f"{table.name}: no votes of {', '.join(silent)} on the test split, where no student could be compared with them; "
            "test items are drawn from the other rows"
        )
        side = _drawn(rows, side, "of which votes say nothing")

    # Which of several rows of the same content comes first must tell nothing about their labels, and must not
    # depend on the file's order: it hangs on all labels of the file, which nobody has who does not have them all.
    @cache
    def salt() -> str:
        return hashed(*sorted(f"{content[i]} {parsed.gold[i]}" for i in rows.kept))

    def tie(i: int) -> str:
        beliefs = [sorted(b.items()) if (b := v[i]) else None for v in votes.values()]
        shown = [fields[f][i] for f in columns]
        return hashed(side[i], groups[i], shown, beliefs, hashed(salt(), content[i], parsed.gold[i]))

    if reading.votes or any("".join(filter(str.isalpha, name.casefold())) in ANNOTATOR for name in table.names):
        _one_row_an_item(rows, reading, content)
    ids = keys(rows, reading, content, tie)
    _separate(rows, side, groups, column, asked=reading.group is not None)
    return _Read(rows, parsed, template, fields, ids, groups, side, votes, pictures)


def _one_row_an_item(rows: TableRows, reading: Reading, content: dict[int, tuple]) -> None:
    """Raises UserError where most rows show what another row shows, as where a row is an annotation, unless --id names items."""
    count = Counter(content[i] for i in rows.kept)
    again = [i for i in rows.kept if count[content[i]] > 1]
    if len(again) > len(rows.kept) / 2 and reading.id in (None, "none"):
        raise UserError(
            f"{rows.table.name}: {len(rows.kept)} rows hold {len(count)} items, a row an annotation as it seems (the same in "
            f"{rows.table.places(again)}): give a row an item, and the votes in a --votes-table (item, worker, label), which "
            "`audit` reads alone, other names by --columns item=...,worker=...,label=...; rows that are items need their --id named"
        )


def _hidden(rows: TableRows, side: list[int], column: str, reading: Reading) -> bool:
    """Whether no row of a test split that nobody asked for by name has gold; then it is said."""
    raw = rows.table.column(column)
    tested = [i for i in rows.kept if side[i] == TEST]
    if (
        not tested
        or reading.test_values
        or not all(blank(raw[i]) or unknown_gold(class_name(raw[i]), reading) for i in tested)
    ):
        return False
    say(f"{rows.table.name}: the test split has no gold in column {column!r}; test items are drawn from the other rows")
    return True


def _drawn(rows: TableRows, side: list[int], why: str) -> list[int]:
    """Leaves out the test split; the sides of the others, whose test items are yet to be drawn."""
    rows.leave_out({i for i in rows.kept if side[i] == TEST}, f"in the test split, {why}")
    return [FREE] * len(side)


def _silent(rows: TableRows, side: list[int], beliefs: dict[int, Belief]) -> bool:
    """Whether a voter speaks of pool rows, and of no test row though there are some."""
    speaks = {s: [beliefs[i] is not None for i in rows.kept if side[i] == s] for s in (POOL, TEST)}
    return any(speaks[POOL]) and bool(speaks[TEST]) and not any(speaks[TEST])


def _text(template: templates.Template, fields: dict[str, list[str]], i: int, option: str = "") -> str:
    return template.render({f: fields[f][i] if f in fields else option for f in template.fields})


def _template(table: TableFile, layout: Layout, reading: Reading) -> templates.Template:
    """The user's template, checked, or the default one."""
    roles = [r for r in layout.columns if r in TEXT[layout.kind]]
    if reading.template is None:
        return templates.default(layout.kind, roles)
    template, option = templates.compiled(reading.template), templates.OPTION.get(layout.kind)
    known = {*table.names, *roles, *([option] if option else [])}
    for field in template.fields:
        if field not in known:
            raise UserError(
                f"--template has a field {{{field}}} that is no column: known are {', '.join(sorted(known))}"
            )
        if field not in (*roles, option) and field in [layout.columns[r] for r in GOLD[layout.kind]]:
            instead = f"; {{{option}}} is the text to judge" if option else ""
            raise UserError(f"--template has the field {{{field}}}, which holds the gold: leave it out{instead}")
    if option and option not in template.fields:
        raise UserError(f"--template lacks the field {{{option}}}: the {option} to judge")
    if not template.fields:
        raise UserError(f"--template {reading.template!r} has no {{column}} field")
    return template


def _separate(rows: TableRows, side: list[int], groups: dict[int, str], column: str | None, asked: bool) -> None:
    """Leaves out pool rows whose group is on the test side too: the test set stays what the data says it is."""
    tested = {groups[i] for i in rows.kept if side[i] == TEST}
    shared = {i for i in rows.kept if side[i] == POOL and groups[i] in tested}
    if len(shared) > len(rows.kept) / 10:
        say(
            f"{rows.table.name}: {len(shared)} of {len(rows.kept)} rows are left out of the pool, because the test split "
            "has rows of the same group (context, question or text); --group names other groups"
        )
    rows.leave_out(shared, "their group is in the test split")
    if tested and not any(side[i] == POOL for i in rows.kept):
        raise UserError(f"{rows.table.name}: every pool row shares its group with the test split: name another --group")
    largest = max(Counter(groups[i] for i in rows.kept).values())
    if largest > max(len(rows.kept) / 2, 20) and not asked:
        same, instead = (column, ", or ignore the column with --group none") if column else ("context or text", "")
        raise UserError(
            f"{rows.table.name}: {largest} of {len(rows.kept)} rows have the same {same}, which makes them "
            f"one group: name another column with --group{instead}"
        )


def _classify(read: _Read) -> Draft:
    kept, parsed = read.rows.kept, read.parsed
    classes = parsed.classes
    said = not any(map(numeric, classes)) and not any("{" in c or "}" in c for c in classes)
    votes = {
        name: np.array([[np.nan] * len(classes) if (b := of[i]) is None else [b[c] for c in classes] for i in kept])
        for name, of in read.votes.items()
    }
    return Draft(
        name=read.rows.table.name,
        kind="classify",
        classes=classes,
        ids=[read.ids[i] for i in kept],
        texts=[(read.text(i),) if read.template.fields else () for i in kept],
        images=[read.images[i] for i in kept] if read.images else None,
        groups=[read.groups[i] for i in kept],
        gold=[parsed.gold[i] for i in kept],
        side=[read.side[i] for i in kept],
        votes=votes,
        ask=f"{{text}}\nIs this {' or '.join(classes)}? Answer:" if said else "{text}\nAnswer:",
        words=classes if said else (),
        counts=read.rows.counts,
        source=read.rows.table.source,
        template=read.template.text,
    )


def _choose(read: _Read) -> Draft:
    """A row a candidate, all of them on every side: which rows there are tells nothing about which of them is right."""
    kept, parsed, side = read.rows.kept, read.parsed, read.side
    if not any(side[i] == TEST for i in kept):
        test = fifth([read.groups[i] for i in kept])
        side = {i: TEST if read.groups[i] in test else POOL for i in kept}
    items = [(i, o) for i in kept for o in parsed.options[i]]
    gold = [int(parsed.options[i].index(o) == parsed.gold[i]) for i, o in items]
    weights = [0.5 if right else 0.5 / (len(parsed.options[i]) - 1) for (i, _), right in zip(items, gold, strict=True)]
    votes = {
        name: np.array([[np.nan] * 2 if (b := of[i]) is None else [1 - b[o], b[o]] for i, o in items])
        for name, of in read.votes.items()
    }
    return Draft(
        name=read.rows.table.name,
        kind="choose",
        classes=("wrong", "right"),
        ids=[hashed(read.ids[i], o) for i, o in items],
        texts=[(read.text(i, o),) for i, o in items],
        groups=[read.groups[i] for i, _ in items],
        gold=gold,
        side=[side[i] for i, _ in items],
        weights=weights,
        question=[read.ids[i] for i, _ in items],
        answer=[" ".join(o.casefold().split()) for _, o in items],
        votes=votes,
        ask="{text}\nIs this answer wrong or right? Answer:",
        words=("wrong", "right"),
        counts=read.rows.counts | {"questions": len(kept)},
        source=read.rows.table.source,
        template=read.template.text,
    )


def _prefer(read: _Read) -> Draft:
    """An item a pair; which text comes first is decided by hashes of the id and the texts, never by which is better."""
    kept, parsed = read.rows.kept, read.parsed
    pairs = [sorted(parsed.options[i], key=lambda text, i=i: hashed(read.ids[i], text)) for i in kept]
    gold = [pair.index(parsed.options[i][parsed.gold[i]]) for i, pair in zip(kept, pairs, strict=True)]
    votes = {}
    for name, of in read.votes.items():
        better = [[b["chosen"], b["rejected"]] if (b := of[i]) else [np.nan, np.nan] for i in kept]
        votes[name] = np.array([row if first == 0 else row[::-1] for row, first in zip(better, gold, strict=True)])
    return Draft(
        name=read.rows.table.name,
        kind="prefer",
        classes=("first", "second"),
        ids=[read.ids[i] for i in kept],
        texts=[tuple(read.text(i, text) for text in pair) for i, pair in zip(kept, pairs, strict=True)],
        groups=[read.groups[i] for i in kept],
        gold=gold,
        side=[read.side[i] for i in kept],
        votes=votes,
        counts=read.rows.counts,
        source=read.rows.table.source,
        template=read.template.text,
    )
