"""Auto: a student of what two students say, naive's and one of beliefs contrasted within groups of rivals; else naive.

    A(z)_i = z_i - mean of z_j over i's rivals j      z: log odds less z_0;  z_0: those of how many are right
                                                      rivals: candidates of a question, of which one is right: the log of the mean
                                                      of exp z_j, and z_0 = -log(k - 1): what Bayes says of exactly one of k;
                                                      else a group, if rivals in it are opposed: the mean, plain or by likeness of
                                                      features, whichever makes r_C larger, and z_0 as much as is believed in all
    B(z)_i = z_i - shrunken mean of z_j over the other items j that are i's answer
    C(w) = B(A(z))                                    z: log odds of w
    g_0 = fit(sigma(C(w))) out of fold,   g = fit(sigma(C(w) + C(g_0)))        what rivals share, errors among it, falls out
    opposed:  Moran's I of g_0 among rivals is three deviations below what it is when the items are dealt out anew
    r_m^2 = kappa of f x kappa of B(f), f: students by recipe m of two halves of the labels,   m: fit(w), fit(sigma(C(w)))
    z = sum_m c_m z_m,   c_m ~ a_m / s_m,   sum_m c_m = 1,   a_m ~ (r_m / (1 - r_m))^2 + [m naive] / 10
                                                      z_m: log odds of naive, g;   s_m: their deviation
kappa is that of a question's likeliest candidate, else of z > 0.
Their errors differ, so that both together err less than either. r / (1 - r) is the signal's share of a score to the noise's:
what students of separate halves agree on is a boundary that the features really have, if they agree on the whole, and still do
once a liking for some answers, which halves share, is taken from it. It is squared since halves may also agree on what is wrong,
so that the less reliable of two is worth less than its noise alone says; where halves agree on hardly anything, naive's word is
taken. Asked where most items have rivals, of two classes. Whether rivals are opposed is asked of g_0, which no item it speaks of
has taught and to which what rivals share was never shown: items of one group that have nothing to do with one another, or are right
together as an author's are, leave naive as it is.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Embedding, Fitted, Student


@method(
    paper="outgrow's own; contrast after Burns et al. 2022 (arXiv 2212.03827)",
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def auto(
    weak: WeakLabels,
    student: Student,
    rivals: np.ndarray,
    rights: np.ndarray,
    answers: np.ndarray,
    *,
    sigmas: float = 3.0,
    draws: int = 4,
    faith: float = 0.1,
) -> Fitted:
    """A student of naive and of beliefs contrasted within groups of rivals, each as reliable as it is; else naive."""
    from outgrow.students.crossfit import crossfit, folds
    from outgrow.students.ensemble import Choice, Pool
    from outgrow.students.rivals import among, chosen, contrasts, margin, opposed, prior, said, unliked

    labels = weak.beliefs
    heard = ~np.isnan(labels).any(-1)
    count = among(rivals, heard)
    plain = student.fit(labels)
    apt = count.sum(-1) > heard.sum(-1) / 2
    if labels.shape[-1] != 2 or not apt.any():
        return plain
    told, start = bool((rights == 1).all()), prior(labels, rivals, rights)
    found = contrasts(student, labels, rivals, count, told)
    first = [unliked(way(labels), answers, count) for way in found]
    recipes = [labels, *(said(labels, z + start, count) for z in first)]
    unseen = [crossfit(student, taught, "seconded") for taught in recipes[1:]]
    apt &= told or opposed(margin(unseen[0]), rivals, count, sigmas)
    if not apt.any():
        return plain

    def right(fitted: Fitted) -> list[np.ndarray]:
        z = margin(fitted.predict()) - start
        return [chosen(np.where(heard, v, -np.inf), rivals) if told else v > 0 for v in (z, unliked(z, answers, heard))]

    kappas = np.zeros((2, len(recipes), len(labels)))
    for draw in range(draws):
        half = folds(student, f"auto {draw}", 2)
        halves = [student.on(student.train & (half == k)) for k in (0, 1)]
        for m, taught in enumerate(recipes):
            for k, says in enumerate(zip(*(right(one.fit(taught)) for one in halves), strict=True)):
                kappas[k, m] += [kappa(a[rows], b[rows]) / draws for a, b, rows in zip(*says, heard, strict=True)]
    reliable = np.sqrt(kappas.clip(0).prod(0)).clip(0.01, 0.99)
    second = [unliked(way(probs), answers, count) for way, probs in zip(found, unseen, strict=True)]
    g = Choice(
        reliable[1:].argmax(0),
        [student.fit(said(labels, z + more + start, count)) for z, more in zip(first, second, strict=True)],
    )
    r = np.stack([reliable[0], reliable[1:].max(0)])
    odds = (r / (1 - r)) ** 2 + [[faith], [0]]
    z = np.stack([margin(one.predict()) for one in (plain, g)])
    share = odds / odds.sum(0) / np.nanstd(np.where(heard, z, np.nan), -1).clip(1e-9)
    both: Fitted = Pool(share / share.sum(0), (plain, g))
    if not isinstance(student, Embedding):
        # A fine-tuned student is to be one checkpoint.
        both = student.fit(said(labels, margin(both.predict()), heard))
    return Choice(apt.astype(int), [plain, both])


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's kappa of two lists of yes and no; 0 where both say one thing alone."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
