"""Fillers: every slot of the answer is filled with words of the sentence.

    >>> fillers([Attempt("Which slots?", "city: paris", {"sentence": "fly me to paris"})])
    [Verdict(sound=True, why='', score=None)]

A partial check: the types of slots, and slots that are missing, are not checked. Blanks make no difference (annotators
write "mark 's" for "mark's"). "none" fills no slot and is sound; of an empty answer it cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from outgrow.metrics import slots
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._fields import shown


@verifier()
def fillers(attempts: Sequence[Attempt]) -> list[Verdict]:
    """Checks that every slot of the answer is filled with words of shown["sentence"]."""
    return [_verdict(one.answer, shown(one, "sentence", str)) for one in attempts]


def _verdict(answer: str, sentence: str) -> Verdict:
    if not answer.strip(" ;\n\t"):
        return Verdict(None, "no slots")
    found = slots.read(answer)
    letters = "".join(sentence.lower().split())
    for slot in found:
        if not slot.type or not slot.filler:
            return Verdict(False, f"{slot.filler or slot.type!r} is no slot")
        if "".join(slot.filler.split()) not in letters:
            return Verdict(False, f"{slot.filler!r} is not in the sentence")
    return Verdict(True)
