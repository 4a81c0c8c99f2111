"""Scorers of answers in words: numbers, slots, calls; against slow second implementations and real systems' figures."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from outgrow.core.errors import UserError
from outgrow.metrics import slots, text
from outgrow.metrics.slots import Counts, Slot
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.verifiers import Attempt, registry

SLURP = Path(__file__).parents[2] / ".." / "shared" / "data" / "slurp"
TYPES, WORDS = ("date", "place", "person"), ("at", "eight", "eighty", "in", "new", "york", "yorkshire")


def slowly(a, b):
    """Edit distance as its recursion says it."""

    @functools.cache
    def d(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


def slow_slu(said: list[Slot], gold: list[Slot]) -> tuple[float, float, float]:
    """The counts, type by type in lists of texts: slots of different types never meet."""
    true = false = missed = 0.0
    for distance in ("words", "letters"):
        for kind in {slot.type for slot in [*said, *gold]}:
            left = [slot.filler for slot in gold if slot.type == kind]
            for slot in said:
                if slot.type != kind:
                    continue
                if not left:
                    false += 1
                    continue
                costs = []
                for other in left:
                    if distance == "words":
                        costs.append(slowly(tuple(other.split()), tuple(slot.filler.split())) / len(other.split()))
                    else:
                        costs.append(slowly(other, slot.filler) / max(len(other), len(slot.filler)))
                taken = costs.index(min(costs))
                del left[taken]
                true, false, missed = true + 1, false + min(costs), missed + min(costs)
            missed += len(left)
    return true, false, missed


def some_slots(rng: np.random.Generator, most: int) -> list[Slot]:
    return [
        Slot(str(rng.choice(TYPES)), " ".join(rng.choice(WORDS, rng.integers(1, 4))))
        for _ in range(rng.integers(0, most))
    ]


def test_slu_f1_counts_as_a_slow_second_implementation_does() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        said, gold = some_slots(rng, 6), some_slots(rng, 4)
        found = slots.slu(said, gold)
        assert (found.true, found.false, found.missed) == pytest.approx(slow_slu(said, gold))


def test_a_filler_that_is_nearly_right_earns_most_of_a_slot() -> None:
    gold, said = [Slot("time", "eight o'clock"), Slot("date", "monday")], [Slot("time", "eight")]
    # Words: 1 of gold's 2 is lacking, d = 1/2. Letters: 8 of 13 are, d = 8/13. The date is missed twice.
    assert slots.slu(said, gold) == Counts(2, 1 / 2 + 8 / 13, 1 / 2 + 8 / 13 + 2)
    credit = text.slu_f1(
        "time: eight", [{"type": "time", "filler": "eight o'clock"}, {"type": "date", "filler": "Monday"}]
    )
    assert credit.num == 4 and credit.den == pytest.approx(4 + 2 * (1 / 2 + 8 / 13) + 2)
    assert slots.span(said, gold) == Counts(0, 1, 2)


def test_two_slots_of_one_type_go_to_the_nearest_gold() -> None:
    gold = [Slot("person", "ann"), Slot("person", "bob")]
    assert slots.slu([Slot("person", "bob"), Slot("person", "ann")], gold) == Counts(4, 0, 0)
    assert slots.span([Slot("person", "bob"), Slot("person", "bob")], gold) == Counts(1, 1, 1)


def test_slots_are_read_as_they_are_written_and_what_is_no_slot_counts_against_the_answer() -> None:
    assert slots.read("time: 5:30 am; date: monday") == [Slot("time", "5:30 am"), Slot("date", "monday")]
    assert slots.read("none") == [] == slots.read("")
    assert slots.read("Date :  Next  Monday; rubbish;") == [Slot("date", "next monday"), Slot("", "rubbish")]
    assert text.slu_f1("rubbish", []).num == 0 and text.slu_f1("rubbish", []).den == 2


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("system", "span", "slu"),
    [
        ("gold_hermit", 78.19, 81.38),
        ("gold_sfid", 70.27, 74.80),
        ("multi_slurp_hermit", 64.52, 71.59),
        ("google_sfid", 56.52, 64.36),
    ],
)
def test_real_systems_score_on_slurp_what_was_published_or_near_it(system: str, span: float, slu: float) -> None:
    """Table 8: HerMiT has 78.19 span F1 on true texts, and 70.84 SLU-F1 on recognised speech, over all recordings."""
    if not SLURP.is_dir():
        pytest.skip("needs ../shared/data/slurp")
    import polars as pl

    gold = {row["id"]: row["slots"] for row in pl.read_parquet(SLURP / "slurp.parquet").to_dicts()}
    rows = pl.read_parquet(SLURP / "slurp_systems.parquet").filter(pl.col("system") == system).to_dicts()
    answers = [["; ".join(f"{slot['type']}: {slot['filler']}" for slot in row["slots"]) for row in rows]]
    found = text.scores("slots", answers, [gold[row["slurp_id"]] for row in rows], np.arange(len(rows)))
    assert found["span_f1"].value == pytest.approx(span / 100, abs=6e-5)
    assert found["slu_f1"].value == pytest.approx(slu / 100, abs=6e-5)


@pytest.mark.parametrize(
    ("answer", "key", "right"),
    [
        ("so 3 + 4 = 7", "7", True),
        ("7, then 8", "7", False),
        ("#### 1,234", "1234", True),
        ("#### 5 (of 9)", 5, True),
        ("12.50", "12.5", True),
        ("none", "0", False),
        ("it is -3", "-3", True),
        ("", "1", False),
        ("$18.", "18", True),
        ("18", "so 20 - 2 = <<20-2=18>>18\n#### 18", True),
        ("", "", False),
    ],
)
def test_the_final_number_counts(answer: str, key: object, right: bool) -> None:
    assert text.right("number", answer, key) is right


def test_exact_answers_may_differ_in_blanks_alone() -> None:
    assert text.right("exact", " a  b\n", "a b") and not text.right("exact", "A b", "a b")


GOLD = [
    {
        "math.area": {
            "base": [10],
            "height": [5.0],
            "unit": ["Units", ""],
            "shape": [{"kind": ["flat"], "name": ["", "x"]}],
        }
    }
]


@pytest.mark.parametrize(
    ("answer", "right", "can_be_read"),
    [
        ("math.area(base=10, height=5, shape={'kind': 'flat'})", True, True),
        ("[math.area(height=5.0, base=10, unit='units', shape={'kind': 'FLAT', 'name': 'x'})]", True, True),
        ("math.area(base=10, height=5)", False, True),
        ("math.area(base=10, height=5, shape={'kind': 'flat'}, more=1)", False, True),
        ("math.area(base=True, height=5, shape={'kind': 'flat'})", False, True),
        ("area(base=10, height=5, shape={'kind': 'flat'})", False, True),
        ("math.area(10, 5)", False, False),
        ("math.area(base=10", False, False),
        ("I would call math.area", False, False),
        ("none", False, True),
        ("", False, False),
        ("(" * 5000, False, False),
    ],
)
def test_a_call_is_right_where_every_argument_is_allowed_and_none_is_lacking(
    answer: str, right: bool, can_be_read: bool
) -> None:
    assert text.right("calls", answer, GOLD) is right
    assert text.readable(answer, GOLD).full is can_be_read


def test_several_calls_may_stand_in_any_order_and_each_counts_once() -> None:
    gold = [
        {"play": {"artist": ["Taylor Swift"], "minutes": [20]}},
        {"play": {"artist": ["Maroon 5", "Taylor Swift"], "minutes": [15, 20]}},
    ]
    # The first call fits both: only the other way round do the two fit.
    assert text.right(
        "calls", "[play(artist='Taylor Swift', minutes=20), play(artist='Taylor Swift', minutes=20)]", gold
    )
    assert text.right("calls", "[play(artist='maroon 5', minutes=15), play(artist='taylorswift', minutes=20)]", gold)
    assert not text.right("calls", "[play(artist='maroon 5', minutes=15), play(artist='maroon 5', minutes=15)]", gold)
    assert not text.right("calls", "play(artist='Taylor Swift', minutes=20)", gold)


def test_where_no_call_is_right_none_has_to_be_said() -> None:
    assert (
        text.right("calls", "None", None)
        and not text.right("calls", "f()", None)
        and not text.right("calls", "sorry", None)
    )


def test_numerators_and_denominators_go_into_a_score() -> None:
    key = [[{"type": "date", "filler": "monday"}], []]
    found = text.scores("slots", [["date: monday", "none"], ["none", "date: friday"]], key, np.array([0, 1]))
    assert list(found) == ["slu_f1", "span_f1"]
    # First: 1 of 1. Second: one missed and one too many, 0 of 2 halves.
    np.testing.assert_array_equal(found["span_f1"].num, [[2, 0], [0, 0]])
    np.testing.assert_array_equal(found["span_f1"].den, [[2, 0], [1, 1]])
    np.testing.assert_array_equal(found["slu_f1"].values, [1, 0])


def test_an_unknown_scorer_is_named_with_its_nearest() -> None:
    with pytest.raises(UserError, match="unknown scorer 'slot': did you mean 'slots'"):
        text.metrics("slot")


def table(folder: Path, rows: list[dict], name: str = "table") -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


FUNCTIONS = [
    {
        "name": "math.area",
        "description": "Area of a thing. It has two sides.",
        "parameters": {
            "type": "dict",
            "required": ["base", "sides"],
            "properties": {
                "base": {"type": "integer"},
                "sides": {"type": "array", "items": {"type": "float"}},
                "unit": {"type": "string", "enum": ["cm", "m"]},
            },
        },
    }
]


def test_a_table_of_slots_becomes_prompts_with_answers_that_are_right(tmp_path: Path) -> None:
    rows = [
        {"text": "wake me at 5:30", "slots": [{"type": "time", "filler": "5:30"}]},
        {"text": "stop", "slots": "[]"},
        {"text": "stop", "slots": []},
    ]
    task, gold = from_table(read_file(table(tmp_path, rows)), Columns(scorer="slots"), None)
    assert dict(zip(task.prompts, gold.answers, strict=True)) == {
        "wake me at 5:30\nSlots:\n": "time: 5:30",
        "stop\nSlots:\n": "none",
    }
    assert task.scorer == "slots" and task.counts == {"rows": 3, "left out: the prompt comes again": 1}
    assert all(text.right("slots", answer, key) for answer, key in zip(gold.answers, gold.keys, strict=True))


def test_a_table_of_calls_becomes_prompts_with_answers_that_are_right(tmp_path: Path) -> None:
    key = [{"math.area": {"base": [3, 4], "sides": [[1.5, 2]], "unit": ["", "m"]}}]
    asked = json.dumps([[{"role": "user", "content": "How large\nis it?"}]])
    rows = [{"question": asked, "functions": json.dumps(FUNCTIONS), "ground_truth": json.dumps(key)}]
    rows += [{"question": [{"content": "And  you?"}], "functions": FUNCTIONS, "ground_truth": None}]
    rows += [{"question": [{"content": "long " * 100}], "functions": FUNCTIONS, "ground_truth": None}]
    task, gold = from_table(read_file(table(tmp_path, rows)), Columns(scorer="calls"), None)
    line = "math.area(base: integer, sides: array of float, unit?: cm|m): Area of a thing."
    assert dict(zip(task.prompts, gold.answers, strict=True)) == {
        f"{line}\nHow large is it?\nCall:\n": "math.area(base=3, sides=[1.5, 2])", f"{line}\nAnd you?\nCall:\n": "none",
    }  # fmt: skip
    assert task.counts == {"rows": 3, "left out: a prompt of more than 300 letters": 1}
    assert all(text.right("calls", answer, key) for answer, key in zip(gold.answers, gold.keys, strict=True))


def test_nested_gold_written_as_an_answer_is_right(tmp_path: Path) -> None:
    key = [{"f": {"a": [[{"k": ["v"], "o": [1, ""]}]], "b": ["", "x"], "c": [True]}}, {"g.h": {"names": [["p", "q"]]}}]
    rows = [{"question": [{"content": "?"}], "functions": FUNCTIONS, "ground_truth": key}]
    _, gold = from_table(read_file(table(tmp_path, rows)), Columns(scorer="calls"), None)
    assert gold.answers == ("[f(a=[{'k': 'v'}], c=True), g.h(names=['p', 'q'])]",) and text.right(
        "calls", gold.answers[0], key
    )


@pytest.mark.parametrize(
    ("scorer", "row", "said"),
    [
        (
            "slots",
            {"text": "a", "slots": [{"kind": "b"}]},
            r"table: column 'slots' holds no list of {type, filler} in line 1",
        ),
        ("slots", {"text": "a", "slots": "[{"}, r"column 'slots' holds no JSON in line 1"),
        ("slots", {"text": " ", "slots": []}, r"no text in line 1"),
        (
            "slots",
            {"words": "a", "slots": []},
            r"no column 'text': columns text, slots are needed, the table has words, slots",
        ),
        ("calls", {"question": "[]", "functions": "{}", "ground_truth": "[3]"}, "no list of functions, in line 1"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, scorer: str, row: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        from_table(read_file(table(tmp_path, [row])), Columns(scorer=scorer), None)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "items"), [("slurp/slurp.parquet", 5005), ("bfcl/bfcl.parquet", None)])
def test_gold_of_real_tables_is_right_by_its_own_scorer(name: str, items: int | None) -> None:
    path = SLURP.parent / name
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{name}")
    task, gold = from_table(read_file(path), Columns(scorer="slots" if items else "calls"), None)
    assert len(task) == items or (items is None and len(task) > 600)
    assert all(text.right(task.scorer, answer, key) for answer, key in zip(gold.answers, gold.keys, strict=True))


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        ("person: mark 's; date: Monday", True),
        ("none", True),
        ("date: tuesday", False),
        ("reply", False),
        ("date:", False),
        ("day: monday", True),
    ],
)
def test_what_fills_a_slot_has_to_stand_in_the_sentence(answer: str, sound: bool) -> None:
    (verdict,) = registry()["fillers"].run([Attempt("", answer, {"sentence": "Reply to mark's email on monday"})])
    assert verdict.sound is sound and bool(verdict.why) is not sound


@pytest.mark.parametrize(
    ("answer", "sound", "why"),
    [
        ("math.area(base=3, sides=[1, 2.5])", True, ""),
        ("none", None, "says that there is no call to make"),
        ("area(3", False, "no call can be read"),
        ("area(base=3)", False, "there is no function area"),
        ("math.area(base=3)", False, "math.area lacks sides"),
        ("math.area(base=True, sides=[])", False, "base of math.area is no integer"),
        ("math.area(base=1, sides=[], z=1)", False, "math.area takes no z"),
        ("[math.area(base=1, sides=[]), math.area(base='1', sides=[])]", False, "base of math.area is no integer"),
    ],
)
def test_a_call_has_to_fit_a_declaration(answer: str, sound: bool | None, why: str) -> None:
    (verdict,) = registry()["signature"].run([Attempt("", answer, {"functions": FUNCTIONS})])
    assert (verdict.sound, verdict.why) == (sound, why)
