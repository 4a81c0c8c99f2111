"""What `learn` says of gold: what it was for, what weak labels add to it, and what more of it would."""

from __future__ import annotations

from typing import Any

from outgrow.report.words import percent, point_interval, points, sentence


def said(gold: dict[str, Any] | None) -> list[str]:
    """The answers in sentences; nothing where there is no gold."""
    if not gold or not gold["says"]:
        return []
    out = [sentence(gold["says"])]
    for row in gold.get("rows", ()):
        what, to = ("The weak labels add", f"{gold['labels']:,} gold labels")
        if row["name"] != "gold alone":
            what, to = "Gold adds", "the weak labels"
        out.append(
            f"{what} {_points(row['gain'], row['gain_ci'])} to {to}: a student of {row['name']} is right on "
            f"{percent(row['accuracy'])}."
        )
    if "rows" in gold:
        out.append(_more(gold["more"]))
    return out


def _more(more: dict[str, Any] | None) -> str:
    if more is None:
        return "What more gold would add cannot be told: half of it is too little to teach a student."
    return (
        f"{more['labels']:,} more gold labels would add about {_points(more['gain'], more['gain_ci'])}: "
        f"the last doubling added {_points(more['doubling'], more['doubling_ci'])}."
    )


def _points(value: float, ci: Any) -> str:
    return " ".join(part for part in (f"{points(value)} points", point_interval(ci)) if part)
