"""Slots of a sentence, as far as the sentence alone can tell: does what fills them stand in it?

Blanks make no difference (annotators write "mark 's" for "mark's"). "none" fills nothing, and keeps to it; an empty answer cannot be told. What type a slot has, and whether one is lacking, is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from outgrow.metrics import slots
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown


@verifier()
def fillers(asked: Sequence[Attempt]) -> list[Verdict]:
    """Every slot that an answer fills is filled with words of `shown["sentence"]`."""
    return [_verdict(one.answer, shown(one, "sentence", str)) for one in asked]


def _verdict(answer: str, sentence: str) -> Verdict:
    if not answer.strip(" ;\n\t"):
        return Verdict(None, "no slots")
    said = slots.read(answer)
    there = "".join(sentence.lower().split())
    for slot in said:
        if not slot.type or not slot.filler:
            return Verdict(False, f"{slot.filler or slot.type!r} is no slot")
        if "".join(slot.filler.split()) not in there:
            return Verdict(False, f"{slot.filler!r} does not stand in the sentence")
    return Verdict(True)
