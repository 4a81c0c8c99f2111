"""docs/reference.md lists the fields of every JSON file of a run, as its class has them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from outgrow.runs.schema import FILES

TEXT = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")


def table() -> str:
    """The table as it should stand there."""
    rows = (f"| `{name}` | {', '.join(f'`{one.name}`' for one in fields(cls))} |" for name, cls in FILES.items())
    return "\n".join(["| file | fields beside `version` |", "|---|---|", *rows])


def test_the_reference_lists_the_fields_that_the_classes_have() -> None:
    found = re.search(r"\| file \| fields beside `version` \|\n(?:\|.*\n)+", TEXT)
    assert found is not None and found[0].rstrip("\n") == table()
