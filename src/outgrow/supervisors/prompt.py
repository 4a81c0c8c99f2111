"""A language model with a zero-shot prompt, which has learned nothing from this task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outgrow.supervisors import SupervisorView, supervisor
from outgrow.tasks.task import Task

if TYPE_CHECKING:
    from outgrow.models.language_model import ZeroShot
    from outgrow.store import Store

PREFER = "Which of the two is better?\n\nA: {first}\n\nB: {second}\n\nThe better one is"


@supervisor(argument="model", learns=False)
def prompt(view: SupervisorView, model: str) -> np.ndarray:
    """A zero-shot prompt of a language model: probabilities of the words that name the classes."""
    p = ask(view.task, range(len(view.task)), model, view.store)[0]
    return np.broadcast_to(p, (len(view.gold), *p.shape))


def ask(task: Task, items: Sequence[int], model: str, store: Store) -> tuple[np.ndarray, ZeroShot]:
    """Zero-shot probabilities (n, C) of items, and the engine's record (seconds, flops).

    Two texts are compared in both orders, since models favour the first place.
    """
    from outgrow import models

    resolved, texts = models.resolve(model, store), task.read(f"prompt:{model}")
    if task.kind != "prefer":
        prompts = [task.ask.format(text=texts[i][0]) for i in items]
        answer = models.zero_shot(resolved, prompts, [f" {word}" for word in task.words], store)
        return answer.probs, answer
    pairs = [texts[i] for i in items]
    asked = [PREFER.format(first=a, second=b) for a, b in pairs] + [PREFER.format(first=b, second=a) for a, b in pairs]
    answer = models.zero_shot(resolved, asked, (" A", " B"), store)
    straight, swapped = np.split(np.asarray(answer.probs), 2)
    return (straight + swapped[:, ::-1]) / 2, answer
