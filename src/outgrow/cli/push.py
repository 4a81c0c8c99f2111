"""outgrow push"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit


def push_(folder: Path, repository: str, /, *, public: bool = False, output: Spoken = SPOKEN) -> None:
    """Put a saved student and its model card on the Hugging Face hub, private unless --public is given.

    Of the run around the student (tables, predictions, suggested items) nothing goes along. Who you are is what
    `hf auth login` or HF_TOKEN says; the token is neither printed nor kept.

    Parameters
    ----------
    folder
        The student's folder, or that of the study that kept it.
    repository
        OWNER/NAME on the hub; it is made where there is none.
    public
        Everybody may read it.
    """
    from outgrow.workflows.push import push

    output.begin()
    pushed = push(folder, repository, public=public)
    if output.json:
        output.show(asdict(pushed))
    else:
        emit(f"pushed ({'public' if public else 'private'}): {pushed.url}")
