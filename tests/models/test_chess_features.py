"""Features of moves of chess, against positions in which they can be counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.models.chess import MOVE, PLANES, WIDTHS
from outgrow.store import Store

FORK = "4k3/8/8/1q6/4N3/8/8/4K3 w - -"
WHITE = "6k1/5ppp/8/8/8/8/8/K2R3R w - -"
BLACK = "k2r3r/8/8/8/8/8/5PPP/6K1 b - -"


def read(tmp_path: Path, *moves: str, name: str = "chess") -> np.ndarray:
    store = Store(tmp_path)
    return models.move_features(models.resolve(name, store), [f"Position: {move}" for move in moves], store).x[0]


def test_features_of_a_mirrored_position_are_the_same(tmp_path: Path) -> None:
    white, black = read(tmp_path, f"{WHITE} Move: d1d8", f"{BLACK} Move: d8d1")
    assert white.any() and np.array_equal(white, black)


def test_planes_show_the_board_after_the_move(tmp_path: Path) -> None:
    (x,) = read(tmp_path, f"{WHITE} Move: d1d8")
    rooks, pawns = x[3 * 64 : 4 * 64], x[6 * 64 : 7 * 64]
    assert np.flatnonzero(rooks).tolist() == [7, 59] and np.flatnonzero(pawns).tolist() == [53, 54, 55]
    assert x[:PLANES].sum() == 7
    # From d1 (3) to d8 (59), a rook (kind 3), nothing taken.
    assert np.flatnonzero(x[PLANES : PLANES + MOVE]).tolist() == [3, 64 + 59, 128 + 3]


def test_tactics_tell_a_mate_a_fork_and_a_quiet_move_apart(tmp_path: Path) -> None:
    mate, check = read(tmp_path, f"{WHITE} Move: d1d8", "4k3/8/8/8/8/8/8/K2R4 w - - Move: d1e1", name="chess:tactics")
    assert (mate[4], mate[6]) == (1, 1) and (check[4], check[6]) == (1, 0)
    fork, quiet = read(tmp_path, f"{FORK} Move: e4d6", f"{FORK} Move: e4g3", name="chess:tactics")
    # The knight attacks the queen with check: 9 are won whatever the reply; from g3 it attacks nothing.
    assert fork[21] == 9 and fork[28] == 9 and quiet[21] == quiet[28] == 0


def test_parts_of_the_features_are_the_whole(tmp_path: Path) -> None:
    move = f"{FORK} Move: e4d6"
    whole, planes, tactics = (read(tmp_path, move, name=name) for name in ("chess", "chess:planes", "chess:tactics"))
    assert np.array_equal(whole, np.concatenate([planes, tactics], 1)) and whole.shape == (1, WIDTHS[""])


def test_what_is_no_part_and_no_move_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="write it as chess or chess:PART, with planes or tactics"):
        models.check("chess:squares")
    with pytest.raises(UserError, match="'e4e8' is no legal move"):
        read(tmp_path, f"{FORK} Move: e4e8")
    with pytest.raises(UserError, match="chess reads moves of chess"):
        read(tmp_path, "nothing")
