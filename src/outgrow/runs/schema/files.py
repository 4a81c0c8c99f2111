"""Records to files and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from outgrow.core.errors import UserError
from outgrow.core.records import REMEDY, dump, load, parse, version_of
from outgrow.metrics.comparison import Comparison
from outgrow.metrics.pgr import SummaryRow
from outgrow.runs.schema.audit import AuditFile
from outgrow.runs.schema.claim import ClaimFile
from outgrow.runs.schema.committee import CommitteeFile
from outgrow.runs.schema.learn import LearnFile
from outgrow.runs.schema.steering import SteerFile
from outgrow.runs.schema.study import DetailsFile, StudyFile
from outgrow.store import disk
from outgrow.students import student_file
from outgrow.students.student_file import StudentFile

T = TypeVar("T")
FILES: dict[str, type] = {
    "claim.json": ClaimFile,
    "study.json": StudyFile,
    "summary.json": SummaryRow,
    "details.json": DetailsFile,
    "comparison.json": Comparison,
    "audit.json": AuditFile,
    "learn.json": LearnFile,
    "committee.json": CommitteeFile,
    "steer.json": SteerFile,
    student_file.FACTS: StudentFile,
}
"""By name of the file what it holds; summary.json holds a list of rows, and student.json a checksum of its own."""


def write(path: Path, record: Any) -> None:
    """The record as a JSON file that says its version."""
    _save(path, {"version": version_of(type(record)), **dump(record)})


def write_rows(path: Path, rows: Sequence[Any]) -> None:
    """A JSON table, a record a row, each with its version: a reader of tables takes it as it is."""
    _save(path, [{"version": version_of(type(row)), **dump(row)} for row in rows])


def read(path: Path, cls: type[T]) -> T:
    """The record in a JSON file.

    Raises:
        FileNotFoundError: where there is no such file.
        UserError: where it is no JSON, or lacks a key, or a key is of the wrong kind.
    """
    return load(cls, parse(path.read_bytes(), path), path)


def read_rows(path: Path, cls: type[T]) -> list[T]:
    """The records in a JSON table. Raises as `read` does."""
    rows = parse(path.read_bytes(), path)
    if not isinstance(rows, list):
        raise UserError(f"{path} holds no rows: {REMEDY}")
    return [load(cls, row, f"{path}, row {number}") for number, row in enumerate(rows, 1)]


def _save(path: Path, value: Any) -> None:
    disk.write(path, json.dumps(value, indent=1) + "\n")
