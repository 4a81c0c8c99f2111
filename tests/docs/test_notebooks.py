"""The notebook from a data frame to a student runs from the top, and shows what its text says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.checkpoint
@pytest.mark.timeout(600)
def test_the_notebook_from_a_frame_to_a_student_runs_and_its_student_outgrows_its_annotators() -> None:
    pytest.importorskip("nbclient", reason="nbclient is not installed: install the docs extra")
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    assert spec is not None and spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    shown = hooks.executed(DOCS / "notebooks" / "frame_to_student.ipynb")
    assert '<div class="outgrow">' in shown and "<p>The student outgrew its annotators" in shown
    assert "['bad' 'good'] ['bad' 'good']" in shown, "the classes, and the labels of the two reviews"
    assert "'README.md', 'student.json', 'student.safetensors'" in shown
    beliefs, student = (float(found) for found in re.findall(r"is right on (0\.\d+|1\.00)", shown))
    assert student > beliefs
