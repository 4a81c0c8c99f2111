"""Tables of the user's own in the layouts classify, choose and prefer: files, and data sets of the hub."""

from __future__ import annotations

from pathlib import Path

from outgrow.tasks.source import source
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.formats import is_table
from outgrow.tasks.tables.hub import is_hub, read_hub
from outgrow.tasks.tables.layouts import from_table
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import Gold, Task


def _is_table(name: str) -> bool:
    return not name.startswith("hub:") and is_table(name)


@source(
    "FILE.parquet|.csv|.jsonl",
    "your own table: text and label; question, choices and answer; or chosen and rejected",
    claims=_is_table,
)
def file(name: str, reading: Reading) -> tuple[Task, Gold]:
    """The task in a table file; its name is the file's without the suffix."""
    return from_table(read_file(Path(name).expanduser()), reading)


@source(
    "hub:OWNER/NAME[:CONFIG][@REVISION]", "a data set of the hub, or a local folder of parquet files", claims=is_hub
)
def hub(name: str, reading: Reading) -> tuple[Task, Gold]:
    """The task in a hub data set; the revision that was read is recorded in its source."""
    return from_table(read_hub(name), reading)
