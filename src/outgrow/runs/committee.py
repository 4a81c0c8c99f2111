"""What a committee leaves in its folder: committee.json and answers.parquet."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.records import dump, load
from outgrow.runs import schema
from outgrow.runs.schema.committee import CommitteeFile
from outgrow.store import disk
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import GenerationTask

FACTS, ANSWERS = "committee.json", "answers.parquet"


def write(folder: Path, facts: Mapping[str, Any], table: Any) -> None:
    """Write committee.json and the table of answers (polars)."""
    schema.write(folder / FACTS, load(CommitteeFile, facts, FACTS))
    disk.write(folder / ANSWERS, table.write_parquet)


def read(folder: Path) -> dict[str, Any]:
    """What committee.json says. Raises UserError where there is none."""
    try:
        facts: dict[str, Any] = dump(schema.read(folder / FACTS, CommitteeFile))
        return facts
    except OSError:
        raise UserError(f"{folder} holds no {FACTS}: name a folder that `outgrow committee` wrote, or a task") from None


def compared(task: GenerationTask, columns: Columns) -> dict[str, Any]:
    """What makes two answers the same, and what of this and of the scorer nobody named."""
    by_default = [name for name, value in (("scorer", columns.scorer), ("form", columns.form)) if value is None]
    return {"form": task.form, "by_default": by_default}


def versions() -> dict[str, str]:
    """Of what computed it."""
    return {"outgrow": version("outgrow"), "python": platform.python_version(), "numpy": version("numpy")}
