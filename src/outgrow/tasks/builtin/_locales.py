"""Names of territories, languages and currencies in many languages (Unicode CLDR), from files of the babel wheel.

The files are pickles: they are read without importing or calling anything.
"""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import Any, final

from outgrow.store import Store
from outgrow.store.packages import Package, members

LANGUAGES = ("fr", "de", "es", "it", "pt", "nl", "sv", "da", "pl", "cs", "fi", "hu", "tr", "ro", "hr", "id")
PACKAGE = Package(
    "babel",
    "2.18.0",
    "e2b422b277c2b9a9630c1d7903c2a00d0830c409c59ac8cae9081c92f1aeba35",
    10_196_845,
    tuple(f"babel/locale-data/{language}.dat" for language in ("en", *LANGUAGES)),
)
SOURCE = f"{PACKAGE.project} {PACKAGE.version}"
KEYS = {"territories": "territories", "languages": "languages", "currencies": "currency_names"}
"""What a file calls each kind of names."""


def names(language: str, kind: str) -> dict[str, str]:
    """By code what things of a kind of KEYS are called in a language."""
    return _tables()[language][kind]


@cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    found = {}
    for file, data in members(PACKAGE, Store.default()).items():
        table = _Unpickler(io.BytesIO(data)).load()
        found[file.removesuffix(".dat")] = {kind: table[key] for kind, key in KEYS.items()}
    return found


@final
class _Unread:
    """Stands for an object of babel (a plural rule, a pattern) whose state is not read."""

    def __setstate__(self, state: object) -> None:
        """Forget the state."""


@final
class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _Unread
