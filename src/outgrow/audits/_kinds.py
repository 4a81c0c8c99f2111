"""Slices of items: gold classes, thirds by length of text, words, clusters of features."""

from __future__ import annotations

import re

import numpy as np

FEWEST, MOST = 20, 0.5
"""Items of a slice at least, and the share of all items above which a word makes no slice."""
WORDS, CLUSTERS = 60, 8
GOLD = "gold"


def kinds(gold, classes, texts, features) -> tuple[list[str], np.ndarray]:
    """(names, masks (S, N)) of slices with FEWEST items with gold inside and outside."""
    made = [(f"{GOLD} {name!r}", gold == c) for c, name in enumerate(classes)]
    if texts:
        length = np.array([len(text) for text in texts])
        low, high = np.quantile(length[gold >= 0], [1 / 3, 2 / 3])
        made += [("the shortest third", length <= low), ("the longest third", length > high)]
        made += words_in(texts, gold >= 0)
    if features is not None:
        made += clusters(features, gold >= 0, texts)
    kept = [(name, mask) for name, mask in made if FEWEST <= (mask & (gold >= 0)).sum() <= (gold >= 0).sum() - FEWEST]
    return [name for name, _ in kept], np.array([mask for _, mask in kept])


def words_in(texts, known) -> list[tuple[str, np.ndarray]]:
    """(name, mask) of the WORDS commonest words of 3 letters or more that at most a share MOST of items contain."""
    where: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        for word in set(re.findall(r"[^\W\d_]{3,}", text.lower())):
            where.setdefault(word, []).append(i)
    count = {word: int(known[items].sum()) for word, items in where.items()}
    fit = sorted((w for w, n in count.items() if FEWEST <= n <= MOST * known.sum()), key=lambda w: (-count[w], w))[
        :WORDS
    ]
    masks = np.zeros((len(fit), len(texts)), bool)
    for mask, word in zip(masks, fit, strict=True):
        mask[where[word]] = True
    return [(f"with the word {word!r}", mask) for word, mask in zip(fit, masks, strict=True)]


def clusters(features, known, texts) -> list[tuple[str, np.ndarray]]:
    """(name, mask) of at most CLUSTERS clusters by k-means of standardised features, named by their typical words."""
    from sklearn.cluster import KMeans

    x = (features - features[known].mean(0)) / (features[known].std(0) + 1e-9)
    count = min(CLUSTERS, len(np.unique(x[known], axis=0)))
    part = KMeans(count, n_init=1, random_state=0).fit(x[known]).predict(x)
    words = words_in(texts, known) if texts else []
    named = []
    for c in range(count):
        more = [(float(mask[part == c].mean() - mask[part != c].mean()), word.split("'")[1]) for word, mask in words]
        typical = ", ".join(word for lift, word in sorted(more, reverse=True)[:3] if lift > 0.1)
        named.append((f"cluster {c + 1}" + (f" ({typical})" if typical else ""), part == c))
    return named
