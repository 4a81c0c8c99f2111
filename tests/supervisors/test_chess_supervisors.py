"""Searches and engines as supervisors of chess puzzles, on tables and by the command line."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import supervisors
from outgrow.core.errors import UserError
from outgrow.pipeline.spaces import Spaces
from outgrow.store import Store
from outgrow.supervisors.uci import Engine
from outgrow.tasks import Task, load
from outgrow.tasks.chess.board import START

HANGING = "4k3/8/8/3q4/4P3/8/8/4K3 w - - 0 1"
GUARDED = "4k3/8/2p5/3r4/8/1B6/8/4K3 w - - 0 1"
ENGINE = """import sys
for line in sys.stdin:
    word = line.split()[0]
    if word == "uci":
        print("id name tiny\\noption name MultiPV type spin default 1 min 1 max 500\\nuciok")
    elif word == "isready":
        print("readyok")
    elif word == "go":
        {answer}
    sys.stdout.flush()
"""
TWO = (
    'print("info depth 1 multipv 1 score cp 100 pv e2e4 e7e5"); '
    'print("info depth 1 multipv 2 score cp 0 pv d2d4"); print("bestmove e2e4")'
)


def puzzles(folder: Path, fens: list[str], best: list[str]) -> Task:
    path = folder / "puzzles.parquet"
    pl.DataFrame({"fen": fens, "best_move": best}).write_parquet(path)
    return load(str(path))[0]


def said(task: Task, name: str, folder: Path) -> dict[str, float]:
    """P(best) by move."""
    gold, pool = np.full((2, len(task)), -1), np.ones(len(task), bool)
    store = Store(folder / "store")
    view = supervisors.SupervisorView(task, gold, pool, 0, (0, 1), store, Spaces(task, store), "linear")
    ((kind, argument),) = supervisors.parse(name)
    probs = kind.label(view, argument)
    assert probs.shape == (2, len(task), 2) and np.allclose(probs.sum(-1), 1) and np.array_equal(probs[0], probs[1])
    return {text.split()[-1]: float(p) for (text,), p in zip(task.texts, probs[0, :, 1], strict=True)}


def engine(folder: Path, answer: str) -> str:
    path, program = folder / "engine", folder / "engine.py"
    program.write_text(ENGINE.format(answer=answer))
    # The path of the interpreter may have spaces, which a first line that names it does not bear.
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_of_an_engine_that_reports_one_line_the_last_depth_counts(tmp_path: Path) -> None:
    lines = 'print("info depth 1 score cp 50 pv e2e4"); print("info depth 9 score cp 10 pv d2d4"); '
    with Engine(engine(tmp_path, lines + 'print("bestmove d2d4")')) as asked:
        assert asked.scores("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq -") == {"d2d4": 0.1}


def test_a_search_of_one_ply_takes_what_it_can_and_other_moves_share_the_rest(tmp_path: Path) -> None:
    task = puzzles(tmp_path, [HANGING, GUARDED], ["exd5", "Bxd5"])
    first = said(puzzles(tmp_path, [HANGING, HANGING], ["exd5", "exd5"]), "material:1", tmp_path)
    rest = {p for move, p in first.items() if move != "e4d5"}
    # All moves but one score -8 (a pawn for a queen), the capture 9 more.
    others = len(first) - 1
    assert first["e4d5"] == pytest.approx(1 / (1 + others * np.exp(-9))) and len(rest) == 1
    assert said(task, "material:1", tmp_path)["b3d5"] > 0.9


def test_a_search_of_two_plies_sees_that_a_capture_is_taken_back(tmp_path: Path) -> None:
    task = puzzles(tmp_path, ["4k3/8/2p5/3p4/8/1B6/8/4K3 w - - 0 1"] * 2, ["Bc2", "Bc2"])
    one, two = (said(task, f"material:{depth}", tmp_path)["b3d5"] for depth in (1, 2))
    assert one > 0.1 > two


@pytest.mark.parametrize("depth", ["0", "5", "deep", "01"])
def test_a_depth_that_is_none_is_refused_before_anything_is_read(depth: str) -> None:
    with pytest.raises(UserError, match=f"material:{depth}'.*1 to 4"):
        supervisors.parse(f"material:{depth}")


def test_a_search_refuses_a_task_that_is_not_chess(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    pl.DataFrame({"question": ["a", "b"], "choices": [["x", "y"]] * 2, "answer": ["x", "y"]}).write_parquet(path)
    with pytest.raises(UserError, match="material:1 reads moves of chess"):
        said(load(str(path))[0], "material:1", tmp_path)


def test_an_engine_is_asked_over_its_pipes_and_its_scores_become_probabilities(tmp_path: Path) -> None:
    task = puzzles(tmp_path, [START, START], ["e2e4", "e2e4"])
    found = said(task, f"uci:{engine(tmp_path, TWO)}", tmp_path)
    # Scores of 1 and 0 pawns: e / (e + 1).
    assert found["e2e4"] == pytest.approx(np.e / (np.e + 1)) and found["d2d4"] == pytest.approx(1 / (np.e + 1))
    assert sum(found.values()) == pytest.approx(1) and found["g1f3"] == 0


def test_the_best_move_of_an_engine_without_scores_has_all_probability(tmp_path: Path) -> None:
    with Engine(engine(tmp_path, 'print("bestmove g1f3 ponder e7e5")')) as asked:
        assert asked.scores(" ".join(START.split()[:4])) == {"g1f3": 0.0}


def test_an_engine_that_is_silent_is_ended_and_named(tmp_path: Path) -> None:
    path = engine(tmp_path, "pass")
    with pytest.raises(UserError, match=r"said no 'bestmove' within 0.5 s"), Engine(path, patience=0.5) as asked:
        process = asked._process
        asked.scores(START)
    assert process.poll() is not None


def test_an_engine_that_ends_early_or_is_not_there_is_a_mistake_in_one_line(tmp_path: Path) -> None:
    path = engine(tmp_path, "sys.exit(3)")
    with pytest.raises(UserError, match="ended"), Engine(path) as asked:
        asked.scores(START)
    os.remove(path)
    with pytest.raises(UserError, match="no program there"):
        supervisors.parse(f"uci:{path}")
