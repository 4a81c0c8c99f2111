"""Moves as text: UCI (e2e4, e7e8q) and SAN (Nf3, exd5, O-O, e8=Q+), and a position with a move inside a text."""

from __future__ import annotations

import re

from outgrow.core.errors import UserError
from outgrow.tasks.chess.board import EMPTY, KING_, LETTERS, PAWN, Board, square_name

_ITEM = re.compile(
    r"(?P<fen>(?:[PNBRQKpnbrqk1-8]{1,8}/){7}[PNBRQKpnbrqk1-8]{1,8}\s[wb]\s(?:-|[KQkq]{1,4})\s(?:-|[a-h][36]))"
    r"(?:\s\d+\s\d+)?(?!.*/)[\s\S]*?\b(?P<move>[a-h][1-8][a-h][1-8][qrbn]?)\s*$"
)


def uci(move: int) -> str:
    """A move in UCI.

    Example:
        >>> uci(12 | 28 << 6)
        'e2e4'
    """
    promoted = LETTERS[6:][move >> 12] if move >> 12 else ""
    return square_name(move & 63) + square_name(move >> 6 & 63) + promoted


def san(board: Board, move: int) -> str:
    """A legal move in standard algebraic notation.

    Example:
        >>> from outgrow.tasks.chess.board import START
        >>> san(Board(START), 6 | 21 << 6)
        'Nf3'
    """
    text = _plain_san(board, move)
    board.make(move)
    check, over = board.in_check(), not board.legal_moves()
    board.unmake()
    return text + ("#" if over else "+") if check else text


def _plain_san(board: Board, move: int) -> str:
    """A legal move in SAN without its sign of check."""
    at, to, promoted = move & 63, move >> 6 & 63, move >> 12
    kind, name = board.squares[at] % 6, square_name(to)
    if kind == KING_ and abs(to - at) == 2:
        return "O-O" if to > at else "O-O-O"
    if kind == PAWN:
        end = f"={LETTERS[promoted]}" if promoted else ""
        return ("abcdefgh"[at & 7] + "x" if (to - at) % 8 else "") + name + end
    piece = board.squares[at]
    others = [m & 63 for m in board.legal_moves() if m >> 6 & 63 == to and board.squares[m & 63] == piece]
    others.remove(at)
    own = square_name(at)
    if not others:
        own = ""
    elif all(other & 7 != at & 7 for other in others):
        own = own[0]
    elif all(other >> 3 != at >> 3 for other in others):
        own = own[1]
    return LETTERS[kind] + own + ("x" if board.squares[to] != EMPTY else "") + name


def parse(board: Board, text: str) -> int | None:
    """The legal move that a text in UCI or SAN names; None where it names none.

    Example:
        >>> from outgrow.tasks.chess.board import START
        >>> parse(Board(START), "Nf3") == parse(Board(START), "g1f3") == 6 | 21 << 6
        True
    """
    plain = text.strip()
    moves = board.legal_moves()
    found = [move for move in moves if uci(move) == plain]
    if not found:
        plain = plain.rstrip("+#!?").replace("0", "O")
        found = [move for move in moves if _plain_san(board, move) == plain]
    return found[0] if found else None


def item(text: str, by: str) -> tuple[str, str]:
    """The position (four fields of FEN) and the move (UCI) of a text that has a position and ends with a move.

    Args:
        text: What a model reads of a candidate move.
        by: Who reads it, for the message.

    Raises:
        UserError: The text is of another form.

    Example:
        >>> item("Question: 8/8/8/8/8/k7/8/K6Q w - -\\nAnswer: h1h3", "material")
        ('8/8/8/8/8/k7/8/K6Q w - -', 'h1h3')
    """
    found = _ITEM.search(text)
    if found is None:
        raise UserError(f"{by} reads moves of chess, and {text!r:.80} is none: give a table of chess puzzles")
    return found["fen"], found["move"]
