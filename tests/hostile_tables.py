"""Hostile or odd files. Each function writes into a folder; its docstring says what is odd, and what is right."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import exported

ITEMS = 60
ESCAPE = "\x1b[31mred\x1b[0m\x1b]0;title\x07"
SCRIPT = "<script>alert(1)</script>"
PICTURE = "<svg onload=alert(2)>"
NAME = f"{ESCAPE}[red]<b>%s{{}}.csv"
OVERRIDE = "\u202emah\u202c"
"""Shown from right to left: `ham`."""
Columns = dict[str, list]


def plain(items: int = ITEMS, classes: Sequence[Any] = ("ham", "spam")) -> Columns:
    """Items of classes in turn, with gold and three annotators, each wrong on its own fifth: the majority is right."""

    def voted(by: int) -> list:
        return [classes[(i + (i % 5 == by)) % len(classes)] for i in range(items)]

    words = ("good", "bad", "fair", "odd")
    texts = [f"a {words[i % len(classes) % 4]} text, number {i}" for i in range(items)]
    return {
        "id": [f"n{i}" for i in range(items)],
        "text": texts,
        "label": [classes[i % len(classes)] for i in range(items)],
    } | {name: voted(by) for by, name in enumerate("abc")}


def as_csv(columns: Columns, newline: str = "\n") -> str:
    """The columns as CSV text."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator=newline)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return made.getvalue()


def as_lines(columns: Columns) -> list[str]:
    """The columns as JSON, an object a row."""
    return [json.dumps(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def long(columns: Columns, voters: str = "abc") -> Columns:
    """The same votes, a row a vote."""
    rows = [
        (columns["id"][i], voter, columns[voter][i], columns["label"][i])
        for voter in voters
        for i in range(len(columns["id"]))
    ]
    return dict(zip(("item", "worker", "label", "gold"), map(list, zip(*rows, strict=True)), strict=True))


def put(folder: Path, columns: Columns, name: str = "t.csv") -> None:
    """The columns as the file of that name."""
    path = folder / name
    if path.suffix == ".csv":
        path.write_text(as_csv(columns), encoding="utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(as_lines(columns)) + "\n", encoding="utf-8")
    else:
        pl.DataFrame(columns, strict=False).write_parquet(path)


def features(folder: Path, columns: Columns) -> None:
    """Ready-made features of the items, which tell the class: a student without a model."""
    right = (
        np.unique(columns["label"], return_inverse=True)[1] if "label" in columns else np.arange(len(columns["id"])) % 2
    )
    x = np.random.default_rng(0).normal(size=(len(right), 4)).astype(np.float32)
    x[:, 0] += 3 * right
    np.savez(folder / "x.npz", id=np.array(list(map(str, columns["id"]))), x=x)


def answers(items: int = 24) -> Columns:
    """Questions with a number as gold and two models' answers: a is always right, b on every other item."""
    return {
        "prompt": [f"What is {i} and 1?" for i in range(items)], "answer": [str(i + 1) for i in range(items)],
        "a": [f"It is {i + 1}." for i in range(items)], "b": [f"It is {i + 1 + i % 2}." for i in range(items)],
    }  # fmt: skip


def recorded(items: int = 24) -> Columns:
    """The same as a row an answer."""
    wide = answers(items)
    rows = [(f"q{i}", model, wide[model][i], wide["answer"][i]) for model in "ab" for i in range(items)]
    return dict(zip(("item", "model", "answer", "gold"), map(list, zip(*rows, strict=True)), strict=True))


# files


def empty_file(folder: Path) -> None:
    """Not a byte: nothing to read."""
    (folder / "t.csv").write_bytes(b"")


def blank_file(folder: Path) -> None:
    """Nothing but white space: as good as empty."""
    (folder / "t.jsonl").write_bytes(b" \n\t\r\n \n")


def header_only(folder: Path) -> None:
    """Names of columns and no row."""
    (folder / "t.csv").write_text("id,text,label,a,b,c\n")


def one_row(folder: Path) -> None:
    """A single item: nothing can be learned."""
    put(folder, plain(1))


def byte_order_mark(folder: Path) -> None:
    """A mark in front, as a spreadsheet writes it: no part of the first column's name."""
    (folder / "t.csv").write_bytes(b"\xef\xbb\xbf" + as_csv(plain()).encode())


def utf_16(folder: Path) -> None:
    """Two bytes a letter: another encoding, which is detected."""
    (folder / "t.csv").write_bytes(as_csv(plain()).encode("utf-16"))


def latin_1(folder: Path) -> None:
    """A byte in line 3 that is no UTF-8 but a letter of Western Europe: it is read as that."""
    (folder / "t.csv").write_bytes(
        as_csv(plain()).replace("number 1\n", "caf\u00e9\n").replace("number 1", "caf\u00e9", 1).encode("latin-1")
    )


def carriage_returns(folder: Path) -> None:
    """Lines end as on Windows: nothing is lost and no class ends in one."""
    (folder / "t.csv").write_bytes(as_csv(plain(), "\r\n").encode())


def lone_carriage_returns(folder: Path) -> None:
    """Lines end as on an old Macintosh: nothing is lost."""
    (folder / "t.csv").write_bytes(as_csv(plain(), "\r").encode())


def null_bytes(folder: Path) -> None:
    """A class with a zero byte in it in one row: not a class of its own."""
    made = plain()
    made["a"][3] += "\x00"
    put(folder, made, "t.jsonl")


def open_quote(folder: Path) -> None:
    """A quote that nobody closes swallows all rows after it."""
    (folder / "t.csv").write_text(as_csv(plain()).replace(",spam", ',"spam', 1))


def ragged_rows(folder: Path) -> None:
    """A row has a field more than the first line names."""
    (folder / "t.csv").write_text(as_csv(plain()) + "n60,text,ham,ham,ham,ham,ham\n")


def twice_named(folder: Path) -> None:
    """Two columns of one name: which is meant?"""
    (folder / "t.csv").write_text(as_csv(plain()).replace("label,a,b", "label,a,a", 1))


def twice_named_in_json(folder: Path) -> None:
    """A line with the same key twice: which is meant?"""
    lines = as_lines(plain())
    lines[3] = lines[3].replace('"a":', '"a": "ham", "a":', 1)
    (folder / "t.jsonl").write_text("\n".join(lines))


def unnamed_column(folder: Path) -> None:
    """A first column without a name, as pandas writes its index: no harm."""
    put(folder, {"": list(range(ITEMS))} | plain())


def odd_columns(folder: Path) -> None:
    """Column names with a comma, brackets, braces, a smiley, a line break, or like a flag: they are columns."""
    made = plain()
    names = {"a": "x, y", "b": "--votes", "c": "{text}[0] \U0001f600\n"}
    put(folder, {names.get(name, name): values for name, values in made.items()}, "t.parquet")


def long_cells(folder: Path) -> None:
    """A text of a million letters beside short ones."""
    made = plain()
    made["text"][0] = "good " * 200_000
    put(folder, made)


def escapes(folder: Path) -> None:
    """Classes, ids and annotators that hold commands to a terminal: never sent to one."""
    made = plain(classes=(ESCAPE + "ham", "spam"))
    made["id"] = [ESCAPE + i for i in made["id"]]
    put(folder, made, "t.jsonl")
    votes = long(made)
    votes["worker"] = [ESCAPE + w for w in votes["worker"]]
    put(folder, votes, "votes.jsonl")


def right_to_left(folder: Path) -> None:
    """A class that a terminal would show backwards as another: shown so that one sees it."""
    put(folder, long(plain(classes=(OVERRIDE, "spam"))), "votes.jsonl")


def markup(folder: Path) -> None:
    """Classes, ids, texts and annotators that are HTML: text on a page, not part of it."""
    made = plain(classes=(SCRIPT, PICTURE))
    made["text"] = [f"{SCRIPT} {t}" for t in made["text"]]
    made["id"] = [f"{PICTURE}{i}" for i in made["id"]]
    put(folder, {f"{SCRIPT}{n}" if n in "abc" else n: v for n, v in made.items()}, "t.jsonl")
    votes = long(made)
    votes["worker"] = [SCRIPT + w for w in votes["worker"]]
    put(folder, votes, "votes.jsonl")


def braces(folder: Path) -> None:
    """Texts with fields of templates in them: they are texts."""
    made = plain(200)
    made["text"] = [f"{{label}} {{text}} {{0}} {{ %s {t}" for t in made["text"]]
    put(folder, made)
    features(folder, made)


def not_numbers(folder: Path) -> None:
    """Probabilities that are NaN and infinite."""
    made = plain(classes=(0, 1))
    made["a"] = [[0.2, 0.8]] * ITEMS
    made["a"][4], made["a"][5] = [float("nan"), 0.5], [float("-inf"), float("inf")]
    put(folder, made, "t.parquet")


def not_one(folder: Path) -> None:
    """Probabilities whose sum is not 1."""
    made = plain(classes=(0, 1))
    made["a"] = [[0.25, 0.75]] * ITEMS
    made["a"][7] = [0.5, 0.9]
    put(folder, made, "t.parquet")


def mixed_types(folder: Path) -> None:
    """1, "1", 1.0 and 0, "0", -0.0: two classes however they are written."""
    made = plain(classes=(0, 1))
    ways = {0: (0, "0", -0.0, "-0"), 1: (1, "1", 1.0, "+1.0")}
    for name in "abc":
        made[name] = [ways[v][i % 3] for i, v in enumerate(made[name])]
    put(folder, made, "t.jsonl")


def nested(folder: Path) -> None:
    """A record in the place of a class."""
    made = plain()
    made["label"][2] = {"value": ["ham"]}
    put(folder, made, "t.jsonl")


def blank_lines(folder: Path) -> None:
    """Empty lines between the rows, and none at the end."""
    (folder / "t.jsonl").write_text("\n\n" + "\n  \n".join(as_lines(plain())))


def trailing_comma(folder: Path) -> None:
    """A line of JSON ends in a comma."""
    lines = as_lines(plain())
    lines[2] += ","
    (folder / "t.jsonl").write_text("\n".join(lines))


def deep(folder: Path) -> None:
    """A hundred thousand brackets within one another."""
    lines = as_lines(plain())
    lines[1] = '{"id": ' + "[" * 100_000 + "]" * 100_000 + "}"
    (folder / "t.jsonl").write_text("\n".join(lines))


def long_number(folder: Path) -> None:
    """A number of 5,000 digits."""
    lines = as_lines(plain())
    lines[1] = '{"id": ' + "7" * 5_000 + "}"
    (folder / "t.jsonl").write_text("\n".join(lines))


def large_ids(folder: Path) -> None:
    """Ids beyond 64 bits, next to one another: all different."""
    put(folder, plain() | {"id": [2**70 + i for i in range(ITEMS)]}, "t.jsonl")


def dates(folder: Path) -> None:
    """Dates in the place of classes."""
    put(folder, plain() | {"label": [date(2024, 1, 1 + i % 2) for i in range(ITEMS)]}, "t.parquet")


def decimals(folder: Path) -> None:
    """Classes as decimals with two places: 0 and 1."""
    made = plain(classes=(0, 1))
    table = pl.DataFrame(made).with_columns(pl.col("label", "a").cast(pl.Decimal(10, 2)))
    assert table["label"][1] == Decimal("1.00")
    table.write_parquet(folder / "t.parquet")


def no_row_groups(folder: Path) -> None:
    """A parquet file of no rows."""
    pl.DataFrame(plain()).head(0).write_parquet(folder / "t.parquet")


def record_for_text(folder: Path) -> None:
    """A record in the place of a text."""
    put(folder, plain() | {"text": [{"role": "user", "content": f"text {i}"} for i in range(ITEMS)]}, "t.parquet")


def list_for_text(folder: Path) -> None:
    """A list in the place of a text."""
    put(folder, plain() | {"text": [["good", str(i)] for i in range(ITEMS)]}, "t.parquet")


def bytes_for_text(folder: Path) -> None:
    """Bytes in the place of a text."""
    put(folder, plain() | {"text": [b"good %d" % i for i in range(ITEMS)]}, "t.parquet")


def cut_parquet(folder: Path) -> None:
    """Half of a parquet file."""
    put(folder, plain(), "t.parquet")
    path = folder / "t.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def csv_called_parquet(folder: Path) -> None:
    """A table of text under the name of another format."""
    (folder / "t.parquet").write_text(as_csv(plain()))


def folder_called_csv(folder: Path) -> None:
    """A folder under the name of a table."""
    (folder / "t.csv").mkdir()


def broken_link(folder: Path) -> None:
    """A link to a file that is not there."""
    (folder / "t.csv").symlink_to(folder / "gone.csv")


def unreadable(folder: Path) -> None:
    """A file that may not be read."""
    put(folder, plain())
    (folder / "t.csv").chmod(0)


def pipe(folder: Path) -> None:
    """A pipe into which nobody writes: not to be waited for."""
    os.mkfifo(folder / "t.csv")


def packed(folder: Path) -> None:
    """A packed table under a name that says so."""
    (folder / "t.csv.gz").write_bytes(gzip.compress(as_csv(plain()).encode()))


def packed_in_secret(folder: Path) -> None:
    """A packed table under the name of a plain one."""
    (folder / "t.csv").write_bytes(gzip.compress(as_csv(plain()).encode()))


def cut_export(folder: Path) -> None:
    """An export of a labelling tool that ends within a task: the place is named."""
    path = exported.label_studio(folder)
    path.write_bytes(path.read_bytes()[:-500])


def two_questions(folder: Path) -> None:
    """A row an annotation, and two columns that annotators fill: the flag that says which is named."""
    rows = [row | {"kind": row["label"], "mood": "ab"[i % 2]} for i, row in enumerate(exported.long_rows())]
    (folder / "t.csv").write_text(exported.as_csv([{k: v for k, v in row.items() if k != "label"} for row in rows]))


def odd_file_name(folder: Path) -> None:
    """A file name and classes with terminal commands and markup of two kinds: they are names like any other."""
    made = plain(200, classes=(SCRIPT, ESCAPE + "[/b]"))
    put(folder, made, NAME)
    features(folder, made)


# what the cells hold


def one_class(folder: Path) -> None:
    """Everybody says the same: there is nothing to tell apart."""
    put(folder, plain(classes=("ham",)))


def many_classes(folder: Path) -> None:
    """Ten thousand classes in as many rows: not a column of labels."""
    many = [f"class {i}" for i in range(10_000)]
    put(folder, {"id": many, "text": many, "label": many, "a": many, "b": many, "c": many})


def label_is_text(folder: Path) -> None:
    """The column of texts is that of gold, too."""
    put(folder, plain())


def label_copies_text(folder: Path) -> None:
    """Gold in a column of its own that repeats every text: as many classes as items."""
    made = plain()
    put(folder, made | {"label": made["text"]})


def repeated_ids(folder: Path) -> None:
    """An id stands twice."""
    made = plain()
    made["id"][9] = "n3"
    put(folder, made)


def missing_ids(folder: Path) -> None:
    """Ids of two rows are not there."""
    made = plain()
    made["id"][3] = made["id"][9] = None
    put(folder, made, "t.parquet")


def ids_with_zeros(folder: Path) -> None:
    """007 and 7 are two ids, and both stay as they are written."""
    made = plain() | {"id": [f"{i // 2:03d}" if i % 2 else str(i // 2) for i in range(ITEMS)]}
    made["id"][:6] = ["z0", "z1", "007x", "7x", "0x", "00x"]
    put(folder, made)


def silence(folder: Path) -> None:
    """Every vote is empty."""
    put(folder, plain() | {name: [""] * ITEMS for name in "abc"})


def all_abstain(folder: Path) -> None:
    """Every vote is a word that abstains."""
    put(folder, plain() | {name: ["N/A"] * ITEMS for name in "abc"})


def abstentions(folder: Path) -> None:
    """Votes and abstentions in many spellings: never a class."""
    made = plain()
    for i, word in enumerate(("-1", "-1.0", "NaN", "N/A", "None", "skip", "?", "ABSTAIN", "", " ", "null", "<NA>")):
        made["abc"[i % 3]][i] = word
    put(folder, made)


def one_annotator(folder: Path) -> None:
    """One annotator alone: nobody to agree with."""
    put(folder, long(plain(), "a"), "votes.csv")
    put(folder, plain())


def alike_annotators(folder: Path) -> None:
    """Annotators A, a and " a": blanks around a name do not count, so that the last two are one with two votes."""
    votes = long(plain())
    names = {"a": "a", "b": "A", "c": " a"}
    put(folder, votes | {"worker": [names[w] for w in votes["worker"]]}, "votes.csv")


def strangers(folder: Path) -> None:
    """Votes on items that the table does not have."""
    made = plain()
    put(folder, made)
    votes = long(made)
    votes["item"][5] = "n5 "  # blanks around an id are none of it
    votes["item"][6] = "nobody"
    put(folder, votes, "votes.csv")


def full_width(folder: Path) -> None:
    """The digit 1 as East Asian typography writes it, beside the plain one."""
    made = plain(classes=("0", "1"))
    made["a"] = ["\uff11" if v == "1" and i % 2 else v for i, v in enumerate(made["a"])]
    put(folder, made)


def zero_width(folder: Path) -> None:
    """A class with a letter in it that has no width, beside the plain one."""
    made = plain()
    made["b"] = ["ha\u200bm" if v == "ham" and i % 3 else v for i, v in enumerate(made["b"])]
    put(folder, made)


def surrogate_text(folder: Path) -> None:
    """Half of a letter in a text."""
    made = plain()
    made["text"][1] += "\ud83d"
    put(folder, made, "t.jsonl")


def surrogate_vote(folder: Path) -> None:
    """Half of a letter in every vote for a class."""
    made = plain(classes=("ham\ud83d", "spam"))
    put(folder, made, "t.jsonl")
    put(folder, long(made), "votes.jsonl")


def surrogate_column(folder: Path) -> None:
    """Half of a letter in the name of a column of votes."""
    (folder / "t.jsonl").write_text("\n".join(as_lines({"b\ud83d" if n == "b" else n: v for n, v in plain().items()})))


def surrogate_id(folder: Path) -> None:
    """Half of a letter in an id."""
    made = plain()
    made["id"][1] += "\ud83d"
    put(folder, made, "t.jsonl")
    put(folder, long(made), "votes.jsonl")


def unknown_split(folder: Path) -> None:
    """A split called as nobody calls one."""
    put(folder, plain() | {"split": ["train" if i % 2 else "blah" for i in range(ITEMS)]})


def one_group(folder: Path) -> None:
    """All items in one group: nothing could be held out."""
    put(folder, plain() | {"group": ["g"] * ITEMS})


def own_groups(folder: Path) -> None:
    """Every item a group of its own: as without groups."""
    made = plain(200) | {"group": [f"g{i}" for i in range(200)]}
    put(folder, made)
    features(folder, made)


def without_words(folder: Path) -> None:
    """Texts of punctuation alone, of which no word can be read."""
    made = plain(200) | {"text": ["!" * (1 + i) for i in range(200)]}
    put(folder, made)
    features(folder, made)


def half_gold(folder: Path) -> None:
    """Gold on every other item."""
    made = plain()
    put(folder, made | {"label": [label if i % 4 < 2 else "" for i, label in enumerate(made["label"])]})


def ordinary(folder: Path) -> None:
    """Nothing is odd here but what is asked."""
    made = plain()
    put(folder, made)
    put(folder, long(made), "votes.csv")
    features(folder, made)


# judgements


def judges(folder: Path) -> None:
    """A verdict in a word that nobody knows."""
    rows = [("j", f"n{i}", "0", "1" if i != 3 else "maybe") for i in range(30)]
    put(folder, dict(zip(("judge", "item", "forward", "swapped"), map(list, zip(*rows, strict=True)), strict=True)))


def hostile_judges(folder: Path) -> None:
    """Judges and items that are markup and commands to a terminal."""
    rows = [
        (f"{ESCAPE}{SCRIPT}{j}", f"{SCRIPT}{i}", i % 2, (i + (i % 3 == 0)) % 2) for j in range(2) for i in range(60)
    ]
    put(
        folder,
        dict(zip(("judge", "item", "forward", "swapped"), map(list, zip(*rows, strict=True)), strict=True)),
        "t.jsonl",
    )


def pairs(folder: Path) -> None:
    """An answer to a minimal pair that is neither right nor wrong."""
    put(
        folder,
        {
            "item": [f"n{i}" for i in range(30)],
            "present": [1] * 29 + [2],
            "removed": [i % 2 for i in range(30)],
            "judge": ["j"] * 30,
        },
    )


def choices_below_zero(folder: Path) -> None:
    """A choice that was made fewer than no times, and one without end."""
    put(
        folder,
        {
            "judge": ["j"] * 4,
            "first": ["tea"] * 4,
            "second": ["milk"] * 4,
            "chosen": ["tea", "milk", "tea", "tea"],
            "count": [3, -1, "inf", "nan"],
        },
    )


def itself(folder: Path) -> None:
    """A choice between an outcome and itself."""
    put(
        folder,
        {
            "judge": ["j"] * 3,
            "first": ["tea", "tea", "tea"],
            "second": ["milk", "tea", "milk"],
            "chosen": ["tea", "tea", "milk"],
        },
    )


def empty_answers(folder: Path) -> None:
    """Answers in words, all of them empty."""
    put(folder, {"item": ["q"] * 20, "model": ["m", "n"] * 10, "answer": [" "] * 20})


def wordless_answers(folder: Path) -> None:
    """Answers in words without a word: nothing to compare them by."""
    put(folder, {"item": [f"q{i // 2}" for i in range(40)], "model": ["m", "n"] * 20, "answer": ["?!", "..."] * 20})


# answers with gold


def null_draws(folder: Path) -> None:
    """The number of a draw is missing in one row."""
    made = recorded()
    put(folder, made | {"draw": [None if i == 3 else 0 for i in range(len(made["item"]))]}, "t.parquet")


def mixed_gold(folder: Path) -> None:
    """Gold of which half are numbers and half words."""
    made = answers(80)
    made["answer"] = [a if i % 2 else "rome" for i, a in enumerate(made["answer"])]
    put(folder, made)


def endless_gold(folder: Path) -> None:
    """Gold that is infinite, in numbers otherwise."""
    made = answers()
    made["answer"][2] = "inf"
    put(folder, made)


def hostile_answers(folder: Path) -> None:
    """Prompts, answers and names of models that are markup and commands to a terminal, one a million letters long."""
    made = answers()
    made["prompt"] = [f"{SCRIPT} {ESCAPE} {p}" for p in made["prompt"]]
    made["a"] = [f"{PICTURE} {{a}} {a}" for a in made["a"]]
    made["b"][0] = "9" * 1_000_000
    put(folder, {f"{ESCAPE}{SCRIPT}" if n == "a" else n: v for n, v in made.items()}, "t.jsonl")


def surrogate_answers(folder: Path) -> None:
    """Half of a letter in an answer."""
    made = recorded()
    made["answer"][3] += "\ud83d"
    put(folder, made, "t.jsonl")


def two_golds(folder: Path) -> None:
    """An item with two golds."""
    made = recorded()
    made["gold"][0] = "99"
    put(folder, made)


def long_digits(folder: Path) -> None:
    """Answers of 5,000 digits: wrong, and no harm."""
    made = answers()
    made["b"] = ["It is " + "7" * 5_000 for _ in made["b"]]
    put(folder, made)


def deep_slots(folder: Path) -> None:
    """Slots as JSON of a hundred thousand brackets."""
    put(
        folder,
        {"text": ["the city of rome"] * 30, "slots": ['[{"type": "city", "filler": "rome"}]'] * 29 + ["[" * 100_000]},
    )


def slots_of_nothing(folder: Path) -> None:
    """Slots that are no list of types and fillers."""
    put(folder, {"text": [f"the city of rome {i}" for i in range(30)], "slots": ['{"type": "city"}'] * 30})


def calls_of_nothing(folder: Path) -> None:
    """Functions that are none, a number in the place of messages."""
    put(folder, {"question": ["7"] * 30, "functions": ["[[]]"] * 30, "ground_truth": ["{}"] * 30})


def deep_calls(folder: Path) -> None:
    """Functions as JSON of a hundred thousand brackets."""
    put(
        folder,
        {
            "question": ['[{"role": "user", "content": "ask"}]'] * 30,
            "functions": ["[" * 100_000] * 30,
            "ground_truth": ["[]"] * 30,
        },
    )


def few_prompts(folder: Path) -> None:
    """Every prompt is the same: one item."""
    put(folder, {"prompt": ["the city is"] * 60, "answer": ["rome"] * 60})


# folders


def run_of_garbage(folder: Path) -> None:
    """A run folder whose study.json is no JSON."""
    (folder / "run").mkdir()
    (folder / "run" / "summary.json").write_text("[]")
    (folder / "run" / "study.json").write_text("{not json")


def run_of_another_kind(folder: Path) -> None:
    """A run folder whose summary.json is JSON of something else."""
    (folder / "run").mkdir()
    (folder / "run" / "summary.json").write_text('{"rows": 3}')
    (folder / "run" / "study.json").write_text("[1, 2]")


def run_of_later(folder: Path) -> None:
    """A run folder whose rows have fields that this version does not know, and lack one that it needs."""
    (folder / "run").mkdir()
    (folder / "run" / "summary.json").write_text('[{"task": "t", "weak": "w", "strong": "s", "score": 0.5}]')
    (folder / "run" / "study.json").write_text('{"schema": 99}')


def run_that_is_deep(folder: Path) -> None:
    """A run folder whose summary.json is a hundred thousand brackets."""
    (folder / "run").mkdir()
    (folder / "run" / "summary.json").write_text("[" * 100_000)
    (folder / "run" / "study.json").write_text("{}")


def run_in_latin_1(folder: Path) -> None:
    """A run folder whose summary.json is in another encoding."""
    (folder / "run").mkdir()
    (folder / "run" / "summary.json").write_bytes('[{"task": "caf\u00e9"}]'.encode("latin-1"))
    (folder / "run" / "study.json").write_text("{}")


def student_of_garbage(folder: Path) -> None:
    """A student whose record is no JSON."""
    put(folder, plain())
    (folder / "student").mkdir()
    (folder / "student" / "student.json").write_text("[" * 100_000)
    (folder / "student" / "student.safetensors").write_bytes(b"")


Maker = Callable[[Path], None]
