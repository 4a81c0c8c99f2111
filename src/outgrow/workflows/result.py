"""What a finished job gives back in Python: its folder, read again when asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

if TYPE_CHECKING:
    import polars

    from outgrow.audits import Finding
    from outgrow.students.saved import SavedStudent
    from outgrow.students.saved_text import SavedGenerator


class FolderResult(ABC):
    """A finished job.

    Args:
        path: its folder.
    """

    VERB: ClassVar[str]
    """The job that wrote the folder."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @abstractmethod
    def report(self, path: Path | str | None = None) -> Path:
        """Write the report, by default into the folder, and say where it is."""

    def _repr_html_(self) -> str:
        from outgrow.report.sheets import notebook

        return notebook(self.path, self.VERB)


@final
class Result(FolderResult):
    """A finished study.

    Args:
        path: its run folder.

    Example:
        >>> Result(Path("runs/cities")).path.name        # of a study that was run before
        'cities'
    """

    VERB = "run"

    @property
    def summary(self) -> polars.DataFrame:
        """The rows of summary.json as a polars data frame."""
        import polars

        return polars.read_json(self.path / "summary.json", infer_schema_length=None).drop("version", strict=False)

    @property
    def cells(self) -> polars.DataFrame:
        """The rows of cells.parquet as a polars data frame."""
        import polars

        return polars.read_parquet(self.path / "cells.parquet", glob=False)

    @property
    def student(self) -> SavedStudent | SavedGenerator:
        """The student of the first method after naive, by its first replicate.

        Raises:
            UserError: none was kept, or there are several.
        """
        from outgrow.students.saved import load

        return load(self.path)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report (default: report.html in the run folder) and say where it is."""
        return _page(self.path, path)


@final
class LearnResult(FolderResult):
    """A student that was taught by votes, and how far it can be trusted."""

    VERB = "learn"

    @property
    def student(self) -> SavedStudent | SavedGenerator:
        """The student: `predict(texts)` gives classes, `predict_proba(texts)` (n, C) in the order of `classes_`."""
        from outgrow.students.saved import load

        return load(self.path)

    @property
    def facts(self) -> dict[str, Any]:
        """What learn.json holds: annotators, trust, verdict, suggestions, findings."""
        from outgrow.report.learn import read

        return read(self.path)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report (default: report.html in the student's folder) and say where it is."""
        return _page(self.path, path)

    def __repr__(self) -> str:
        from outgrow.report.learn import told

        return told(self.path)


@final
class AuditResult(FolderResult):
    """What audits found."""

    VERB = "audit"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, the gravest first."""
        from outgrow.runs import schema
        from outgrow.runs.schema.audit import AuditFile

        return schema.read(self.path / "audit.json", AuditFile).findings

    def report(self, path: Path | str | None = None) -> Path:
        """Write the page of findings (default: audit.html in the folder) and say where it is."""
        from outgrow.report import audit

        return audit.page(self.path, None if path is None else Path(path))

    def __repr__(self) -> str:
        from outgrow.report.audit import told

        return told(self.findings)


def _page(folder: Path, path: Path | str | None) -> Path:
    from outgrow import report

    return report.write(folder, None if path is None else Path(path))
