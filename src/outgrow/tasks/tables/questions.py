"""From a table and what a user says about asking to the question that models are asked, and the texts it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outgrow.core.errors import UserError
from outgrow.tasks.asking import INSTRUCTIONS, Asking, Question, spelled
from outgrow.tasks.tables.classes import asked, find
from outgrow.tasks.tables.fields import read_fields
from outgrow.tasks.tables.files import TableFile, read
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import detect
from outgrow.tasks.tables.values import blank, class_name, numeric


def question(asking: Asking, reading: Reading) -> tuple[tuple[str, ...], Question]:
    """The classes, and the question that asks for them.

    Raises:
        UserError: the classes or their words are missing or cannot be told apart, or a file cannot be read.
    """
    classes = asked(reading)
    if len(classes) < 2:
        said = f"`classes` = {classes[0]} names one class" if classes else "no classes to choose from"
        raise UserError(f"{said}: name two or more with `classes`, as in `classes` = ham spam")
    words = _words(classes, asking.words)
    instructions = INSTRUCTIONS if asking.instructions is None else _text(asking.instructions)
    examples = () if asking.examples is None else _examples(asking.examples, classes, words, reading)
    return classes, Question(words, instructions, examples)


def row_texts(table: TableFile, reading: Reading) -> list[str]:
    """What a model reads of every row, "" where there is nothing. Raises UserError for a table of another layout."""
    if reading.label is None and "label" not in table.names:
        table = table.with_columns({"label": [None] * len(table.lines)})
    layout = detect(table.names, reading)
    if layout.kind != "classify" or "image" in layout.columns:
        raise UserError(f"{table.name}: models label texts, and the columns are read as {layout.kind!r}: name `text`")
    fields = read_fields(table, layout, reading)
    return [fields.text(i) for i in range(len(table.lines))]


def _words(classes: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    words = given or classes
    if len(words) != len(classes):
        raise UserError(f"`words` = {' '.join(words)}: give one for each of the {len(classes)} classes, in their order")
    for name, word in zip(classes, words, strict=True):
        if not spelled(word) or (not given and numeric(word)):
            raise UserError(
                f"class {name!r}: {word!r} is no word that a model would answer: say with `words` what it answers for "
                "each class"
            )
    known = [spelled(word) for word in words]
    if twice := [word for word, form in zip(words, known, strict=True) if known.count(form) > 1]:
        raise UserError(f"{twice[0]!r} and {twice[1]!r} are one word to a model: tell them apart with `words`")
    return words


def _text(path: Path) -> str:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise UserError(f"`instructions` = {path}: the file is not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"`instructions` = {path}: cannot read the file ({error.strerror}): give a text file") from None
    if not text:
        raise UserError(
            f"`instructions` = {path}: the file is empty: write what models are to be told, or leave it out"
        )
    return text


def _examples(
    path: Path, classes: Sequence[str], words: Sequence[str], reading: Reading
) -> tuple[tuple[str, str], ...]:
    """The texts of a table of examples, each with the word of its class."""
    table = read(str(path))
    column = reading.label if reading.label is not None and reading.label in table.names else "label"
    if column not in table.names:
        raise UserError(f"`examples` = {path}: no column 'label': the columns are {', '.join(table.names)}")
    texts, labels = row_texts(table, replace(reading, label=column)), table.column(column)
    found = [find(value, classes, reading) for value in labels]
    if wrong := [i for i, name in enumerate(found) if not name or blank(texts[i])]:
        value = class_name(labels[wrong[0]]) if labels[wrong[0]] is not None else ""
        raise UserError(
            f"`examples` = {path}: {table.places(wrong)} has no text, or the label {value!r}, which is none of "
            f"{', '.join(classes)}: mend it"
        )
    by_class = dict(zip(classes, words, strict=True))
    return tuple((text, by_class[name]) for text, name in zip(texts, found, strict=True) if name)
