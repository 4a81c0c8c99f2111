"""A whole study of chess puzzles, on positions of random games whose best move is what a deeper search says."""

import random
from pathlib import Path

import polars as pl
import pytest

import outgrow
from outgrow.tasks.chess.board import START, Board
from outgrow.tasks.chess.notation import uci
from outgrow.tasks.chess.search import scores


def puzzles(count: int) -> tuple[pl.DataFrame, dict[str, float]]:
    """Positions in which a search of two plies prefers one move, and what guessing among the best of one ply earns."""
    rng, rows, luck = random.Random(3), {}, {}
    while len(rows) < count:
        board = Board(START)
        for _ in range(rng.randrange(16, 50)):
            if not (moves := board.legal_moves()):
                break
            board.make(rng.choice(moves))
        one, two = scores(board, 1), scores(board, 2)
        best = [move for move, score in two.items() if score == max(two.values())]
        if len(best) == 1 and len(two) > 1:
            first = [move for move, score in one.items() if score == max(one.values())]
            rows[board.position()] = uci(best[0])
            luck[board.position()] = (best[0] in first) / len(first)
    return pl.DataFrame({"fen": list(rows), "best_move": list(rows.values())}), luck


def test_a_study_of_puzzles_has_the_floor_of_its_search_and_a_student_who_could_do_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    frame, luck = puzzles(120)
    split = ["test" if i % 3 == 0 else "train" for i in range(len(frame))]
    task = outgrow.Task.of(frame.with_columns(split=pl.Series(split)), "puzzles")
    result = outgrow.Study(
        tasks=[task], weak=["material:1"], strong="chess:tactics", methods=["naive"], seeds=4, out=tmp_path / "run"
    ).run()
    rows = {row["method"]: row["value"] for row in result.summary.to_dicts() if row["metric"] == "choice"}
    tested = [luck[fen] for fen, side in zip(frame["fen"], split, strict=True) if side == "test"]
    assert rows["floor"] == pytest.approx(sum(tested) / len(tested))
    assert rows["ceiling"] > rows["floor"] + 0.05
