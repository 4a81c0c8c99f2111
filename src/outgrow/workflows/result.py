"""What a finished study says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import polars

    from outgrow.students.saved import SavedStudent
    from outgrow.students.saved_text import SavedGenerator


@final
class Result:
    """A finished study.

    Args:
        path: its run folder.

    Example:
        >>> Result(Path("runs/cities")).path.name        # of a study that was run before
        'cities'
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

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
        from outgrow import report

        return report.write(self.path, None if path is None else Path(path))
