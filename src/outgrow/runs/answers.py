"""The answers of a committee as a table: a row for each answer, whether it is right, and every verdict on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow.pipeline.bench import SOUNDNESS
from outgrow.pipeline.choices import Bench
from outgrow.tasks.task import GenerationTask


def answer_table(task: GenerationTask, benches: Sequence[Bench]) -> Any:
    """A data frame with a row for each answer: whether it is right, and every verdict on it."""
    import polars as pl

    names = tuple(dict.fromkeys(name for b in benches for name in b.verdicts))
    frames = []
    for b in benches:
        a = b.answers
        columns: dict[str, Any] = {
            "item": [task.ids[i] for i in a.item],
            "prompt": [task.prompts[i] for i in a.item],
            "model": [a.supervisors[j] for j in a.supervisor],
            "draw": a.sample,
            "answer": list(a.texts),
            "logprob": [None if np.isnan(x) else float(x) for x in a.logprob],
            "correct": b.right,
            "shown": b.shown if b.shown is not None else [None] * len(b.right),
            "cut": b.cut if b.cut is not None else [None] * len(b.right),
        }
        for name in names:
            columns |= {
                f"{name}": [SOUNDNESS[s] for s in b.verdicts[name].standing.tolist()],
                f"{name}_why": list(b.verdicts[name].why),
            }
        schema = {
            "logprob": pl.Float64,
            "correct": pl.Boolean,
            "shown": pl.Boolean,
            "cut": pl.Boolean,
            **{name: pl.Boolean for name in names},
        }
        frames.append(pl.DataFrame(columns, schema_overrides=schema))
    return pl.concat(frames)
