"""Files of a run folder, each written whole: under a temporary name first, then in one step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outgrow.store import guarded


def save_json(path: Path, value: Any) -> None:
    """The value as JSON, the way `save` does."""
    save(path, lambda at: at.write_text(json.dumps(value, indent=1, default=_plain) + "\n", encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return value.item() if hasattr(value, "item") else list(value)


def save(path: Path, write: Callable[[Path], Any]) -> None:
    """Under a temporary name first, then in one step; a full disk is one clear line."""
    part = path.with_name(f"{path.name}.part")
    with guarded(path):
        write(part)
        part.replace(path)
