"""Room for words: names short enough and still different, labels apart, ticks that can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest

from outgrow.report.layout import ELLIPSIS, GAP, apart, fitting, percents, short, width


def test_a_name_that_fits_stays_as_it_is():
    assert short(["naive", "gold-few"], 110) == ["naive", "gold-few"]


def test_a_long_name_keeps_both_of_its_ends():
    (found,) = short(["supervisor:column_of_anna"], 110)
    assert found.startswith("superv") and ELLIPSIS in found and found.endswith("anna") and width(found) <= 110


@pytest.mark.parametrize(
    "names",
    [
        [f"supervisor:column_{letter}_of_votes" for letter in "abc"],
        [f"supervisor:column:{i}" for i in range(30)],
        ["x" * 40 + str(i) + "y" * 40 for i in range(12)],
        [f"日本語のとても長い名前{i}の日本語のとても長い名前" for i in range(3)],
        ["a" * n for n in range(20, 40)],
    ],
    ids=["middle", "end", "buried", "full width", "length alone"],
)
@pytest.mark.parametrize("room", [60, 106, 190])
def test_different_names_stay_different_and_fit(names, room):
    found = short(names, room)
    assert len(set(found)) == len(names) and all(width(name) <= room for name in found)


def test_equal_names_stay_equal():
    assert len(set(short(["the same long name of two rows"] * 2, 80))) == 1


def test_labels_are_pushed_apart_in_their_order():
    placed = apart([0.7, 0.70, 0.1, 0.72], 0.05)
    assert all(b - a > 0.049 for a, b in pairwise(sorted(placed)))
    assert placed[2] == 0.1 and placed[0] < placed[1] < placed[3]


def test_labels_stay_inside_where_all_fit():
    # Three labels at the top edge, .1 apart: .8, .9 and 1.
    assert apart([0.99, 1.0, 1.0], 0.1, (0.0, 1.0)) == pytest.approx([0.8, 0.9, 1.0])


def test_the_last_ticks_of_near_numbers_do_not_run_together():
    places = [0, 100, 200, 285, 300]  # 1,024 and 1,180 of a logarithmic axis
    kept = fitting(places, ["32", "100", "316", "1,024", "1,180"])
    assert kept == [0, 1, 2, 4]


@pytest.mark.parametrize("span", [(0.0, 1.0), (0.618, 0.6234), (0.7, 0.7004), (-4.2, 13.0), (0.5, 0.500001)])
@pytest.mark.parametrize("room", [100, 186, 580])
def test_ticks_of_an_axis_are_all_different_and_clear_of_one_another(span, room):
    found = percents(span, room)
    digits = int(found["format"][1])
    texts = [f"{100 * value:.{digits}f}%" for value in found["values"]]
    places = [(value - span[0]) / (span[1] - span[0]) * room for value in found["values"]]
    assert len(set(texts)) == len(texts) >= 1
    for (a, left), (b, right) in pairwise(zip(texts, places, strict=True)):
        assert right - left >= (width(a, 12) + width(b, 12)) / 2 + GAP
