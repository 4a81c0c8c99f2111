"""docs/labelling-tools.md: each snippet turns an export of its tool's form into tables that hold the same votes."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators

PAGE = (Path(__file__).parents[2] / "docs" / "labelling-tools.md").read_text(encoding="utf-8")
ITEMS, PEOPLE = 30, ("ann", "bob", "eve")
TEXTS = [f"message number {i} says {'buy' if i % 2 else 'hello'}" for i in range(ITEMS)]


def snippets(heading: str) -> list[str]:
    """The Python blocks under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def said(i: int, person: int) -> str:
    """The label of a person for an item: wrong for one item in seven, of another residue for each person."""
    return ("ham", "spam")[(i % 2) ^ (i % 7 == person)]


def silent(i: int, person: int) -> bool:
    """Whether the person skipped the item."""
    return i % 10 == person


VOTES = {(i, j): said(i, j) for i in range(ITEMS) for j in range(len(PEOPLE)) if not silent(i, j)}


def label_studio(folder: Path) -> None:
    def result(label: str) -> list[dict]:
        return [{"type": "choices", "from_name": "kind", "to_name": "text", "value": {"choices": [label]}}]

    tasks = []
    for i, text in enumerate(TEXTS):
        given = [
            {"completed_by": name, "was_cancelled": silent(i, j), "result": [] if silent(i, j) else result(said(i, j))}
            for j, name in enumerate(PEOPLE[:2])
        ]
        model = [] if silent(i, 2) else [{"model_version": "eve", "result": result(said(i, 2))}]
        tasks.append({"id": i, "data": {"text": text}, "annotations": given, "predictions": model})
    (folder / "label-studio.json").write_text(json.dumps(tasks))


def prodigy(folder: Path) -> None:
    options = [{"id": "ham", "text": "ham"}, {"id": "spam", "text": "spam"}]
    lines = [
        {
            "text": text, "_input_hash": i - 5, "_annotator_id": name, "options": options,
            "accept": [] if silent(i, j) else [said(i, j)], "answer": "ignore" if silent(i, j) else "accept",
        }
        for i, text in enumerate(TEXTS)
        for j, name in enumerate(PEOPLE)
    ]  # fmt: skip
    (folder / "prodigy.jsonl").write_text("\n".join(map(json.dumps, lines)))


def doccano(folder: Path) -> None:
    (folder / "doccano").mkdir()
    for j, name in enumerate(PEOPLE):
        rows = [
            {"id": i, "text": text, "label": [] if silent(i, j) else [said(i, j)], "Comments": []}
            for i, text in enumerate(TEXTS)
        ]
        (folder / "doccano" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))


def argilla(folder: Path) -> None:
    records = []
    for i, text in enumerate(TEXTS):
        given = [{"value": said(i, j), "user_id": PEOPLE[j]} for j in (0, 1) if not silent(i, j)]
        model = {} if silent(i, 2) else {"label": {"value": said(i, 2), "score": 0.8, "agent": "eve"}}
        records.append({"id": str(i), "fields": {"text": text}, "responses": {"label": given}, "suggestions": model})
    (folder / "argilla.json").write_text(json.dumps(records))


def mechanical_turk(folder: Path) -> None:
    rows = [
        {
            "HITId": f"H{i:03}", "WorkerId": name, "AssignmentStatus": "Rejected" if silent(i, j) else "Approved",
            "Input.text": text, "Answer.label": said(i, j),
        }
        for i, text in enumerate(TEXTS)
        for j, name in enumerate(PEOPLE)
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(folder / "batch.csv")


@pytest.mark.parametrize(
    "heading, export",
    [
        ("Label Studio", label_studio),
        ("Prodigy", prodigy),
        ("doccano", doccano),
        ("Argilla", argilla),
        ("Amazon Mechanical Turk", mechanical_turk),
    ],
)
def test_the_snippet_makes_a_long_table_that_holds_the_votes_of_the_export(heading, export, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export(tmp_path)
    (snippet,) = snippets(heading)
    exec(compile(snippet, heading, "exec"), {})
    items, votes = pl.read_parquet("items.parquet"), pl.read_parquet("votes.parquet")
    place = {text: i for i, text in enumerate(TEXTS)}
    index = {one: place[text] for one, text in items.select("id", "text").iter_rows()}
    found = {
        (index[item], PEOPLE.index(worker)): label
        for item, worker, label in votes.select("item", "worker", "label").iter_rows()
    }
    assert len(index) == ITEMS and found == VOTES
    given = annotators.load("items.parquet", Reading(text="text"), "votes.parquet")
    assert given.task.classes == ("ham", "spam") and {name.split()[-1] for name in given.task.votes} == set(PEOPLE)
    assert sum(int((~np.isnan(column).any(-1)).sum()) for column in given.task.votes.values()) == len(VOTES)


def test_a_matrix_of_labelling_functions_is_a_wide_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rules = [[-1 if silent(i, j) else int(said(i, j) == "spam") for j in range(3)] for i in range(ITEMS)]
    np.save("snorkel.npy", np.array(rules))
    Path("texts.txt").write_text("\n".join(TEXTS))
    exec(compile(snippets("Snorkel and WRENCH")[0], "Snorkel", "exec"), {})
    given = annotators.load("rules.parquet", Reading(text="text", votes=("short", "caps", "link"), classes=("0", "1")))
    spoke = [int((~np.isnan(column).any(-1)).sum()) for column in given.task.votes.values()]
    assert spoke == [sum(not silent(i, j) for i in range(ITEMS)) for j in range(3)]


def test_a_set_of_wrench_has_an_annotator_for_each_entry_of_its_lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {
        str(i): {
            "label": i % 2, "data": {"text": text},
            "weak_labels": [-1 if silent(i, j) else int(said(i, j) == "spam") for j in range(3)],
        }
        for i, text in enumerate(TEXTS)
    }  # fmt: skip
    Path("wrench.json").write_text(json.dumps(rows))
    exec(compile(snippets("Snorkel and WRENCH")[1], "WRENCH", "exec"), {})
    given = annotators.load("wrench.parquet", Reading(text="text", label="label", votes=("weak_labels",)))
    assert len(given.task.votes) == 3 and (given.gold.labels >= 0).sum() == ITEMS


def test_files_of_several_annotators_are_joined_by_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"id": [f"{i:03}" for i in range(ITEMS)], "text": TEXTS}).write_csv("texts.csv")
    Path("annotators").mkdir()
    for j, name in enumerate(PEOPLE):
        mine = {i: said(i, j) for i in range(ITEMS) if not silent(i, j)}
        table = pl.DataFrame({"id": [f"{i:03}" for i in mine], "label": list(mine.values())})
        table.write_csv(Path("annotators") / f"{name}.csv")
    exec(compile(snippets("Spreadsheets")[0], "Spreadsheets", "exec"), {})
    wide = pl.read_parquet("wide.parquet")
    found = {(i, j): wide[name][i] for i in range(ITEMS) for j, name in enumerate(PEOPLE) if wide[name][i] is not None}
    assert wide["id"].to_list() == [f"{i:03}" for i in range(ITEMS)] and found == VOTES
    given = annotators.load("wide.parquet", Reading(text="text", votes=PEOPLE))
    assert given.task.classes == ("ham", "spam") and set(given.task.votes) == set(PEOPLE)
