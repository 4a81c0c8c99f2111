"""A position of chess, its legal moves, and how a move is made and taken back.

A move is an int: from | to << 6 | promotion << 12, with squares as in `attacks` and the kind of piece that a pawn
becomes, 0 where it becomes none. Castling is the king's move of two squares.
"""

from __future__ import annotations

from typing import final

from outgrow.core.errors import UserError
from outgrow.tasks.chess.attacks import BETWEEN, KING, KNIGHT, LINE, PAWNS, bishop, rook, squares

WHITE, BLACK = 0, 1
PAWN, KNIGHT_, BISHOP, ROOK, QUEEN, KING_ = range(6)
LETTERS = "PNBRQKpnbrqk"
"""Letter of each piece; a piece is 6 colour + kind."""
EMPTY = -1
START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
_RIGHTS = {4: 3, 0: 2, 7: 1, 60: 12, 56: 8, 63: 4}
"""Square of a king or rook -> the rights to castle that end when something leaves or reaches it."""
_LAST = 0xFF000000000000FF
"""The squares on which pawns are promoted."""
_RANKS = (0x0000000000FF0000, 0x0000FF0000000000)
"""By colour the squares of a pawn's first step."""


def square_name(square: int) -> str:
    """Name of a square.

    Example:
        >>> square_name(28)
        'e4'
    """
    return "abcdefgh"[square & 7] + str((square >> 3) + 1)


@final
class Board:
    """A position, changed by `make` and `unmake`.

    Args:
        fen: Placement, side to move, rights to castle and en-passant square; counts of moves may follow.

    Raises:
        UserError: It is no position: the text is malformed, a king is missing, or the side that moved is in check.

    Example:
        >>> board = Board(START)
        >>> len(board.legal_moves())
        20
    """

    __slots__ = ("_past", "by_colour", "castling", "passing", "pieces", "squares", "turn")

    def __init__(self, fen: str):
        fields = fen.split()
        ranks = fields[0].split("/") if 4 <= len(fields) <= 6 else []
        self.squares = [EMPTY] * 64
        self.pieces = [0] * 12
        """By piece the squares that it stands on."""
        self.by_colour = [0, 0]
        self._past: list[tuple[int, int, int, int]] = []
        for rank, row in enumerate(reversed(ranks)):
            cells = "".join("." * int(c) if c in "12345678" else c for c in row)
            if len(cells) != 8 or set(cells) - {*LETTERS, "."}:
                ranks = []
                break
            for file, letter in enumerate(cells):
                if letter != ".":
                    self._put(LETTERS.index(letter), 8 * rank + file)
        if len(ranks) != 8 or fields[1] not in ("w", "b") or set(fields[2]) - set("KQkq-"):
            raise UserError(f"{fen!r:.100} is no position: write it in Forsyth-Edwards notation (FEN)")
        self.turn = int(fields[1] == "b")
        self.castling = sum(1 << "KQkq".index(c) for c in set(fields[2]) - {"-"}) & self._unmoved()
        names = {square_name(s): s for s in range(64)} | {"-": -1}
        if fields[3] not in names:
            raise UserError(f"{fen!r:.100} is no position: {fields[3]!r} is no en-passant square")
        self.passing = names[fields[3]]
        """The square that a pawn has just passed, or -1."""
        if self.passing >= 0 and not self._just_passed():
            raise UserError(f"{fen!r:.100} is no position: no pawn has just passed {fields[3]}")
        if [self.pieces[p].bit_count() for p in (5, 11)] != [1, 1] or (self.pieces[0] | self.pieces[6]) & _LAST:
            raise UserError(f"{fen!r:.100} is no position: each side has one king, and no pawn is on a last rank")
        if self.attackers(self.king(1 - self.turn), self.turn, self.occupied):
            raise UserError(f"{fen!r:.100} is no position: the side that is not to move is in check")

    def _just_passed(self) -> bool:
        """Whether a pawn of the side that moved stands beyond the en-passant square, which is empty."""
        pawn = self.passing + (8 if self.turn else -8)
        on_rank = self.passing >> 3 == (2 if self.turn else 5)
        return on_rank and self.squares[self.passing] == EMPTY and self.squares[pawn] == 6 * (1 - self.turn)

    @property
    def occupied(self) -> int:
        """The squares with a piece."""
        return self.by_colour[0] | self.by_colour[1]

    def position(self) -> str:
        """The first four fields of FEN, all that legal moves depend on.

        Example:
            >>> Board(START).position()
            'rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq -'
        """
        rows = []
        for rank in range(7, -1, -1):
            row = "".join("." if p == EMPTY else LETTERS[p] for p in self.squares[8 * rank : 8 * rank + 8])
            for n in range(8, 0, -1):
                row = row.replace("." * n, str(n))
            rows.append(row)
        castling = "".join(c for i, c in enumerate("KQkq") if self.castling >> i & 1) or "-"
        passing = "-" if self.passing < 0 else square_name(self.passing)
        return f"{'/'.join(rows)} {'wb'[self.turn]} {castling} {passing}"

    def king(self, colour: int) -> int:
        """The square of a side's king."""
        return self.pieces[6 * colour + KING_].bit_length() - 1

    def attackers(self, square: int, colour: int, occupied: int) -> int:
        """The pieces of a side that attack a square, where other squares than `occupied` are empty."""
        pawns, knights, bishops, rooks, queens, king = self.pieces[6 * colour : 6 * colour + 6]
        return (
            PAWNS[1 - colour][square] & pawns
            | KNIGHT[square] & knights
            | KING[square] & king
            | bishop(square, occupied) & (bishops | queens)
            | rook(square, occupied) & (rooks | queens)
        ) & occupied

    def attacks(self, square: int) -> int:
        """The squares that the piece on a square attacks."""
        colour, kind = divmod(self.squares[square], 6)
        if kind == PAWN:
            return PAWNS[colour][square]
        if kind == KNIGHT_:
            return KNIGHT[square]
        if kind == KING_:
            return KING[square]
        found = bishop(square, self.occupied) if kind in (BISHOP, QUEEN) else 0
        return found | rook(square, self.occupied) if kind in (ROOK, QUEEN) else found

    def in_check(self) -> bool:
        """Whether the side to move is in check."""
        return bool(self.attackers(self.king(self.turn), 1 - self.turn, self.occupied))

    def legal_moves(self) -> list[int]:
        """Every legal move of the side to move."""
        us, them, occupied = self.turn, 1 - self.turn, self.occupied
        own, king = self.by_colour[us], self.king(self.turn)
        checks = self.attackers(king, them, occupied)
        moves, without_king = [], occupied ^ 1 << king
        for to in squares(KING[king] & ~own):
            if not self.attackers(to, them, without_king & ~(1 << to)):
                moves.append(king | to << 6)
        if checks & checks - 1:
            return moves
        if checks:
            allowed = checks | BETWEEN[king][checks.bit_length() - 1]
        else:
            allowed = ~own
            moves += self._castles(king, occupied)
        pinned = self._pinned(king, occupied)
        base = 6 * us
        for kind in (KNIGHT_, BISHOP, ROOK, QUEEN):
            for at in squares(self.pieces[base + kind]):
                to_squares = self.attacks(at) & ~own & allowed
                if pinned >> at & 1:
                    to_squares &= LINE[king][at]
                moves += [at | to << 6 for to in squares(to_squares)]
        self._pawn_moves(moves, king, pinned, allowed, occupied)
        return moves

    def make(self, move: int) -> int:
        """Make a legal move; the piece that it captures, or EMPTY."""
        at, to, promoted, us = move & 63, move >> 6 & 63, move >> 12, self.turn
        piece, captured, taken = self.squares[at], self.squares[to], to
        if piece % 6 == PAWN and to == self.passing:
            taken = to - 8 if us == WHITE else to + 8
            captured = self.squares[taken]
        self._past.append((move, captured, self.castling, self.passing))
        if captured != EMPTY:
            self._take(captured, taken)
        self._take(piece, at)
        self._put(6 * us + promoted if promoted else piece, to)
        if piece % 6 == KING_ and abs(to - at) == 2:
            corner, beside = _castled(to)
            self._take(6 * us + ROOK, corner)
            self._put(6 * us + ROOK, beside)
        self.castling &= ~(_RIGHTS.get(at, 0) | _RIGHTS.get(to, 0))
        self.passing = (at + to) // 2 if piece % 6 == PAWN and abs(to - at) == 16 else -1
        self.turn = 1 - us
        return captured

    def unmake(self) -> None:
        """Take the last move back."""
        move, captured, self.castling, self.passing = self._past.pop()
        at, to, promoted = move & 63, move >> 6 & 63, move >> 12
        us = self.turn = 1 - self.turn
        piece = self.squares[to]
        self._take(piece, to)
        self._put(6 * us + PAWN if promoted else piece, at)
        if captured != EMPTY:
            passed = piece % 6 == PAWN and to == self.passing and not promoted
            self._put(captured, (to - 8 if us == WHITE else to + 8) if passed else to)
        if piece % 6 == KING_ and abs(to - at) == 2:
            corner, beside = _castled(to)
            self._take(6 * us + ROOK, beside)
            self._put(6 * us + ROOK, corner)

    def skip(self) -> None:
        """Let the other side move, as no rule allows; `unskip` takes it back."""
        self._past.append((0, EMPTY, self.castling, self.passing))
        self.turn, self.passing = 1 - self.turn, -1

    def unskip(self) -> None:
        """Take a `skip` back."""
        _, _, self.castling, self.passing = self._past.pop()
        self.turn = 1 - self.turn

    def mated(self) -> bool:
        """Whether the side to move is mated."""
        return self.in_check() and not self.legal_moves()

    def mates(self, move: int) -> bool:
        """Whether a legal move mates."""
        self.make(move)
        found = self.mated()
        self.unmake()
        return found

    def _put(self, piece: int, square: int) -> None:
        self.squares[square] = piece
        self.pieces[piece] |= 1 << square
        self.by_colour[piece // 6] |= 1 << square

    def _take(self, piece: int, square: int) -> None:
        self.squares[square] = EMPTY
        self.pieces[piece] ^= 1 << square
        self.by_colour[piece // 6] ^= 1 << square

    def _unmoved(self) -> int:
        """The rights to castle that the places of kings and rooks allow."""
        kings = [self.pieces[5] >> 4 & 1, self.pieces[11] >> 60 & 1]
        rooks = [(self.pieces[3 + 6 * c] >> s & 1) * kings[c] for c, s in ((0, 7), (0, 0), (1, 63), (1, 56))]
        return sum(1 << i for i, there in enumerate(rooks) if there)

    def _castles(self, king: int, occupied: int) -> list[int]:
        found = []
        for right, to in ((1, king + 2), (2, king - 2)):
            if self.castling >> 2 * self.turn & right:
                free = BETWEEN[king][_castled(to)[0]]
                passed = ((king + to) // 2, to)
                if not occupied & free and not any(self.attackers(s, 1 - self.turn, occupied) for s in passed):
                    found.append(king | to << 6)
        return found

    def pinned(self) -> int:
        """The pieces of the side to move that may only move on their line with the king."""
        return self._pinned(self.king(self.turn), self.occupied)

    def _pinned(self, king: int, occupied: int) -> int:
        them, pinned = 6 * (1 - self.turn), 0
        straight = self.pieces[them + ROOK] | self.pieces[them + QUEEN]
        diagonal = self.pieces[them + BISHOP] | self.pieces[them + QUEEN]
        for slider in squares(rook(king, 0) & straight | bishop(king, 0) & diagonal):
            blockers = BETWEEN[king][slider] & occupied
            if blockers and not blockers & blockers - 1:
                pinned |= blockers
        return pinned & self.by_colour[self.turn]

    def _pawn_moves(self, moves: list[int], king: int, pinned: int, allowed: int, occupied: int) -> None:
        us, theirs = self.turn, self.by_colour[1 - self.turn]
        for at in squares(self.pieces[6 * us + PAWN]):
            bit = 1 << at
            one = (bit << 8 if us == WHITE else bit >> 8) & ~occupied
            first = one & _RANKS[us]
            two = (first << 8 if us == WHITE else first >> 8) & ~occupied
            to_squares = (one | two | PAWNS[us][at] & theirs) & allowed
            if pinned & bit:
                to_squares &= LINE[king][at]
            for to in squares(to_squares):
                if 1 << to & _LAST:
                    moves += [at | to << 6 | kind << 12 for kind in (QUEEN, ROOK, BISHOP, KNIGHT_)]
                else:
                    moves.append(at | to << 6)
            if self.passing >= 0 and PAWNS[us][at] >> self.passing & 1 and self._may_pass(at, king, occupied):
                moves.append(at | self.passing << 6)

    def _may_pass(self, at: int, king: int, occupied: int) -> bool:
        """Whether a capture en passant leaves the king safe: two pawns leave one rank."""
        taken = self.passing - 8 if self.turn == WHITE else self.passing + 8
        if self.squares[taken] != 6 * (1 - self.turn) + PAWN or occupied >> self.passing & 1:
            return False
        after = occupied & ~(1 << at | 1 << taken) | 1 << self.passing
        return not self.attackers(king, 1 - self.turn, after)


def _castled(to: int) -> tuple[int, int]:
    """Where the rook stands before and after the king has castled to a square."""
    return (to + 1, to - 1) if to & 7 == 6 else (to - 2, to + 1)


def perft(board: Board, depth: int) -> int:
    """Number of games of so many plies.

    Example:
        >>> perft(Board(START), 2)
        400
    """
    moves = board.legal_moves()
    if depth == 1:
        return len(moves)
    total = 0
    for move in moves:
        board.make(move)
        total += perft(board, depth - 1)
        board.unmake()
    return total
