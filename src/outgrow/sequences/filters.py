"""Fewer answers, better ones: those that the supervisor is sure of, or that the task's own check does not refuse.

    confidence_filter    the share `keep` of items with the largest mean log p of the tokens of their best beam
    verified             of every item the likeliest beam that is not found unsound; items without one are left out
"""

import numpy as np

from outgrow.sequences import method


@method(paper="Burns et al. 2023 (arXiv 2312.09390): confidence thresholding of labels")
def confidence_filter(weak, student, *, keep: float = 0.5):
    """Learn only the answers that the supervisor is most sure of."""
    sure = np.array([np.mean(answer.logprobs) for answer in weak.best])
    kept = set(np.argsort(-sure, kind="stable")[: max(1, round(keep * len(sure)))].tolist())
    return student.tune(weak.examples([answer.text if i in kept else None for i, answer in enumerate(weak.best)]))


@method(paper="Zelikman et al. 2022 (arXiv 2203.14465), with a check in the place of gold", usual=True)
def verified(weak, student, verify):
    """Learn the likeliest answer that the task's own check does not refuse."""
    beams = weak.beams[int(weak.skill.argmax())]
    items = [i for i, row in enumerate(beams) for _ in row]
    verdicts = verify(items, [answer.text for row in beams for answer in row])
    chosen: list[str | None] = [None] * len(beams)
    for i, answer, verdict in zip(items, (a for row in beams for a in row), verdicts, strict=True):
        if chosen[i] is None and verdict.sound is not False:
            chosen[i] = answer.text
    return student.tune(weak.examples(chosen))
