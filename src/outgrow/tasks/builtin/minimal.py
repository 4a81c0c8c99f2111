"""Minimal pairs: a choice between an easy and a harder option, with a constraint that forces the harder one or without.

    errands        a short walk, a bus, a small room that will do, until a sentence says that it will not
    cities         an inland pass for two cities of one country, until the way leads through a city abroad
    translations   an English name, until the readers know another language only

The two texts differ by one sentence. Gold is exact: the harder option with it, the easy one without.
After "The Model Says Walk", where most models take the harder option either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np

from outgrow.core.errors import unknown
from outgrow.core.seeding import derive, hashed

ITEMS = 200
FIRST_NAMES = ("Ada", "Ben", "Chen", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena")
PLACES = (
    ("the car wash", "The car is to be washed there."), ("the garage", "The tyres of the car are to be changed there."),
    ("the petrol station", "The car is to be filled up there."), ("the scrapyard", "The old car is to be left there."),
)  # fmt: skip
FETCHES = (
    "a newspaper",
    "a coffee",
    "the bill of last week",
    "a lost glove",
    "the opening hours",
    "a map",
    "a voucher",
    "an umbrella",
)


@final
@dataclass(frozen=True)
class MinimalPair:
    """One question with its constraint and without."""

    item: str
    present: str
    removed: str
    harder: str
    """Gold of the text with the constraint."""
    easy: str
    """Gold of the text without."""


def pairs(name: str, items: int = ITEMS, seed: int = 0) -> list[MinimalPair]:
    """Different pairs of a kind.

    Args:
        name: A name of KINDS.
        items: How many pairs; fewer where there are no more.
        seed: The same seed gives the same pairs.

    Raises:
        UserError: There is no such kind.
    """
    if name not in KINDS:
        raise unknown("kind of minimal pairs", name, KINDS)
    rng = derive(seed, "minimal pairs", name)
    found: dict[str, MinimalPair] = {}
    for facts, constraint, easy, harder in islice(KINDS[name](rng), 20 * items):
        first, second = (easy, harder) if rng.random() < 0.5 else (harder, easy)
        ask = f'Which is the simplest that will do? Answer "{first}" or "{second}".'
        item = hashed(name, facts, constraint)[:12]
        found.setdefault(item, MinimalPair(item, f"{facts} {constraint} {ask}", f"{facts} {ask}", harder, easy))
        if len(found) == items:
            break
    return list(found.values())


Choice = tuple[str, str, str, str]
"""Facts, constraint, the easy option, the harder one."""


def _errands(rng: np.random.Generator) -> Iterator[Choice]:
    while True:
        yield _ERRANDS[rng.integers(len(_ERRANDS))](rng, str(rng.choice(FIRST_NAMES)))


def _presence(rng: np.random.Generator, who: str) -> Choice:
    place, constraint = PLACES[rng.integers(len(PLACES))]
    far = 50 * rng.integers(2, 9)
    return (
        f"{who} goes to {place}, {far} m away, for {rng.choice(FETCHES)}. To walk costs nothing, to drive costs fuel.",
        constraint,
        "walk",
        "drive",
    )


def _load(rng: np.random.Generator, who: str) -> Choice:
    most, parcel = (int(n) for n in (rng.integers(15, 26), rng.integers(3, 14)))
    facts = (
        f"{who} takes a parcel of {parcel} kg to the post office. A bicycle carries up to {most} kg and is free; "
        f"a van carries up to 500 kg and costs {rng.integers(20, 60)} euros."
    )
    return facts, f"On the same trip a crate of {rng.integers(most, 80)} kg goes along.", "bicycle", "van"


def _time(rng: np.random.Generator, who: str) -> Choice:
    taxi = int(rng.integers(10, 20))
    bus = taxi + int(rng.integers(15, 40))
    facts = (
        f"{who} goes to the station. The bus takes {bus} minutes and costs 3 euros; "
        f"a taxi takes {taxi} minutes and costs {rng.integers(20, 45)} euros."
    )
    return facts, f"The train there leaves in {rng.integers(taxi + 3, bus - 3)} minutes.", "bus", "taxi"


def _seats(rng: np.random.Generator, who: str) -> Choice:
    seats, people = int(rng.integers(8, 13)), int(rng.integers(3, 8))
    facts = (
        f"{who} books a room for {people} people. The small room has {seats} seats and costs "
        f"{rng.integers(20, 40)} euros; the large room has 40 seats and costs {rng.integers(60, 120)} euros."
    )
    return facts, f"Another {rng.integers(seats - people + 1, 25)} people join them.", "small room", "large room"


_ERRANDS = (_presence, _load, _time, _seats)


def _cities(rng: np.random.Generator) -> Iterator[Choice]:
    from outgrow.tasks.builtin.cities import sampled_cities

    homes: dict[str, list[str]] = {}
    for _, city, country in sampled_cities():
        homes.setdefault(country, []).append(city)
    all_cities = [(city, country) for country, names in homes.items() for city in names]
    starts = [(city, country) for city, country in all_cities if len(homes[country]) > 1]
    while True:
        start, country = starts[rng.integers(len(starts))]
        end, (abroad, other) = str(rng.choice(homes[country])), all_cities[rng.integers(len(all_cities))]
        if end != start and other != country:
            facts = (
                f"A driver goes from {start} to {end}. An inland pass is cheap and good for one country; "
                "an international pass is dear and good for all."
            )
            yield facts, f"On the way she has to stop in {abroad}.", "inland pass", "international pass"


def _translations(rng: np.random.Generator) -> Iterator[Choice]:
    from outgrow.tasks.builtin import _locales
    from outgrow.tasks.builtin.translations import KINDS as kinds
    from outgrow.tasks.builtin.translations import term_pairs

    languages = _locales.names("en", "languages")
    known = [(languages[p.language], name) for kind in kinds for p in term_pairs(kind) for name in (p.one, p.other)]
    for place in rng.permutation(len(known)):
        language, name = known[place]
        yield (
            f'A list in English has an entry "{name.english}", to be written on a sign.',
            f"Its readers know {language} only.",
            name.english,
            name.word,
        )


KINDS: dict[str, Callable[[np.random.Generator], Iterator[Choice]]] = {
    "errands": _errands,
    "cities": _cities,
    "translations": _translations,
}
