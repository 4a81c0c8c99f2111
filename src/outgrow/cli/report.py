"""outgrow report"""

from __future__ import annotations

from pathlib import Path

from outgrow.core.progress import emit


def report_(folder: Path, /) -> None:
    """Write a run's report.html again and print its path.

    Parameters
    ----------
    folder
        The folder that `outgrow run` wrote.
    """
    from outgrow.report import write

    emit(str(write(folder)))
