"""outgrow store"""

from __future__ import annotations

import re
import sys
import time
from typing import Any, Literal

from outgrow.cli.output import SPOKEN, Spoken, listed
from outgrow.core.errors import UserError
from outgrow.core.progress import emit

DAY = 86400
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def store_(
    action: Literal["show", "prune"] = "show",
    /,
    *,
    kind: list[str] | None = None,
    older_than: float | None = None,
    at_most: str | None = None,
    yes: bool = False,
    output: Spoken = SPOKEN,
) -> None:
    """Show what the store holds, by kind, or remove some of it: whatever goes is made again when it is needed.

    Parameters
    ----------
    action
        show (default), or prune, which removes what the flags name and asks before it does.
    kind
        Kinds of artifacts, as `outgrow store` calls them; all where none is named.
    older_than
        Days: only what was made earlier.
    at_most
        A size such as 20GB: the oldest go until the store holds no more.
    yes
        Remove without being asked.
    """
    from outgrow.audits import Sheet
    from outgrow.store import Store, usage

    output.begin()
    store, now = Store.default(), time.time()
    found = usage.kept(store)
    before = None if older_than is None else now - older_than * DAY
    gone = usage.chosen(found, kind or (), before, _bytes(at_most))
    by_kind: dict[str, list[usage.Kept]] = {}
    for one in gone:
        by_kind.setdefault(one.kind, []).append(one)
    rows: list[dict[str, Any]] = [
        {
            "kind": name,
            "artifacts": len(its),
            "bytes": sum(one.size for one in its),
            "oldest_days": round((now - its[0].made) / DAY, 1),
            "newest_days": round((now - its[-1].made) / DAY, 1),
        }
        for name, its in sorted(by_kind.items())
    ]
    total = sum(one.size for one in gone)
    facts = {"store": str(store.root), "artifacts": len(gone), "bytes": total, "kinds": rows}
    if not output.json:
        told = [
            (
                row["kind"], f"{row['artifacts']:,}", f"{row['bytes'] / 1e6:,.1f} MB", str(row["oldest_days"]),
                str(row["newest_days"]),
            )
            for row in rows
        ]  # fmt: skip
        title = f"{store.root}: {len(gone):,} artifacts, {total / 1e6:,.1f} MB"
        listed(Sheet(title, ("kind", "artifacts", "size", "oldest, days", "newest, days"), tuple(told)))
    if action == "prune":
        if not (kind or older_than is not None or at_most):
            raise UserError("prune needs `kind`, `older_than` or `at_most`: say what may go")
        if gone:
            _agreed(yes, f"remove these {len(gone):,} artifacts, {total / 1e6:,.1f} MB?")
            usage.remove(store, gone)
        if not output.json:
            emit(f"removed: {len(gone):,} artifacts, {total / 1e6:,.1f} MB")
        facts["removed"] = len(gone)
    if output.json:
        output.show(facts)


def _agreed(yes: bool, question: str) -> None:
    """Ask, unless it was said already. Raises UserError where nobody can be asked, or the answer is no."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(f"{question} Nobody can be asked here: say `yes=True`")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UserError("nothing was removed")


def _bytes(size: str | None) -> int | None:
    """20GB -> 20,000,000,000. Raises UserError for what is no size."""
    if size is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]B)", size.strip().upper())
    if found is None:
        raise UserError(f"`at_most` = {size}: write a size such as 500MB or 20GB")
    return round(float(found[1]) * UNITS[found[2]])
