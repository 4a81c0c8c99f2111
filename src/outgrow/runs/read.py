"""A run folder as plain data: what the charts and the page are made of, and nothing they would have to look up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.metrics.comparison import Comparison
from outgrow.metrics.pgr import SummaryRow
from outgrow.runs.schema import read as read_record
from outgrow.runs.schema import read_rows
from outgrow.runs.schema.audit import AuditFile
from outgrow.runs.schema.study import DetailsFile, StudyFile

T = TypeVar("T")
Scores = dict[tuple[str, ...], tuple[float, ...]]
"""By (task, weak, strong, method, metric) the scores of the replicates."""
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


@dataclass(frozen=True)
class MetricView:
    """A pair measured by one metric: what the ladder, the PGR chart and the summary table show."""

    metric: str
    label: str
    rows: tuple[SummaryRow, ...]
    majority: float | None = None
    each: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Row -> the score of every replicate, in order."""

    def row(self, method: str) -> SummaryRow | None:
        """The row of that name, or None."""
        return next((row for row in self.rows if row.method == method), None)

    def of(self, *kinds: str) -> list[SummaryRow]:
        """Rows of these kinds, kinds in the order given, best first within a kind."""
        rows = [row for row in self.rows if row.kind in kinds]
        return sorted(rows, key=lambda row: (kinds.index(row.kind), -(row.value if row.value is not None else -1)))

    @property
    def floor(self) -> SummaryRow | None:
        return self.row("floor")

    @property
    def ceiling(self) -> SummaryRow | None:
        return self.row("ceiling")

    @property
    def best(self) -> SummaryRow | None:
        """The method with the highest score on the test items, which flatters it a little."""
        rows = [row for row in self.of("method") if row.value is not None]
        return rows[0] if rows else None


@dataclass(frozen=True)
class RunPair:
    """One task, its supervisors and a student: a section of the report. `details` is its entry in details.json."""

    task: str
    weak: str
    strong: str
    views: tuple[MetricView, ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> MetricView:
        """The view by the deciding metric of the pair: of a task with questions, the share that is answered right."""
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
        """Whether the floor is the best of several supervisors alone, as in earlier versions, and not what taught."""
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
    """The run in `folder`. Raises UserError where that is no run folder, or a file in it is damaged."""
    folder = Path(folder)
    rows = _needed(folder / "summary.json", read_rows, SummaryRow)
    study = _needed(folder / "study.json", read_record, StudyFile)
    details = _read(folder / "details.json", DetailsFile) or DetailsFile()
    each = _replicates(folder / "cells.parquet")
    by_pair: dict[tuple[str, str, str], list[SummaryRow]] = {}
    for row in rows:
        by_pair.setdefault((row.task, row.weak, row.strong), []).append(row)
    if not by_pair:
        raise UserError(f"{folder / 'summary.json'} holds no rows: run the study again, into another folder")
    entries = {(entry.task, entry.weak, entry.strong): dump(entry) for entry in details.pairs}
    comparison = _read(folder / "comparison.json", Comparison)
    audit = _read(folder / "audit.json", AuditFile)
    return Report(
        study=dump(study),
        pairs=tuple(_pair(key, its, entries.get(key, {}), each) for key, its in by_pair.items()),
        tasks=dump(details.tasks),
        models=dump(details.models),
        methods=dump(details.methods),
        costs=dump(details.costs),
        comparison=None if comparison is None else dump(comparison),
        findings=() if audit is None else tuple(dump(audit.findings)),
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


def _pair(key: tuple[str, str, str], rows: list[SummaryRow], details: dict[str, Any], each: Scores) -> RunPair:
    views = []
    for metric in sorted({row.metric for row in rows}, key=_rank):
        shown = tuple(row for row in rows if row.metric == metric)
        majority = details.get("majority") if metric == ITEMS else None
        ticks = {row.method: each.get((*key, row.method, metric), ()) for row in shown}
        views.append(MetricView(metric, METRICS.get(metric, metric), shown, majority, ticks))
    return RunPair(*key, tuple(views), details)


def _rank(metric: str) -> tuple[int, str]:
    """Sorts metrics, the main one first."""
    return (MAIN.index(metric) if metric in MAIN else len(MAIN), metric)


def _replicates(path: Path) -> Scores:
    """Scores by (task, weak, strong, method, metric), one a replicate; every cell holds floor and ceiling."""
    if not path.exists():
        return {}
    import polars as pl

    keys = ["task", "weak", "strong", "method", "metric"]
    try:
        cells = pl.read_parquet(path, glob=False).sort("replicate", maintain_order=True)
        cells = cells.select(*keys, "value", *(name for name in ("floor", "ceiling") if name in cells.columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): run the same command again") from None
    found: Scores = {}
    for key, cell in cells.group_by(keys, maintain_order=True):
        found[key] = tuple(float(x) for x in cell["value"] if x is not None and math.isfinite(x))
        for name in ("floor", "ceiling"):
            if name in cell.columns:
                values = tuple(float(x) for x in cell[name] if x is not None and math.isfinite(x))
                found.setdefault((*key[:3], name, key[4]), values)
    return found


def _needed(path: Path, reader: Callable[[Path, type], Any], cls: type) -> Any:
    try:
        return reader(path, cls)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{path.parent} is no run folder: it holds no {path.name}; give the folder that a run wrote"
        ) from None


def _read(path: Path, cls: type[T]) -> T | None:
    return read_record(path, cls) if path.exists() else None
