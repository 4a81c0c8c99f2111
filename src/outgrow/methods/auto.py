"""Auto: of naive, confidence and contrast the recipe whose students of separate halves agree most.

    steady_m = kappa(m_A, m_B)        m_A, m_B: students of recipe m on two halves of the labels
    m = argmax steady_m where that is `gain` above naive's and a share `kept` of naive's answers has the balance of w, else naive
    recipes: naive;  logconf;  contrast where most items come in groups of two: exactly one of a pair is of the last class

A boundary that the student's features really have draws students of separate halves together; where a recipe's idea does
not hold, or the labels' errors are of a kind that the student can imitate, it drives them apart. No gold is needed to see which.
"""

from outgrow.methods import method
from outgrow.objectives.logconf import Logconf
from outgrow.worlds import World


@method(
    paper="outgrow's own; logconf is Burns et al. 2023 (arXiv 2312.09390), contrast after Burns et al. 2022 (arXiv 2212.03827)",
    wins=World(gap=0.5, rate=0.3, telling=0.6, width=40),
    ties=World(errors="emulable"),
)
def auto(weak, student, *, gain: float = 0.04, kept: float = 0.9, draws: int = 2):
    """The recipe whose students of separate halves agree most: confidence, contrast, or naive."""
    import numpy as np

    from outgrow.students.crossfit import answers, folds
    from outgrow.students.pairs import contrast, sides
    from outgrow.students.together import Choice

    labels = weak.beliefs
    heard = ~np.isnan(labels).any(-1)
    recipes = [lambda s: s.fit(labels), lambda s: s.fit(labels, objective=Logconf())]
    pairs = sides(student.groups)
    known = heard[:, pairs].all(-1)
    if labels.shape[-1] == 2 and (known.sum(-1) > heard.sum(-1) / 4).all():
        recipes.append(lambda s: contrast(s, labels, pairs, known))

    plain = recipes[0](student)
    own = plain.predict()
    same = own.argmax(-1) == answers(own, labels).argmax(-1)
    balanced = np.array([row[rows].mean() for row, rows in zip(same, heard, strict=True)]) >= kept
    if not balanced.any():
        return plain

    found = np.zeros((draws, len(recipes), len(labels)))
    for draw in range(draws):
        half = folds(student, f"auto {draw}", 2)
        halves = [student.on(student.train & (half == k)) for k in (0, 1)]
        for number, recipe in enumerate(recipes):
            said = [recipe(one).predict().argmax(-1) for one in halves]
            found[draw, number] = [kappa(a[rows], b[rows]) for a, b, rows in zip(*said, heard, strict=True)]
    found = found.mean(0)
    best = np.where(balanced & (found.max(0) > found[0] + gain), found.argmax(0), 0)
    members = [recipe(student) if number in best else None for number, recipe in enumerate(recipes)]
    return Choice(best, [plain, *members[1:]])


def kappa(a, b) -> float:
    """Cohen's kappa of two lists of answers; 0 where both say one thing alone."""
    classes = range(max(a.max(), b.max()) + 1)
    chance = sum((a == c).mean() * (b == c).mean() for c in classes)
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
