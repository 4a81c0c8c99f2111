"""Estimators of scikit-learn: a student that learns from votes, and label models.

    WeakToStrongClassifier().fit(texts, votes).predict(texts)
    LabelModelTransformer().fit(votes).predict(votes)

Both take part in pipelines, grid searches and cross-validation as other estimators do.
"""

from __future__ import annotations

from outgrow.sklearn.label_models import LabelModelTransformer
from outgrow.sklearn.student import WeakToStrongClassifier

__all__ = ["LabelModelTransformer", "WeakToStrongClassifier"]
