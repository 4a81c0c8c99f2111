"""comparison.json as tables of words, once for the page, the terminal and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outgrow.report.words import amount, gold_read, interval, percent, point_interval, points, seconds, share

TOO_FEW, THESE = "(too few tasks)", "these tasks "
Cell = tuple[str, ...]
"""What is said first, its interval, and what is said in small print."""
PlainTable = tuple[str, str, list[list[str]]]
"""Title, how to read it, and rows of text, the head first."""
LEADING, COMPARED = 5, ("naive", "logconf")
"""Rows of the short table, and methods that stand in it wherever they rank."""
BRIEF = (
    "Method",
    "Group result share of the gaps",
    "− naive points of the score, all pairs",
    "Won, lost against naive",
)
"""Columns of the short table."""


@dataclass(frozen=True)
class LeaderboardSheet:
    """A table with a title and a word on how to read it; the first column names the row."""

    title: str
    about: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def sheets(comparison: dict[str, Any]) -> list[LeaderboardSheet]:
    """The leaderboard, the same by other measures, where each method fails, and the pairs themselves."""
    return [_leaderboard(comparison), _others(comparison), _failures(comparison), _pairs(comparison)]


def markdown(found: list[LeaderboardSheet], level: int = 2) -> str:
    """The tables as Markdown: a title, the leading methods, and every table whole in a fold."""
    return f"{'#' * level} {found[0].title}\n\n{folded(plain(found))}"


def plain(found: list[LeaderboardSheet]) -> list[PlainTable]:
    """The tables as text; small print stands in its cell after a line break."""
    return [
        (sheet.title, sheet.about, [[_plain(cell) for cell in row] for row in (sheet.head, *sheet.rows)])
        for sheet in found
    ]


def folded(tables: list[PlainTable]) -> str:
    """A few rows and columns of the first table, then every table whole in a fold of its own, as Markdown."""
    head, *rows = tables[0][2]
    brief = [head.index(name) for name in BRIEF if name in head]
    leading = [row for i, row in enumerate(rows) if i < LEADING or row[0].partition("<br>")[0] in COMPARED]
    parts = [_table([[_brief(row[i]) for i in brief] for row in (head, *leading)])]
    for title, about, table in tables:
        count = f"{len(table) - 1} {'pair' if table[0][0] == 'Pair' else 'method'}{'s' if len(table) > 2 else ''}"
        summary = f"<summary>{title}, {count}</summary>"
        parts.append(f'<details markdown="1">\n{summary}\n\n{about}\n\n{_table(table)}\n\n</details>')
    return "\n\n".join(parts) + "\n"


def _brief(cell: str) -> str:
    """A cell on one line: a figure with its interval for these tasks."""
    first, _, small = cell.partition("<br>")
    if small.startswith(THESE):
        return f"{first.split(' ')[0]} {small.removeprefix(THESE)}"
    return f"{first} ({small})" if small else first


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:]))


def _plain(cell: Cell) -> str:
    first, second, *rest = (
        text.replace("|", "\\|").replace("\u00a0", " ").replace("<", "&lt;") for text in (*cell, "")
    )
    return "<br>".join(part for part in (f"{first} {second}".strip(), *rest) if part)


def _leaderboard(comparison: dict[str, Any]) -> LeaderboardSheet:
    from outgrow.metrics.intervals import FEWEST

    pairs, methods, bases = comparison["pairs"], comparison["methods"], _bases(comparison)
    tasks, resolved = {pair["task"] for pair in pairs}, sum("gap not resolved" not in pair["classes"] for pair in pairs)
    head = [("Method",), ("Group result", "share of the gaps"), *((f"− {base}", "points of it") for base in bases)]
    head += [("− naive", "points of the score, all pairs"), ("Rank",), ("Won, lost", "against naive")]
    rows = []
    for method in methods:
        against = method["against"]
        notes = [f"on {method['pairs']} of {len(pairs)} pairs"] if method["pairs"] < len(pairs) else []
        notes += [f"buys {method['bought']:,.0f} gold labels"] if method.get("bought") else []
        notes += gold_read(method)
        rows.append(
            (
                (method["method"], "", ", ".join(notes)),
                _share(method["group"]),
                *(_points((against.get(base) or {}).get("group")) for base in bases),
                _points((against.get("naive") or {}).get("points")),
                (f"{method['rank']:.1f}",),
                (f"{method['won']}, {method['lost']}" if "naive" in against else "–",),
            )
        )
    about = (
        f"{len(methods)} methods on {len(pairs)} pairs of {len(tasks)} tasks. Score: accuracy, or questions answered "
        "right where there are questions. Group result: the sum of (student − floor) over the sum of (ceiling − "
        f"floor), over the {resolved} pairs whose gap is resolved. Differences are paired. Intervals (95%) are for "
        f"new tasks, and in small print for new data of these tasks; pairs of one task count as one. {TOO_FEW}: "
        f"fewer than {FEWEST}, or their gaps (in means, their numbers of pairs) so unlike that others’ could come to "
        "next to nothing. None is corrected for choosing the best of so many. Rank: the mean place of its score "
        "among the methods of a pair. Won and lost: pairs on which it differs from naive, after Holm’s correction "
        "over the methods of the pair."
    )
    return LeaderboardSheet("Leaderboard", about, tuple(head), tuple(rows))


def _others(comparison: dict[str, Any]) -> LeaderboardSheet:
    bases = _bases(comparison)
    head = [
        ("Method",),
        ("Mean PGR",),
        *((f"− {base}", "points of PGR") for base in bases),
        ("Worst pair", "− naive, points"),
        ("Cost", "a pair"),
    ]
    rows = tuple(
        (
            (method["method"],),
            _share(method["pgr"]),
            *(_points((method["against"].get(base) or {}).get("pgr")) for base in bases),
            _worst(method["worst"]),
            (seconds(method["seconds"]), "", amount(method["flops"], "FLOP")),
        )
        for method in comparison["methods"]
    )
    about = (
        "Mean PGR is over the pairs whose gap is resolved: small gaps weigh as much as large ones, and make it less "
        "certain. Worst pair: the one on which the interval of the difference to naive reaches lowest, of all "
        "pairs, their gap resolved or not. Cost: seconds of training all replicates, and the arithmetic of the "
        "models that were read for it."
    )
    return LeaderboardSheet("Mean PGR, the worst pair and the cost", about, tuple(head), rows)


def _bases(comparison: dict[str, Any]) -> list[str]:
    """What methods are compared with."""
    found = {base for method in comparison["methods"] for base, its in method["against"].items() if its["points"]}
    return [base for base in COMPARED if base in found]


def _failures(comparison: dict[str, Any]) -> LeaderboardSheet:
    from outgrow.metrics.comparison import CLASSES, LEAST_ITEMS, MOST_COPIED, MOST_IMBALANCED

    counts = {name: sum(name in pair["classes"] for pair in comparison["pairs"]) for name in CLASSES}
    present = [name for name in CLASSES if counts[name]]
    head = [("Method",), *((name, f"{counts[name]} pair{'s' if counts[name] > 1 else ''}") for name in present)]
    rows = []
    for method in comparison["methods"]:
        row: list[Cell] = [(method["method"],)]
        for name in present:
            found = method["classes"].get(name) or {}
            group, difference = found.get("group"), found.get("points")
            said = f"{points(difference['value'])} points {_either(difference, point_interval)}" if difference else ""
            row.append((share(group and group["value"]), _either(group, _whole), said))
        rows.append(tuple(row))
    about = (
        "Group result by kind of pair, and in small print the difference to naive in points of the score; a pair "
        "may be of several kinds. Intervals are for new tasks, or where there are too few tasks for that, for new "
        "data of these. Gap not resolved: the interval of ceiling − floor reaches 0. Imbalanced: a majority rate "
        f"above {percent(MOST_IMBALANCED, 0)}. Emulable errors: naive repeats more than {percent(MOST_COPIED, 0)} of "
        "those errors of its supervisor that the student trained on gold does not make. Few items: fewer than "
        f"{LEAST_ITEMS} transfer items."
    )
    return LeaderboardSheet("Where each method fails", about, tuple(head), tuple(rows))


def _pairs(comparison: dict[str, Any]) -> LeaderboardSheet:
    head = (
        ("Pair",), ("Gap", "points"), ("Majority rate",), ("Errors copied", "by naive"), ("Transfer items",), ("Kind",),
    )  # fmt: skip
    rows = tuple(
        (
            (pair["task"], "", f"{pair['weak']} → {pair['strong']}"),
            (points(pair["gap"]), point_interval(pair["gap_ci"])),
            (percent(pair["majority"], 0),),
            (percent(pair["copied"], 0),),
            (f"{pair['n_transfer']:,.0f}",),
            (", ".join(pair["classes"]),),
        )
        for pair in comparison["pairs"]
    )
    return LeaderboardSheet("The pairs", "What each pair is like, and so which kind it is of.", head, rows)


def _whole(ends: Any) -> str:
    return interval(ends, 0)


def _these(figure: dict[str, Any], ends: Any) -> str:
    said = ends(figure["ci_these_tasks"])
    return said and f"{THESE}{said}"


def _either(figure: dict[str, Any] | None, ends: Any) -> str:
    """The interval for new tasks; where there are too few tasks for one, that for these."""
    return "" if figure is None else ends(figure["ci"]) or _these(figure, ends)


def _share(figure: dict[str, Any] | None) -> Cell:
    return _cell(figure, share, _whole)


def _points(figure: dict[str, Any] | None) -> Cell:
    return _cell(figure, points, point_interval)


def _cell(figure: dict[str, Any] | None, value: Any, ends: Any) -> Cell:
    if figure is None:
        return ("–",)
    these = _these(figure, ends)
    return value(figure["value"]), ends(figure["ci"]) or (these and TOO_FEW), these


def _worst(worst: dict[str, Any] | None) -> Cell:
    if worst is None:
        return ("–",)
    where = f"{worst['task']}, {worst['weak']} → {worst['strong']}"
    return points(worst["value"]), point_interval(worst["ci"]), where
