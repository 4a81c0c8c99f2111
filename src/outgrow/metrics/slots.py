"""Slot filling: F1 of the slots of an answer, with credit for fillers that are nearly right.

Slots are written "type: filler; type: filler", or "none". With the counts of true and false positives and of false
negatives,

    F1 = 2 TP / (2 TP + FP + FN)

Span F1: a slot is right if both type and filler are those of gold. With a distance d (Bastianelli et al. 2020, SLURP,
arXiv 2011.13205, section 4), each slot of the answer in turn is matched with the nearest remaining gold slot of its
type, for which TP += 1, FP += d, FN += d; an unmatched slot is FP += 1, an unmatched gold slot FN += 1. Word-F1 has
d = word error rate (edits / words of gold), Char-F1 has d = edits / length of the longer; SLU-F1 adds both counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

NONE = "none"
"""The answer without slots."""


@final
@dataclass(frozen=True)
class Slot:
    """A type and its filler, without case and runs of blanks."""

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
    """The slots of an answer; a piece without a colon is a slot without type, which gold never has.

    Example:
        >>> read("date: Monday; place: Oslo")
        [Slot(type='date', filler='monday'), Slot(type='place', filler='oslo')]
    """
    pieces = [" ".join(piece.lower().split()) for piece in text.split(";")]
    found = []
    for piece in pieces:
        if piece not in ("", NONE):
            kind, colon, filler = piece.partition(":")
            found.append(Slot(kind.strip(), filler.strip()) if colon else Slot("", piece))
    return found


def span(said: Sequence[Slot], gold: Sequence[Slot]) -> Counts:
    """Counts of exact matches."""
    right = (Counter(said) & Counter(gold)).total()
    return Counts(right, len(said) - right, len(gold) - right)


def near(said: Sequence[Slot], gold: Sequence[Slot], distance: Distance) -> Counts:
    """Counts with credit by distance(filler of gold, filler of the answer)."""
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
    """Word error rate, which may exceed 1."""
    reference = gold.split()
    return edits(reference, said.split()) / max(len(reference), 1)


def by_letters(gold: str, said: str) -> float:
    """Edit distance of characters, as a share of the longer text."""
    return edits(gold, said) / max(len(gold), len(said), 1)


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions from a to b (Levenshtein 1966).

    Example:
        >>> edits("kitten", "sitting")
        3
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
