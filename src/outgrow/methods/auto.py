"""Auto: beliefs contrasted within groups of rivals, where students of separate halves then agree more, else naive.

    C(w)_i = sigma(z_i - mean of z_j over i's rivals j)         z: log odds of w;  rivals: candidates of a question, else a group
    f_0 = fit(C(w)),  f = fit(1[C(f_0) > 1/2])                  what rivals share, errors among it, falls out
    steady_m = kappa(m_A, m_B)                                  m_A, m_B: students of recipe m on two halves of the labels
    auto = f where steady_f > steady_naive, else naive
Asked where most items have rivals and both of two classes are believed in about equally. A boundary that the student's features
really have draws students of separate halves together; what is not there, or an error that can be imitated, drives them apart.
"""

from outgrow.methods import method
from outgrow.worlds import World


@method(
    paper="outgrow's own; contrast after Burns et al. 2022 (arXiv 2212.03827)",
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def auto(weak, student, rivals, *, even: float = 0.1, draws: int = 4):
    """Beliefs contrasted within groups of rivals, where students of separate halves then agree more; else naive."""
    import numpy as np

    from outgrow.students.crossfit import folds
    from outgrow.students.rivals import among, contrast
    from outgrow.students.together import Choice

    labels = weak.beliefs
    heard = ~np.isnan(labels).any(-1)
    count = among(rivals, heard)
    plain = student.fit(labels)
    apt = count.sum(-1) > heard.sum(-1) / 2
    if labels.shape[-1] == 2:
        apt &= abs(np.nanmean(labels[..., 1], -1, dtype=np.float64) - 0.5) < even
    if labels.shape[-1] != 2 or not apt.any():
        return plain

    recipes = [lambda s: s.fit(labels), lambda s: contrast(s, labels, rivals, count)]
    steady = np.zeros((2, len(labels)))
    for draw in range(draws):
        half = folds(student, f"auto {draw}", 2)
        halves = [student.on(student.train & (half == k)) for k in (0, 1)]
        for number, recipe in enumerate(recipes):
            said = [recipe(one).predict().argmax(-1) for one in halves]
            steady[number] += [kappa(a[rows], b[rows]) / draws for a, b, rows in zip(*said, heard, strict=True)]
    better = apt & (steady[1] > steady[0])
    return Choice(better.astype(int), [plain, recipes[1](student)]) if better.any() else plain


def kappa(a, b) -> float:
    """Cohen's kappa of two lists of answers; 0 where both say one thing alone."""
    classes = range(max(a.max(), b.max()) + 1)
    chance = sum((a == c).mean() * (b == c).mean() for c in classes)
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
