"""What a language model knows: which of a true and a false statement with the same prefix it finds likelier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow import tasks
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import hashed
from outgrow.generation import LanguageModel, answers
from outgrow.store import Store

STATEMENTS = 200
"""Pairs of statements that ask for knowledge."""
FEWEST = 20
"""Pairs of statements, at least."""


@final
@dataclass(frozen=True)
class Statements:
    """n pairs of statements with the same prefix, of which one is true."""

    name: str
    prefixes: tuple[str, ...]
    true: tuple[str, ...]
    false: tuple[str, ...]
    groups: np.ndarray


def statements(name: str, count: int = STATEMENTS) -> Statements:
    """At most `count` pairs of a built-in task of true and false statements. Raises UserError for another task."""
    task, gold = tasks.load(name, tasks.Reading(items=2 * count))
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for (text, *_), label, group in zip(task.texts, gold.labels.tolist(), task.groups.tolist(), strict=True):
        begun, verb, rest = text.rpartition(" is ")
        if verb:
            found.setdefault(f"{begun} is", {})[task.classes[label]] = (f" {rest}", group)
    pairs = {begun: two for begun, two in found.items() if set(two) == {"true", "false"}}
    if len(pairs) < FEWEST:
        raise UserError(
            f"`knowledge` = {name}: its items are not pairs of a true and a false statement; "
            "give cities or translations"
        )
    return Statements(
        task.name,
        tuple(pairs),
        tuple(two["true"][0] for two in pairs.values()),
        tuple(two["false"][0] for two in pairs.values()),
        np.array([two["true"][1] for two in pairs.values()]),
    )


def knows(model: LanguageModel, asked: Statements, store: Store) -> np.ndarray:
    """(n,) of each pair: 1 where the model holds the true statement likelier, .5 in a tie."""

    def build() -> tuple[Mapping[str, np.ndarray], Mapping[str, Any]]:
        sums = []
        with progress.track(f"asking {model.name} about {asked.name}", 2 * len(asked.groups)) as bar:
            for texts in (asked.true, asked.false):
                found: list[float] = []
                for start in range(0, len(texts), 64):
                    some = slice(start, start + 64)
                    found += [
                        float(one.astype(np.float64).sum()) for one in model.logprobs(asked.prefixes[some], texts[some])
                    ]
                    bar.advance(len(texts[some]))
                sums.append(np.array(found))
        return {"known": (sums[0] > sums[1]) + 0.5 * (sums[0] == sums[1])}, {}

    made = {
        "code": fingerprint("knowledge", *answers.classes_of(model)),
        "model": model.digest,
        "engine": model.engine,
        "statements": hashed(*asked.prefixes, *asked.true, *asked.false),
    }
    return np.array(store.make("knowledge", made, build).arrays["known"])
