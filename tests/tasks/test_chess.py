"""The rules of chess, against known counts of games and rules applied by hand."""

import random
from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.tasks.chess.board import START, Board, perft
from outgrow.tasks.chess.exchange import exchange, hanging
from outgrow.tasks.chess.notation import item, parse, san, uci
from outgrow.tasks.chess.search import MATE, VALUES, gain, material, scores

PUZZLES = Path(__file__).parents[3] / "shared" / "data" / "chess_puzzles" / "chess_puzzles.parquet"
KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq -"
POSITION_3 = "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - -"
POSITION_4 = "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1"
POSITION_5 = "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8"
POSITION_6 = "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10"
BACK_RANK = "6k1/5ppp/8/8/8/8/8/K2R3R w - -"


def named(board: Board) -> dict[str, int]:
    return {uci(move): move for move in board.legal_moves()}


@pytest.mark.parametrize(
    ("fen", "depth", "games"),
    [
        (START, 4, 197_281),
        (KIWIPETE, 3, 97_862),
        (POSITION_3, 4, 43_238),
        (POSITION_4, 3, 9_467),
        (POSITION_5, 3, 62_379),
        (POSITION_6, 3, 89_890),
    ],
)
def test_as_many_games_are_possible_as_the_known_table_says(fen: str, depth: int, games: int) -> None:
    assert perft(Board(fen), depth) == games


@pytest.mark.shared_data
@pytest.mark.skipif(not PUZZLES.is_file(), reason="the shared data is not beside this checkout")
def test_every_puzzle_has_as_many_legal_moves_as_its_table_says() -> None:
    import polars as pl

    rows = pl.read_parquet(PUZZLES, columns=["fen", "n_legal"])
    found = [len(Board(fen).legal_moves()) for fen in rows["fen"]]
    assert len(found) == 9242 and found == rows["n_legal"].to_list()


@pytest.mark.parametrize("fen", [START, KIWIPETE, POSITION_4, POSITION_5])
def test_taking_every_move_of_a_random_game_back_restores_each_position(fen: str) -> None:
    board, rng, passed = Board(fen), random.Random(1), []
    for _ in range(60):
        if not (moves := board.legal_moves()):
            break
        passed.append((board.position(), list(board.pieces), list(board.squares)))
        board.make(rng.choice(moves))
        assert board.position() == Board(board.position()).position()
    assert len(passed) > 10
    for position, pieces, squares in reversed(passed):
        board.unmake()
        assert (board.position(), board.pieces, board.squares) == (position, pieces, squares)


def test_every_legal_move_has_its_own_san_which_is_read_back() -> None:
    for fen in (START, KIWIPETE, POSITION_3, POSITION_4, POSITION_5, POSITION_6):
        board = Board(fen)
        names = {san(board, move): move for move in board.legal_moves()}
        assert len(names) == len(board.legal_moves())
        for name, move in names.items():
            assert parse(board, name) == parse(board, uci(move)) == move


@pytest.mark.parametrize(
    ("fen", "move", "name"),
    [
        ("8/8/8/8/8/k7/8/K2N1N2 w - -", "d1e3", "Nde3"),
        ("R7/8/8/8/8/7k/8/R3K3 w - -", "a8a4", "R8a4"),
        ("2K5/8/k7/8/4Q2Q/8/8/7Q w - -", "h4e1", "Qh4e1"),
        (BACK_RANK, "d1d8", "Rd8#"),
        ("r3k3/1P6/8/8/8/8/8/4K2R w K -", "b7a8q", "bxa8=Q+"),
        ("r3k3/1P6/8/8/8/8/8/4K2R w K -", "e1g1", "O-O"),
        ("4k3/8/8/3pP3/8/8/8/4K3 w - d6", "e5d6", "exd6"),
    ],
)
def test_san_says_as_much_as_it_takes_to_tell_moves_apart(fen: str, move: str, name: str) -> None:
    board = Board(fen)
    assert san(board, named(board)[move]) == name


def test_a_capture_en_passant_that_bares_the_king_on_its_rank_is_no_move() -> None:
    assert "e5d6" not in named(Board("4k3/8/8/K2pP2r/8/8/8/8 w - d6"))
    assert "e5d6" in named(Board("4k3/8/8/1K1pP3/7r/8/8/8 w - d6"))


def test_a_king_does_not_castle_out_of_through_or_into_check() -> None:
    castles = [
        set(named(Board(f"4k3/8/8/8/8/8/{rook}/R3K2R w KQ -"))) & {"e1g1", "e1c1"}
        for rook in ("8", "4r3", "5r2", "1r6")
    ]
    assert castles == [{"e1g1", "e1c1"}, set(), {"e1c1"}, {"e1g1", "e1c1"}]


@pytest.mark.parametrize(
    ("fen", "why"),
    [
        ("", "Forsyth-Edwards"),
        ("8/8/8/8/8/8/8/8 w - -", "one king"),
        ("9/8/8/8/8/8/8/K1k5 w - -", "Forsyth-Edwards"),
        ("8/8/8/8/8/8/8/K1k5 w - x9", "en-passant"),
        ("8/8/8/8/8/8/8/Kk6 w - -", "in check"),
        ("P7/8/8/8/8/8/8/K1k5 w - -", "no pawn"),
        ("4k3/8/8/8/8/8/4P3/4K3 w - e3", "no pawn has just passed e3"),
        ("4k3/8/8/4P3/8/8/8/4K3 w - e6", "no pawn has just passed e6"),
    ],
)
def test_what_is_no_position_is_refused_with_its_reason(fen: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        Board(fen)


def slow_value(board: Board, depth: int) -> int:
    """The search without bounds and without a shortcut at its last ply."""
    if depth == 0:
        return material(board)
    values = []
    for move in board.legal_moves():
        board.make(move)
        values.append(-slow_value(board, depth - 1))
        board.unmake()
    return max(values, default=-(MATE + depth) if board.in_check() else 0)


@pytest.mark.parametrize("fen", [POSITION_3, POSITION_4, POSITION_5, BACK_RANK, "k7/8/1K6/8/8/8/8/1Q6 w - -"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_search_gives_every_move_the_score_of_plain_minimax(fen: str, depth: int) -> None:
    board, wanted = Board(fen), {}
    for move in board.legal_moves()[:12]:
        board.make(move)
        wanted[move] = -slow_value(board, depth - 1)
        board.unmake()
    found = scores(board, depth)
    assert {move: found[move] for move in wanted} == wanted and len(found) == len(board.legal_moves())


def test_a_mate_is_seen_one_ply_after_it_stands_on_the_board() -> None:
    board = Board(BACK_RANK)
    mate = named(board)["d1d8"]
    assert scores(board, 1)[mate] == material(board) == 2 * VALUES[3] - 3 * VALUES[0]
    assert scores(board, 2)[mate] == MATE + 1


def test_material_changes_by_what_a_move_gains() -> None:
    board = Board(POSITION_4)
    for move in board.legal_moves():
        before, won = material(board), gain(board, move)
        board.make(move)
        assert -material(board) == before + won
        board.unmake()


def test_exchanges_count_takes_and_retakes_on_one_square() -> None:
    # A rook takes a pawn that a pawn guards: 1 - 5 < 0, so it does not take. Two rooks against a knight's guard of a
    # bishop: 3 - 5 + 3 = 1.
    guarded = Board("4k3/2p5/3p4/8/8/8/8/3RK3 w - -")
    assert exchange(guarded, 43, 0, guarded.occupied, 1) == 0 and hanging(guarded, 1) == []
    doubled = Board("1n2k3/8/2b5/8/8/8/2R5/2R1K3 w - -")
    assert exchange(doubled, 42, 0, doubled.occupied, 3) == 3 - (5 - 3)
    assert hanging(doubled, 1) == [1]


def test_a_text_is_read_as_the_move_that_ends_it() -> None:
    assert item(f"Position: {POSITION_5}\nMove: d7c8q", "x") == (" ".join(POSITION_5.split()[:4]), "d7c8q")
    with pytest.raises(UserError, match="x reads moves of chess"):
        item("Paris is in France.", "x")
