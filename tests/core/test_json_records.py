"""Dataclasses as JSON and back: nothing is lost, and a damaged file is one line with its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from outgrow.core.errors import UserError
from outgrow.core.records import VERSION, absent, dump, load, parse


@dataclass(frozen=True)
class Leaf:
    name: str
    ends: tuple[float, float] | None = None
    note: str | None = absent()


@dataclass(frozen=True)
class Tree:
    kind: Literal["oak", "elm"]
    height: float
    leaves: tuple[Leaf, ...]
    counts: dict[str, int] = field(default_factory=dict)
    shares: Mapping[str, float | None] = field(default_factory=dict)
    extra: Any = None
    crown: Leaf | None = None


TREE = Tree(
    "oak", 2.5, (Leaf("a", (0.0, 1.0)), Leaf("b", note="old")), {"x": 1}, {"y": None}, {"z": [1, None]}, Leaf("top")
)


def test_what_is_written_is_read_as_it_was() -> None:
    text = json.dumps(dump(TREE))
    assert load(Tree, json.loads(text), "tree.json") == TREE
    assert json.dumps(dump(load(Tree, json.loads(text), "tree.json"))) == text


def test_a_field_that_may_be_absent_is_written_only_where_it_has_a_value() -> None:
    assert dump(TREE.leaves) == [{"name": "a", "ends": [0.0, 1.0]}, {"name": "b", "ends": None, "note": "old"}]


def test_numpy_values_and_paths_are_plain_and_what_is_not_finite_is_null() -> None:
    found = dump(
        {"n": np.int64(3), "x": np.float32(0.5), "a": np.array([1.0, np.nan]), "p": Path("a/b"), 1: float("inf")}
    )
    assert found == {"n": 3, "x": 0.5, "a": [1.0, None], "p": "a/b", "1": None}


def test_an_interval_with_an_end_that_is_no_number_is_none() -> None:
    assert load(Leaf, json.loads('{"name": "a", "ends": [NaN, 1.0]}'), "leaf.json") == Leaf("a")


def test_numbers_of_numpy_are_read_as_plain_ones() -> None:
    facts = {"kind": "elm", "height": np.float64(1.5), "leaves": [{"name": "a", "ends": [np.float32(0.0), np.nan]}]}
    found = load(Tree, facts, "tree.json")
    assert found == Tree("elm", 1.5, (Leaf("a"),)) and type(found.height) is float


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "ash"}, "key 'kind' is 'ash', not 'oak' or 'elm'"),
        ({"height": "tall"}, "key 'height' is 'tall', not a number"),
        ({"height": True}, "key 'height' is True, not a number"),
        ({"counts": {"x": 1.5}}, "key 'counts.x' is 1.5, not a whole number"),
        ({"leaves": {}}, "key 'leaves' is {}, not a list"),
        ({"leaves": [{"name": "a"}, {}]}, "no key 'leaves.1.name'"),
        ({"leaves": [{"name": "a", "ends": [0.0]}]}, "key 'leaves.0.ends' is [0.0], not a list of 2"),
        ({"crown": {"name": 7}}, "key 'crown.name' is 7, not a text"),
    ],
)
def test_a_key_that_is_missing_or_of_the_wrong_kind_is_named_with_its_file(change, says) -> None:
    with pytest.raises(UserError) as error:
        load(Tree, {**dump(TREE), **change}, "tree.json")
    assert str(error.value).startswith(f"tree.json: {says}: it is damaged") and "\n" not in str(error.value)


def test_keys_of_nobody_are_ignored_and_versions_to_come_are_refused() -> None:
    assert load(Leaf, {"version": VERSION, "name": "a", "colour": "green"}, "leaf.json") == Leaf("a")
    for version in (VERSION + 1, "2"):
        with pytest.raises(UserError, match=r"^leaf\.json is of version .*: update outgrow$"):
            load(Leaf, {"version": version, "name": "a"}, "leaf.json")


def test_halves_of_letters_are_kept() -> None:
    leaf = Leaf("\ud800 and \U0001f600")
    assert load(Leaf, json.loads(json.dumps(dump(leaf))), "leaf.json") == leaf


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\ufeff[]"])
def test_what_is_no_json_is_one_line(text) -> None:
    with pytest.raises(UserError, match=r"^a\.json is not valid JSON"):
        parse(text, "a.json")
