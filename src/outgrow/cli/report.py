"""outgrow report"""

from __future__ import annotations

from pathlib import Path

from outgrow.core.progress import emit


def report_(folder: Path, /) -> None:
    """Write the page of a folder that outgrow wrote again, and print its path.

    Parameters
    ----------
    folder
        The folder of a study, a learned student, an audit, a committee or a steered model.
    """
    from outgrow import report
    from outgrow.report import audit, committee, learn, proxy_tuning
    from outgrow.report.sheets import content
    from outgrow.runs.folder import verb_of
    from outgrow.store import disk

    verb = verb_of(folder)
    if verb == "run":
        page = report.write(folder)
    else:
        page = folder / ("report.html" if verb == "learn" else f"{verb}.html")
        pages = {"audit": audit, "committee": committee, "learn": learn, "steer": proxy_tuning}
        disk.write(page, pages[verb].render(content(folder)))
    emit(str(page))
