"""outgrow run"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit
from outgrow.tasks.tables.options import Reading

_COLUMNS = Group("How to read a table: names of columns, and more")


def run_(
    *tasks: str,
    weak: list[str] | None = None,
    strong: list[str] | None = None,
    weak_features: list[Path] | None = None,
    strong_features: list[Path] | None = None,
    method: list[str] | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    weak_gold: int | None = None,
    student: str | None = None,
    prompting: str | None = None,
    label_model: str | None = None,
    ladder: list[str] | None = None,
    auxiliary: list[str] | None = None,
    study: Path | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    track: Literal["mlflow", "wandb", "tensorboard"] | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    reading: Annotated[Reading, Parameter(name="*", group=_COLUMNS, show_default=False)] = Reading(),  # noqa: B008
    output: Spoken = SPOKEN,
) -> None:
    """Run a weak-to-strong study and write its report. Without arguments: the built-in study, on cities.

    Parameters
    ----------
    tasks
        Built-in names, paths to .parquet, .csv or .jsonl files, or hub:OWNER/NAME. They come first.
    weak
        Supervisors: a model's name (a probe on it), or another kind (`outgrow list supervisors`). For generation tasks:
        a model that is tuned on gold, or shots:MODEL, which is shown some.
    strong
        Students: model names (`outgrow list models`), hub ids or folders.
    weak_features
        Files of ready-made features for supervisors, the same as --weak features:FILE: .npz (arrays id and x) or
        .parquet (column id), joined to the items by id.
    strong_features
        The same for students.
    method
        Ways to learn from weak labels (`outgrow list methods`); the usual ones where none is named, all with `all`.
    seeds
        Replicates: each draws its own halves of the training items.
    seed
        The one integer that names the study's randomness.
    weak_gold
        Gold items that a supervisor learns from; all of its half where not given.
    student
        How the student learns: linear (default) or mlp, a head on its features without or with a hidden layer; lora or
        full, fine-tuning by low-rank updates (the default for generation tasks) or of the whole model.
    prompting
        How language models are asked in generation tasks: chat, plain, or auto (default), which is chat where a model
        has a chat template.
    label_model
        What makes one belief of several supervisors (`outgrow list label-models`): mean where not given.
    ladder
        Models between the supervisor and the student, the weakest first, for methods that climb.
    auxiliary
        Other tasks whose gold methods may use.
    study
        A TOML file with the same settings; flags win over it.
    out
        Folder for the results, by default runs/ and a name made from the study. The same command goes on where it was.
    overwrite
        Another result in that folder may go.
    track
        Tell MLflow, Weights & Biases or TensorBoard (DIR/tensorboard) the settings, the scores and the report.
    set_
        Hyper-parameters of methods, as METHOD.PARAMETER=VALUE: --set logconf.alpha=0.5
    """
    from outgrow.cli import settings, show
    from outgrow.report import tracking
    from outgrow.report.sheets import content
    from outgrow.workflows import front

    flags = {
        "tasks": tasks,
        "weak": [*(weak or []), *(f"features:{file}" for file in weak_features or [])],
        "strong": [*(strong or []), *(f"features:{file}" for file in strong_features or [])],
        "methods": method,
        "seeds": seeds,
        "seed": seed,
        "weak_gold": weak_gold,
        "student": student,
        "prompting": prompting,
        "label_model": label_model,
        "ladder": ladder,
        "auxiliary": auxiliary,
        "out": out,
    }
    output.begin()
    tracking.check(track)
    arguments = settings.merge(study, flags, reading, set_ or [])
    result = front.Study(**settings.checked(arguments)).run(overwrite=overwrite)
    if track is not None:
        tracking.track(result.path, track)
    if output.json:
        output.show(content(result.path))
        return
    show.show_(result.path)
    emit(f"report: {result.path / 'report.html'}")
