"""docs/extend.md does what it says: its package adds to every kind, and its objects go where names go."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

import forked
import studies
import tiny_models

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`(toy/\w+\.py)`[^\n]*\n\n```python\n(.*?)```", TEXT, re.DOTALL))
POINTS = tomllib.loads(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])["project"]["entry-points"]
OBJECTS = re.search(r"```python\n(# objects\.py\n.*?)```", TEXT, re.DOTALL)[1]
ADDED = {
    "methods": ["tempered", "focal"],
    "supervisors": ["short"],
    "tasks": ["parity"],
    "verifiers": ["terse"],
    "losses": ["focal"],
    "label-models": ["boldest"],
    "audits": ["SILENT"],
    "charts": ["members"],
}


def outgrow(folder: Path, *arguments: str, plugged: bool = True, code: int = 0) -> str:
    environment = {**os.environ, "OUTGROW_STORE": str(folder / "store"), "PYTHONDONTWRITEBYTECODE": "1"}
    if plugged:
        environment["PYTHONPATH"] = str(folder / "site")
    done = forked.run([sys.executable, "-m", "outgrow", *arguments], folder, environment)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the document's package installed into `site`, a small model and a table of votes."""
    folder = tmp_path_factory.mktemp("installed")
    site = folder / "site"
    (site / "toy").mkdir(parents=True)
    (site / "toy" / "__init__.py").write_text("")
    for name, text in FILES.items():
        (site / name).write_text(text)
    facts = site / "toy-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in POINTS.items()]
    (facts / "entry_points.txt").write_text("\n".join(lines))
    studies.table(folder)
    tiny_models.save(folder / "model", encoder=False)
    return folder


STUDY = ["run", "parity", "--weak", "short+tfidf", "--label-model", "boldest", "--strong", "model", "--seeds", "4"]
STUDY += ["--method", "tempered", "focal", "--set", "tempered.temperature=3", "--out", "run"]


@pytest.fixture(scope="module")
def studied(installed) -> Path:
    outgrow(installed, *STUDY)
    return installed


def test_the_document_has_a_file_and_an_entry_point_of_every_kind():
    assert {group.partition(".")[2].replace("_", "-") for group in POINTS} == ADDED.keys()
    assert {place.partition(":")[0] for points in POINTS.values() for place in points.values()} == {
        file.removesuffix(".py").replace("/", ".") for file in FILES
    }


def test_what_a_package_adds_is_listed(installed):
    listed = {line.partition(":")[0]: line for line in outgrow(installed, "list").splitlines() if ":" in line}
    assert "broken" not in outgrow(installed, "list", "charts")
    for kind, names in ADDED.items():
        assert [name for name in names if not re.search(rf"\b{name}\b", listed[kind])] == [], kind
    without = outgrow(installed, "list", plugged=False)
    assert not [name for name in ("tempered", "parity", "terse", "boldest", "SILENT") if name in without]


def test_a_study_uses_the_added_method_supervisor_task_loss_and_label_model(studied):
    summary = pl.read_json(studied / "run" / "summary.json", infer_schema_length=None)
    assert summary["task"].unique().to_list() == ["parity"] and summary["weak"].unique().to_list() == ["short+tfidf"]
    assert {"tempered", "focal"} <= set(summary.filter(pl.col("kind") == "method")["method"])
    assert "label-model:boldest" in set(summary["method"])
    record = json.loads((studied / "run" / "study.json").read_text())
    assert record["resolved"]["methods"]["tempered"] == {"temperature": 3.0}


def test_its_report_has_the_added_chart_and_the_finding_of_the_added_audit(studied):
    page = (studied / "run" / "report.html").read_text()
    assert "Replicates above the floor" in page and "Nobody labels 0% of items." in page


def test_a_changed_constant_of_an_added_method_changes_its_rows_and_nothing_else(studied):
    def rows() -> set[tuple[str, str]]:
        made = [(file, json.loads(file.read_text())["made_of"]) for file in studied.glob("store/*/*/record.json")]
        return {(file.parent.parent.name, one.get("row", ""), json.dumps(one)) for file, one in made}

    before, cells = rows(), pl.read_parquet(studied / "run" / "cells.parquet")
    file = studied / "site" / "toy" / "methods.py"
    text = file.read_text()
    try:
        file.write_text(text.replace("weak.beliefs ** (1 / temperature)", "(1 - weak.beliefs) ** (1 / temperature)"))
        outgrow(studied, *STUDY, "--overwrite")
    finally:
        file.write_text(text)
    assert {(kind, row) for kind, row, _ in rows() - before} == {("block", "tempered")}
    after = pl.read_parquet(studied / "run" / "cells.parquet")
    changed = pl.concat([cells, after]).unique(keep="none")["method"].unique().to_list()
    assert changed == ["tempered"]


def test_the_added_audit_looks_at_votes(installed):
    votes = {"item": [1, 1, 2, 2, 3], "worker": ["a", "b", "a", "b", "b"], "label": ["yes", "no", "no", "yes", None]}
    pl.DataFrame(votes).write_parquet(installed / "votes.parquet")
    assert "warning SILENT" in " ".join(outgrow(installed, "audit", "votes.parquet").split())


def test_a_committee_uses_the_added_verifier(installed):
    rows = [(f"q{n}", model, answer) for n in range(20) for model, answer in (("m1", f"{n}"), ("m2", f"about {n}"))]
    table = [{"item": item, "model": model, "answer": answer, "gold": item[1:]} for item, model, answer in rows]
    pl.DataFrame(table).write_csv(installed / "answers.csv")
    told = outgrow(
        installed, "committee", "answers.csv", "--verifier", "terse", "--scorer", "exact", "--out", "committee"
    )
    facts = (installed / "committee" / "committee.json").read_text()
    assert "terse" in told and '"terse"' in facts


def test_a_student_with_an_added_loss_is_saved_and_predicts_in_another_process(installed):
    rows = [
        {"text": f"text {n} {'up' if n % 2 else 'down'}", "v": "yn"[n % 2], "w": "yn"[(n % 5 > 0) * n % 2]}
        for n in range(200)
    ]
    pl.DataFrame(rows).write_csv(installed / "mine.csv")
    outgrow(
        installed,
        "learn",
        "mine.csv",
        "--votes",
        "v",
        "w",
        "--method",
        "focal",
        "--strong",
        "model",
        "--out",
        "student",
    )
    heads = json.loads((installed / "student" / "student.json").read_text())
    assert '"loss": "focal"' in json.dumps(heads)
    outgrow(installed, "predict", "student", "mine.csv", "--out", "labelled.csv")
    assert len(pl.read_csv(installed / "labelled.csv")) == 200
    error = outgrow(installed, "predict", "student", "mine.csv", "--out", "no.csv", plugged=False, code=2)
    assert error.count("\n") == 1 and "unknown loss 'focal'" in error


def test_the_laws_find_an_added_method_unasked(installed):
    environment = {**os.environ, "PYTHONPATH": f"{installed / 'site'}{os.pathsep}{ROOT / 'tests'}"}
    laws = [str(ROOT / "tests" / "methods" / "test_laws.py"), "-k", "tempered"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        *laws,
    ]
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 4


def test_a_file_of_the_document_in_this_tree_is_found_without_an_entry_point(tmp_path):
    shutil.copytree(ROOT / "src" / "outgrow", tmp_path / "outgrow", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "outgrow" / "supervisors" / "short.py").write_text(FILES["toy/supervisors.py"])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "outgrow", "list", "supervisors"]
    done = forked.run(command, tmp_path, environment)
    assert "short" in [line.split()[0] for line in done.stdout.splitlines()], done.stderr


def test_objects_go_where_names_go_and_are_kept_under_what_they_see(installed):
    def run(text: str = OBJECTS) -> set[str]:
        (installed / "objects.py").write_text(text)
        environment = {**os.environ, "OUTGROW_STORE": str(installed / "own"), "PYTHONDONTWRITEBYTECODE": "1"}
        show = "from objects import summary; print(sorted({*summary['weak']}), sorted({*summary['method']}))"
        command = [sys.executable, "-c", show]
        done = forked.run(command, installed, environment)
        assert done.returncode == 0, done.stderr
        assert "praises+cautious" in done.stdout and "tfidf" in done.stdout and "'sharper'" in done.stdout
        return {json.dumps(json.loads(file.read_text())["made_of"]) for file in installed.glob("own/*/*/record.json")}

    first = run()
    assert run() == first, "nothing is computed twice"
    fresh = run(OBJECTS.replace("[0.6, 0.4]", "[0.9, 0.1]")) - first
    assert [one for one in fresh if '"supervisor": ["cautious"' in one]
    assert not [one for one in fresh if '"supervisor": ["praises"' in one]
