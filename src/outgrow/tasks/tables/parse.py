"""The rows of each layout: what the options are and which one is gold. Bad rows are refused here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.tasks.tables import classes
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import Layout
from outgrow.tasks.tables.rows import TableRows
from outgrow.tasks.tables.values import Options, blank, by_index, choices, chooser, class_name, numeric, texts
from outgrow.tasks.tables.votes import spoken

TEXT = {
    "classify": ("context", "text", "question", "text2", "answer"),
    "choose": ("context", "question"),
    "prefer": ("prompt",),
}
"""Roles that a model reads."""


@dataclass(frozen=True)
class Parsed:
    """By row number, for the rows kept."""

    options: dict[int, tuple[str, ...]]
    """`classify`: the classes; `choose`: the different choices, sorted; `prefer`: the two texts, sorted."""
    gold: dict[int, int]
    """Which option is gold; -1 where that is not known."""
    voted: dict[int, Options]
    """What the user's votes choose between, in the order of the file."""
    classes: tuple[str, ...] = ()


def _classify(
    rows: TableRows, layout: Layout, roles: dict[str, list[str]], reading: Reading, partly: bool = False
) -> Parsed:
    column = layout.columns["label"]
    names = classes.gold(rows.table, column, rows.kept, reading)
    problems = {} if reading.template else _missing(rows, layout, roles, ("text", "question"))
    if not partly:
        problems |= _without_gold(rows, column, names)
    asked = classes.asked(reading)
    rows.refuse(problems | _strangers(rows, names, asked), reading)
    if partly:
        _say_unknown(rows, column, names)
    present = {names[i] for i in rows.kept if names[i]}
    if not present and not asked and reading.votes:
        present = classes.by_votes(rows.table, spoken(rows.table, reading, rows.kept))
    if len(present) > max(20, len(rows.kept) / 2):
        raise UserError(
            f"column {column!r} has {len(present)} values in {len(rows.kept)} rows: name the label with --label"
        )
    categories = tuple(c for c in rows.table.categories.get(column, ()) if c in present)
    known = (
        asked
        or categories
        or tuple(sorted(present, key=(lambda n: (int(n), n)) if all(map(numeric, present)) else str))
    )
    number = {name: c for c, name in enumerate(known)} | {"": -1}
    every = Options(known, ordered=classes.ordered(known, reading, categories))
    return Parsed({}, {i: number[names[i]] for i in rows.kept}, dict.fromkeys(rows.kept, every), known)


def _without_gold(rows: TableRows, column: str, names: list[str]) -> dict[str, list[int]]:
    """Rows of unknown gold, which only tables of votes may have."""
    raw = rows.table.column(column)
    unknown = [i for i in rows.kept if not names[i]]
    return {
        "missing label": [i for i in unknown if blank(raw[i])],
        "a label that means unknown (--classes makes it a class)": [i for i in unknown if not blank(raw[i])],
    }


def _say_unknown(rows: TableRows, column: str, names: list[str]) -> None:
    """Say which words of a column of gold were read as unknown."""
    raw = rows.table.column(column)
    if words := Counter(class_name(raw[i]) for i in rows.kept if not names[i] and not blank(raw[i])):
        shown = ", ".join(f"{word} ({count})" for word, count in words.most_common())
        say(f"{rows.table.name}: gold is unknown where column {column!r} holds {shown}; --classes makes it a class")


def _strangers(rows: TableRows, names: list[str], asked: tuple[str, ...]) -> dict[str, list[int]]:
    """Rows whose label is none of the classes asked for, or, where none were, a word among numbers or a number among words."""
    labelled = [i for i in rows.kept if names[i]]
    if asked:
        return {
            f"labels that are none of the classes {', '.join(asked)}": [i for i in labelled if names[i] not in asked]
        }
    words = [i for i in labelled if not numeric(names[i])]
    numbers = [i for i in labelled if numeric(names[i])]
    odd = min(words, numbers, key=len)
    shown = ", ".join(sorted({names[i] for i in odd})[:3])
    return {f"labels {shown} among others that are {'numbers' if odd is words else 'words'} (--classes allows)": odd}


def classify_partly(rows: TableRows, layout: Layout, roles: dict[str, list[str]], reading: Reading) -> Parsed:
    """`classify` with gold on some rows or none: where there is none, the classes are those that the votes name."""
    return _classify(rows, layout, roles, reading, partly=True)


def _choose(rows: TableRows, layout: Layout, roles: dict[str, list[str]], reading: Reading) -> Parsed:
    column = layout.columns["answer"]
    among = [choices(value) for value in rows.table.column(layout.columns["choices"])]
    answers = rows.table.column(column)
    problems = _missing(rows, layout, roles, ("question",))
    problems["fewer than two different choices"] = [i for i in rows.kept if len(set(among[i].texts)) < 2]
    problems[f"missing {column}"] = [i for i in rows.kept if blank(answers[i])]
    sound = [i for i in rows.kept if len(set(among[i].texts)) >= 2 and not blank(answers[i])]
    pick = chooser(column, [answers[i] for i in sound], [among[i] for i in sound])
    right = {i: pick(answers[i], among[i]) for i in sound}
    problems[f"{column} that is none of the choices (an index counts from 0)"] = [i for i in sound if right[i] is None]
    rows.refuse(problems, reading)
    options = {i: tuple(sorted(set(among[i].texts))) for i in rows.kept}
    if repeated := sum(len(among[i].texts) - len(options[i]) for i in rows.kept):
        rows.counts["choices left out: same as another of the question"] = repeated
    gold = {i: options[i].index(right[i]) for i in rows.kept}
    return Parsed(options, gold, {i: replace(among[i], ordered=pick is by_index) for i in rows.kept})


def _prefer(rows: TableRows, layout: Layout, roles: dict[str, list[str]], reading: Reading) -> Parsed:
    chosen, rejected = (texts(rows.table, layout.columns[role]) for role in ("chosen", "rejected"))
    problems = _missing(rows, layout, {"chosen": chosen, "rejected": rejected}, ("chosen", "rejected"))
    same = [i for i in rows.kept if chosen[i].strip() == rejected[i].strip() and not blank(chosen[i])]
    problems["chosen and rejected are the same"] = same
    rows.refuse(problems, reading)
    options = {i: tuple(sorted((chosen[i], rejected[i]))) for i in rows.kept}
    gold = {i: options[i].index(chosen[i]) for i in rows.kept}
    return Parsed(options, gold, dict.fromkeys(rows.kept, Options(("rejected", "chosen"))))


def _missing(
    rows: TableRows, layout: Layout, values: dict[str, list[str]], roles: tuple[str, ...]
) -> dict[str, list[int]]:
    """Rows without one of the texts that a layout cannot do without."""
    return {f"missing {layout.columns[r]}": [i for i in rows.kept if blank(values[r][i])] for r in roles if r in values}


PARSE: dict[str, Callable[[TableRows, Layout, dict[str, list[str]], Reading], Parsed]] = {
    "classify": _classify,
    "choose": _choose,
    "prefer": _prefer,
}
