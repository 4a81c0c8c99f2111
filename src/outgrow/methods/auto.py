"""Auto: `views` of items without rivals; of others naive, pooled with a student of contrasted beliefs.

Rivals are the candidates of a question, of which exactly one is right, or else the items of one group.

    z        log odds of a belief, less z_0, the log odds of how many are right
    A(z)_i   contrast: z_i less the mean of z_j over the rivals j of i
             questions: log mean exp z_j, with z_0 = -log(k - 1): Bayes' rule given that exactly one of k is right
             groups: the plain mean, or the mean by likeness of features, whichever makes r_C larger; z_0: mean belief
    B(z)_i   z_i less the shrunken mean of z_j over the other items j that are the same answer as i
    C(w)   = B(A(z)) of the weak labels w
    g_0    = fit(sigma(C(w))), out of fold        g = fit(sigma(C(w) + C(g_0)))
    r_m^2  = kappa(f, f') kappa(B(f), B(f'))      f, f': students by recipe m of two halves of the labels
                                                  m: naive fit(w), or fit(sigma(C(w)))
    result   sum_m c_m z_m                        z_m: log odds of naive and of g, s_m: their standard deviations
             c_m ~ a_m / s_m, sum_m c_m = 1       a_m = (r_m / (1 - r_m))^2 + [m is naive] / 10

kappa compares the likeliest candidates of questions, else z > 0.

Why: the two students err differently, so that their pool errs less than either. r / (1 - r) is the ratio of signal to
noise in a score: two halves agree where the features have a boundary, and still do once a preference for some answers,
which halves share, is subtracted. It is squared because halves may also agree on what is wrong. Where halves agree on
hardly anything, naive counts.

Groups are contrasted only if their members oppose one another: Moran's I of g_0 among rivals has to lie three standard
deviations below its value after a permutation of the items. g_0 is out of fold and has not seen what rivals share. So
unrelated items in one group, or items that are right together as an author's are, are not contrasted. Where they are
not, where most items have no rivals, and where there are more than two classes, the result is that of `views`.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Embedding, Fitted, Student, Viewing


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
    """Pool naive with a student of beliefs contrasted among rivals; without rivals, pool students of all views.

    Args:
        sigmas: standard deviations by which rivals have to oppose one another.
        draws: random splits into halves, by which reliability is estimated.
        faith: the part of naive that does not depend on its reliability.
    """
    from outgrow.students.crossfit import crossfit, folds
    from outgrow.students.ensemble import Choice, Pool
    from outgrow.students.rivals import (
        contrasts,
        debiased,
        likeliest,
        margin,
        opposed,
        prior,
        with_log_odds,
        with_rivals,
    )

    labels = weak.beliefs
    labelled = ~np.isnan(labels).any(-1)
    count = with_rivals(rivals, labelled)
    apt = count.sum(-1) > labelled.sum(-1) / 2
    if labels.shape[-1] != 2 or not apt.any():
        return _without_rivals(weak, student)
    told, start = bool((rights == 1).all()), prior(labels, rivals, rights)
    found = contrasts(student, labels, rivals, count, told)
    first = [debiased(way(labels), answers, count) for way in found]
    recipes = [labels, *(with_log_odds(labels, z + start, count) for z in first)]
    unseen = [crossfit(student, taught, "seconded") for taught in recipes[1:]]
    apt &= told or opposed(margin(unseen[0]), rivals, count, sigmas)
    if not apt.any():
        return _without_rivals(weak, student)

    def right(fitted: Fitted) -> list[np.ndarray]:
        z = margin(fitted.predict()) - start
        return [
            likeliest(np.where(labelled, v, -np.inf), rivals) if told else v > 0
            for v in (z, debiased(z, answers, labelled))
        ]

    kappas = np.zeros((2, len(recipes), len(labels)))
    for draw in range(draws):
        half = folds(student, f"auto {draw}", 2)
        halves = [student.on(student.train & (half == k)) for k in (0, 1)]
        for m, taught in enumerate(recipes):
            for k, says in enumerate(zip(*(right(one.fit(taught)) for one in halves), strict=True)):
                kappas[k, m] += [kappa(a[rows], b[rows]) / draws for a, b, rows in zip(*says, labelled, strict=True)]
    reliable = np.sqrt(kappas.clip(0).prod(0)).clip(0.01, 0.99)
    second = [debiased(way(probs), answers, count) for way, probs in zip(found, unseen, strict=True)]
    g = Choice(
        reliable[1:].argmax(0),
        [student.fit(with_log_odds(labels, z + more + start, count)) for z, more in zip(first, second, strict=True)],
    )
    r = np.stack([reliable[0], reliable[1:].max(0)])
    odds = (r / (1 - r)) ** 2 + [[faith], [0]]
    plain = student.fit(labels)
    z = np.stack([margin(one.predict()) for one in (plain, g)])
    share = odds / odds.sum(0) / np.nanstd(np.where(labelled, z, np.nan), -1).clip(1e-9)
    both: Fitted = Pool(share / share.sum(0), (plain, g))
    if not isinstance(student, Embedding):
        # A fine-tuned student is to be one checkpoint.
        both = student.fit(with_log_odds(labels, margin(both.predict()), labelled))
    return both if apt.all() else Choice(apt.astype(int), [_without_rivals(weak, student), both])


def _without_rivals(weak: WeakLabels, student: Student) -> Fitted:
    """`views`, and naive of a fine-tuned student, which has no views and is to be one checkpoint."""
    from outgrow.students.views import of_all_views

    return of_all_views(student, weak.beliefs) if isinstance(student, Viewing) else student.fit(weak.beliefs)


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's kappa of two boolean arrays; 0 where both are constant and equal."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
