"""outgrow steer"""

from __future__ import annotations

from pathlib import Path

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit


def steer_(
    task: str,
    /,
    *,
    strong: str = "smollm2-135m",
    small: str = "sibling",
    weak: str | None = None,
    alpha: float = 1.0,
    seeds: int = 1,
    knowledge: str = "cities",
    prompting: str = "auto",
    items: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
    output: Spoken = SPOKEN,
) -> None:
    """Steer a frozen strong model by a small one that is tuned, and compare with tuning the strong one itself.

    Parameters
    ----------
    task
        A generation task (`outgrow list tasks`), NAME or NAME:DIAL, or a table with columns prompt and answer.
    strong
        The model that stays as it is: a model name, a hub id or a folder.
    small
        The model that is tuned, of the same vocabulary; sibling makes one of two thirds of the strong model's blocks,
        sibling:NAME:DEPTH one of so many blocks of that model.
    weak
        A language model whose answers to the training half are learned from; without it gold is.
    alpha
        How much of what tuning changes in the small model is added to the strong one.
    seeds
        Tunings, each with its own seed; of four and more the intervals tell how they differ.
    knowledge
        The built-in task whose statements say what was forgotten: cities or translations.
    prompting
        How models are asked: chat, plain, or auto, which is chat where a model has a chat template.
    items
        Items of the task, at most; half of them teach, half judge.
    seed
        The one integer that names the randomness.
    out
        Folder for steer.json and steer.html (default: in runs).
    overwrite
        Another result in that folder may go.
    """
    from outgrow.report.proxy_tuning import aside, headline
    from outgrow.workflows import proxy_tuning

    output.begin()
    found = proxy_tuning.steer(
        task,
        strong=strong,
        small=small,
        weak=weak,
        alpha=alpha,
        seeds=seeds,
        knowledge=knowledge,
        prompting=prompting,
        items=items,
        seed=seed,
        out=out,
        overwrite=overwrite,
    )
    if output.json:
        output.show(found.facts)
        return
    answer = headline(found.facts)
    emit(f"{answer.label}. {answer.plain} {aside(found.facts)}".replace("\xa0", " "))
    emit(f"report: {found.page}")
