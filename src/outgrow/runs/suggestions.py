"""Suggested items as tasks that a labelling tool imports, with the student's label as a suggestion.

label-studio    suggest.label-studio.json     tasks with a prediction of the control `label` on `text`
argilla         suggest.argilla.json          records with the field `text` and a suggestion for the question `label`
prodigy         suggest.prodigy.jsonl         tasks for the interface `choice`, the student's label accepted
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from outgrow.core.errors import unknown
from outgrow.store import disk

Suggested = Sequence[Mapping[str, Any]]
"""Items: id, row, score, student (its label), text."""
TABLE, CSV = "suggest.csv", "csv"
"""The table of suggested items that is always written, and the form that is it alone."""
AGENT = "outgrow"


def export(folder: Path, classes: Sequence[str], form: str) -> None:
    """Write the items of suggest.csv as tasks of a tool beside it; nothing where the table alone is wanted.

    Args:
        folder: that of suggest.csv.
        classes: the task's.
        form: CSV, or one of FORMS.

    Raises:
        UserError: an unknown form.
    """
    check(form)
    for name, _ in FORMS.values():
        (folder / name).unlink(missing_ok=True)
    if form != CSV:
        name, text = FORMS[form]
        items = csv.DictReader(io.StringIO((folder / TABLE).read_text(encoding="utf-8"), newline=""))
        disk.write(folder / name, text(list(items), classes))


def check(form: str) -> None:
    """Raises UserError for an unknown form."""
    if form not in (CSV, *FORMS):
        raise unknown("form of suggestions for `suggest_format`", form, (CSV, *FORMS))


def _label_studio(items: Suggested, classes: Sequence[str]) -> str:
    tasks = [
        {
            "data": {"text": item["text"]} | _about(item),
            "predictions": [
                {
                    "model_version": AGENT,
                    "result": [
                        {
                            "from_name": "label",
                            "to_name": "text",
                            "type": "choices",
                            "value": {"choices": [item["student"]]},
                        }
                    ],
                }
            ],
        }
        for item in items
    ]
    return _json(tasks)


def _argilla(items: Suggested, classes: Sequence[str]) -> str:
    records = [
        {
            "id": _key(item),
            "fields": {"text": item["text"]},
            "metadata": {"row": int(item["row"]), "score": float(item["score"])},
            "suggestions": {"label": {"value": item["student"], "score": None, "agent": AGENT}},
            "responses": {},
            "vectors": {},
        }
        for item in items
    ]
    return _json(records)


def _prodigy(items: Suggested, classes: Sequence[str]) -> str:
    options = [{"id": name, "text": name} for name in classes]
    tasks = [
        {"text": item["text"], "options": options, "accept": [item["student"]], "meta": _about(item)} for item in items
    ]
    return "".join(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks)


def _about(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": _key(item), "row": int(item["row"]), "score": float(item["score"])}


def _key(item: Mapping[str, Any]) -> str:
    """The id of an item, or the number of its row."""
    return str(item["id"] or item["row"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


FORMS: dict[str, tuple[str, Callable[[Suggested, Sequence[str]], str]]] = {
    "label-studio": ("suggest.label-studio.json", _label_studio),
    "argilla": ("suggest.argilla.json", _argilla),
    "prodigy": ("suggest.prodigy.jsonl", _prodigy),
}
"""Form -> its file, and what makes its text of items and classes."""
