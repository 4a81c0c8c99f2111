"""What a finished run holds, told to MLflow, Weights & Biases or TensorBoard: settings, scores, the report.

A score is called TASK/SUPERVISORS/STUDENT/ROW/METRIC, its PGR TASK/SUPERVISORS/STUDENT/ROW/PGR.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from outgrow.core.errors import UserError
from outgrow.core.extras import needs
from outgrow.core.progress import say
from outgrow.core.records import dump
from outgrow.metrics.pgr import SummaryRow
from outgrow.report.sheets import content
from outgrow.runs import schema
from outgrow.runs.schema.study import StudyFile

Tracker = Literal["mlflow", "wandb", "tensorboard"]
PROJECT = "outgrow"
"""Name of the experiment or project."""
LONGEST = 500
"""Characters of a setting; MLflow refuses long ones."""


@final
@dataclass(frozen=True)
class Tracked:
    """What is told of a folder."""

    folder: Path
    settings: dict[str, str]
    scores: dict[str, float]

    @property
    def report(self) -> Path:
        """The page, for people."""
        return self.folder / "report.html"


def check(tracker: Tracker | None) -> None:
    """Raise UserError where a tracker is not installed, before anything is computed for it."""
    if tracker is not None:
        needs(tracker, "track", f"`track` {tracker} needs")


def track(folder: Path, tracker: Tracker) -> None:
    """Tell a tracker about a folder of `outgrow run` or `outgrow learn`.

    Raises:
        UserError: the tracker is not installed or refuses, or the folder holds no result.
    """
    check(tracker)
    told = tracked(folder)
    try:
        _TELL[tracker](told)
    except Exception as error:
        # Addresses may hold a name and a password.
        why = re.sub(r"//[^/\s]*@", "//", str(error).strip().partition("\n")[0]) or type(error).__name__
        raise UserError(f"`track` {tracker}: {why}; the result itself is whole, in {folder}") from error
    say(f"told {tracker} about {folder}")


def tracked(folder: Path) -> Tracked:
    """Settings and scores of a folder of `outgrow run` or `outgrow learn`."""
    study = folder / "study.json"
    asked = schema.read(study, StudyFile).asked if study.is_file() else content(folder).get("how", {})
    settings = {key: (value if isinstance(value, str) else json.dumps(value))[:LONGEST] for key, value in asked.items()}
    return Tracked(folder, settings, dict(_scores(folder)))


def _scores(folder: Path) -> Iterator[tuple[str, float]]:
    facts = content(folder)
    if facts["verb"] == "run":
        rows: list[dict[str, Any]] = facts["rows"]
    elif (folder / "summary.json").is_file():
        rows = [dump(row) for row in schema.read_rows(folder / "summary.json", SummaryRow)]
    else:
        for annotator in facts["annotators"]["rows"]:
            if annotator["estimated"] is not None:
                yield _plain(f"annotator {annotator['name']}/estimated accuracy"), annotator["estimated"]
        return
    for row in rows:
        place = "/".join(row[key] for key in ("task", "weak", "strong", "method"))
        for name, value in ((row["metric"], row["value"]), ("PGR", row["pgr"])):
            if value is not None:
                yield _plain(f"{place}/{name}"), float(value)


def _plain(name: str) -> str:
    """A name of the letters that all trackers take, and a path without empty parts and dots, as MLflow wants it."""
    parts = re.sub(r"[^\w./ -]", "_", name).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _mlflow(told: Tracked) -> None:
    import mlflow

    mlflow.set_experiment(PROJECT)
    with mlflow.start_run(run_name=told.folder.name):
        mlflow.log_params(told.settings)
        mlflow.log_metrics(told.scores)
        if told.report.is_file():
            mlflow.log_artifact(str(told.report))


def _wandb(told: Tracked) -> None:
    import wandb

    with wandb.init(project=PROJECT, name=told.folder.name, config=told.settings) as run:
        run.log(told.scores)
        if told.report.is_file():
            run.log({"report": wandb.Html(str(told.report))})


def _tensorboard(told: Tracked) -> None:
    from torch.utils.tensorboard import SummaryWriter

    # Scores of an earlier, unfinished run would stand beside these.
    folder = told.folder / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(log_dir=str(folder)) as writer:
        for name, value in told.settings.items():
            writer.add_text(name, value)
        for name, score in told.scores.items():
            writer.add_scalar(name, score)


_TELL: dict[str, Callable[[Tracked], None]] = {"mlflow": _mlflow, "wandb": _wandb, "tensorboard": _tensorboard}
