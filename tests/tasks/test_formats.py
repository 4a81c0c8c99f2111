"""File formats and encodings: the same table from each, and one line for each damaged file."""

import csv
import gzip
import importlib.util
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile, read_file

ROWS = [
    {"id": "01", "text": "café, number one", "label": "ham"},
    {"id": "02", "text": 'she said "no"\tand left', "label": "spam"},
    {"id": "03", "text": "日本語 \U0001f600", "label": ""},
]


def separated(rows: list[dict], delimiter: str = ",") -> str:
    made = io.StringIO()
    writer = csv.DictWriter(made, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue()


def lines(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def packed(name: str) -> bytes:
    """An archive of one table."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, "text\nhi\n")
    return made.getvalue()


def cells(table: TableFile) -> list[dict]:
    columns = {name: table.column(name) for name in table.names}
    return [{name: columns[name][i] or "" for name in columns} for i in range(len(table.lines))]


FORMS = {
    "t.csv": separated(ROWS).encode(),
    "t.tsv": separated(ROWS, "\t").encode(),
    "t.jsonl": lines(ROWS),
    "t.ndjson": lines(ROWS),
    "t.json": json.dumps(ROWS, indent=2).encode(),
    "lines.json": lines(ROWS),
    "array.jsonl": json.dumps(ROWS).encode(),
    "columns.json": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}).encode(),
    "pandas.json": json.dumps({name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ROWS[0]}).encode(),
    "t.CSV.gz": gzip.compress(separated(ROWS).encode()),
    "t.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "utf16.csv": separated(ROWS).encode("utf-16"),
    "utf16.jsonl": lines(ROWS).decode().encode("utf-16-be"),
    "mark.csv": separated(ROWS).encode("utf-8-sig"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FORMS[name])
    assert cells(read_file(tmp_path / name)) == ROWS


def test_a_packed_parquet_file_is_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    pl.DataFrame(ROWS).write_parquet(made)
    (tmp_path / "t.parquet.gz").write_bytes(gzip.compress(made.getvalue()))
    assert cells(read_file(tmp_path / "t.parquet.gz")) == ROWS and read_file(tmp_path / "t.parquet.gz").name == "t"


def test_tabs_between_fields_that_nobody_quotes(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('text\tlabel\n"Stop" is what he said\tham\n5" of rain\tspam\n')
    assert cells(read_file(tmp_path / "t.tsv")) == [
        {"text": '"Stop" is what he said', "label": "ham"},
        {"text": '5" of rain', "label": "spam"},
    ]


def test_an_object_of_objects_has_their_names_as_ids(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"a1": {"text": "x"}, "a2": {"text": "y", "label": 1}}))
    assert cells(read_file(tmp_path / "t.json")) == [
        {"id": "a1", "text": "x", "label": ""},
        {"id": "a2", "text": "y", "label": 1},
    ]


def test_an_archive_holds_the_rows_of_all_its_tables_and_says_whose_they_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("bob.jsonl", lines(ROWS[2:]))
        archive.writestr("ann.csv", separated(ROWS[:2]))
        archive.writestr("__MACOSX/._ann.csv", b"\x00\x05")
        archive.writestr("eve.jsonl", "")
        archive.writestr("readme.txt", "no table")
    table = read_file(tmp_path / "t.zip")
    assert cells(table) == [row | {"file": of} for row, of in zip(ROWS, ("ann", "ann", "bob"), strict=True)]
    assert table.places([0, 2]) == "lines 2 of ann.csv, 1 of bob.jsonl"


def test_western_european_text_is_read_as_such_and_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "t.csv").write_bytes("text,label\nplain,a\nde la crème – brûlée,b\n".encode("cp1252"))
    assert read_file(tmp_path / "t.csv").column("text") == ["plain", "de la crème – brûlée"]
    said = capsys.readouterr().err
    assert "t.csv is not UTF-8 (line 3): read as Windows-1252" in said and "'de la crème – brûlée'" in said
    assert said.count("\n") == 1


def test_an_encoding_with_a_mark_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "t.csv").write_bytes("text,label\nцвет,a\n".encode("utf-16"))
    assert read_file(tmp_path / "t.csv").column("text") == ["цвет"]
    assert capsys.readouterr().err == "t.csv is UTF-16: read as that\n"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("t.csv", "text\nété".encode()[:-1], "line 2 is not UTF-8 (byte 0xc3): the file ends within a letter"),
        ("t.csv", "text\nété\n".encode() + b"caf\xe9\n", "line 3 is not UTF-8 (byte 0xe9), and other letters are"),
        ("t.csv", b"text\n\x81\n", "line 2 is not UTF-8 (byte 0x81): save the file as UTF-8"),
        ("t.csv", b"text\n\x00\x01\xff\n", "line 2 is not UTF-8 (byte 0xff): save the file as UTF-8"),
        ("t.csv", "text\n".encode("utf-16") + b"x", "is damaged: it begins as UTF-16"),
        ("t.csv.gz", b"text\na\n", "is damaged or not packed by gzip"),
        ("t.csv.gz", gzip.compress(b"text\na\n")[:-9], "is damaged or not packed by gzip"),
        ("t.jsonl.gz", gzip.compress(b" \n"), "is empty"),
        ("t.json", b'[{"a": 1}, {"a": ', "is not JSON"),
        ("t.json", b'[{"a": "cut', "is not JSON: Unterminated string starting (character 8 of the line)"),
        ("t.json", b'[\n{"a": 1},\n{"a": }]', "line 3 is not JSON: Expecting value"),
        ("t.json", b"[1, 2]", "holds no array of JSON objects"),
        ("t.json", b"[]", "has no rows"),
        ("t.json", b"{}", "holds one JSON object, no table"),
        ("t.json", b'{"text": "a"}', "holds one JSON object, no table"),
        ("t.json", b'{"a": [1, 2], "b": [1]}', "holds columns of different lengths"),
        ("t.json", b'[{"a": 1, "a": 2}]', "names 'a' twice"),
        ("t.json", b'[{"a": "\\ud83d"}]', "holds broken Unicode"),
        ("t.json", b"[" * 100_000, "is not JSON"),
        ("t.tsv", b"a\tb\n1\n", "line 2 has 1 fields, the first line names 2 columns"),
        ("t.tsv", b'id\ttext\n1\t"Hi\n2\tfoo"\n3\tx\n', "line 3 is a row, or goes on with a field"),
        ("t.zip", b"PK\x03\x04 and nothing", "is damaged or no .zip file"),
        ("t.zip", packed("t.csv")[10:], "is damaged or no .zip file"),
        ("t.zip", packed("é.csv").replace("é".encode(), b"\xff\xfe"), "is damaged or no .zip file"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as raised:
        read_file(tmp_path / name)
    assert str(raised.value).startswith(f"{tmp_path / name} {line}") and "\n" not in str(raised.value)


def test_a_workbook_without_the_package_that_reads_it_is_one_line(tmp_path: Path) -> None:
    if importlib.util.find_spec("openpyxl") is not None:
        pytest.skip("openpyxl is here")
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"takes openpyxl: pip install 'outgrow\[xlsx\]'"):
        read_file(tmp_path / "t.xlsx")


def test_a_workbook_is_read_by_its_one_sheet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.create_sheet("empty")
    sheet = book.worksheets[0]
    for row in (None, ("id", "text", "score", None), ("01", "a, b", 3), (None, None), ("02", None, 4.5)):
        sheet.append(row or ())
    book.save(tmp_path / "t.xlsx")
    table = read_file(tmp_path / "t.xlsx")
    assert table.names == ("id", "text", "score") and table.column("score") == [3, 4.5]
    assert table.column("text") == ["a, b", None] and table.places([1]) == "row 5"
    book.worksheets[1].append(("a",))
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(UserError, match=r"2 sheets with content \(Sheet, empty\): keep one sheet"):
        read_file(tmp_path / "t.xlsx")
