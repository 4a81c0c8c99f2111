"""Hivemind: do several models give the same answer in other words?

    s_i       mean cosine of answers to prompt i by different models
    chance    mean cosine of answers to different prompts by different models: what all texts share
    alike     (mean_i s_i - chance) / (self - chance)
              self: mean cosine of two answers of one model to one prompt, 1 if each model gave one answer
    Vendi_i   exp(-sum_k l_k log l_k), l: eigenvalues of K_i / n, K_i the cosines of the n answers: effective number of
              answers
    clusters  of a prompt's answers, linked where their cosine is above SAME: number of distinct answers

Prompts are resampled whole.

    outgrow audit answers.csv        columns item, model, answer

Source: Jiang et al. 2025, arXiv 2510.22954 (similarity within and between models, share of prompts with s_i > .8);
Friedman & Dieng 2023, arXiv 2210.02410 (Vendi score).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import apart, jackknife, percent
from outgrow.audits.evidence import Answers

ALIKE, SOME = 0.6, 0.35
"""Likeness above which several models are hardly more than one, and above which it is a note. 1: another model adds no
more than another sample of the same one; 0: models share only what all texts share."""
SAME = 0.8
"""Cosine above which the literature counts a prompt's answers as one."""


@audit("HIVE", "Do several models give one and the same answer?")
def hivemind(answers):
    """Similarity of answers within and between models, relative to other prompts, and their effective number."""
    order = np.argsort(answers.item, kind="stable")
    parts = [
        p
        for p in np.split(order, np.flatnonzero(np.diff(answers.item[order])) + 1)
        if len(np.unique(answers.model[p])) > 1
    ]
    if len(answers.names) < 2 or len(parts) < 20:
        return "needs answers of two models or more to at least 20 prompts"
    from scipy.sparse.csgraph import connected_components

    count = len(answers.names)
    between, own = np.full(len(parts), np.nan), np.full(len(parts), np.nan)
    vendi, size = np.zeros(len(parts)), np.array([len(p) for p in parts])
    pairs, met = np.zeros((count, count)), np.zeros((count, count))
    clusters, whose = np.zeros(len(parts)), Counter[tuple[int, ...]]()
    for n, part in enumerate(parts):
        cosine, model = _cosine(answers.x[part]), answers.model[part]
        upper = np.triu(np.ones(cosine.shape, bool), 1)
        other = model[:, None] != model
        between[n] = cosine[upper & other].mean()
        own[n] = cosine[upper & ~other].mean() if (upper & ~other).any() else np.nan
        share = np.linalg.eigvalsh(cosine / len(part)).clip(1e-12)
        vendi[n] = np.exp(-(share * np.log(share)).sum())
        clusters[n], which = connected_components(cosine > SAME, directed=False)
        whose.update(
            tuple(sorted(set(model[which == c]))) for c in range(int(clusters[n])) if len(set(model[which == c])) > 1
        )
        at = model[:, None].repeat(len(part), 1)[other], model[None].repeat(len(part), 0)[other]
        np.add.at(pairs, at, cosine[other])
        np.add.at(met, at, 1)
    strangers = _strangers(answers, parts)
    fold = apart(len(parts))

    def alike(kept: np.ndarray) -> float:
        rows = np.isin(fold, kept)
        chance, oneself = strangers[rows].mean(), own[rows]
        top = np.nanmean(oneself) if np.isfinite(oneself).sum() > len(parts) / 4 else 1.0
        return float((between[rows].mean() - chance) / (top - chance))

    value, ci = jackknife(alike)
    says = (
        f"Two models' answers to one prompt have a mean cosine of {between.mean():.2f}, answers to different "
        f"prompts {strangers.mean():.2f}"
        + (f", two answers of one model {np.nanmean(own):.2f}" if np.isfinite(own).any() else "")
        + f": of {size.mean():.1f} answers a prompt there are {vendi.mean():.1f} in effect, in "
        f"{clusters.mean():.1f} clusters, and on {percent((between > SAME).mean())} of prompts all are nearly "
        "one."
    )
    low = ci[0] if ci else value
    severity = "warning" if low > ALIKE else "note" if low > SOME else "ok"
    do = {
        "warning": "Do not count these models as several: their agreement is no evidence. Add one of another family, "
        "take one alone.",
        "note": "Models lean on the same answers: weigh their agreement down, and keep the one that differs most.",
    }.get(severity, "")
    mean = pairs / np.maximum(met, 1)
    top = sorted(((mean[j, k], j, k) for j, k in zip(*np.nonzero(np.triu(met, 1)), strict=True)), reverse=True)
    rows = tuple(
        (f"{answers.names[j]} and {answers.names[k]}", f"{c:.2f}", f"{int(met[j, k]):,}") for c, j, k in top[:10]
    )
    shown = tuple(
        {
            "item": answers.ids[answers.item[parts[n][0]]],
            "text": answers.texts[parts[n][0]],
            "cosine": f"{between[n]:.2f}",
            "answers": f"{size[n]}",
            "clusters": f"{clusters[n]:.0f}",
        }
        for n in np.argsort(-between, kind="stable")[:5]
    )
    sheets = [Sheet(f"Models that answer alike, by {answers.how}", ("Models", "Mean cosine", "Pairs of answers"), rows)]
    if whose:
        shared = tuple(
            (", ".join(answers.names[m] for m in models), f"{times:,}", percent(times / len(parts)))
            for models, times in sorted(whose.items(), key=lambda e: (-e[1], e[0]))[:10]
        )
        sheets.append(
            Sheet("Clusters of answers: who gives one answer together", ("Models", "Prompts", "Of all"), shared)
        )
    return Finding(
        severity, says, do, "likeness of models", value, ci, "share", shown if severity != "ok" else (), tuple(sheets)
    )


def _cosine(x: Any) -> np.ndarray:
    product = x @ x.T
    return product if isinstance(product, np.ndarray) else product.toarray()


def _strangers(answers: Answers, parts: list[np.ndarray]) -> np.ndarray:
    """(prompts,): mean cosine of a prompt's answers and other models' answers to the five prompts after it."""
    out = np.zeros(len(parts))
    for n, part in enumerate(parts):
        others = np.concatenate([parts[(n + step) % len(parts)] for step in range(1, 6)])
        product = answers.x[part] @ answers.x[others].T
        product = product if isinstance(product, np.ndarray) else product.toarray()
        out[n] = product[answers.model[part][:, None] != answers.model[others]].mean()
    return out
