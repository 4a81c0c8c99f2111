"""Tables of chess puzzles as questions whose choices are the legal moves."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.core.errors import UserError
from outgrow.tasks import Gold, Reading, Task, load
from outgrow.tasks.chess.board import START, Board

FOOLS = "rnbqkbnr/pppp1ppp/8/4p3/8/5P2/PPPPP1PP/RNBQKBNR w KQkq - 0 2"
TWO_MATES = "6k1/5ppp/8/8/8/8/8/K2RR3 w - - 0 1"


def read(folder: Path, reading: Reading | None = None, **columns: list) -> tuple[Task, Gold]:
    path = folder / "puzzles.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return load(str(path), reading)


def right(task: Task, gold: Gold) -> set[str]:
    return {text.split()[-1] for (text,), label in zip(task.texts, gold.labels, strict=True) if label}


def test_every_legal_move_of_a_position_is_a_candidate(tmp_path: Path) -> None:
    task, gold = read(tmp_path, fen=[START, TWO_MATES], best_move=["e2e4", "Rd8#"])
    assert task.kind == "choose" and len(task) == 20 + len(Board(TWO_MATES).legal_moves())
    assert right(task, gold) == {"e2e4", "d1d8", "e1e8"}
    assert f"Position: {' '.join(START.split()[:4])}\nMove: e2e4" in {text for (text,) in task.texts}


def test_every_move_that_mates_is_right_where_the_best_one_does(tmp_path: Path) -> None:
    task, gold = read(tmp_path, fen=[START, TWO_MATES], best_move=["e2e4", "d1d8"])
    weight = {
        (text.split()[-1], int(label)): w
        for (text,), label, w in zip(task.texts, gold.labels, gold.weights, strict=True)
    }
    assert weight["d1d8", 1] == weight["e1e8", 1] == 0.5 / 2
    assert weight["e2e4", 1] == 0.5 and weight["d2d4", 0] == pytest.approx(0.5 / 19)


def test_several_best_moves_are_all_right(tmp_path: Path) -> None:
    task, gold = read(tmp_path, fen=[START, FOOLS], best_moves=[["e2e4", "d2d4"], ["Nc3"]])
    assert right(task, gold) == {"e2e4", "d2d4", "b1c3"}


def test_the_same_move_is_another_answer_in_another_position(tmp_path: Path) -> None:
    assert read(tmp_path, fen=[START, FOOLS], best_move=["e2e4", "e2e4"])[0].answer is None


def test_the_first_move_of_a_lichess_line_leads_to_the_position(tmp_path: Path) -> None:
    task, gold = read(tmp_path, FEN=[FOOLS, START], Moves=["g2g4 d8h4", "e2e4 e7e5 g1f3"], Rating=[900, 1500])
    assert right(task, gold) == {"d8h4", "e7e5"}
    assert all(" b KQkq " in text for (text,) in task.texts)


def test_columns_of_other_names_are_named_by_flags(tmp_path: Path) -> None:
    reading = Reading(fen="board", best_moves="reply")
    task, gold = read(tmp_path, reading, board=[START, FOOLS], reply=["Nf3", "e4"])
    assert right(task, gold) == {"g1f3", "e2e4"}


def test_recorded_moves_are_votes_in_either_notation(tmp_path: Path) -> None:
    columns = {"fen": [START, FOOLS], "best_move": ["e4", "e4"], "guess": ["Nf3", "b1c3"]}
    task, _ = read(tmp_path, Reading(votes=("guess",)), **columns)
    chosen = {text.split()[-1] for (text,), vote in zip(task.texts, task.votes["guess"], strict=True) if vote[1] > 0.5}
    assert chosen == {"g1f3", "b1c3"} and np.nansum(task.votes["guess"][:, 1]) == pytest.approx(2)


def test_a_position_that_cannot_be_read_and_a_move_that_is_not_legal_are_refused_by_row(tmp_path: Path) -> None:
    columns = {"fen": [START, "nowhere", FOOLS], "best_move": ["e2e4", "e2e4", "e2e5"]}
    with pytest.raises(UserError, match=r"missing readable position in row 2.*legal best moves .*in row 3"):
        read(tmp_path, **columns)
    task, _ = read(tmp_path, Reading(skip_bad_rows=True), fen=[START, "nowhere", FOOLS], best_move=["e4", "e4", "e4"])
    assert task.counts["questions"] == 2


def test_a_table_that_is_not_plainly_one_of_puzzles_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name both columns"):
        read(tmp_path, fen=[START, FOOLS], best_move=["e4", "e4"], best_moves=["d4", "d4"])
    with pytest.raises(UserError, match="contradictory flags `fen` and `label`"):
        read(tmp_path, Reading(fen="fen", label="best_move"), fen=[START], best_move=["e4"])
    with pytest.raises(UserError, match="no column 'board' for `fen`"):
        read(tmp_path, Reading(fen="board"), fen=[START], best_move=["e4"])
    task, _ = read(tmp_path, Reading(text="fen", label="best_move"), fen=[START, FOOLS] * 2, best_move=["e4", "d4"] * 2)
    assert task.kind == "classify"


def test_an_answer_that_is_a_list_makes_several_choices_right(tmp_path: Path) -> None:
    choices = [["two", "three", "four"], ["one", "nine"]]
    task, gold = read(
        tmp_path,
        question=["Which are prime?", "Which is a square?"],
        choices=choices,
        answer=[["two", "three"], ["nine"]],
    )
    assert right(task, gold) == {"two", "three", "nine"}
    assert sorted(gold.weights.tolist()) == [0.25, 0.25, 0.5, 0.5, 0.5]


def test_flags_of_puzzles_are_refused_where_votes_are_learned_from(tmp_path: Path) -> None:
    from outgrow.tasks.tables.files import read_file
    from outgrow.tasks.tables.layouts import from_votes

    path = tmp_path / "puzzles.parquet"
    pl.DataFrame({"fen": [START], "best_move": ["e4"]}).write_parquet(path)
    with pytest.raises(UserError, match="`fen` is for chess puzzles"):
        from_votes(read_file(path), Reading(fen="fen"))
