"""Table files: `.parquet`, `.csv`, `.jsonl` in the layouts classify, choose and prefer."""

from __future__ import annotations

from pathlib import Path

from outgrow.tasks.layouts import from_table
from outgrow.tasks.reading import Reading
from outgrow.tasks.source import source
from outgrow.tasks.table import READERS, read_file
from outgrow.tasks.task import Gold, Task


def _is_table(name: str) -> bool:
    return not name.startswith("hub:") and Path(name).suffix.lower() in READERS


@source(
    "FILE.parquet|.csv|.jsonl",
    "your own table: text and label; question, choices and answer; or chosen and rejected",
    claims=_is_table,
)
def file(name: str, reading: Reading) -> tuple[Task, Gold]:
    """The task in a table file; its name is the file's without the suffix."""
    return from_table(read_file(Path(name).expanduser()), reading)
