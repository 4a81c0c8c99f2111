"""The command a newcomer types, smaller, on the real checkpoints: fetched, converted, read, taught, judged, shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.store import Store

ROWS = {
    "floor": {"floor"},
    "ceiling": {"ceiling"},
    "method": {"naive", "hardened", "logconf", "product"},
    "control": {"shuffled", "gold-naive", "own-features"},
    "contrast": {"zero-shot", "gold-few", "iid-noise", "cheat-stop"},
}


@pytest.mark.checkpoint
def test_a_study_of_real_models_from_the_command_to_the_report(tmp_path):
    named = os.environ.get("OUTGROW_STORE")
    store = Path(named) if named else tmp_path / "store"
    for name in ("minilm-l6", "smollm2-135m"):
        try:
            models.resolve(name, Store(store))
        except UserError as error:
            pytest.skip(f"{name} cannot be had: {error}")
    command = [sys.executable, "-m", "outgrow", "run", "cities", "--items", "400", "--seeds", "8", "--out", "run"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "OUTGROW_STORE": str(store)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    summary = pl.read_json(run / "summary.json", infer_schema_length=None)
    assert {kind: set(names) for kind, names in summary.group_by("kind").agg("method").iter_rows()} == ROWS
    score = dict(summary.select("method", "value").iter_rows())
    # 80 test items: enough to tell a model that was read rightly from one that was not, not more.
    assert score["ceiling"] > score["floor"] > 0.5 and score["gold-few"] > score["floor"]
    details = json.loads((run / "details.json").read_text())
    assert [control["passed"] for control in details["pairs"][0]["controls"]] == [True] * 4
    probs = [
        pl.read_parquet(next((run / "predictions").rglob(f"{name}.parquet"))) for name in ("ceiling", "gold-naive")
    ]
    assert probs[0].equals(probs[1])
    assert "smollm2-135m" in done.stdout and (run / "report.html").stat().st_size > 50_000
