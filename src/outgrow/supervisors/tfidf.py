"""TF-IDF of words and word pairs with logistic regression: a supervisor without a language model."""

from __future__ import annotations

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.supervisors import SupervisorView, supervisor

STRENGTHS = (0.1, 1.0, 10.0, 100.0)


@supervisor()
def tfidf(view: SupervisorView) -> np.ndarray:
    """TF-IDF of words and word pairs with logistic regression, trained on weak-train gold.

    Raises:
        UserError: no word occurs in two texts.
    """
    from scipy.special import softmax
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    task, texts, classes = view.task, view.task.read("tfidf"), len(view.task.classes)
    first = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        first.fit([t for item, pool in zip(texts, view.pool, strict=True) if pool for t in item])
    except ValueError:
        raise UserError(
            f"{task.name}: tfidf has no words to go by: no word occurs in two of the texts; "
            "name another supervisor in `weak`"
        ) from None
    sides = [first.transform([item[s] for item in texts]) for s in range(len(texts[0]))]
    x = sides[0] if len(sides) == 1 else sides[1] - sides[0]
    out = np.empty((len(view.gold), len(task), classes), np.float32)
    for r, gold in enumerate(view.gold):
        rows = np.flatnonzero(gold >= 0)
        named, where = np.unique(task.groups[rows], return_inverse=True)
        held = (derive(view.seed, "tfidf", view.replicates[r]).permutation(len(named)) % 5 == 0)[where]

        def scores(strength: float, rows: np.ndarray, gold: np.ndarray = gold) -> np.ndarray:
            fit = LogisticRegression(C=strength, max_iter=500, fit_intercept=len(sides) == 1).fit(x[rows], gold[rows])
            z = np.full((len(task), classes), -20.0)
            raw = fit.decision_function(x)
            z[:, fit.classes_] = np.stack([-raw / 2, raw / 2], -1) if raw.ndim == 1 else raw
            return softmax(z, -1)

        losses = [-np.log(scores(c, rows[~held])[rows[held], gold[rows[held]]] + 1e-9).mean() for c in STRENGTHS]
        out[r] = scores(STRENGTHS[int(np.argmin(losses))], rows)
    return out
