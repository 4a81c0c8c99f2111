"""docs/add-a-method.md does what it says: each of its files, alone, is all that has to be added."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import studies
import tiny_models

ROOT = Path(__file__).parents[2]
EXAMPLES = dict(
    re.findall(
        r"`src/outgrow/([\w/]+\.py)`[^\n]*\n\n```python\n(.*?)```",
        (ROOT / "docs" / "add-a-method.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
)


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A copy of the package, with the files of the document and no other change."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "src" / "outgrow", folder / "outgrow", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in EXAMPLES.items():
        assert not (folder / "outgrow" / name).exists()
        (folder / "outgrow" / name).write_text(text)
    studies.table(folder)
    tiny_models.save(folder / "model", encoder=False)
    return folder


def outgrow(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "OUTGROW_STORE": str(folder / "store")}
    command = [sys.executable, "-m", "outgrow", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_document_has_a_file_of_every_kind():
    assert {Path(name).parent.as_posix() for name in EXAMPLES} == {
        "methods",
        "supervisors",
        "tasks/builtin",
        "report/charts",
        "audits",
    }


@pytest.mark.parametrize(
    "kind, name", [("methods", "tempered"), ("supervisors", "short"), ("tasks", "parity"), ("audits", "SILENT")]
)
def test_what_was_added_is_listed(extended, kind, name):
    assert name in [line.split()[0] for line in outgrow(extended, "list", kind).splitlines()]


def test_the_added_audit_looks(extended):
    votes = pl.DataFrame(
        {"item": [1, 1, 2, 2, 3], "worker": ["a", "b", "a", "b", "b"], "label": ["yes", "no", "no", "yes", None]}
    )
    votes.write_parquet(extended / "votes.parquet")
    assert "warning SILENT" in " ".join(outgrow(extended, "audit", "votes.parquet").split())


def test_a_study_runs_the_added_method_supervisor_and_task_and_its_report_has_the_added_chart(extended):
    asked = ["run", "parity", "--weak", "short", "--strong", "model", "--method", "tempered", "--seeds", "4"]
    outgrow(extended, *asked, "--set", "tempered.temperature=3", "--out", "run")
    summary = pl.read_json(extended / "run" / "summary.json", infer_schema_length=None)
    assert summary["task"].unique().to_list() == ["parity"] and summary["weak"].unique().to_list() == ["short"]
    tempered = summary.filter(pl.col("method") == "tempered")
    assert tempered["kind"].to_list() == ["method"]
    # The shorter half are small numbers: the rule is right about as often as a coin.
    floor = summary.filter(pl.col("method") == "floor")["value"].item()
    assert 0.3 < floor < 0.7
    record = json.loads((extended / "run" / "study.json").read_text())
    assert record["resolved"]["methods"]["tempered"] == {"temperature": 3.0}
    assert "Replicates above the floor" in (extended / "run" / "report.html").read_text()


def test_the_laws_find_the_added_method_unasked(extended):
    environment = {**os.environ, "PYTHONPATH": f"{extended}{os.pathsep}{ROOT / 'tests'}"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "tempered",
        str(ROOT / "tests" / "test_laws.py"),
    ]
    done = subprocess.run(command, cwd=extended, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 4
