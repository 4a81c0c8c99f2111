"""What single values of a table mean: missing, text, the name of a class, one of several choices."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile

NUMBER = re.compile(r"[+-]?\d{1,15}")
PLAIN = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.0*)?")
"""A whole number as it is usually written: 1 and 1.0, but not 01."""


def blank(value: object) -> bool:
    """Whether a value is missing: none, not a number, or text with nothing in it."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def texts(table: TableFile, column: str) -> list[str]:
    """A column as text, "" where it is missing. Raises UserError for lists and for what is not Unicode."""
    out = []
    for i, value in enumerate(table.column(column)):
        if isinstance(value, str):
            out.append(value)
        elif isinstance(value, list | dict | bytes):
            raise UserError(f"column {column!r} holds a {type(value).__name__} in {table.places([i])}, not text")
        else:
            out.append("" if blank(value) else class_name(value))
    try:
        "".join(out).encode()
    except UnicodeEncodeError:
        broken = [i for i, value in enumerate(out) if value.encode(errors="replace").decode() != value]
        raise UserError(f"column {column!r} holds broken Unicode in {table.places(broken)}: mend the text") from None
    return out


def class_name(value: object) -> str:
    """One name for a label however the file writes it.

    Example:
        >>> class_name(1), class_name(1.0), class_name("1.0"), class_name("01"), class_name(True), class_name(" ham ")
        ('1', '1', '1', '01', 'true', 'ham')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal) and value % 1 == 0:
        return str(int(value))
    name = str(value).strip()
    return str(int(float(name))) if PLAIN.fullmatch(name) else name


def id_name(value: object) -> str:
    """The id of an item or annotator: text without blanks around it; a number as a class is called."""
    return value.strip() if isinstance(value, str) else class_name(value)


def numeric(name: str) -> bool:
    """Whether a class name is a whole number."""
    return NUMBER.fullmatch(name) is not None


@dataclass(frozen=True)
class Options:
    """The choices of one question."""

    texts: tuple[str, ...]
    """In the order of the file, empty where they cannot be read."""
    letters: tuple[str, ...] = ()
    """What an answer calls them, where the file says so itself ({"text": [...], "label": [...]})."""
    ordered: bool = False
    """Whether it is beyond doubt which of them a number means, as a probability's class or an index from 0."""


def choices(value: object) -> Options:
    """The choices in a list, in a list as JSON text, or in a record with `text` and `label`."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return Options(())
    letters: list = []
    if isinstance(value, dict):
        letters, value = value.get("label") or [], value.get("text")
    if not isinstance(value, list) or any(blank(v) or isinstance(v, list | dict) for v in value):
        return Options(())
    found = tuple(v.strip() if isinstance(v, str) else class_name(v) for v in value)
    letters = [str(x).strip() for x in letters] if len(letters) == len(found) else []
    return Options(found, tuple(letters))


Pick = Callable[[object, Options], str | None]


def chooser(column: str, values: Sequence[object], among: Sequence[Options]) -> Pick:
    """How the values of a column name one of the choices: by text, by index from 0, or by letter.

    Args:
        column: Its name, for messages.
        values: The values.
        among: The choices of each.

    Returns:
        The way that fits most values; of a value that does not fit it gives None.

    Raises:
        UserError: Two ways fit all values and disagree, or no index is 0 and they may count from 1.
    """
    ways = {"text": _by_text, "index": by_index, "letter": _by_letter}
    if any(isinstance(v, int) for v in values):
        del ways["text"]
    picked = {name: [way(v, c) for v, c in zip(values, among, strict=True)] for name, way in ways.items()}
    fits = {name: sum(p is not None for p in found) for name, found in picked.items()}
    best = max(fits, key=fits.__getitem__)
    for name, found in picked.items():
        if values and fits[name] == fits[best] == len(values) and found != picked[best]:
            raise UserError(
                f"column {column!r} could hold the {best} or the {name} of a choice: write letters A, B, ..."
            )
    sure = all(one.ordered for one in among) or any(class_name(v) == "0" for v in values)
    if best == "index" and fits[best] and not sure:
        raise UserError(
            f"column {column!r} holds indices of choices, none of them 0: they could count from 0 or from 1: write "
            "letters A, B, ..."
        )
    return ways[best]


def _by_text(value: object, among: Options) -> str | None:
    text = str(value).strip()
    return text if text in among.texts else None


def by_index(value: object, among: Options) -> str | None:
    """The choice of that number, counted from 0; None where there is none."""
    name = class_name(value)
    return among.texts[int(name)] if name.isdecimal() and int(name) < len(among.texts) else None


def _by_letter(value: object, among: Options) -> str | None:
    letters = among.letters or tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(among.texts)])
    text = str(value).strip().strip("().")
    return among.texts[letters.index(text)] if text in letters else None
