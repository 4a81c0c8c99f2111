"""Data sets of the Hugging Face hub, `hub:OWNER/NAME[:CONFIG][@REVISION]`, and local folders laid out like one.

The names of the hub's splits become the column `split`. Needs the extra: pip install 'outgrow[hub]'.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile

PREFIX = "hub:"
FORM = re.compile(r"(?P<path>.+?)(:(?P<config>[\w.\-]+))?(@(?P<revision>[\w.\-/]+))?")


def is_hub(name: str) -> bool:
    """Whether a name is that of a hub data set, or of a folder."""
    return name.startswith(PREFIX) or Path(name).expanduser().is_dir()


def read_hub(name: str) -> TableFile:
    """The table in a hub data set, or in a local folder; the revision that was read is recorded in its source.

    Raises:
        UserError: There is no such folder or data set, no network, or the package `datasets` is not installed.
    """
    name = name.removeprefix(PREFIX)
    local = Path(name).expanduser()
    found = FORM.fullmatch(name)
    if not local.is_dir() and (found is None or found["path"].startswith((".", "/", "~"))):
        raise UserError(f"no folder {name!r} for hub:{name}")
    try:
        import datasets
    except ImportError:
        raise UserError(f"{PREFIX}{name} needs the package datasets: pip install 'outgrow[hub]'") from None
    quiet = datasets.utils.logging.get_verbosity()
    datasets.utils.logging.set_verbosity_error()
    try:
        if found is None or local.is_dir():
            folder = local.resolve().name
            return _joined(folder, datasets.load_dataset(str(local)), f"folder {folder}")
        _probe(name)
        revision = _revision(found["path"], found["revision"])
        parts = datasets.load_dataset(found["path"], found["config"], revision=revision)
        shown = found["path"] + (f":{found['config']}" if found["config"] else "")
        return _joined(shown, parts, f"{PREFIX}{shown}@{revision or 'cached'}")
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise UserError(f"cannot read {PREFIX}{name}: {' '.join(str(error).split())[:300]}") from None
    finally:
        datasets.utils.logging.set_verbosity(quiet)


def _probe(name: str) -> None:
    """Raises UserError within seconds where the hub cannot be reached; its own clients try for half a minute."""
    from huggingface_hub import constants, is_offline_mode

    if is_offline_mode():
        return
    try:
        urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=4).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UserError(
            f"no network for {PREFIX}{name}: cannot reach {constants.ENDPOINT} ({reason}); use a local folder, or "
            "HF_HUB_OFFLINE=1 for what was downloaded before"
        ) from None


def _revision(path: str, asked: str | None) -> str | None:
    """The commit of a branch or tag; offline what the user asked for."""
    from huggingface_hub import HfApi, is_offline_mode

    return asked if is_offline_mode() else HfApi().dataset_info(path, revision=asked).sha


def _joined(name: str, parts: Any, source: str) -> TableFile:
    """The splits one after the other, as one table; class numbers become the names that the data set gives them."""
    names = tuple(dict.fromkeys(column for part in parts.values() for column in part.column_names))
    categories: dict[str, tuple[str, ...]] = {}
    for part in parts.values():
        classed = {c: f for c, f in part.features.items() if type(f).__name__ == "ClassLabel"}
        categories |= {c: tuple(f.names) for c, f in classed.items()}

    def column(wanted: str) -> list[Any]:
        if wanted == "split" and "split" not in names:
            return [split for split, part in parts.items() for _ in range(len(part))]
        values: list[Any] = []
        for part in parts.values():
            held = wanted in part.column_names
            if held and type(part.features[wanted]).__name__ == "Image":
                part = part.cast_column(wanted, type(part.features[wanted])(decode=False))
            values += part[wanted][:] if held else [None] * len(part)
        known = categories.get(wanted)
        # A hub set marks labels it keeps to itself with -1.
        return [None if v is None or v < 0 else known[v] for v in values] if known else values

    lines = [f"{split}:{i}" for split, part in parts.items() for i in range(1, len(part) + 1)]
    if not lines:
        raise UserError(f"{source} has no rows")
    own = names if "split" in names else (*names, "split")
    return TableFile(name, own, column, lines, "row", source, categories)
