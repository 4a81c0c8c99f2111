"""Chess puzzles in a table as questions: the position asks, its legal moves are the choices, the best ones are right.

    fen, best_moves     the side to move is to find a best move, in UCI or SAN; `best_move` is another name
    FEN, Moves          the table of the Lichess puzzle database: the first of the moves is the opponent's, and leads to
                        the position; the second is the best

Where a best move mates, every move that mates is right. Counts of moves are no part of the position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.chess.board import Board
from outgrow.tasks.chess.notation import parse, uci
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import ROLES, SHAPES, vote_columns
from outgrow.tasks.tables.values import blank

LICHESS = ("FEN", "Moves")
BEST = ("best_moves", "best_move")
TEMPLATE = "Position: {question}\\nMove: {choice}"
_POSITION, _MOVES, _RIGHT = "readable position", "legal moves", "legal best moves"
"""Columns of the questions, as messages call them."""


@final
@dataclass(frozen=True)
class PuzzleColumns:
    """Which columns hold positions and best moves."""

    fen: str
    best: str
    played: bool
    """Whether the first of the moves leads to the position."""


def columns(names: Sequence[str], reading: Reading) -> PuzzleColumns | None:
    """The columns of chess puzzles that flags and names of columns agree on; None for another table.

    Raises:
        UserError: A flag names no column, or flags contradict one another.

    Example:
        >>> columns(["PuzzleId", "FEN", "Moves", "Rating"], Reading())
        PuzzleColumns(fen='FEN', best='Moves', played=True)
        >>> columns(["text", "label"], Reading()) is None
        True
    """
    asked = [role for role in ("fen", "best_moves") if reading.column(role) is not None]
    others = [role for role in ROLES if reading.column(role) is not None]
    for role in asked:
        if (named := reading.column(role)) not in names:
            raise UserError(f"no column {named!r} for `{role}`: the columns are {', '.join(names)}")
    if asked and others:
        raise UserError(f"contradictory flags `{asked[0]}` and `{others[0]}`: the first is for chess puzzles alone")
    if others:
        return None
    if not asked and set(LICHESS) <= set(names):
        _refuse_doubt(names)
        return PuzzleColumns(*LICHESS, played=True)
    fen = reading.fen or next((name for name in ("fen", "FEN") if name in names), None)
    best = [reading.best_moves] if reading.best_moves else [name for name in BEST if name in names]
    if fen and len(best) == 1 and best[0]:
        if not asked:
            _refuse_doubt(names)
        return PuzzleColumns(fen, best[0], played=False)
    if asked or (fen and best):
        raise UserError(
            "chess puzzles take a position and its best moves: name both columns with `fen` and `best_moves`; the "
            f"columns are {', '.join(names)}"
        )
    return None


def _refuse_doubt(names: Sequence[str]) -> None:
    """Raises UserError where columns of puzzles stand beside those of another layout, and no flag says which."""
    for kind, shape in SHAPES.items():
        if set(shape.needs) <= set(names) and (not shape.either or set(shape.either) & set(names)):
            raise UserError(
                f"the columns {', '.join(names)} fit chess puzzles and the layout {kind!r}: say which, with `fen` and "
                f"`best_moves` or with `{shape.needs[-1]}`"
            )


def as_questions(table: TableFile, columns: PuzzleColumns, reading: Reading) -> tuple[TableFile, Reading]:
    """The table with questions, choices and answers, and how to read it.

    A position that cannot be read is empty, a best move that is not legal is left as it is: both are refused with the
    other bad rows.
    """
    if columns.best in vote_columns(table, reading.votes):
        raise UserError(f"contradictory flags: column {columns.best!r} holds the gold, it cannot be in `votes`")
    best_cells = table.column(columns.best)
    # Best moves are gold: no template and no supervisor finds them under their own name.
    table = replace(table, names=tuple(name for name in table.names if name != columns.best))
    positions, moves, right = [], [], []
    votes: dict[str, list[Any]] = {name: [] for name in reading.votes if name in table.names}
    sources = {name: table.column(name) for name in votes}
    rows = zip(table.column(columns.fen), best_cells, strict=True)
    for row, (fen, best) in enumerate(rows):
        board, wanted = _puzzle(fen, best, columns.played)
        positions.append(board.position() if board else "")
        moves.append([uci(move) for move in board.legal_moves()] if board else [])
        right.append(_right(board, wanted) if board else wanted)
        for name, cells in votes.items():
            cells.append(_named(board, sources[name][row]) if board else None)
    more = votes | {_POSITION: positions, _MOVES: moves, _RIGHT: right}
    read = replace(
        reading, fen=None, best_moves=None, question=_POSITION, choices=_MOVES, answer=_RIGHT,
        template=reading.template or TEMPLATE,
    )  # fmt: skip
    return table.with_columns(more), read


def _puzzle(fen: object, best: object, played: bool) -> tuple[Board | None, list[str]]:
    """The position to be solved, None where there is none, and what is said to be best there."""
    said = [str(one) for one in best if not blank(one)] if isinstance(best, list) else str(best or "").split()
    try:
        board = Board(fen if isinstance(fen, str) else "")
    except UserError:
        return None, said
    if played:
        first = parse(board, said[0]) if said else None
        if first is None:
            return None, said
        board.make(first)
        said = said[1:2]
    return board, said


def _right(board: Board, said: Sequence[str]) -> list[str]:
    found = [(text, parse(board, text)) for text in said]
    right = [text if move is None else uci(move) for text, move in found]
    if any(move is not None and board.mates(move) for _, move in found):
        right += [uci(move) for move in board.legal_moves() if board.mates(move)]
    return list(dict.fromkeys(right))


def _named(board: Board, cell: object) -> object:
    """A vote in UCI where it is a move in SAN; else as it is."""
    move = parse(board, cell) if isinstance(cell, str) else None
    return cell if move is None else uci(move)
