"""outgrow cite"""

from __future__ import annotations

from pathlib import Path

from outgrow.core.progress import emit


def cite_(*folders: Path) -> None:
    """Print BibTeX of outgrow, and of the papers whose methods, label models, checks and audits a result came from.

    Parameters
    ----------
    folders
        Folders that outgrow wrote; without one, outgrow alone.
    """
    from outgrow.report.citations import bibliography

    emit(bibliography(folders))
