"""Auto: a student of what two students say, naive's and one of beliefs contrasted within groups of rivals; else naive.

    A(z)_i = z_i - mean of z_j over i's rivals j      z: log odds;  rivals: candidates of a question, else a group
                                                      the mean: plain, or by likeness of features, whichever makes r_C larger
    B(z)_i = z_i - shrunken mean of z_j over the other items j that are i's answer
    C(w) = B(A(z))                                    z: log odds of w
    g_0 = fit(sigma(C(w))) out of fold,   g = fit(sigma(C(w) + C(g_0)))        what rivals share, errors among it, falls out
    r_m^2 = kappa of f x kappa of B(f), f: students by recipe m of two halves of the labels,   m: fit(w), fit(sigma(C(w)))
    z = s sum_m a_m z_m / s_m,   a_m ~ (r_m / (1 - r_m))^2 + [m naive] / 10,   s = sum_m a_m s_m
                                                      z_m: log odds of naive, g;   s_m: their deviation
Their errors differ, so that both together err less than either. r / (1 - r) is the signal's share of a score to the noise's:
what students of separate halves agree on is a boundary that the features really have, if they agree on the whole, and still do
once a liking for some answers, which halves share, is taken from it. It is squared since halves may also agree on what is wrong,
so that the less reliable of two is worth less than its noise alone says; where halves agree on hardly anything, naive's word is
taken. Asked where most items have rivals and both of two classes are believed in about equally.
"""

from outgrow.methods import method
from outgrow.worlds import World


@method(
    paper="outgrow's own; contrast after Burns et al. 2022 (arXiv 2212.03827)",
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def auto(weak, student, rivals, answers, *, even: float = 0.1, draws: int = 4, faith: float = 0.1):
    """A student of naive and of beliefs contrasted within groups of rivals, each as reliable as it is; else naive."""
    import numpy as np

    from outgrow.students.crossfit import crossfit, folds
    from outgrow.students.rivals import among, contrasted, margin, said, unliked, ways
    from outgrow.students.together import Choice, Pool

    labels = weak.beliefs
    heard = ~np.isnan(labels).any(-1)
    count = among(rivals, heard)
    plain = student.fit(labels)
    apt = count.sum(-1) > heard.sum(-1) / 2
    if labels.shape[-1] == 2:
        apt &= abs(np.nanmean(labels[..., 1], -1, dtype=np.float64) - 0.5) < even
    if labels.shape[-1] != 2 or not apt.any():
        return plain

    def contrast(probs, way):
        return unliked(contrasted(probs, rivals, count, way), answers, count)

    found = [(way, contrast(labels, way)) for way in ways(student, labels, rivals, count)]
    recipes = [labels, *(said(labels, z, count) for _, z in found)]
    kappas = np.zeros((2, len(recipes), len(labels)))
    for draw in range(draws):
        half = folds(student, f"auto {draw}", 2)
        halves = [student.on(student.train & (half == k)) for k in (0, 1)]
        for m, taught in enumerate(recipes):
            says = [margin(one.fit(taught).predict()) for one in halves]
            for k, z in enumerate((says, [unliked(z, answers, heard) for z in says])):
                kappas[k, m] += [kappa(a[rows] > 0, b[rows] > 0) / draws for a, b, rows in zip(*z, heard, strict=True)]
    reliable = np.sqrt(kappas.clip(0).prod(0)).clip(0.01, 0.99)
    seconds = [contrast(crossfit(student, taught, "seconded"), way) for (way, _), taught in zip(found, recipes[1:], strict=True)]
    g = Choice(reliable[1:].argmax(0), [student.fit(said(labels, z + more, count)) for (_, z), more in zip(found, seconds, strict=True)])
    r = np.stack([reliable[0], reliable[1:].max(0)])
    odds = (r / (1 - r)) ** 2 + [[faith], [0]]
    share = odds / odds.sum(0)
    z = np.stack([margin(one.predict()) for one in (plain, g)])
    spread = np.nanstd(np.where(heard, z, np.nan), -1).clip(1e-9)
    both = Pool(share / spread * (share * spread).sum(0), (plain, g))
    # A fine-tuned student is to be one checkpoint.
    both = both if hasattr(student, "embed") else student.fit(said(labels, margin(both.predict()), heard))
    return Choice(apt.astype(int), [plain, both])


def kappa(a, b) -> float:
    """Cohen's kappa of two lists of yes and no; 0 where both say one thing alone."""
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
