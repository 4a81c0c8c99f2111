"""`translations`: "The French word for "Germany" is "Allemagne".", true or false.

From the names of territories, languages and currencies in the locale data of the babel package (Unicode CLDR).

Two things that the world calls by names of similar spelling are a pair: in each language the false word for the one is
the true word for the other. So within a pair, which stays on one side of every split, each word is as often right as
wrong, and no word or country tells the answer: TF-IDF with logistic regression, split by pair, is at chance.
A pair is kept in those languages in which the two words are about equally similar to the English name (Dice coefficient
of letter pairs, within `CLOSE`), because true words are often spelt like the English ones.

What spelling still tells is the baseline to keep in mind: calling the half of the statements true that is spelt more
alike is right in .60 of them.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from outgrow.core.seeding import hashed
from outgrow.tasks.builtin import _locales
from outgrow.tasks.builtin._locales import LANGUAGES
from outgrow.tasks.drafts import Draft, build
from outgrow.tasks.source import source
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import Gold, Task

KINDS = ("territories", "languages", "currencies")
CLOSE = 0.25


@source("translations", 'true or false? "The French word for "Germany" is "Allemagne"." (16 languages)')
def translations(name: str, reading: Reading) -> tuple[Task, Gold]:
    """A true and a false statement a name and language; those about a pair of names are one group."""
    languages = _locales.names("en", "languages")
    ids, texts, groups, gold = [], [], [], []
    for kind in KINDS:
        for pair in term_pairs(kind):
            for true, false in ((pair.one, pair.other), (pair.other, pair.one)):
                for truth, word in ((1, true.word), (0, false.word)):
                    said = f'The {languages[pair.language]} word for "{true.english}" is "{word}".'
                    ids.append(hashed("translations", kind, said))
                    texts.append((said,))
                    groups.append(hashed("translations", kind, *sorted((true.english, false.english))))
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
        counts={"pairs of names": len(set(groups))},
        source=f"{_locales.SOURCE}, names of {', '.join(KINDS)}",
    )
    return build(draft, reading.items)


@dataclass(frozen=True)
class Name:
    """What one language calls one thing."""

    english: str
    word: str


@dataclass(frozen=True)
class TermPair:
    """Two things whose names in a language are matched by spelling."""

    language: str
    one: Name
    other: Name


def term_pairs(kind: str) -> list[TermPair]:
    """All pairs of one kind, greedily those first that match in most languages; a thing is in one pair at most."""
    english = {k: v for k, v in _locales.names("en", kind).items() if _plain(k, v)}
    # XTS, XAU, ...: currency codes that are no currencies.
    keys = sorted(k for k in english if kind != "currencies" or not k.startswith("X"))
    words = {}
    for language in LANGUAGES:
        found = _locales.names(language, kind)
        words[language] = [w if _plain(k, w := found.get(k, "")) else "" for k in keys]
    fits = np.stack([_fits([english[k] for k in keys], words[language]) for language in LANGUAGES])
    one, other = np.nonzero(np.triu(fits.sum(0), 1))
    ranked = sorted(
        zip(one.tolist(), other.tolist(), strict=True),
        key=lambda p: (-fits[:, p[0], p[1]].sum(), hashed(kind, keys[p[0]], keys[p[1]])),
    )
    used: set[int] = set()
    out = []
    for i, j in ranked:
        if i in used or j in used:
            continue
        used |= {i, j}
        for number in np.flatnonzero(fits[:, i, j]):
            said = words[LANGUAGES[number]]
            out.append(TermPair(LANGUAGES[number], Name(english[keys[i]], said[i]), Name(english[keys[j]], said[j])))
    return out


def _fits(english: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """(n, n) bool: whether two things can be a pair in one language.

    They can where each of the two words would pass for the other by its spelling and by its number of parts. Words that
    are missing, shared by several things or the same as in English fit nothing.
    """
    folded = [_folded(w) for w in words]
    count = Counter(folded)
    usable = [
        i for i, (w, e) in enumerate(zip(folded, english, strict=True)) if w and count[w] == 1 and w != _folded(e)
    ]
    alike = _alike([english[i] for i in usable], [words[i] for i in usable])
    close = np.abs(alike - np.diag(alike)[:, None]) <= CLOSE
    parts = np.array([100 * english[i].count(" ") + words[i].count(" ") for i in usable])
    fits = np.zeros((len(words), len(words)), bool)
    fits[np.ix_(usable, usable)] = close & close.T & (parts[:, None] == parts) & ~np.eye(len(usable), dtype=bool)
    return fits


def _alike(one: Sequence[str], other: Sequence[str]) -> np.ndarray:
    """(len(one), len(other)): Dice coefficients of the letter pairs of folded words, ends included."""
    of_one, of_other = ([_letter_pairs(w) for w in words] for words in (one, other))
    number = {pair: c for c, pair in enumerate(sorted(set().union(*of_one, *of_other)))}

    def table(words: list[set[str]]) -> np.ndarray:
        out = np.zeros((len(words), len(number)), np.float32)
        for row, pairs in zip(out, words, strict=True):
            row[[number[p] for p in pairs]] = 1
        return out

    a, b = table(of_one), table(of_other)
    return (2 * a @ b.T).astype(np.float64) / (a.sum(1)[:, None] + b.sum(1)[None])


def _letter_pairs(word: str) -> set[str]:
    padded = f" {_folded(word)} "
    return {padded[i : i + 2] for i in range(len(padded) - 1)}


@cache
def _folded(word: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _plain(key: str, name: str) -> bool:
    """Whether a name is a name and nothing more: no years, remarks or numbers of regions."""
    return bool(name) and not key.isdigit() and not set(name) & set('()0123456789,&/"')
