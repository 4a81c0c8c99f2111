"""Slot filling: how well the slots of an answer meet gold's, with credit for fillers that are nearly right.

Written "type: filler; type: filler", or "none". With the counts of true and false positives and of false negatives,

    F1 = 2 TP / (2 TP + FP + FN)

Span F1: a slot is right where type and filler are both gold's. With a distance d (Bastianelli et al. 2020, SLURP, arXiv
2011.13205, section 4): a slot of the answer, in the order written, takes the nearest gold slot of its type that is left,
for which TP += 1, FP += d, FN += d; one that finds none is FP += 1, a gold slot that is left is FN += 1. Word-F1 has d =
word error rate (edits / words of gold), Char-F1 has d = edits / length of the longer; SLU-F1 adds both their counts up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

NONE = "none"
"""How an answer says that there is nothing to fill."""


@final
@dataclass(frozen=True)
class Slot:
    """A type and what fills it; letters' case and runs of blanks make no difference."""

    type: str
    filler: str


@final
@dataclass(frozen=True)
class Counts:
    """True positives, false positives, false negatives; the last two may be fractions."""

    true: float = 0.0
    false: float = 0.0
    missed: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.true + other.true, self.false + other.false, self.missed + other.missed)


Distance = Callable[[str, str], float]


def read(text: str) -> list[Slot]:
    """The slots that an answer says; a piece without a colon is a slot of no type, which gold never has."""
    pieces = [" ".join(piece.lower().split()) for piece in text.split(";")]
    found = []
    for piece in pieces:
        if piece not in ("", NONE):
            kind, colon, filler = piece.partition(":")
            found.append(Slot(kind.strip(), filler.strip()) if colon else Slot("", piece))
    return found


def span(said: Sequence[Slot], gold: Sequence[Slot]) -> Counts:
    """Counts where a filler is right or wrong."""
    right = (Counter(said) & Counter(gold)).total()
    return Counts(right, len(said) - right, len(gold) - right)


def near(said: Sequence[Slot], gold: Sequence[Slot], distance: Distance) -> Counts:
    """Counts with credit by distance(gold's filler, filler said)."""
    left, counts = list(gold), Counts()
    for slot in said:
        same = [(distance(other.filler, slot.filler), i) for i, other in enumerate(left) if other.type == slot.type]
        if same:
            d, nearest = min(same)
            left.pop(nearest)
            counts += Counts(1, d, d)
        else:
            counts += Counts(false=1)
    return counts + Counts(missed=len(left))


def slu(said: Sequence[Slot], gold: Sequence[Slot]) -> Counts:
    """Counts of SLU-F1."""
    return near(said, gold, by_words) + near(said, gold, by_letters)


def by_words(gold: str, said: str) -> float:
    """Word error rate; beyond 1 where more is said than gold has words."""
    reference = gold.split()
    return edits(reference, said.split()) / max(len(reference), 1)


def by_letters(gold: str, said: str) -> float:
    """Edit distance by letters as a share of the longer text."""
    return edits(gold, said) / max(len(gold), len(said), 1)


def edits(a: Sequence, b: Sequence) -> int:
    """Fewest insertions, deletions and substitutions from a to b (Levenshtein 1966), row by row."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
