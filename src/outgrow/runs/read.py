"""A run folder as plain data: what the charts and the page are made of, and nothing they would have to look up."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError

ITEMS = "accuracy"
"""The metric of single items, in which curves over training and over gold are measured."""
MAIN = ("choice", ITEMS)
"""The metric that answers a pair's question: the first of these that it has, else the first by name."""
METRICS = {
    "accuracy": "accuracy",
    "choice": "questions answered right",
    "slu_f1": "SLU-F1 of slots",
    "span_f1": "F1 of whole slots",
    "exact_calls": "calls that are right",
    "readable": "answers that can be read as a call",
}
Interval = tuple[float, float] | None
NEEDED = ("task", "weak", "strong", "method", "kind", "metric", "value")
"""What every row of summary.json has."""


@dataclass(frozen=True)
class RunRow:
    """One line of summary.json, with the replicates behind it. Scores and PGR are fractions; None = cannot be said."""

    method: str
    kind: str
    """floor | ceiling | method | contrast | control"""
    value: float | None
    value_ci: Interval = None
    pgr: float | None = None
    pgr_ci: Interval = None
    """For new data, as opposed to `pgr_ci_this_pool`."""
    pgr_ci_this_pool: Interval = None
    vs_naive: float | None = None
    vs_naive_ci: Interval = None
    vs_naive_p: float | None = None
    """Two-sided, after Holm's correction over the methods."""
    gap: float | None = None
    gap_ci: Interval = None
    status: str = "ok"
    replicates: int = 0
    n_test: int = 0
    vs_ceiling: float | None = None
    vs_ceiling_low: float | None = None
    """Its lower bound, for all methods at once."""
    above_ceiling: bool | None = None
    """Whether that is an alarm."""
    of: str | None = None
    """What the floor is, and who the best member."""
    spoke: float | None = None
    as_guess: float | None = None
    as_commonest: float | None = None
    """Of a row that is silent on some test items: its share of the others, and its score with silence a guess or the commonest class."""
    each: tuple[float, ...] = ()
    """The score of every replicate, in order."""


@dataclass(frozen=True)
class MetricView:
    """A pair measured by one metric: what the ladder, the PGR chart and the summary table show."""

    metric: str
    label: str
    rows: tuple[RunRow, ...]
    majority: float | None = None

    def row(self, method: str) -> RunRow | None:
        """The row of that name, or None."""
        return next((row for row in self.rows if row.method == method), None)

    def of(self, *kinds: str) -> list[RunRow]:
        """Rows of these kinds, kinds in the order given, best first within a kind."""
        rows = [row for row in self.rows if row.kind in kinds]
        return sorted(rows, key=lambda row: (kinds.index(row.kind), -(row.value if row.value is not None else -1)))

    @property
    def floor(self) -> RunRow | None:
        return self.row("floor")

    @property
    def ceiling(self) -> RunRow | None:
        return self.row("ceiling")

    @property
    def best(self) -> RunRow | None:
        """The method with the highest score on the test items, which flatters it a little."""
        rows = [row for row in self.of("method") if row.value is not None]
        return rows[0] if rows else None


@dataclass(frozen=True)
class RunPair:
    """One task, its supervisors and a student: a section of the report. `details` are details.json's entries, as they stand."""

    task: str
    weak: str
    strong: str
    views: tuple[MetricView, ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> MetricView:
        """The view by the metric that answers the pair's question: of a task with questions, questions answered right."""
        return self.views[0]

    @property
    def by_item(self) -> MetricView:
        """The view by the metric of single items; the main view where there is none."""
        return next((view for view in self.views if view.metric == ITEMS), self.main)

    @property
    def several(self) -> bool:
        """Whether several supervisors taught together."""
        return "+" in self.weak

    @property
    def outdated(self) -> bool:
        """Whether its floor is the best of several supervisors alone, as earlier versions wrote it, and not what taught."""
        floor = self.main.floor
        return self.several and floor is not None and floor.of is None

    @property
    def replicates(self) -> int:
        return max((row.replicates for row in self.main.rows), default=0)

    def get(self, section: str) -> Any:
        """A section of details.json: a list where it is absent, so that charts can ask without checking."""
        return self.details.get(section) or []

    def entry(self, section: str, method: str) -> dict[str, Any] | None:
        """The entry of one method in a section of details.json."""
        return next((entry for entry in self.get(section) if entry.get("method") == method), None)


@dataclass(frozen=True)
class Report:
    """A whole run folder."""

    study: dict[str, Any]
    pairs: tuple[RunPair, ...]
    tasks: dict[str, Any]
    models: dict[str, Any]
    methods: dict[str, Any]
    costs: list[dict[str, Any]]
    comparison: dict[str, Any] | None = None
    """comparison.json; None where there are too few pairs or methods to compare."""
    findings: tuple[dict[str, Any], ...] = ()
    """What audits found, the gravest first (audit.json)."""
    at_length: bool = True
    """False: a comparison of runs, each of whose own reports shows its pairs at length."""


def read(folder: Path) -> Report:
    """The run in `folder`. Raises UserError where that is no run folder; what a section lacks is left out of the report."""
    folder = Path(folder)
    summary = _json(folder / "summary.json", list, needed=True)
    study, details = _json(folder / "study.json", dict, needed=True), _json(folder / "details.json", dict) or {}
    for row in summary:
        if not isinstance(row, dict) or (lacks := [name for name in NEEDED if name not in row]):
            said = (
                f"a row without {', '.join(lacks)}"
                if isinstance(row, dict)
                else f"a row that is no record: {row!r:.40}"
            )
            raise UserError(
                f"{folder / 'summary.json'} holds {said}: it is of another version, or damaged: run the study again, into another folder"
            )
    each = _replicates(folder / "cells.parquet")
    by_pair: dict[tuple[str, str, str], list[dict]] = {}
    for row in summary:
        by_pair.setdefault((row["task"], row["weak"], row["strong"]), []).append(row)
    entries = {(e.get("task"), e.get("weak"), e.get("strong")): e for e in details.get("pairs", [])}
    pairs = tuple(_pair(key, rows, entries.get(key, {}), each) for key, rows in by_pair.items())
    if not pairs:
        raise UserError(f"{folder / 'summary.json'} holds no rows: run the study again, into another folder")
    return Report(
        study=study,
        pairs=pairs,
        tasks=details.get("tasks") or {},
        models=details.get("models") or {},
        methods=details.get("methods") or {},
        costs=details.get("costs") or [],
        comparison=_json(folder / "comparison.json", dict),
        findings=tuple((_json(folder / "audit.json", dict) or {}).get("findings", ())),
    )


def join(reports: Sequence[Report], comparison: dict[str, Any]) -> Report:
    """Several runs as one report; what was asked and what it cost stays with each of them."""
    return Report(
        study={},
        pairs=tuple(pair for report in reports for pair in report.pairs),
        tasks={name: task for report in reports for name, task in report.tasks.items()},
        models={name: model for report in reports for name, model in report.models.items()},
        methods={name: method for report in reports for name, method in report.methods.items()},
        costs=[],
        comparison=comparison,
        at_length=False,
    )


def _pair(key: tuple[str, str, str], rows: list[dict], details: dict, each: dict) -> RunPair:
    metrics = sorted({row["metric"] for row in rows}, key=_rank)
    views = []
    for metric in metrics:
        shown = tuple(_row(row, each.get((*key, row["method"], metric), ())) for row in rows if row["metric"] == metric)
        majority = details.get("majority") if metric == ITEMS else None
        views.append(MetricView(metric, METRICS.get(metric, metric), shown, majority))
    return RunPair(*key, tuple(views), details)


def _rank(metric: str) -> tuple[int, str]:
    """Sorts metrics, the main one first."""
    return (MAIN.index(metric) if metric in MAIN else len(MAIN), metric)


def _row(row: dict, each: tuple[float, ...]) -> RunRow:
    known = {name: row[name] for name in RunRow.__dataclass_fields__ if name in row}
    for name in ("value_ci", "pgr_ci", "pgr_ci_this_pool", "vs_naive_ci", "gap_ci"):
        ends = known.get(name)
        known[name] = tuple(ends) if ends and None not in ends else None
    return RunRow(**known, each=each)


def _replicates(path: Path) -> dict[tuple, tuple[float, ...]]:
    """Scores by (task, weak, strong, method, metric), one a replicate; the floor and ceiling are columns of every cell."""
    if not path.exists():
        return {}
    import polars as pl

    keys = ["task", "weak", "strong", "method", "metric"]
    try:
        cells = pl.read_parquet(path, glob=False).sort("replicate", maintain_order=True)
        cells = cells.select(*keys, "value", *(name for name in ("floor", "ceiling") if name in cells.columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): run the same command again") from None
    found: dict[tuple, tuple[float, ...]] = {}
    for key, cell in cells.group_by(keys, maintain_order=True):
        found[key] = tuple(float(x) for x in cell["value"] if x is not None and math.isfinite(x))
        for name in ("floor", "ceiling"):
            if name in cell.columns:
                values = tuple(float(x) for x in cell[name] if x is not None and math.isfinite(x))
                found.setdefault((*key[:3], name, key[4]), values)
    return found


def _json(path: Path, kind: type, needed: bool = False) -> Any:
    """The file's content, with NaN and infinities as None."""
    if not path.exists():
        if needed:
            raise UserError(
                f"{path.parent} is no run folder: it holds no {path.name}; give the folder that a run wrote"
            )
        return None
    try:
        found = _finite(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error}): run the study again") from None
    if not isinstance(found, kind):
        raise UserError(
            f"{path} holds no {'rows' if kind is list else 'record'}: it is of another version, or damaged: run the study again, into another folder"
        )
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
