"""Several committees side by side: each in a folder of its own, and one page with one picture of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from outgrow.runs import committee as records
from outgrow.runs import folder as claims
from outgrow.store import disk
from outgrow.tasks.tables.prompts import Columns
from outgrow.workflows.committee import committee


@final
@dataclass(frozen=True)
class Several:
    """Committees side by side."""

    facts: tuple[dict[str, Any], ...]
    page: Path


def committees(sources: Sequence[str], *, out: Path | None = None, overwrite: bool = False, **asked: Any) -> Several:
    """One committee, or several and their common page.

    Args:
        sources: as of `committee`; a folder of a finished committee is read.
        out: the folder of the one, or of the page and the folders of all.
        overwrite: another result in the folder may be replaced.
        asked: what every committee is asked for.

    Raises:
        UserError: there is something that the user can mend.
    """
    from outgrow.report import committee as page

    if len(sources) == 1 and not Path(sources[0]).is_dir():
        found = committee(sources[0], out=out, overwrite=overwrite, **asked)
        return Several((found.facts,), found.page)
    folder = Path(out) if out is not None else Path("runs") / "committees"
    finished = {source: records.read(Path(source)) for source in sources if Path(source).is_dir()}
    plain = {name: value for name, value in asked.items() if name != "store"}
    columns = asdict(asked.get("columns") or Columns())
    claims.claim(folder, "committee", {"sources": list(sources), **plain, "columns": columns}, overwrite)
    every = [
        finished[source] if source in finished
        else committee(source, out=folder / Path(source).stem.replace(":", "-"), overwrite=overwrite, **asked).facts
        for source in sources
    ]  # fmt: skip
    disk.write(folder / "committees.html", page.render_several(every))
    return Several(tuple(every), folder / "committees.html")
