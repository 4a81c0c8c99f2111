"""A folder that outgrow wrote, as plain data and as small tables, whatever job wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from outgrow.audits import Sheet
from outgrow.core.records import dump
from outgrow.report import theme
from outgrow.report.words import Headline, interval, percent, point_interval, points, share
from outgrow.runs import schema
from outgrow.runs.folder import MAIN, verb_of

COLOURS = ("page", "ink", "muted", "line", "accent")
LOOK = (
    f".outgrow{{background:var(--page);color:var(--ink);font:13px {theme.FONT};padding:8px 12px;overflow-x:auto}}"
    ".outgrow p{font-weight:600;margin:0 0 8px;color:var(--accent)}"
    ".outgrow table{border-collapse:collapse;margin:0 0 8px;color:inherit;background:none}"
    ".outgrow caption{caption-side:top;text-align:left;color:var(--muted);padding:2px 0}"
    ".outgrow tr{background:none}"
    ".outgrow th,.outgrow td{text-align:left;padding:3px 14px 3px 0;border-bottom:1px solid var(--line);"
    "font-variant-numeric:tabular-nums;background:none;color:inherit}"
    ".outgrow th{color:var(--muted);font-weight:600}"
)
"""Every element of a table is said, since notebooks have styles of their own."""
ORDER = ("floor", "ceiling", "method", "gold", "contrast", "control")


def content(folder: Path) -> dict[str, Any]:
    """The folder's own facts: the JSON file of its job, a study's summary as `rows`.

    Raises:
        UserError: where no job wrote into the folder, or its file is damaged.
    """
    verb = verb_of(folder)
    return {"folder": str(folder), "verb": verb, **_facts(folder, verb)}


def _facts(folder: Path, verb: str) -> dict[str, Any]:
    if verb == "run":
        from outgrow.runs.read import read

        pairs = read(folder).pairs
        return {"rows": [dump(row) for pair in pairs for view in pair.views for row in view.rows]}
    return dump(schema.read(folder / MAIN[verb], schema.FILES[MAIN[verb]]))


def sheets(folder: Path) -> list[Sheet]:
    """The folder's main figures as tables. Raises as `content` does."""
    verb = verb_of(folder)
    return SHEETS[verb](_facts(folder, verb))


def notebook(folder: Path, verb: str) -> str:
    """What a notebook shows of a verb's result: the answer in a sentence, where there is one, and the tables."""
    from outgrow.report import committee, learn

    headlines: dict[str, Callable[[dict[str, Any]], Headline]] = {
        "learn": learn.headline,
        "committee": committee.headline,
    }
    facts = _facts(folder, verb)
    return html(SHEETS[verb](facts), headlines[verb](facts).label if verb in headlines else "")


def html(sheets: Sequence[Sheet], lead: str = "") -> str:
    """The tables as HTML, as a notebook shows them: in the report's colours, and with nothing to fetch.

    Args:
        sheets: the tables.
        lead: a sentence above them.
    """
    tables = "".join(
        f"<table><caption>{escape(sheet.title)}</caption>{_row('th', sheet.head)}"
        f"{''.join(_row('td', row) for row in sheet.rows)}</table>"
        for sheet in sheets
    )
    style = f"<style>{theme.style('.outgrow', COLOURS)}{LOOK}</style>"
    return f'<div class="outgrow">{style}{f"<p>{escape(lead)}</p>" if lead else ""}{tables}</div>'


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _study(facts: dict[str, Any]) -> list[Sheet]:
    """A table for each (task, weak, strong) and metric."""
    by_view: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in facts["rows"]:
        by_view.setdefault((row["task"], row["weak"], row["strong"], row["metric"]), []).append(row)
    head = (
        "row",
        "kind",
        "score",
        "95% interval",
        "PGR",
        "PGR, new data",
        "vs naive, points",
        "95% interval",
        "status",
    )
    return [
        Sheet(
            f"{task}: {weak} → {strong}; {metric}",
            head,
            tuple(
                (
                    row["method"], row["kind"], percent(row["value"]), interval(row["value_ci"]), share(row["pgr"]),
                    interval(row["pgr_ci"], 0), points(row["vs_naive"]), point_interval(row["vs_naive_ci"]),
                    row["status"],
                )
                for row in sorted(rows, key=lambda row: (ORDER.index(row["kind"]), -(row["value"] or 0)))
            ),
        )
        for (task, weak, strong, metric), rows in by_view.items()
    ]  # fmt: skip


def _learn(facts: dict[str, Any]) -> list[Sheet]:
    """The student and its labellers against gold, or, without gold, the annotators."""
    name, rows = facts["task"]["name"], facts["verdict"].get("rows")
    if rows is None:
        told = [
            (
                row["name"], f"{row['votes']:,}", percent(row["estimated"]), interval(row["estimated_ci"]),
                percent(row["student"]),
            )
            for row in facts["annotators"]["rows"]
        ]  # fmt: skip
        head = ("annotator", "votes", "estimated accuracy", "95% interval", "repeated by the student")
        return [Sheet(f"{name}: annotators, without gold", head, tuple(told))]
    more = ("macro-F1", "95% interval", "student ahead, points", "95% interval") if rows[0].get("macro_f1") else ()
    columns = ("labeller", "kind", "accuracy", "95% interval", "student ahead, points", "95% interval", *more)
    judged = [
        (
            row["name"], row["kind"], percent(row["accuracy"]), interval(row["accuracy_ci"]), points(row["gain"]),
            point_interval(row["gain_ci"]), *_measure(row.get("macro_f1")),
        )
        for row in rows
    ]  # fmt: skip
    return [Sheet(f"{name}: {facts['verdict']['judged']:,} items with gold", columns, tuple(judged))]


def _measure(one: dict[str, Any] | None) -> tuple[str, ...]:
    """A measure by class with how far the student is ahead; nothing in earlier files."""
    if one is None:
        return ()
    ahead = points(one.get("gain")), point_interval(one.get("gain_ci"))
    return percent(one["value"]), interval(one["ci"]), *ahead


def _committee(facts: dict[str, Any]) -> list[Sheet]:
    """What every choice among the most samples scores."""
    rows = [
        (
            one["who"], one["choice"], one["verifier"] or "", str(one["k"]), percent(one["right"]["value"]),
            interval(one["right"]["ci"]),
        )
        for one in facts["figures"]
        if one["k"] == max(other["k"] for other in facts["figures"] if other["who"] == one["who"])
    ]  # fmt: skip
    head = ("models", "choice", "verifier", "samples", "right", "95% interval")
    return [Sheet(f"{facts['task']}: {facts['items']:,} items", head, tuple(rows))]


def _steer(facts: dict[str, Any]) -> list[Sheet]:
    rows = [
        (
            row["name"], percent(row["score"]), interval(row["score_ci"]), percent(row["knowledge"]),
            interval(row["knowledge_ci"]),
        )
        for row in facts["rows"]
    ]  # fmt: skip
    head = ("model", facts["metric"], "95% interval", "knowledge", "95% interval")
    return [Sheet(f"{facts['task']}: {facts['test']:,} test items", head, tuple(rows))]


def _audit(facts: dict[str, Any]) -> list[Sheet]:
    found = [(one["severity"], one["code"], one["says"], one["do"]) for one in facts["findings"]]
    rows = tuple(one for one in found if one[0] != "not applicable")
    return [Sheet(facts["source"], ("severity", "code", "finding", "what to do"), rows)]


SHEETS: dict[str, Callable[[dict[str, Any]], list[Sheet]]] = {
    "run": _study,
    "learn": _learn,
    "committee": _committee,
    "steer": _steer,
    "audit": _audit,
}
