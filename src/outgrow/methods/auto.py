"""Auto: the auxiliary confidence loss where separate students then agree more; elsewhere naive.

    steadier = kappa(c_A, c_B) - kappa(n_A, n_B)        n, c: naive and logconf students of two halves A, B of the labels
    f = c  where steadier > gain and at least a share `kept` of n's own answers has the class balance of w;   f = n elsewhere

A boundary that the student's features really have draws confident students of separate halves together; where the labels'
errors are of a kind that it can imitate, confidence drives them apart. No gold is needed to see which.
"""

from outgrow.methods import method
from outgrow.objectives.logconf import Logconf
from outgrow.worlds import World


@method(
    paper="outgrow's own; logconf is Burns et al. 2023 (arXiv 2312.09390), section 4.3",
    wins=World(gap=0.5, rate=0.3, telling=0.6, width=40),
    ties=World(errors="emulable"),
)
def auto(weak, student, *, gain: float = 0.02, kept: float = 0.9, draws: int = 2):
    """The confidence loss where it makes students of separate halves agree more, else naive."""
    import numpy as np

    from outgrow.students.crossfit import answers, folds
    from outgrow.students.together import Either

    labels = weak.beliefs
    heard = ~np.isnan(labels).any(-1)
    plain = student.fit(labels)

    def agreement(draw: int, objective) -> np.ndarray:
        half = folds(student, f"auto {draw}", 2)
        said = [student.on(student.train & (half == k)).fit(labels, objective=objective).predict().argmax(-1) for k in (0, 1)]
        return np.array([kappa(a[rows], b[rows]) for a, b, rows in zip(*said, heard, strict=True)])

    own = plain.predict()
    same = own.argmax(-1) == answers(own, labels).argmax(-1)
    keeps = np.array([row[rows].mean() for row, rows in zip(same, heard, strict=True)]) >= kept
    if not keeps.any():
        return plain
    steadier = np.mean([agreement(draw, Logconf()) - agreement(draw, None) for draw in range(draws)], 0)
    confident = keeps & (steadier > gain)
    return Either(confident, student.fit(labels, objective=Logconf()), plain) if confident.any() else plain


def kappa(a, b) -> float:
    """Cohen's kappa of two lists of answers; 0 where both say one thing alone."""
    classes = range(max(a.max(), b.max()) + 1)
    chance = sum((a == c).mean() * (b == c).mean() for c in classes)
    return 0.0 if chance == 1 else ((a == b).mean() - chance) / (1 - chance)
