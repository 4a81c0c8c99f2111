"""Weak labels and a little gold: what a student of both is worth, and which items are worth gold.

    python bench/gold.py [SET ...] [--gold 50,200] [--strong minilm-l6] [--suggest | --more]     as Markdown

Of every set at most 2,400 items, a third of them test items that nobody learns from. Eight draws of gold items, the
same weak labels in each: of rules (WRENCH), of GPT-2 (SciQ), or of TF-IDF with logistic regression on gold of items
that are in no pool. Intervals are of the mean over draws, by t with 7 degrees of freedom, paired with the student that
is compared; they are for other gold items of the same pool. With --suggest: N more gold items by the rule of `learn
--suggest` against as many drawn at random, on top of N. With --more: what `learn` says that 100 more gold items would
add, of each draw from its own gold items alone, against what they add.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import final

import numpy as np
import polars as pl

from outgrow import methods, models
from outgrow.core.seeding import derive
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.metrics.accuracy import Score, rightness
from outgrow.metrics.intervals import quantile
from outgrow.metrics.more_gold import more_gold
from outgrow.metrics.suggestion import asked, directions, doubt
from outgrow.pipeline.design import FOLDS
from outgrow.store import Store
from outgrow.students.probe import Probe, Space

DATA = Path(__file__).parents[2] / "shared" / "data"
OWN = 200
"""Gold items that TF-IDF learns from."""
LEARNED, RULES, SOFT = ("imdb", "ag_news", "trec6"), ("wrench_youtube", "wrench_trec"), ("w2s_sciq_weak_labels",)
ITEMS, DRAWS, CHANCES, MORE = 2400, 8, 4, 100
"""Items of a set at most, draws of gold, for each draw further items at random, and gold items to be added."""


@final
@dataclass(frozen=True)
class Partly:
    """A set with weak labels, and a student of eight draws of gold."""

    gold: np.ndarray
    test: np.ndarray
    student: Probe
    weak: WeakLabels
    supervisor: str

    def draw(self, count: int) -> np.ndarray:
        """(R, N) bool: gold items drawn at random from the pool."""
        out, pool = np.zeros((DRAWS, len(self.gold)), bool), np.flatnonzero(~self.test)
        for r in range(DRAWS):
            out[r, derive(r, "gold").permutation(pool)[:count]] = True
        return out

    def targets(self, known: np.ndarray) -> np.ndarray:
        """(R, N, C) gold of the known items, NaN elsewhere."""
        out: np.ndarray = np.eye(self.weak.probs.shape[-1], dtype=np.float32)[np.where(known, self.gold, 0)]
        out[~known] = np.nan
        return out

    def probs(self, method: str, known: np.ndarray) -> np.ndarray:
        """(R, N, C) of a method, or of the student of gold alone."""
        if method == "gold alone":
            return self.student.on(known).fit(self.targets(known)).predict()
        given = {"weak": self.weak, "student": self.student, "known_gold": self.targets(known)}
        given["weak_train"] = WeakTrain(np.where(known, self.gold, -1), self.weak)
        return methods.find(method).fit(SimpleNamespace(**given)).predict()

    def right(self, probs: np.ndarray) -> np.ndarray:
        """(R,) share of the test items."""
        return (probs[:, self.test].argmax(-1) == self.gold[self.test]).mean(1)


def read(name: str, strong: str) -> Partly:
    """A set, its weak labels by `bayesian`, and a student of heads on a model's features."""
    table = pl.read_parquet(DATA / name / f"{name}.parquet")
    if name in SOFT:
        table = table.filter(seed=0).rename({"gt_label": "label"})
    table = table[np.sort(derive(0, name).permutation(len(table))[: ITEMS + (OWN if name in LEARNED else 0)])]
    texts, gold = table["text"].to_list(), table["label"].to_numpy().astype(np.int64)
    classes, own = int(gold.max()) + 1, np.zeros(len(gold), bool)
    if name in RULES:
        said = np.array(table["weak_labels"].to_list()).T
        votes = np.where((said >= 0)[..., None], np.eye(classes)[said.clip(0)], np.nan)
        supervisor = f"{len(said)} rules"
    elif name in SOFT:
        right = table["p1_gpt2"].to_numpy()
        votes, supervisor = np.stack([1 - right, right], -1)[None], "GPT-2, recorded"
    else:
        own[derive(1, name).permutation(len(gold))[:OWN]] = True
        votes, supervisor = tfidf(texts, gold, own)[None], f"TF-IDF on {OWN} other gold items"
    kept = np.flatnonzero(~own)
    gold, votes, n = gold[kept], votes[:, kept].astype(np.float32), len(kept)
    test = np.isin(np.arange(n), derive(2, name).permutation(n)[: n // 3])
    store = Store.default()
    read = models.features(models.resolve(strong, store), [texts[i] for i in kept], store)
    train = np.tile(~test, (DRAWS, 1))
    student = Probe(Space(read.x[:, None], read.layers, ~test), train, np.arange(n), 0, range(DRAWS))
    heard = np.where(train[:, None, :, None], votes[None], np.float32(np.nan))
    return Partly(gold, test, student, WeakLabels(heard, tuple(map(str, range(len(votes)))), "bayesian"), supervisor)


def tfidf(texts: list[str], gold: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(N, C) of logistic regression on words and word pairs of the items `own`."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    x = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(texts)
    return LogisticRegression(C=3.0, max_iter=500).fit(x[own], gold[own]).predict_proba(x)


def over(a: np.ndarray, b: np.ndarray) -> str:
    """The mean difference in points, and its interval."""
    reach = float(quantile(DRAWS - 1)) * (a - b).std(ddof=1) / DRAWS**0.5
    value = (a - b).mean()
    return f"{100 * value:+.1f} [{100 * (value - reach):+.1f}, {100 * (value + reach):+.1f}]"


def rows(name: str, sizes: list[int], strong: str) -> Iterator[str]:
    """A row of the table for each number of gold items."""
    found = read(name, strong)
    naive = found.right(found.probs("naive", found.draw(0)))
    ceiling = found.right(found.probs("gold alone", np.tile(~found.test, (DRAWS, 1)))).mean()
    for count in sizes:
        known = found.draw(count)
        alone, both, pool = (found.right(found.probs(m, known)) for m in ("gold alone", "gold_and_weak", "gold_stack"))
        yield (
            f"| {name} ({found.supervisor}) | {count} | {naive.mean():.1%} | {alone.mean():.1%} | {both.mean():.1%} | "
            f"{pool.mean():.1%} | {ceiling:.1%} | {over(both, alone)} | {over(both, naive)} |"
        )


def suggested(name: str, sizes: list[int], strong: str) -> Iterator[str]:
    """A row of the table of suggestions for each number of gold items, and as many more."""
    found = read(name, strong)
    for count in sizes:
        known = found.draw(count)
        before = found.probs("gold_and_weak", known)
        places = [directions(x) for x in found.student.embed(found.weak.beliefs)]
        by_rule, by_chance = known.copy(), np.tile(known, (CHANCES, 1, 1))
        for r in range(DRAWS):
            open_items = np.flatnonzero(~found.test & ~known[r])
            score, rng = doubt(before[r, open_items]), derive(r, "suggest")
            by_rule[r, open_items[asked(score, open_items, count, rng, places[r][open_items])]] = True
            for k in range(CHANCES):
                by_chance[k, r, derive(r, "chance", k).permutation(open_items)[:count]] = True
        rule = found.right(found.probs("gold_and_weak", by_rule))
        chance = np.mean([found.right(found.probs("gold_and_weak", one)) for one in by_chance], 0)
        scores = " | ".join(f"{a.mean():.1%}" for a in (found.right(before), chance, rule))
        yield f"| {name} | {count} + {count} | {scores} | {over(rule, chance)} |"


def promised(name: str, sizes: list[int], strong: str) -> Iterator[str]:
    """A row for each number of gold items: what 100 more are said to add, as `learn` says it, and what they add."""
    found = read(name, strong)
    for count in sizes:
        known, more = found.draw(count), found.draw(count + MORE)
        added = found.right(found.probs("gold_and_weak", more)) - found.right(found.probs("gold_and_weak", known))
        scores = crossed(found, known)
        said = [more_gold(full, halves, count, MORE) for full, *halves in zip(*scores, strict=True)]
        inside = sum(one.gain_ci[0] <= gain <= one.gain_ci[1] for one, gain in zip(said, added, strict=True))
        ends = np.mean([one.gain_ci for one in said], 0)
        yield (
            f"| {name} | {count} | {100 * added.mean():+.1f} | {100 * np.mean([one.gain for one in said]):+.1f} | "
            f"[{100 * ends[0]:+.1f}, {100 * ends[1]:+.1f}] | {inside} of {DRAWS} |"
        )


def crossed(found: Partly, known: np.ndarray) -> list[list[Score]]:
    """By all gold, and by either half of it: of each draw the cross-fitted score on its own gold items."""
    deal = np.array([derive(r, "deal").permutation(known.shape[1]) for r in range(DRAWS)])
    fold, out = deal % FOLDS, list[list[Score]]()
    for kept in (np.ones_like(known), deal // FOLDS % 2 == 0, deal // FOLDS % 2 == 1):
        probs = np.empty((*known.shape, found.weak.probs.shape[-1]), np.float32)
        for k in range(FOLDS):
            held = fold == k
            probs[held] = found.probs("gold_and_weak", known & kept & ~held)[held]
        right = [rightness(p[None, rows], found.gold[rows]) for p, rows in zip(probs, known, strict=True)]
        out.append([Score(one, np.ones(one.shape[1]), np.arange(one.shape[1])) for one in right])
    return out


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=[*LEARNED, *RULES, *SOFT])
    parser.add_argument("--gold", default="50,200")
    parser.add_argument("--strong", default="minilm-l6")
    parser.add_argument("--suggest", action="store_true")
    parser.add_argument("--more", action="store_true")
    given = parser.parse_args()
    began = time.time()
    columns, of = ("set (supervisor)", "gold", "naive", "gold alone", "both", "stack", "ceiling"), rows
    columns += ("both − gold", "both − naive")
    if given.suggest:
        columns, of = ("set", "gold", "before", "at random", "suggested", "suggested − at random"), suggested
    if given.more:
        columns, of = ("set", "gold", f"{MORE} more add", "said", "its interval, mean", "holds what they add"), promised
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in given.sets:
        for line in of(name, [int(n) for n in given.gold.split(",")], given.strong):
            print(line, flush=True)
    print(f"\n{time.time() - began:.0f} seconds")


if __name__ == "__main__":
    main()
