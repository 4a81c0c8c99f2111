"""docs/labelling-tools.md: its snippet makes a table that holds the votes, and its lines say what is said."""

import re
from pathlib import Path

import polars as pl

import exported
from exported import EXPORTS, ITEMS, KEYS, PEOPLE, TEXTS, VOTES
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.exports import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "labelling-tools.md").read_text(encoding="utf-8")


def snippets(heading: str) -> list[str]:
    """The Python blocks under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_files_of_several_annotators_become_a_table_with_a_row_an_annotation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"id": KEYS, "text": TEXTS}).write_csv("texts.csv")
    Path("annotators").mkdir()
    for j, name in enumerate(PEOPLE):
        mine = {i: VOTES[i, j] for i in range(ITEMS) if (i, j) in VOTES}
        table = pl.DataFrame({"id": [KEYS[i] for i in mine], "label": list(mine.values())})
        table.write_csv(Path("annotators") / f"{name}.csv")
    (snippet,) = snippets("Spreadsheets")
    exec(compile(snippet, "Spreadsheets", "exec"), {})
    given = annotators.load("joined.csv", Reading())
    clean = annotators.load(str(exported.long_csv(tmp_path)), Reading())
    assert given.task.ids.tolist() == clean.task.ids.tolist() and given.task.texts == clean.task.texts
    assert {name: str(votes) for name, votes in given.task.votes.items()} == {
        name: str(votes) for name, votes in clean.task.votes.items()
    }


def test_the_line_that_the_page_shows_is_the_line_that_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exported.label_studio(tmp_path).rename("project.json")
    annotators.load("project.json", Reading())
    assert f"    {capsys.readouterr().err}" in PAGE


def test_every_form_has_a_row_and_is_a_value_of_the_flag():
    tools = {row.split("|")[1].strip() for row in PAGE.splitlines() if row.startswith("| ")}
    assert {"Label Studio", "Argilla", "Prodigy", "doccano", "Mechanical Turk", "Snorkel", "WRENCH"} <= tools
    (flag,) = [row for row in PAGE.splitlines() if "`--format argilla`" in row]
    assert all(name in flag for name in (*FORMATS.all(), "wide"))
    assert len(EXPORTS) >= 10
