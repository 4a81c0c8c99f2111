"""Hostile and odd files through every verb: the right outcome, or one line that says what to mend."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import hostile_tables as odd
from outgrow import cli, models
from outgrow.tasks.tables.files import read_file

LEARN = "--text text --votes a,b,c --strong votes --id id --out out"
CROWD = "--strong votes --id id --votes-table votes.csv --out out"
WIDE = "--votes a,b,c --out out"
RUN = "--weak tfidf --strong-features x.npz --method naive --out out"
RECORDED = "--answers a,b --out out"
WORDS = "--weak column:a --strong smollm2-135m --out out"
TUNED = "--weak smollm2-135m --strong smollm2-135m --out out"


pytestmark = pytest.mark.timeout(60)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    folder: Path
    out: str
    err: str

    def facts(self, name: str) -> Any:
        return json.loads((self.folder / "out" / name).read_text(encoding="utf-8"))

    @cached_property
    def learned(self) -> tuple[list[str], int, int]:
        """The classes, the items that taught, and how many of them have gold."""
        facts = self.facts("learn.json")
        return facts["task"]["classes"], facts["how"]["taught"], facts["verdict"]["gold"]

    @cached_property
    def accuracy(self) -> dict[str, float]:
        """Of the voters and of their majority."""
        return {
            row["name"].partition(" (")[0]: round(row["accuracy"], 6)
            for row in self.facts("learn.json")["verdict"]["rows"]
        }

    @cached_property
    def findings(self) -> dict[str, dict]:
        return {found["code"]: found for found in self.facts("audit.json")["findings"]}

    def page(self, name: str) -> str:
        return (self.folder / "out" / name).read_text(encoding="utf-8")


Right = Callable[[Outcome], bool]


def learns(classes: list[str], items: int = odd.ITEMS, **voters: float) -> Right:
    """A student of these classes and items, whose voters are right so often."""

    def right(found: Outcome) -> bool:
        assert found.learned == (sorted(classes), items, items)
        assert {name: found.accuracy[name] for name in voters} == voters
        return True

    return right


HAM = learns(["ham", "spam"], a=0.8, b=0.8, c=0.8, majority=1.0)
BITS = learns(["0", "1"], a=0.8, b=0.8, c=0.8, majority=1.0)


def studied(name: str = "t", shown: str = "") -> Right:
    """A study of 200 items, each its own group, whose features tell the class; `shown` is part of a text."""

    def right(found: Outcome) -> bool:
        task = found.facts("details.json")["tasks"][name]
        assert (task["items"], task["groups"]) == (200, 200) and all(
            shown in sample["text"] for sample in task["samples"]
        )
        naive = next(row for row in found.facts("summary.json") if row["method"] == "naive")
        assert naive["value"] > 0.8 and "naive" in found.out
        return True

    return right


def harmless(page: str) -> Right:
    """A page that shows markup as text, and no command to a terminal."""

    def right(found: Outcome) -> bool:
        text = found.page(page)
        assert odd.SCRIPT not in text and odd.PICTURE not in text and not set("\x1b\u202e") & set(text)
        return True

    return right


def both(*checks: Right) -> Right:
    return lambda found: all(check(found) for check in checks)


def single(**right: float) -> Right:
    """What a single answer of the recorded models is worth together, and with `most` its coverage."""

    def check(found: Outcome) -> bool:
        facts = found.facts("committee.json")
        shown = {f["choice"]: round(f["right"]["value"], 6) for f in facts["figures"] if f["k"] == facts["most"]}
        assert {name: shown[name] for name in right} == right
        return True

    return check


CASES: list[tuple[odd.Maker, str, str | Right]] = [
    # files
    (odd.empty_file, f"audit t.csv {WIDE}", "t.csv is empty"),
    (odd.empty_file, f"committee t.csv {RECORDED}", "t.csv is empty"),
    (odd.blank_file, f"learn t.jsonl {LEARN}", "t.jsonl is empty"),
    (odd.header_only, f"audit t.csv {WIDE}", "t.csv has no rows"),
    (odd.header_only, f"run t.csv {RUN}", "t.csv has no rows"),
    (odd.one_row, f"learn t.csv --classes ham spam {LEARN}", "every one of 1 items is of one class (ham)"),
    (odd.byte_order_mark, f"learn t.csv {LEARN}", HAM),
    (odd.utf_16, f"learn t.csv {LEARN}", HAM),
    (odd.latin_1, f"learn t.csv {LEARN}", HAM),
    (odd.carriage_returns, f"learn t.csv {LEARN}", HAM),
    (odd.lone_carriage_returns, f"learn t.csv {LEARN}", HAM),
    (odd.null_bytes, f"learn t.jsonl {LEARN}", "column 'a'"),
    (odd.open_quote, f"learn t.csv {LEARN}", "t.csv line 2: ',' expected after '\"'"),
    (odd.ragged_rows, f"learn t.csv {LEARN}", "t.csv line 62 has 7 fields, the first line names 6 columns"),
    (odd.twice_named, f"learn t.csv {LEARN}", "names a column twice in its first line"),
    (odd.twice_named_in_json, f"learn t.jsonl {LEARN}", "t.jsonl line 4 names 'a' twice"),
    (odd.unnamed_column, f"learn t.csv {LEARN}", HAM),
    (
        odd.odd_columns,
        "learn t.parquet --text text --strong votes --id id --out out "
        "'--votes=x, y' --votes=--votes '--votes={text}[0] \U0001f600\n'",
        lambda found: (
            found.learned == (["ham", "spam"], 60, 60)
            and {found.accuracy[name] for name in ("x, y", "--votes", "{text}[0] \U0001f600\n")} == {0.8}
            and found.accuracy["majority"] == 1.0
        ),
    ),
    (odd.long_cells, f"learn t.csv {LEARN}", HAM),
    (
        odd.escapes,
        f"learn t.jsonl {LEARN}",
        both(learns([odd.ESCAPE + "ham", "spam"], a=0.8, majority=1.0), harmless("report.html")),
    ),
    (odd.escapes, "audit votes.jsonl --out out", harmless("audit.html")),
    (odd.right_to_left, "audit votes.jsonl --out out", harmless("audit.html")),
    (
        odd.markup,
        f"learn t.jsonl --text text '--votes={odd.SCRIPT}a' '--votes={odd.SCRIPT}b' '--votes={odd.SCRIPT}c' "
        "--strong votes --id id --out out --suggest 3",
        both(harmless("report.html"), lambda found: found.learned == ([odd.SCRIPT, odd.PICTURE], 60, 60)),
    ),
    (odd.markup, "audit votes.jsonl --out out", harmless("audit.html")),
    (odd.braces, f"run t.csv {RUN} --template 'Text: {{text}}'", studied(shown="Text: {label} {text} {0} { %s a ")),
    (odd.braces, f"run t.csv {RUN} --template '{{text}} {{label}}'", "holds the gold"),
    (odd.braces, f"run t.csv {RUN} --template '{{text}} {{'", "--template"),
    (odd.not_numbers, f"learn t.parquet {LEARN}", "votes in column 'a'"),
    (odd.not_one, f"learn t.parquet {LEARN}", "in row 8"),
    (odd.mixed_types, f"learn t.jsonl {LEARN}", BITS),
    (odd.nested, f"learn t.jsonl {LEARN}", "column 'label' is no label"),
    (odd.blank_lines, f"learn t.jsonl {LEARN}", HAM),
    (odd.trailing_comma, f"learn t.jsonl {LEARN}", "t.jsonl line 3 is not JSON"),
    (odd.deep, f"audit t.jsonl {WIDE}", "t.jsonl line 2 is not JSON"),
    (odd.long_number, f"audit t.jsonl {WIDE}", "t.jsonl line 2 is not JSON"),
    (odd.large_ids, f"learn t.jsonl {LEARN} --suggest 3", HAM),
    (odd.dates, f"learn t.parquet {LEARN}", "column 'label' is no label"),
    (odd.decimals, f"learn t.parquet {LEARN}", BITS),
    (odd.no_row_groups, f"learn t.parquet {LEARN}", "t.parquet has no rows"),
    (odd.record_for_text, f"run t.parquet {RUN}", "column 'text' holds a dict in row 1, not text"),
    (odd.list_for_text, f"run t.parquet {RUN}", "column 'text' holds a list in row 1, not text"),
    (odd.bytes_for_text, f"run t.parquet {RUN}", "column 'text' holds a bytes in row 1, not text"),
    (odd.cut_parquet, f"audit t.parquet {WIDE}", "t.parquet is damaged or no parquet file"),
    (odd.csv_called_parquet, f"committee t.parquet {RECORDED}", "t.parquet is damaged or no parquet file"),
    (odd.folder_called_csv, f"learn t.csv {LEARN}", "t.csv is a folder: give a file"),
    (odd.folder_called_csv, f"committee t.csv {RECORDED}", "t.csv"),
    (odd.folder_called_csv, "audit t.csv --out out", "t.csv"),
    (odd.broken_link, f"learn t.csv {LEARN}", "no file t.csv"),
    (odd.broken_link, f"audit t.csv {WIDE}", "no file t.csv"),
    (odd.unreadable, f"learn t.csv {LEARN}", "cannot read t.csv: Permission denied"),
    (odd.pipe, f"learn t.csv {LEARN}", "t.csv is no ordinary file"),
    (odd.pipe, f"committee t.csv {RECORDED}", "t.csv is no ordinary file"),
    (odd.pipe, "run --study t.csv", "the study file 't.csv' is no ordinary file"),
    (odd.packed, f"learn t.csv.gz {LEARN}", HAM),
    (odd.cut_export, "learn project-1.json --strong votes --out out", "project-1.json is not JSON"),
    (odd.cut_export, "audit project-1.json --out out", "project-1.json is not JSON"),
    (odd.two_questions, "learn t.csv --out out", "its label could be kind or mood: say which with --votes"),
    (
        odd.two_questions,
        "audit t.csv --format doccano --out out",
        "--format doccano: it has not the columns of an export",
    ),
    (odd.packed_in_secret, f"learn t.csv {LEARN}", "not UTF-8"),
    (
        odd.odd_file_name,
        f"learn '{odd.NAME}' {LEARN}",
        both(learns([odd.ESCAPE + "[/b]", odd.SCRIPT], 200, majority=1.0), harmless("report.html")),
    ),
    (
        odd.odd_file_name,
        f"run '{odd.NAME}' {RUN}",
        both(studied(odd.NAME.removesuffix(".csv")), harmless("report.html")),
    ),
    # what the cells hold
    (odd.one_class, f"learn t.csv {LEARN}", "the votes name ham"),
    (odd.one_class, f"run t.csv {RUN}", "is of one class (ham)"),
    (odd.many_classes, f"learn t.csv {LEARN}", "column 'label' has 10000 values in 10000 rows"),
    (odd.label_is_text, f"run t.csv --text text --label text {RUN}", "--text and --label name the same column 'text'"),
    (odd.label_copies_text, f"run t.csv {RUN}", "column 'label' has 60 values in 60 rows"),
    (odd.repeated_ids, f"learn t.csv {LEARN}", "id 'n3' stands twice, in lines 5, 11"),
    (odd.missing_ids, f"learn t.parquet {LEARN}", "missing id in rows 4, 10"),
    (odd.ids_with_zeros, f"learn t.csv {LEARN}", HAM),
    (odd.silence, f"audit t.csv {WIDE}", "every vote is empty"),
    (odd.all_abstain, f"learn t.csv {LEARN}", "every vote is empty"),
    (odd.abstentions, f"learn t.csv {LEARN}", learns(["ham", "spam"], majority=round(57.5 / 60, 6))),
    (
        odd.one_annotator,
        "audit votes.csv --out out",
        lambda found: found.findings["QUALITY"]["severity"] in ("not applicable", "ok", "note", "warning"),
    ),
    (odd.one_annotator, f"learn t.csv {CROWD}", learns(["ham", "spam"], **{"worker a": 0.8})),
    (odd.alike_annotators, "audit votes.csv --out out", "votes on an item again, and otherwise"),
    (odd.strangers, f"learn t.csv {CROWD}", "1 votes are for items that are not in t (item nobody, ...)"),
    (odd.full_width, f"learn t.csv {LEARN}", "differ in case, blanks or normal form"),
    (odd.zero_width, f"learn t.csv {LEARN}", "differ in case, blanks or normal form"),
    (odd.surrogate_text, f"learn t.jsonl {LEARN}", "line 2 holds broken Unicode"),
    (odd.surrogate_vote, f"learn t.jsonl {LEARN}", "broken Unicode"),
    (odd.surrogate_vote, "audit votes.jsonl --out out", "broken Unicode"),
    (odd.surrogate_column, f"learn t.jsonl {LEARN}", "broken Unicode"),
    (odd.surrogate_id, f"learn t.jsonl {LEARN}", "broken Unicode"),
    (odd.surrogate_id, "audit votes.jsonl --out out", "broken Unicode"),
    (odd.unknown_split, f"run t.csv {RUN}", "column 'split' has the values blah (30), train (30)"),
    (odd.one_group, f"run t.csv {RUN}", "60 of 60 rows have the same group"),
    (odd.own_groups, f"run t.csv {RUN}", studied()),
    (odd.without_words, f"run t.csv {RUN}", "no words"),
    (odd.half_gold, f"learn t.csv {LEARN} --suggest 1000", lambda found: found.page("suggest.csv").count("\n") == 31),
    (odd.ordinary, f"learn t.csv {LEARN} --suggest -1", "--suggest -1: give a number of items"),
    (
        odd.ordinary,
        "learn t.csv --text text --votes a,b,c --classes ham,spam --out out --strong votes --id id",
        "ham,spam",
    ),
    # judgements
    (odd.judges, "audit t.csv --out out", "line 5"),
    (odd.hostile_judges, "audit t.jsonl --out out", harmless("audit.html")),
    (odd.pairs, "audit t.csv --out out", "line 31"),
    (odd.choices_below_zero, "audit t.csv --out out", "column 'count' holds no number in lines 3, 4, 5"),
    (odd.itself, "audit t.csv --out out", "no choice between two outcomes in line 3"),
    (odd.empty_answers, "audit t.csv --out out", "no row holds an answer"),
    (odd.wordless_answers, "audit t.csv --out out", "no words"),
    # answers with gold
    (odd.null_draws, "committee t.parquet --out out", "column 'draw' holds None in row 4"),
    (odd.mixed_gold, f"committee t.csv {RECORDED}", "of 80 golds 40 are numbers"),
    (odd.endless_gold, f"committee t.csv {RECORDED}", "of 24 golds 23 are numbers"),
    (
        odd.hostile_answers,
        f"committee t.jsonl '--answers={odd.ESCAPE}{odd.SCRIPT}' --answers=b --out out",
        harmless("committee.html"),
    ),
    (odd.surrogate_answers, "committee t.jsonl --out out", "line 4 holds broken Unicode"),
    (odd.two_golds, "committee t.csv --out out", "two golds"),
    (odd.long_digits, f"committee t.csv {RECORDED}", single(single=0.5)),
    (odd.mixed_gold, f"run t.csv --scorer number {WORDS}", "gold is wrong by its own scorer (number)"),
    (
        odd.surrogate_answers,
        f"run t.jsonl --scorer exact --prompt item --answer gold {WORDS}".replace("column:a", "column:answer"),
        "line 4 holds broken Unicode",
    ),
    (odd.deep_slots, f"run t.csv --scorer slots {TUNED}", "column 'slots' holds no JSON in line 31"),
    (
        odd.slots_of_nothing,
        f"run t.csv --scorer slots {TUNED}",
        "t: column 'slots' holds no list of {type, filler} in line 2",
    ),
    (odd.calls_of_nothing, f"run t.csv --scorer calls {TUNED}", "a function without a name, in line 2"),
    (odd.deep_calls, f"run t.csv --scorer calls {TUNED}", "t: column 'functions' holds no JSON"),
    (odd.few_prompts, "steer t.csv --out out", "task 't' has 0 items to train on and 1 to test on"),
    (odd.mixed_gold, "steer t.csv --out out", "of 80 golds 40 are numbers"),
    (odd.empty_file, "steer t.csv --out out", "t.csv is empty"),
    # folders
    *(
        (maker, f"{verb} run", fragment)
        for maker, fragment in (
            (odd.run_of_garbage, "study.json is not valid JSON"),
            (odd.run_of_another_kind, "run"),
            (odd.run_of_later, "run"),
            (odd.run_that_is_deep, "summary.json is not valid JSON"),
            (odd.run_in_latin_1, "summary.json is not valid JSON"),
        )
        for verb in ("show", "report", "compare", "audit")
    ),
    (odd.empty_file, "show t.csv", "t.csv is no run folder"),
    (odd.empty_file, "report t.csv", "t.csv is no run folder"),
    (odd.empty_file, "compare t.csv t.csv", "t.csv is no run folder"),
    (odd.folder_called_csv, "audit t.csv", "t.csv is no run folder"),
    (odd.student_of_garbage, "predict student t.csv", "the student in student is damaged"),
    (odd.ordinary, "predict t.csv t.csv", "no student in t.csv"),
    (odd.ordinary, f"list '{odd.ESCAPE}'", "unknown list"),
]


def written(folder: Path) -> dict[str, int]:
    """Every file below a folder with its time of change, without the claim of a study that has begun."""
    return {
        str(path): path.lstat().st_mtime_ns
        for path in folder.rglob("*")
        if not (path.is_dir() or path.name == "claim.json")
    }


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("maker", "command", "expected"),
    [pytest.param(*case, id=f"{case[0].__name__}: {case[1][:40]!a}") for case in CASES],
)
def test_an_odd_file_is_read_right_or_refused_on_one_line(maker, command, expected, tmp_path, monkeypatch, capsys):
    if maker is odd.unreadable and os.geteuid() == 0:
        pytest.skip("whoever is root may read everything")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    odd.features(folder, odd.plain())
    maker(folder)
    if isinstance(expected, str):
        for name in ("features", "zero_shot"):
            monkeypatch.setattr(models, name, lambda *_, **__: pytest.fail("a model has read in vain"))
    before = written(folder)
    with pytest.raises(SystemExit) as stopped:
        cli.main(shlex.split(command))
    said = capsys.readouterr()
    assert not [
        c
        for c in said.out + said.err
        if (unicodedata.category(c) in ("Cc", "Cs") and c != "\n") or c in "\u202a\u202b\u202d\u202e"
    ], said
    if isinstance(expected, str):
        assert (stopped.value.code, said.out, said.err[:9], said.err.count("\n")) == (2, "", "outgrow: ", 1), said
        assert expected in said.err
        assert written(folder) == before
    else:
        assert stopped.value.code == 0, said.err
        assert expected(Outcome(folder, said.out, said.err))


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A folder with a student of votes."""
    folder = tmp_path_factory.mktemp("learned")
    odd.ordinary(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("OUTGROW_STORE", str(folder / "store"))
        with pytest.raises(SystemExit) as stopped:
            cli.main(shlex.split(f"learn t.csv {LEARN}"))
    assert stopped.value.code == 0
    return folder / "out"


def cut(folder: Path) -> None:
    """Half of the weights."""
    path = folder / "student.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def changed(folder: Path) -> None:
    """A class that is called otherwise than what was learned."""
    path = folder / "student.json"
    path.write_text(path.read_text().replace('"spam"', '"spat"'))


def without_weights(folder: Path) -> None:
    """The record alone."""
    (folder / "student.safetensors").unlink()


def of_later(folder: Path) -> None:
    """A student in a format that this version does not know."""
    from outgrow.store import record

    facts = record.decode((folder / "student.json").read_bytes())
    (folder / "student.json").write_bytes(record.encode({**facts, "version": 99}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "student.safetensors is not as it was written"),
        (changed, "student.json is not as it was written"),
        (without_weights, "no student in student"),
        (of_later, "reads up to 1: update outgrow"),
    ],
)
def test_a_damaged_student_labels_nothing(damage, says, learned, tmp_path, monkeypatch, capsys):
    shutil.copytree(learned, tmp_path / "student")
    monkeypatch.chdir(tmp_path)
    odd.ordinary(tmp_path)
    damage(tmp_path / "student")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict", "student", "t.csv"])
    said = capsys.readouterr()
    assert (stopped.value.code, said.out, said.err.count("\n")) == (2, "", 1) and says in said.err
    assert not list(tmp_path.glob("t.labels*"))


IDS: dict[str, list] = {
    "beyond 64 bits": [2**70 + i for i in range(odd.ITEMS)],
    "of several types": [i if i % 2 else f"{i:03d}" for i in range(odd.ITEMS)],
    "commands to a terminal": [f"{odd.ESCAPE}{i}" for i in range(odd.ITEMS)],
    "none": [None] * odd.ITEMS,
}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_labels_carry_odd_ids_as_they_are(ids, suffix, learned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    odd.put(tmp_path, odd.plain() | {"id": ids}, "t.jsonl")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict", str(learned), "t.jsonl", "--out", f"labels{suffix}"])
    assert stopped.value.code == 0, capsys.readouterr().err
    columns = read_file(tmp_path / f"labels{suffix}").column
    assert [value or "" for value in map(str, (v or "" for v in columns("id")))] == [str(i or "") for i in ids]
    # Each annotator errs on a fifth of its own: the class of an item is what most say.
    assert columns("label") == odd.plain()["label"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("value", [{"a": 1}, ["n1"]], ids=["a record", "a list"])
def test_ids_that_are_none_are_one_line(value, suffix, learned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    odd.put(tmp_path, odd.plain() | {"id": [value] * odd.ITEMS}, "t.jsonl")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["predict", str(learned), "t.jsonl", "--out", f"labels{suffix}"])
    said = capsys.readouterr()
    assert (
        stopped.value.code == 2
        and said.err.startswith(f"outgrow: t: column 'id' holds a {type(value).__name__} in lines 1, 2")
        and said.err.count("\n") == 1
    )
    assert not (tmp_path / f"labels{suffix}").exists()
