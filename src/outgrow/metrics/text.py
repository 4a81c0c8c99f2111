"""Scorers of generation tasks: the credit of an answer against its gold key.

    metric of R answers to the same items = sum of numerators / sum of denominators        (metrics/accuracy.py)

A scorer has one or more metrics, the first of which decides: `number`, `letter`, `words` and `exact` have accuracy;
`json` has accuracy, and the share of answers with an object of the right names; `slots` has SLU-F1 and span F1, ratios
of counts; `calls` has exact calls, and the share of answers that can be parsed as a call.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.core.errors import unknown
from outgrow.metrics import calls, final_answer, slots
from outgrow.metrics.accuracy import Score


@final
@dataclass(frozen=True)
class Credit:
    """The credit of one answer, num of den."""

    num: float
    den: float = 1.0

    @property
    def full(self) -> bool:
        return self.num == self.den


Metric = Callable[[str, Any], Credit]


def number(answer: str, key: Any) -> Credit:
    """Whether answer and key have exactly the same number (`final_answer.py`); an answer without one is never right."""
    return _same(final_answer.number, answer, key)


def letter(answer: str, key: Any) -> Credit:
    """Whether answer and key name the same letter."""
    return _same(final_answer.letter, answer, key)


def words(answer: str, key: Any) -> Credit:
    """Whether the answer is the key, without case, runs of blanks and a full stop at the end."""
    return _same(final_answer.words, answer, key)


def exact(answer: str, key: Any) -> Credit:
    """Whether the answer is the key, without runs of blanks and the encoding of accents."""
    said, wanted = (unicodedata.normalize("NFC", text).split() for text in (answer, str(key)))
    return Credit(float(said == wanted))


def same_json(answer: str, key: Any) -> Credit:
    """Whether the object in the answer, from its first to its last brace, is the key."""
    return Credit(float(_json(answer) == key))


def some_json(answer: str, key: Any) -> Credit:
    """Whether the answer contains an object with the key's names; the rest are format failures."""
    found = _json(answer)
    return Credit(float(isinstance(found, dict) and set(found) == set(key)))


def slu_f1(answer: str, key: Sequence[Mapping[str, str]]) -> Credit:
    """SLU-F1; key: [{"type": ..., "filler": ...}, ...]."""
    return _f1(slots.slu(slots.read(answer), gold_slots(key)))


def span_f1(answer: str, key: Sequence[Mapping[str, str]]) -> Credit:
    """F1 of exactly matching slots."""
    return _f1(slots.span(slots.read(answer), gold_slots(key)))


def exact_calls(answer: str, key: calls.Gold) -> Credit:
    """Whether the answer makes exactly the calls that gold asks for."""
    return Credit(float(calls.allowed(calls.read(answer), key)))


def readable(answer: str, key: calls.Gold) -> Credit:
    """Whether the answer can be parsed as calls or "none"; the rest are format failures."""
    return Credit(float(calls.read(answer) is not None))


def gold_slots(key: Sequence[Mapping[str, str]]) -> list[slots.Slot]:
    """The slots of a gold key."""
    return [slots.Slot(*(" ".join(str(slot[part]).lower().split()) for part in ("type", "filler"))) for slot in key]


SCORERS: dict[str, dict[str, Metric]] = {
    "number": {"accuracy": number},
    "letter": {"accuracy": letter},
    "words": {"accuracy": words},
    "exact": {"accuracy": exact},
    "json": {"accuracy": same_json, "readable": some_json},
    "slots": {"slu_f1": slu_f1, "span_f1": span_f1},
    "calls": {"exact_calls": exact_calls, "readable": readable},
}


def metrics(scorer: str) -> dict[str, Metric]:
    """The metrics of a scorer, the one that decides first. Raises UserError for a name that is none."""
    if scorer not in SCORERS:
        raise unknown("scorer", scorer, SCORERS)
    return SCORERS[scorer]


def right(scorer: str, answer: str, key: Any) -> bool:
    """Whether an answer has full credit by the deciding metric."""
    return next(iter(metrics(scorer).values()))(answer, key).full


def scores(scorer: str, answers: Sequence[Sequence[str]], keys: Sequence[Any], groups: np.ndarray) -> dict[str, Score]:
    """The scores of R x n answers to the same n items, by metric; `groups` (n,) are resampled together."""
    found = {}
    for name, metric in metrics(scorer).items():
        credits = [[metric(answer, key) for answer, key in zip(row, keys, strict=True)] for row in answers]
        num = np.array([[credit.num for credit in row] for row in credits], np.float64)
        den = np.array([[credit.den for credit in row] for row in credits], np.float64)
        found[name] = Score(num, den, groups)
    return found


def _f1(counts: slots.Counts) -> Credit:
    return Credit(2 * counts.true, 2 * counts.true + counts.false + counts.missed)


def _json(answer: str) -> Any:
    try:
        return json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
    except (ValueError, RecursionError):
        return None


def _same(read: Callable[[str], Any], answer: str, key: Any) -> Credit:
    said = read(answer)
    return Credit(float(said is not None and said == read(str(key))))
