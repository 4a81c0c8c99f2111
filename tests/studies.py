"""A small table, small random checkpoints and a study of them: real code from end to end in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import outgrow
import tiny_models
from outgrow.students import generator


def table(folder: Path, rows: int = 160, seed: int = 0) -> Path:
    """Sentences of known words; the label says whether `true` stands in them, mostly."""
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(rows):
        words = list(rng.choice(tiny_models.WORDS[:10], 5))
        label = int(rng.integers(2))
        words[int(rng.integers(5))] = ("true" if label else "false") if rng.random() < 0.85 else "very"
        said = label if rng.random() < 0.75 else 1 - label
        lines.append(json.dumps({"text": " ".join([*words, str(i)]), "label": label, "vote": said}))
    path = folder / "table.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def short_tunings(patch: pytest.MonkeyPatch) -> None:
    """Students of texts read few answers twice, as they do many."""
    patch.setattr(generator, "epochs", lambda letters, least=2.0, read=None: least)


def study(folder: Path, **changes) -> outgrow.Study:
    """`table` under TF-IDF and a tiny language model, two methods, four replicates."""
    known = folder / "table.jsonl"
    model = folder / "model"
    if not model.exists():
        tiny_models.save(model, encoder=False)
    asked = {
        "tasks": [str(known if known.exists() else table(folder))], "weak": ["tfidf"], "strong": str(model),
        "methods": ["naive", "logconf"], "seeds": 4, "out": folder / "run",
    }  # fmt: skip
    return outgrow.Study(**(asked | changes))
