"""The leaderboard as Markdown: a short table that fits a screen, and every table whole in a fold."""

from outgrow.report.leaderboard import folded

HEAD = ["Method", "Group result share of the gaps", "Rank", "Won, lost against naive"]
RANKED = ["best", "second<br>buys 100 gold labels", "third", "fourth", "fifth", "sixth", "logconf", "naive", "last"]
TABLES = [
    (
        "Leaderboard",
        "How to read it.",
        [HEAD, *([name, f"{90 - i}%", str(i), "0, 0"] for i, name in enumerate(RANKED))],
    ),
    ("The pairs", "What each pair is like.", [["Pair", "Gap"], ["cities<br>a → b", "+3.0"]]),
]


def test_the_short_table_has_five_methods_and_those_that_others_are_compared_with():
    short = folded(TABLES).split("<details")[0]
    rows = [line.split(" | ") for line in short.strip().splitlines()]
    assert rows[0] == ["| Method", "Group result share of the gaps", "Won, lost against naive |"]
    names = [row[0].removeprefix("| ") for row in rows[2:]]
    assert names == ["best", "second (buys 100 gold labels)", "third", "fourth", "fifth", "logconf", "naive"]


def test_a_cell_of_the_short_table_is_one_line_with_the_interval_for_these_tasks():
    full = "+2.6 [−1.9, +7.1]<br>these tasks [+1.0, +4.2]"
    tables = [("Leaderboard", "", [HEAD, ["active<br>buys 100 gold labels", full, "1", "1, 0"]])]
    short, folds = folded(tables).split("<details", 1)
    assert short.strip().splitlines()[-1] == "| active (buys 100 gold labels) | +2.6 [+1.0, +4.2] | 1, 0 |"
    assert full in folds


def test_every_table_stands_whole_in_a_fold():
    first, second = folded(TABLES).split("</details>")[:2]
    assert "<summary>Leaderboard, 9 methods</summary>\n\nHow to read it." in first
    assert all(f"\n| {name} | {90 - i}% | {i} | 0, 0 |" in first for i, name in enumerate(RANKED))
    assert "<summary>The pairs, 1 pair</summary>" in second and "| cities<br>a → b | +3.0 |" in second
